//! The reference of the language (`runtime/src/stream.md`, the documentation of `stream!`) has every word of the catalog, in an example that is
//! run where there can be one.

use crate::catalog;

const REFERENCE: &str = include_str!("../../../runtime/src/stream.md");
const WORDS: &str = include_str!("../../../runtime/src/__private/words.rs");
const PRELUDE: &str = include_str!("../../../runtime/src/prelude.rs");

/// The examples that are run, and everything else.
fn apart() -> (String, String) {
    let (mut examples, mut rest) = (String::new(), String::new());
    // Of a block that is not run the language is said: `text`, `compile_fail`.
    let mut runs = None;
    for line in REFERENCE.lines() {
        match (line.strip_prefix("```"), runs) {
            (Some(language), None) => runs = Some(language.is_empty()),
            (Some(_), Some(_)) => runs = None,
            (None, Some(true)) => examples += &format!("{line}\n"),
            (None, _) => rest += &format!("{line}\n"),
        }
    }
    (examples, rest)
}

/// Whether a word occurs, and not as a part of another one.
fn has(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let whole = |beside: Option<char>| !beside.is_some_and(part);
        whole(text[..at].chars().next_back()) && whole(text[at + word.len()..].chars().next())
    })
}

#[test]
fn every_word_has_an_example() {
    let (examples, rest) = apart();
    let mut missing = vec![];
    let mut example = |what: &str, word: &str, written: &[String]| {
        if !written.iter().any(|written| examples.contains(written)) {
            missing.push(format!("no example of the {what} `{word}`"));
        }
        if !has(&rest, word) {
            missing.push(format!("nothing is said of the {what} `{word}`"));
        }
    };
    for operator in catalog::OPERATORS {
        example("operator", operator.name, &[format!(".{}(", operator.name), format!(".{} {{", operator.name)]);
    }
    for word in catalog::WORDS {
        let name = word.name;
        example("aggregate", name, &["(", " "].map(|before| format!("{before}{name}(")));
    }
    for word in catalog::STATEMENTS.iter().chain(catalog::FLOW_STATEMENTS) {
        example("statement", word, &[format!(" {word} ")]);
    }
    for (state, _) in catalog::STATES {
        example("state", state, &[format!(": {state}<")]);
    }
    for handler in catalog::HANDLERS {
        example("handler", handler, &[format!("on {handler}")]);
    }
    let options = [
        ("option of `checkpoint`", catalog::CHECKPOINT_OPTIONS),
        ("option of a source", catalog::SOURCE_OPTIONS),
        ("option of a sink", catalog::SINK_OPTIONS),
        ("option of a window", catalog::WINDOW_OPTIONS),
        ("option", catalog::STATE_OPTIONS),
        ("item of a `process`", catalog::PROCESS_ITEMS),
        ("clock", catalog::TIMERS),
    ];
    for (what, words) in options {
        for word in words {
            example(what, word, &[" ", "("].map(|before| format!("{before}{word}")));
        }
    }
    for output in catalog::OUTPUTS.iter().filter(|output| !LATER_OUTPUTS.contains(output)) {
        example("output", output, &[format!(".{output}")]);
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What rustc names in the place of a word that is written wrong.
#[test]
fn every_word_is_in_scope_where_one_is_nearly_called() {
    let there: Vec<&str> =
        WORDS.lines().filter_map(|line| line.strip_prefix("pub fn ")?.strip_suffix("() {}")).collect();
    let words = catalog::WORDS.iter().map(|word| word.name).chain(["union"]);
    assert_eq!(there, words.collect::<Vec<_>>());
}

/// Outputs of operators that are not built.
const LATER_OUTPUTS: &[&str] = &["timed_out"];

#[test]
fn every_choice_is_told() {
    let choices = catalog::RESTARTS.iter().map(|(_, form)| *form).chain(catalog::BACKENDS.iter().copied());
    let untold: Vec<&str> = choices.filter(|word| !has(REFERENCE, word)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// What is in scope for a source or a sink; topics are a feature, and stand with it.
#[test]
fn every_connector_has_an_example() {
    let (examples, rest) = apart();
    let names = |from: &str| -> Vec<String> {
        let (_, behind) = PRELUDE.split_once(&format!("pub use crate::{from}::{{")).unwrap();
        let (names, _) = behind.split_once('}').unwrap();
        names
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.starts_with(char::is_uppercase))
            .collect()
    };
    let connectors = [names("source"), names("sink"), vec!["channel".to_owned(), "collect".to_owned()]].concat();
    assert!(connectors.len() > 10, "{connectors:?}");
    let missing = |name: &&String| !examples.contains(&format!(" {name}(")) && !examples.contains(&format!("({name}("));
    let missing: Vec<&String> = connectors.iter().filter(missing).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    let untold: Vec<&String> = connectors.iter().filter(|name| !has(&rest, name)).collect();
    assert!(untold.is_empty(), "nothing is said of {untold:?}");
}
