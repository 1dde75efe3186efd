//! The documentation of a job's struct has its picture: rustdoc is run over the examples, and the picture is held against the plan that the program tells.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, run, said};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Where this test was built, with all that the examples need.
fn dependencies() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// The library that was built last under this name.
fn library(name: &str) -> PathBuf {
    let prefix = format!("lib{name}-");
    let all = dependencies().read_dir().unwrap().map(|entry| entry.unwrap());
    let named = all.filter(|entry| {
        let file = entry.file_name().into_string().unwrap();
        file.starts_with(&prefix) && file.ends_with(".rlib")
    });
    let newest = named.max_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
    newest.unwrap_or_else(|| panic!("{name} is not built")).path()
}

/// What rustdoc makes of an example: the page of its job.
fn page(example: &str, job: &str) -> String {
    let folder = Folder::new();
    let mut rustdoc = Command::new(std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()));
    rustdoc.arg(bundled(&format!("{example}.rs"))).args(["--edition", "2024", "--document-private-items"]);
    rustdoc.args(["--crate-name", example, "--crate-type", "bin", "-o"]).arg(folder.path());
    rustdoc.arg("-L").arg(format!("dependency={}", dependencies().display()));
    for name in ["pelton", "serde"] {
        rustdoc.arg("--extern").arg(format!("{name}={}", library(name).display()));
    }
    said(rustdoc.output().unwrap());
    std::fs::read_to_string(folder.path().join(example).join(format!("struct.{job}.html"))).unwrap()
}

/// Texts of a kind in a picture, without what a pointer shows.
fn texts(picture: &str, class: &str) -> Vec<String> {
    let begins = format!("<text class=\"pelton-{class}\"");
    let of = |rest: &str| {
        let inside = rest.split_once('>').unwrap().1.split_once("</text>").unwrap().0;
        inside.split("</title>").last().unwrap().to_owned()
    };
    picture.split(&begins).skip(1).map(of).collect()
}

/// Tags that close in order.
fn well_formed(picture: &str) -> bool {
    let mut open = vec![];
    for tag in picture.split('<').skip(1).map(|rest| rest.split_once('>').map_or("", |(tag, _)| tag)) {
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(_) => return false,
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    open.is_empty()
}

#[test]
fn the_documentation_of_a_job_has_its_picture() {
    for (example, job) in [("delay_board", "DelayBoard"), ("quiet_planes", "QuietPlanes"), ("word_count", "WordCount")]
    {
        let page = page(example, job);
        let picture = page.split_once("<svg ").and_then(|(_, rest)| rest.split_once("</svg>"));
        let (picture, _) = picture.filter(|(picture, _)| picture.contains("pelton-plan")).unwrap_or_else(|| {
            panic!("{example}: no picture in {page}");
        });
        let picture = format!("<svg {picture}</svg>");
        assert!(well_formed(&picture), "{picture}");
        let plan: Value = serde_json::from_str(&said(run(example, ["plan", "--format", "json"]))).unwrap();
        let chains = plan["chains"].as_array().unwrap();
        assert_eq!(picture.matches("<rect class=\"pelton-box").count(), chains.len(), "{example}");
        let names = texts(&picture, "name");
        for operator in chains.iter().flat_map(|chain| chain["operators"].as_array().unwrap()) {
            let name = operator["name"].as_str().unwrap();
            assert!(name.is_empty() || names.iter().any(|shown| shown == name), "{example}: no `{name}` in {names:?}");
        }
        let edges = plan["edges"].as_array().unwrap();
        let (mut kinds, mut cuts): (Vec<&str>, Vec<String>) = edges
            .iter()
            .map(|edge| {
                let kind = match edge["kind"].as_str().unwrap() {
                    "by_key" => "by key",
                    "local" => "same worker",
                    other => panic!("{other}"),
                };
                (kind, format!("cut at {}", edge["because"].as_str().unwrap()))
            })
            .unzip();
        let (mut how, rows) = (texts(&picture, "how"), texts(&picture, "rows"));
        let mut why: Vec<&String> = rows.iter().filter(|text| text.starts_with("cut at")).collect();
        kinds.sort_unstable();
        cuts.sort_unstable();
        how.sort_unstable();
        why.sort_unstable();
        assert_eq!(how, kinds, "{example}");
        assert_eq!(why, cuts.iter().collect::<Vec<_>>(), "{example}");
        let bytes = rows.iter().filter(|text| *text == "frames of about 128 KiB by default").count();
        assert_eq!(bytes, edges.len(), "{example}: {rows:?}");
    }
}

#[test]
fn a_picture_that_is_no_xml_is_found() {
    for (text, is) in
        [("<svg a=\"b\"><g></g><path/></svg>", true), ("<svg><g></svg>", false), ("<svg><g></svg></g>", false)]
    {
        assert_eq!(well_formed(text), is, "{text}");
    }
}
