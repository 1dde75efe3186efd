//! `--log` and `--summary`: the same for people and for programs.

use serde_json::Value;

use super::*;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[test]
fn the_summary_is_text_or_one_line_of_json() {
    let text = ask("--departures in.csv --ending summary-text --summary text");
    assert!(text.err.starts_with("Board finished in 2 s on 2 workers\n"), "{}", text.err);
    let json = ask("--departures in.csv --ending summary-json --summary json");
    assert_eq!((json.code, &*json.out), (0, ""));
    let said = lines(&json.err);
    assert_eq!(said.len(), 1);
    assert_eq!(
        (&said[0]["job"], &said[0]["records_in"], &said[0]["elapsed_ms"]),
        (&"Board".into(), &1000.into(), &2000.into())
    );
    for ending in ["summary-text", "summary-json"] {
        assert_eq!(taken(ending).1.log, crate::config::LogForm::Text);
    }
}

#[test]
fn a_log_of_json_is_json_to_its_last_line() {
    let well = ask("--departures in.csv --ending log-well --log json");
    let said = lines(&well.err);
    assert_eq!((said.len(), &said[0]["event"], &said[0]["level"]), (1, &"finished".into(), &"info".into()));
    assert_eq!((&said[0]["records_in"], &said[0]["workers"]), (&1000.into(), &2.into()));
    assert!(said[0]["time"].as_str().unwrap().ends_with('Z'));
    let (_, config) = taken("log-well");
    assert_eq!((config.log, config.progress), (crate::config::LogForm::Json, true));
    let broken = ask("--departures in.csv --ending broken --log json");
    assert_eq!(broken.code, 1);
    let said = lines(&broken.err);
    assert_eq!((&said[0]["event"], &said[0]["level"]), (&"failed".into(), &"error".into()));
    assert_eq!((&said[0]["error"], &said[0]["help"]), (&"the file is broken".into(), &"mend it".into()));
    let interrupted = ask("--departures in.csv --ending interrupted --log json");
    assert_eq!(interrupted.code, 130);
    assert_eq!(lines(&interrupted.err)[0]["event"], "interrupted");
    let quiet = ask("--departures in.csv --ending log-quiet --log json --quiet");
    assert_eq!((quiet.code, &*quiet.err), (0, ""));
    assert!(!taken("log-quiet").1.progress);
    for (line, said) in
        [("--log yaml", "[possible values: text, json]"), ("--summary yaml", "[possible values: text, json]")]
    {
        let answer = ask(&format!("--departures in.csv {line}"));
        assert!(answer.code == 2 && answer.err.contains(said), "{}", answer.err);
    }
}
