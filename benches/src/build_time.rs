//! How long a job takes to compile, by the number of its operators: `cargo check`, a dev build and a release build, after an edit of the file
//! that the job stands in.
//!
//! ```text
//! cargo run -p pelton-benches --bin build_time                  everything, best of three
//! cargo run -p pelton-benches --bin build_time -- check 5       `check`, `dev` or `release` alone; best of five
//! ```
//!
//! The crates are made in a folder of their own, with a path to this clone, and keep what they have built: the first run takes minutes
//! more. What a job costs is what it takes beyond an empty one: the edit of a crate that links Pelton takes time as well.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Numbers of operators; 0 is a job of a source and a sink.
const SIZES: [usize; 4] = [0, 10, 40, 80];
/// The ways to build.
const WAYS: [(&str, &[&str]); 3] = [("check", &["check"]), ("dev", &["build"]), ("release", &["build", "--release"])];

/// A job of this many operators, a multiple of ten. Ten of them, one behind the other:
/// map, filter, `key_by`, window, map; `filter_map`, inspect, `key_by`, reduce, map. So two of them keep state, and two rows are sent.
fn job(operators: usize, edit: u64) -> String {
    let mut block = String::new();
    for ten in 0..operators / 10 {
        let from = if ten == 0 { "all".to_owned() } else { format!("b{}", ten - 1) };
        // The edit is in the first closure: what depends on it is built again, as after any edit.
        let edit = if ten == 0 { edit } else { 0 };
        write!(
            block,
            "
        let a{ten} = {from}
            .map(|r| Row {{ value: r.value + {edit}, ..r }})
            .filter(|r| r.value % 7 != 3)
            .key_by(|r| r.key)
            .window(tumbling 1min)
            .aggregate((count(), sum(|r| r.value), max(|r| r.value)))
            .map(|w| Row {{ at: w.start, key: w.key, value: w.value.1 }});
        let b{ten} = a{ten}
            .filter_map(|r| (r.value > 2).then_some(r))
            .inspect(|r| assert!(r.key < u64::MAX))
            .key_by(|r| r.key % 100)
            .reduce(|a, b| Row {{ value: a.value.max(b.value), ..b }}, emit each, ttl 1h)
            .map(|(key, r)| Row {{ key, ..r }});
        drop a{ten}.late;
"
        )
        .unwrap_or_default();
    }
    let last = if operators == 0 { "all".to_owned() } else { format!("b{}", operators / 10 - 1) };
    format!(
        "use pelton::prelude::*;

#[derive(Record, Serialize, Deserialize, Clone)]
struct Row {{
    at: Timestamp,
    key: u64,
    value: u64,
}}

const EDIT: u64 = {edit};

stream! {{
    pub job Built<Memory> {{
        param input: PathBuf;
        param out: PathBuf;
        source all: Row = csv(input), event_time |r| r.at, late_by 1min, ordered_splits;
{block}
        sink file({last}) = csv(out);
    }}
}}

fn main() -> ExitCode {{
    assert!(EDIT < u64::MAX);
    Built::main()
}}
"
    )
}

/// Where the crates are: where this program was built.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("build_time")
}

fn make(folder: &Path, operators: usize) -> std::io::Result<PathBuf> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime").canonicalize()?;
    let package = folder.join(format!("operators{operators}"));
    std::fs::create_dir_all(package.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"operators{operators}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         pelton = {{ path = {runtime:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\n[workspace]\n"
    );
    std::fs::write(package.join("Cargo.toml"), manifest)?;
    std::fs::copy(runtime.join("../Cargo.lock"), package.join("Cargo.lock"))?;
    std::fs::write(package.join("src/main.rs"), job(operators, 0))?;
    Ok(package)
}

/// How long a build takes.
fn build(package: &Path, target: &Path, flags: &[&str]) -> Result<Duration, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    cargo.args(flags).args(["--offline", "--quiet"]).current_dir(package).env("CARGO_TARGET_DIR", target);
    let begun = Instant::now();
    let output = cargo.stdin(Stdio::null()).output().map_err(|e| format!("cargo does not run: {e}"))?;
    let took = begun.elapsed();
    match output.status.success() {
        true => Ok(took),
        false => Err(format!("{}: {}", package.display(), String::from_utf8_lossy(&output.stderr))),
    }
}

fn measure(ways: &[(&str, &[&str])], times: usize) -> Result<(), String> {
    let folder = folder();
    let target = folder.join("target");
    let packages = SIZES.map(|operators| make(&folder, operators).map_err(|e| format!("{}: {e}", folder.display())));
    let packages: Vec<PathBuf> = packages.into_iter().collect::<Result<_, _>>()?;
    println!("seconds after an edit, best of {times}; behind them, what the job adds to an empty one\n");
    println!("{:8}{}", "", SIZES.map(|operators| format!("{operators:>16}")).concat());
    for (way, flags) in ways {
        let mut best = [Duration::MAX; SIZES.len()];
        for package in &packages {
            build(package, &target, flags)?;
        }
        for time in 1..=times {
            // In turn, so that what else the machine does meets all of them.
            for ((package, operators), best) in packages.iter().zip(SIZES).zip(&mut best) {
                let edited = std::fs::write(package.join("src/main.rs"), job(operators, time as u64));
                edited.map_err(|e| format!("{}: {e}", package.display()))?;
                *best = build(package, &target, flags)?.min(*best);
            }
        }
        let seconds = best.map(|time| time.as_secs_f64());
        let cells = seconds.map(|time| format!("{time:>8.2} {:>+7.2}", time - seconds[0]));
        let [empty, _, forty, eighty] = seconds;
        println!("{way:8}{}   80 add {:.2} times what 40 add", cells.concat(), (eighty - empty) / (forty - empty));
    }
    Ok(())
}

fn main() -> ExitCode {
    let said: Vec<String> = std::env::args().skip(1).collect();
    let ways: Vec<_> = WAYS.into_iter().filter(|(way, _)| said.first().is_none_or(|said| said == way)).collect();
    let times = said.get(1).map_or(Ok(3), |times| times.parse());
    let (false, Ok(times @ 1..)) = (ways.is_empty(), times) else {
        eprintln!("write: build_time [check|dev|release] [TIMES]");
        return ExitCode::from(2);
    };
    match measure(&ways, times) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
