//! `resource name: Type = expression;`.

use super::*;

#[test]
fn what_it_must_be() {
    let with = |resource: &str| {
        format!("{resource} source a: T = rows(d); let b = a.map(|r| http.get(r)); sink s(b) = stdout();")
    };
    for (resource, expected) in [
        ("resource http = Client::new();", "= | expected `:`, found `=` | `resource name: Type = Type::new();`"),
        ("resource http: Client;", "Client | expected `=` behind this | `resource name: Type = Type::new();`"),
        ("resource http: Client = ;", "http | expected what it is | `resource name: Type = Type::new();`"),
        (
            "param http: u8; resource http: Client = c();",
            "http | `http` is the name of a param already | rename one of the two",
        ),
        (
            "resource pool: Pool = p();",
            "pool | nothing uses the resource `pool` | look at it in a closure, or remove it",
        ),
    ] {
        wrong(&with(resource), &[expected]);
    }
    wrong(
        "resource http: C = c(); source a: T = rows(d); let b = a.map(|r| http.get(r)); sink s(b, http) = stdout();",
        &["http | `http` is a resource, not a stream | a resource is seen in closures and connectors"],
    );
    let further_down = "http | `http` is made further down | move `pool` behind `http`";
    let pooled = |pool: &str| {
        format!(
            "resource pool: Pool = {pool}; resource http: C = c(); source a: T = rows(d); let b = a.map(|r| pool.get(r)); sink s(b) = stdout();"
        )
    };
    wrong(&pooled("Pool::of(&http, http)"), &[further_down]);
    // perhaps an argument of the closure
    right(&pooled("p(|http| http.x)"));
    right(&pooled("p(self::http(), it.http, http::get())"));
    right(&with("resource http: Client = Client::new()?;"));
    right(&with("param key: String; resource pool: Pool = p(); resource http: Client = Client::new(&pool, key);"));
}
