//! What documents point to is there: files, headings, and the files that they only name. Nothing is fetched: of a link to elsewhere only the
//! shape is looked at.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::documents::{Document, all, repository};
use std::path::{Component, Path, PathBuf};

/// How documents that are read outside of the repository (the book, say) link to a file in it, and to a folder.
const PUBLISHED: [&str; 2] =
    ["https://github.com/pelton-rs/pelton/blob/main/", "https://github.com/pelton-rs/pelton/tree/main/"];

/// Without `..`: a document may be behind a link of the system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Why a link leads nowhere.
fn broken(document: &Document, documents: &[Document], link: &str) -> Option<String> {
    let in_repository = PUBLISHED.iter().find_map(|published| link.strip_prefix(published));
    if in_repository.is_none() && link.contains("://") {
        let host = link.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let is_host = host.is_some_and(|host| host.contains('.') && !host.contains(char::is_whitespace));
        return (!is_host).then(|| "is no https://host/..".to_owned());
    }
    // Names of items are checked by rustdoc.
    if link.starts_with("crate::") || link.contains("@crate::") {
        return None;
    }
    let plain_link = in_repository.unwrap_or(link);
    let (file, anchor) = plain_link.split_once('#').map_or((plain_link, None), |(file, anchor)| (file, Some(anchor)));
    let path = match in_repository {
        Some(_) => PathBuf::from(file),
        None if file.is_empty() => document.path.clone(),
        None => plain(&document.path.parent().unwrap().join(file)),
    };
    if !repository().join(&path).exists() {
        return Some("is not there".to_owned());
    }
    // The book is read on its own, where nothing stands beside it.
    let book = Path::new("docs/book/src");
    if document.path.starts_with(book) && !path.starts_with(book) && in_repository.is_none() {
        return Some(format!("is outside of the book: write {}..", PUBLISHED[0]));
    }
    let anchor = anchor?;
    let Some(target) = documents.iter().find(|document| document.path == path) else {
        return Some("has no headings".to_owned());
    };
    let anchors = target.anchors();
    (!anchors.iter().any(|found| found == anchor)).then(|| format!("has no such heading, but {anchors:?}"))
}

