//! Word count as a user runs it.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, run, said, same_rows};

#[test]
fn the_bare_program_prints_the_words_that_occur_often() {
    let table = said(run("word_count", [""; 0]));
    let found: String =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(",") + "\n").collect();
    let all = std::fs::read_to_string(bundled("expected/word_count.csv")).unwrap();
    let often = |line: &str| line.split_once(',').unwrap().1.parse().is_ok_and(|count: u64| count >= 3);
    let expected: String =
        all.lines().filter(|line| *line == "word,count" || often(line)).map(|l| l.to_owned() + "\n").collect();
    same_rows(&found, &expected, "the table on the terminal");
}

#[test]
fn a_file_of_all_words_is_the_right_one() {
    let folder = Folder::new();
    let out = folder.path().join("words.csv");
    let expected = std::fs::read_to_string(bundled("expected/word_count.csv")).unwrap();
    for workers in ["1", "2", "3"] {
        let args = ["run", "--least", "1", "--out", out.to_str().unwrap(), "--workers", workers, "--quiet"];
        said(run("word_count", args));
        same_rows(&std::fs::read_to_string(&out).unwrap(), &expected, &format!("{workers} workers"));
    }
}
