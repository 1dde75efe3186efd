//! How statements are cut and read.

use super::*;

#[test]
fn every_form_is_read() {
    right(
        "/// Where it is.
         param input: PathBuf = \"in.csv\";
         param out: Option<PathBuf>;
         param least: i32 = 5;
         param pairs: HashMap<String, Vec<(u8, u8)>> = HashMap::<String, Vec<(u8, u8)>>::new();
         param size: TimeSpan = 1h30min;
         source flights: Line<'_> = csv(input).na(\"NA\"), on_error skip, ordered_splits, late_by 24h, event_time |d| d.scheduled;
         source names: &str = lines(input), on_error fail;
         source odd: Box<dyn Fn(u8) -> u8> = rows(x);
         let long: usize = names.map(|n| n.len()).filter(|n| *n > 3 || *n < 1).inspect(|n| println!(\"{n}\"));
         let parts = names.flat_map(|n| n.split(' ').collect::<Vec<_>>()).filter_map(|n| -> Option<Result<u8, ()>> { None });
         let k = flights.key_by(|d| (d.a, d.b));
         let hourly = k.window(tumbling 1h offset 15min, allow_late 10min, refire).aggregate((count(), sum(|d| d.x), Own::new(1, 2)));
         let daily = k.window(tumbling size).aggregate(max_by(|d| d.x));
         let total = k.aggregate(Own, emit every 1s, unbounded(\"few\"));
         let most = k.reduce(|a, b| if a.x | 1 > b.x { a } else { b }, unbounded(\"few\"), emit at_end);
         let folded = k.fold((0, 0), |(a, b), r| *a |= r.x, emit each, ttl size);
         let both = union(hourly, daily, hourly.late).map(f);
         let late: Flight = daily.late;
         sink a(both, late) = csv(out);
         sink b(long) = collect();
         drop total, most, folded, parts, odd;",
    );
}

#[test]
fn a_forgotten_semicolon_takes_no_statement_with_it() {
    wrong(
        "source a: T = rows(d) sink b(a) = stdout();",
        &["sink | expected `;` in front of `sink` | end the statement"],
    );
    wrong("source a: T = rows(d); sink b(a) = stdout()", &["() | expected `;` behind this | every statement"]);
    wrong(
        "source a: T = rows(d); let b = a.map(f) let c = b.map(g) sink d(c) = stdout();",
        &["let | expected `;` in front of `let` | ", "sink | expected `;` in front of `sink` | "],
    );
    right("source a: T = if let Some(x) = y { rows(x) } else { rows(z) }; sink b(a) = stdout();");
}

#[test]
fn unknown_statements() {
    wrong(
        "source a: T = rows(d); lett b = a.map(f); sink c(b) = stdout();",
        &["lett | `lett` starts no statement | did you mean `let`?"],
    );
    wrong(
        "align b; source a: T = rows(d); sink c(a) = stdout();",
        &[
            "align | `align` is not built yet | `param`, `resource`, `checkpoint`, `restart`, `source`, `let`, `sink` or `drop`",
        ],
    );
    wrong("5; source a: T = rows(d); sink c(a) = stdout();", &["5 | expected a statement, found `5` | `param`"]);
}

#[test]
fn headers() {
    wrong_block("(pelton)", &[" | this block is empty | pub job Name<Memory>"]);
    wrong_block("(pelton) jop J<Memory> {}", &["jop | expected `job`, found `jop` | did you mean `job`?"]);
    wrong_block("(pelton) pub flow f(a: T) {}", &["f | the flow `f` gives nothing | `flow name("]);
    let body = "{ source a: T = rows(d); sink c(a) = stdout(); }";
    for (header, expected) in [
        ("job J", "J | `J` names no state backend | write `job J<Memory>`"),
        ("job J<Memroy>", "Memroy | there is no state backend `Memroy` | did you mean `Memory`?"),
        ("job J<Rocksdb>", "Rocksdb | there is no state backend `Rocksdb` | did you mean `RocksDb`?"),
        ("job J<Disk>", "Disk | there is no state backend `Disk` | backends are `Memory`"),
        ("job J<Memory, T: Record>", "T | no param has `T` in its type | `param rows: Vec<T>;`"),
        ("job J<>", "< | expected a state backend behind this | `Memory`"),
    ] {
        wrong_block(&format!("(pelton) {header} {body}"), &[expected]);
    }
    wrong_block("(pelton) job J<Memory> ()", &["() | expected `{`, found `(` | pub job"]);
    wrong_block(
        &format!("(pelton) #[cfg(unix)] job A<Memory> {body}"),
        &["#[cfg(unix)] | a job takes no `cfg` | `stream!`"],
    );
    assert_eq!(understand_block(&format!("(pelton) job A<Memory> {body} pub(crate) job B<Memory> {body}")).0.len(), 2);
}

#[test]
fn params() {
    let rest = "source a: T = rows(d); sink c(a) = stdout();";
    for (param, expected) in [
        ("param x;", "x | expected `:` behind this | `param name: Type;`"),
        ("param x: ;", ": | expected the type of `x` behind this | param name: Type"),
        ("param x: u32 5;", "u32 5 | the type of `x` cannot be read | param name"),
        ("param x: u32 = ;", "= | expected a default | param name"),
        ("param x: u32 = 5 +;", "+ | the expression stops here | something is missing"),
        ("param type: u32;", "type | `type` is a word of Rust | param name"),
        ("param _: u32;", "_ | a param needs a name | param name"),
        ("param __x: u32;", "__x | `__x` begins with `__` | call it `x`"),
        ("param workers: u32;", "workers | `--workers` is a flag of every job's binary | `job_workers`"),
        ("param _pin_: u32;", "_pin_ | `--pin` is a flag of every job's binary | `job_pin`"),
        ("param x_y: u32; param _x_y: u32;", "_x_y | `_x_y` and `x_y` are one flag, `--x-y` | rename"),
        ("param x: Option<u32> = None;", "None | `x` is an `Option` | `param x: u32;`"),
        ("#[cfg(unix)] param x: u32;", "#[cfg(unix)] | a param takes no attributes | doc comments"),
    ] {
        wrong(&format!("{param} {rest}"), &[expected]);
    }
}

#[test]
fn sources() {
    for (source, expected) in [
        ("source a = rows(d);", "= | expected `:`, found `=` | declared with the type of its rows"),
        ("source a: T;", "T | expected `=` behind this | source name: Type"),
        ("source a: T = ;", "a | expected a connector | `csv(path)`"),
        ("source a: T = rows(d.);", ". | the expression stops here | "),
    ] {
        wrong(&format!("{source} sink c(a) = stdout();"), &[expected]);
    }
}

#[test]
fn sinks_and_drops() {
    for (ends, expected) in [
        ("sink a = stdout();", "= | expected `(stream)`, found `=` | what it takes"),
        ("sink b() = stdout(); drop a;", "b | `b` takes no stream | sink name(stream)"),
        ("sink b(a.map(f)) = stdout();", "a | expected `,`, found | "),
        ("sink b(a) stdout();", "stdout | expected `=`, found `stdout` | sink name(stream)"),
        ("sink b(a) = collect;", "collect | `collect` lacks its parentheses | `collect()`"),
        ("sink b(a) = collect(x);", "x | `collect` takes no argument | come back from `run`"),
        ("sink b(a) = csv(x), rol every 1h;", "rol | a sink has no option `rol` | did you mean `roll`?"),
        ("sink b(a) = csv(x), roll;", "roll | expected `every` or `at` behind this | `roll every 1h or at 128MiB`"),
        ("sink b(a) = csv(x), roll 1h;", "1h | expected `every` or `at`, found `1h` | `roll every 1h`"),
        ("sink b(a) = csv(x), roll every 1h or every 2h;", "every | `every` is said twice | `roll at 128MiB`"),
        ("sink b(a) = csv(x), roll at 128MB;", "128MB | `128MB` is no size | `128MiB`"),
        ("sink b(a) = csv(x), roll at 0KiB;", "0KiB | no file has a size of `0KiB` | `128MiB`"),
        ("sink b(a) = csv(x), roll every 0s;", "0s | a file of no time | `roll every 1h`"),
        ("sink b(a) = csv(x), roll every span;", "span | there is no param `span` | `param span: TimeSpan;`"),
        ("sink b(a) = csv(x), roll evry 1h;", "evry | `evry` says nothing of when to roll | did you mean `every`?"),
        ("sink b(a) = csv(x), roll when 1h;", "when | `when` says nothing of when to roll | `roll every 1h`"),
        ("sink b(a) = csv(x), roll every 1h 2h;", "2h | expected `or` or `;`, found `2h` | `roll every 1h`"),
        ("sink b(a) = collect(), roll every 1h;", "roll | `collect()` has no options | `collect();`"),
        ("sink b(a) = stdout(); drop;", "drop | this drops nothing | `drop a, b.late;`"),
    ] {
        let expected =
            expected.replace("a | expected `,`, found | ", "(f) | expected `,`, found `(` | names of the streams");
        wrong(&format!("source a: T = rows(d); {ends}"), &[&expected]);
    }
}

#[test]
fn a_secret_is_never_written_out() {
    let with = |param: &str| format!("param {param}; source a: T = db(password); sink s(a) = stdout();");
    for default in ["\"hunter2\"", "Secret::new(x)", "\"env:\"", "\"vault:x\""] {
        wrong(
            &with(&format!("password: Secret = {default}")),
            &[&format!(
                "{default} | a secret is never written out, not even as a default | `param password: Secret = \"env:NAME\";`"
            )],
        );
    }
    right(&with("password: Secret"));
    right(&with("password: pelton::Secret = \"env:DB_PASSWORD\""));
    right(&with("password: Option<Secret>"));
}
