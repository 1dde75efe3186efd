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
    right(&with("resource http: Client = Client::new()?;"));
    right(&with("param key: String; resource pool: Pool = p(); resource http: Client = Client::new(&pool, key);"));
}