#[test]
fn links_lead_somewhere() {
    let documents = all();
    assert!(documents.len() > 30, "{}", documents.len());
    let mut wrong = vec![];
    let mut links = 0;
    for document in &documents {
        for (line, link) in document.links() {
            links += 1;
            if let Some(why) = broken(document, &documents, &link) {
                wrong.push(format!("{}:{line}: {link} {why}", document.path.display()));
            }
        }
    }
    assert!(links > 100, "{links}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let documents = all();
    let readme = documents.iter().find(|document| document.path == Path::new("README.md")).unwrap();
    let book = documents.iter().find(|document| document.path == Path::new("docs/book/src/SUMMARY.md")).unwrap();
    let broken = |document: &Document, link: &str| broken(document, &documents, link);
    assert_eq!(broken(readme, "docs/cost.md#an-exchange"), None);
    assert_eq!(broken(book, &format!("{}docs/cost.md#an-exchange", PUBLISHED[0])), None);
    for (document, link) in [
        (readme, "docs/no.md"),
        (readme, "docs/cost.md#no"),
        (readme, "#no"),
        (readme, "http://example.org/"),
        (readme, "https://no host/"),
        (book, "../../cost.md"),
        (book, "https://github.com/pelton-rs/pelton/blob/main/docs/no.md"),
    ] {
        assert!(broken(document, link).is_some(), "{link}");
    }
}

#[test]
fn files_that_are_named_are_there() {
    let mut wrong = vec![];
    let mut named = 0;
    for document in all() {
        // Tells what was, too.
        if document.path == Path::new("CHANGELOG.md") {
            continue;
        }
        for (line, code) in document.code() {
            let path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
            let folders = ["docs/", "runtime/", "macros/", "examples/", "benches/", "ui-tests/", "scripts/"];
            if folders.iter().any(|folder| code.starts_with(folder)) && code.chars().all(path) && !code.contains("..") {
                named += 1;
                if !repository().join(&code).exists() {
                    wrong.push(format!("{}:{line}: {code}", document.path.display()));
                }
            }
        }
    }
    assert!(named > 30, "{named}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_chapter_of_the_book_is_in_its_summary() {
    let source = Path::new("docs/book/src");
    let links = Document::read(&source.join("SUMMARY.md")).links();
    let mut listed: Vec<&str> = links.iter().map(|(_, link)| &link[..]).collect();
    let mut chapters: Vec<String> = repository()
        .join(source)
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    chapters.sort_unstable();
    listed.sort_unstable();
    assert_eq!(chapters, listed);
}

#[test]
fn every_block_of_rust_in_the_book_is_compiled_and_run() {
    let source = Path::new("docs/book/src");
    let tested = std::fs::read_to_string(repository().join("runtime/src/lib.rs")).unwrap();
    for document in all().iter().filter(|document| document.path.starts_with(source)) {
        let languages = || document.lines.iter().filter_map(|line| line.block.as_deref());
        // `rust,ignore` and the like would not be.
        let other = languages().find(|language| !["rust", "text", "console", "sh", "toml", "java"].contains(language));
        assert_eq!(other, None, "{}", document.path.display());
        let chapter = document.path.file_name().unwrap().to_string_lossy();
        let included = tested.contains(&format!("include_str!(\"../../docs/book/src/{chapter}\")"));
        assert!(included || languages().all(|language| language != "rust"), "{chapter} is not in `runtime/src/lib.rs`");
    }
}

/// A message of the compiler in the book, or about stored state that changes, is one that the compiler gives: it is one of those in `ui-tests`.
#[test]
fn messages_of_the_compiler_are_those_of_today() {
    let kept = repository().join("ui-tests/ui");
    let mut messages = vec![];
    for theme in kept.read_dir().unwrap() {
        for case in theme.unwrap().path().read_dir().unwrap() {
            let case = case.unwrap().path();
            if case.extension().is_some_and(|ending| ending == "stderr") {
                messages.push(std::fs::read_to_string(case).unwrap());
            }
        }
    }
    let mut seen = 0;
    let quotes =
        |document: &&Document| ["docs/book", "docs/evolution.md"].iter().any(|path| document.path.starts_with(path));
    for document in all().iter().filter(quotes) {
        let mut told: Vec<(usize, String)> = vec![];
        for line in document.lines.iter().filter(|line| line.block.as_deref() == Some("text")) {
            match told.last_mut() {
                Some((_, message)) if !line.text.starts_with("error") => *message += &format!("{}\n", line.text),
                _ => told.push((line.number, format!("{}\n", line.text))),
            }
        }
        for (line, message) in told.iter().filter(|(_, message)| message.starts_with("error")) {
            seen += 1;
            let place = format!("{}:{line}", document.path.display());
            assert!(
                messages.iter().any(|kept| kept.contains(&**message)),
                "{place}: no case of ui-tests says\n{message}"
            );
        }
    }
    assert!(seen > 2, "{seen}");
}

/// A lock in a document is one that a program has written.
#[test]
fn locks_are_those_of_the_examples() {
    let kept = std::fs::read_to_string(repository().join("examples/pelton.lock")).unwrap();
    let text = |document: &Document| -> String {
        let lines = document.lines.iter().filter(|line| line.block.as_deref() == Some("text"));
        lines.map(|line| format!("{}\n", line.text)).collect()
    };
    let documents = all();
    let locks = documents.iter().flat_map(|document| {
        let text = text(document);
        let jobs: Vec<String> = text.split("job ").skip(1).map(str::to_owned).collect();
        jobs.into_iter().filter(|job| job.lines().next().is_some_and(|line| line.contains(" version ")))
    });
    let mut seen = 0;
    for lock in locks {
        seen += 1;
        let lock = lock.split_inclusive("\n}\n").next().unwrap();
        assert!(kept.contains(&format!("job {lock}")), "no lock of the examples has\njob {lock}");
    }
    assert!(seen > 0);
}
