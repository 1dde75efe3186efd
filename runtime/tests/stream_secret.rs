//! `Secret` params: named by where they are, seen by closures and connectors, and by nobody else.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use pelton::job::main_with;
use pelton::prelude::*;

/// A source that describes itself by its settings, as a careless one would.
fn board(password: Secret, out: PathBuf) -> Guarded {
    Guarded { password, out }
}

#[derive(Debug)]
struct Guarded {
    password: Secret,
    out: PathBuf,
}

pelton::stream! {
    /// A job with a secret.
    pub job Vault<Memory> {
        /// Opens it.
        param password: Secret;
        /// Opens it, too.
        param token: Secret = "env:CARGO_PKG_NAME";
        param spare: Option<Secret>;
        param out: PathBuf = "vault.csv";

        source numbers: u64 = iter(|| 0..3u64);
        let opened: (u64, String) = numbers.map(|n| {
            let guarded = board(password.clone(), out.clone());
            let spare = spare.as_ref().map_or("none", |spare| spare.expose());
            let hidden = format!("{:?}", guarded.password);
            assert_eq!(guarded.out, out);
            (n, format!("{} {} {spare} {hidden}", guarded.password.expose(), token.expose()))
        });
        sink all(opened) = csv(out);
    }
}

/// Exit code and all that was said.
fn say(args: &[&str]) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("vault").chain(args.iter().copied()).map(Into::into);
    let code = main_with::<Vault>(args, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

#[test]
fn it_comes_from_the_environment_or_a_file_and_is_said_nowhere() {
    let folder = std::env::temp_dir().join(format!("pelton-vault-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, out) = (folder.join("secret"), folder.join("out.csv"));
    std::fs::write(&file, "hunter2\n").unwrap();
    let at = format!("file:{}", file.display());
    let out_flag = out.display().to_string();
    let (code, said) = say(&["run", "--password", &at, "--spare", &at, "--out", &out_flag, "--workers", "2"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let rows = std::fs::read_to_string(&out).unwrap();
    assert!(rows.contains("hunter2 pelton hunter2 Secret(..)"), "a closure that asks for it gets it: {rows}");

    for args in [
        &["plan", "--password", &at][..],
        &["plan", "--password", &at, "--format", "json"],
        &["--help"],
        &["run", "--help"],
    ] {
        let (code, said) = say(args);
        assert!(code == 0 && !said.contains("hunter2"), "{said}");
    }
    let (_, help) = say(&["run", "--help"]);
    assert!(
        help.contains("--password <env:NAME|file:PATH>") && help.contains("[default: env:CARGO_PKG_NAME]"),
        "{help}"
    );
    assert!(help.contains("--password env:PASSWORD"), "{help}");
    let secret = Secret::new("hunter2");
    let job = Vault { password: secret.clone(), token: secret.clone(), spare: Some(secret), out: "x.csv".into() };
    let (debug, plan) = (format!("{:?}", job.password), job.plan(&Config::default()).unwrap().to_string());
    assert!(!debug.contains("hunter2") && !plan.contains("hunter2"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn one_that_is_written_out_is_refused_and_not_said_again() {
    let (code, said) = say(&["run", "--password", "hunter2"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("flag `--password`: a secret is named by where it is, and never written out"), "{said}");
    assert!(
        said.contains("write `--password env:NAME` or `--password file:PATH`") && !said.contains("hunter2"),
        "{said}"
    );
    let (code, said) = say(&["run", "--password", "env:PELTON_NO_SUCH"]);
    assert!(code == 2 && said.contains("the environment variable `PELTON_NO_SUCH` is not set"), "{said}");
}
