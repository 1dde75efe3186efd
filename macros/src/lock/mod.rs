//! Reads the lock of a crate while a block is expanded: what was accepted of a job's states, for constants that hold the code
//! against it. Which types a state has is not known here; rustc finds them, and the constants compare.

mod grammar;

use std::path::PathBuf;

use proc_macro2::Ident;

use crate::diag::Diagnostics;
use crate::model::Model;
use grammar::{Node, StateText};

/// Turns the check off, while the binary is built that accepts what it would refuse.
pub(crate) const ACCEPT: &str = "PELTON_LOCK_ACCEPT";

/// What the lock says of a job.
#[derive(Default)]
pub(crate) struct Lock {
    /// Whether there is a file: cargo is to build anew when it changes.
    pub(crate) there: bool,
    /// The job's states as they were accepted; `None` if nothing is to be checked.
    pub(crate) states: Option<Vec<State>>,
}

/// A state as it was accepted.
pub(crate) struct State {
    pub(crate) operator: String,
    pub(crate) state: String,
    pub(crate) of: String,
    pub(crate) key: Vec<Part>,
    pub(crate) value: Vec<Part>,
}

/// A node of a schema.
pub(crate) struct Part {
    /// The kind's name in the runtime.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) end: usize,
}

/// Reads the lock that a job names, or the one beside the crate's manifest. That the latter is not there yet is no mistake:
/// it is seen at the next change of the crate, which is early enough, since a state changes with the code.
pub(crate) fn read(model: &Model, diag: &mut Diagnostics) -> Lock {
    let Some((file, shown)) = file(model) else { return Lock::default() };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // It is about to be written.
        Err(_) if std::env::var_os(ACCEPT).is_some() => return Lock::default(),
        Err(error) => {
            let fact = format!("`{shown}` cannot be read: {error}");
            match &model.stored.path {
                Some(path) => {
                    diag.report_mild(path, fact, "the path goes from this file; to write a first lock: PELTON_LOCK_ACCEPT=1 cargo run -- lock --accept")
                }
                None => diag.report_mild(&model.name, fact, "make it readable, or remove it"),
            }
            return Lock::default();
        }
    };
    Lock {
        there: true,
        states: if std::env::var_os(ACCEPT).is_some() { None } else { of_job(&text, &shown, &model.name, diag) },
    }
}

/// The file, and how it is called in messages.
fn file(model: &Model) -> Option<(PathBuf, String)> {
    let Some(path) = &model.stored.path else {
        let file = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).join("pelton.lock");
        return file.exists().then(|| (file, "pelton.lock".to_string()));
    };
    // Outside of a compiler (tests, some editors) tokens come from no file.
    if !proc_macro::is_available() {
        return None;
    }
    let source = path.span().unwrap().local_file()?;
    let shown = syn::parse_str::<syn::LitStr>(&path.to_string()).ok()?.value();
    Some((source.parent()?.join(&shown), shown))
}

fn of_job(text: &str, shown: &str, job: &Ident, diag: &mut Diagnostics) -> Option<Vec<State>> {
    let jobs = match grammar::parse(text) {
        Ok(jobs) => jobs,
        Err(line) => {
            let help = "take the file as it was committed, or as `lock --accept` writes it";
            diag.report_mild(job, format!("line {line} of `{shown}` cannot be read"), help);
            return None;
        }
    };
    let name = job.to_string();
    let job = jobs.into_iter().find(|it| it.job == name.trim_start_matches("r#"))?;
    Some(job.states.iter().map(state).collect())
}

fn state(state: &StateText<'_>) -> State {
    State {
        operator: state.operator.to_string(),
        state: state.state.to_string(),
        of: state.of.to_string(),
        key: state.key.iter().map(part).collect(),
        value: state.value.iter().map(part).collect(),
    }
}

fn part(node: &Node<'_>) -> Part {
    Part { kind: format!("{:?}", node.kind), name: node.name.to_string(), number: node.number, end: node.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "pelton lock 1\njob J version 2 {\n  state a.total { key: str, value: (u8, [struct T { b: bool, }; 2]), }\n}";

    fn of(text: &str, job: &str) -> (Option<Vec<State>>, Vec<String>) {
        let mut diag = Diagnostics::default();
        let job = Ident::new(job, proc_macro2::Span::call_site());
        let states = of_job(text, "pelton.lock", &job, &mut diag);
        (states, diag.errors().iter().map(syn::Error::to_string).collect())
    }

    #[test]
    fn a_job_s_states_are_found() {
        let (states, errors) = of(TEXT, "J");
        assert_eq!(errors, [""; 0]);
        let states = states.unwrap();
        assert_eq!((&*states[0].operator, &*states[0].state, states[0].key.len()), ("a", "total", 1));
        let value: Vec<String> =
            states[0].value.iter().map(|it| format!("{} {} {} {}", it.kind, it.name, it.number, it.end)).collect();
        assert_eq!(
            value,
            ["Tuple  0 6", "Plain u8 0 2", "Array  2 6", "Struct T 0 6", "Field b 0 6", "Plain bool 0 6"]
        );
        assert!(of(TEXT, "K").0.is_none());
    }

    #[test]
    fn what_is_no_lock_is_said_with_its_line() {
        let (states, errors) = of(&TEXT.replace("u8", "u9"), "J");
        assert!(states.is_none() && errors.len() == 1);
        assert!(errors[0].starts_with("line 3 of `pelton.lock` cannot be read"), "{}", errors[0]);
    }
}
