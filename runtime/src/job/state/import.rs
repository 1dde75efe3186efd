//! `state import`: lines of JSON as a checkpoint that a run goes on from. The job says which operators there are and what they keep.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::At;
use super::line::{Line, mismatch};
use crate::checkpoint::copy::{Base, Draft, attempt_of, draft};
use crate::checkpoint::entry::Attempt;
use crate::checkpoint::manifest::StateInfo;
use crate::checkpoint::store;
use crate::clock;
use crate::config::Config;
use crate::engine::StoredOperator;
use crate::error::{Error, Fault};
use crate::job::Job;
use crate::names::{listed, near};
use crate::record::json::{from_json, is_foreign};
use crate::schema::OwnedSchema;
use crate::state::entry::Entry;
use crate::state::save::StateMeta;

/// Puts lines into a new place, from a file or from standard input; says what was put.
pub fn import<J: Job>(job: &J, file: Option<&Path>, to: &str, base: Option<At<'_>>) -> Result<String, Error> {
    let operators = job.stored_job(&Config::default().workers(1))?;
    let from: Box<dyn Read> = match file {
        None => Box::new(io::stdin()),
        Some(file) => {
            let opened = File::open(file);
            let opened = opened.map_err(|e| Fault::new("the file cannot be read").in_file(file).because(e));
            Box::new(opened.map_err(Error::Setup)?)
        }
    };
    let lines = Lines { operators: operators.iter().map(Known::new).collect(), job: J::NAME, file };
    read(lines, from, to, base).map_err(Error::Setup)
}

fn read(mut lines: Lines<'_>, from: Box<dyn Read>, to: &str, base: Option<At<'_>>) -> Result<String, Fault> {
    let opened = base.map(|base| base.open()).transpose()?;
    let (attempt, base) = match &opened {
        None => {
            let job = lines.job.to_owned();
            (Attempt { job, width: 1, plan: 0, params: Vec::new(), time: clock::unix_millis() }, None)
        }
        Some(opened) => {
            let manifest = opened.manifest()?;
            let wrong =
                |what: String| Fault::new(format!("checkpoint {} in {} {what}", opened.number, opened.store.place()));
            if manifest.job != lines.job {
                return Err(wrong(format!("is of job `{}`, and this is job `{}`", manifest.job, lines.job)));
            }
            if manifest.last {
                let what = "was taken when the inputs had ended, so that a run that goes on from it reads nothing";
                return Err(wrong(what.to_owned())
                    .help("leave `--base` out for a run that reads its inputs from their beginning"));
            }
            let committed = opened.history.is_committed(opened.number);
            (attempt_of(&opened.history, manifest)?, Some(Base { store: &*opened.store, manifest, committed }))
        }
    };
    let mut count = 0;
    let copied = draft(store::open(to)?, attempt, base, |draft| {
        count = lines.put_all(from, draft)?;
        Ok(())
    })?;
    Ok(format!(
        "{count} lines are checkpoint {} (epoch {}) in {to}: {} objects, {} bytes, read back and compared",
        copied.number, copied.epoch, copied.objects, copied.bytes
    ))
}

/// A state of today's job, with its schemas in the form in which JSON is read by them.
struct KnownState<'a> {
    meta: &'a StateMeta,
    key: OwnedSchema,
    value: OwnedSchema,
    /// Several bytes mean the same value, so that the type's own are taken.
    foreign: (bool, bool),
}

struct Known<'a> {
    operator: &'a StoredOperator,
    states: Vec<KnownState<'a>>,
}

impl<'a> Known<'a> {
    fn new(operator: &'a StoredOperator) -> Self {
        let state = |meta: &'a StateMeta| {
            let (key, value) = (OwnedSchema::from(meta.key), OwnedSchema::from(meta.value));
            KnownState { meta, foreign: (is_foreign(&key), is_foreign(&value)), key, value }
        };
        Known { operator, states: operator.states.iter().map(state).collect() }
    }

    fn infos(&self) -> Vec<StateInfo> {
        self.states.iter().map(|state| StateInfo::of(state.meta)).collect()
    }
}

struct Lines<'a> {
    operators: Vec<Known<'a>>,
    job: &'static str,
    file: Option<&'a Path>,
}

impl Lines<'_> {
    fn put_all(&mut self, from: Box<dyn Read>, draft: &mut Draft<'_>) -> Result<u64, Fault> {
        let (mut from, mut text, mut number, mut count) = (BufReader::new(from), String::new(), 0, 0);
        let here = |fault: Fault, number| {
            let fault = fault.at_line(number);
            if let Some(file) = self.file { fault.in_file(file) } else { fault }
        };
        loop {
            text.clear();
            number += 1;
            let read = from.read_line(&mut text);
            let read = read.map_err(|e| here(Fault::new("the line cannot be read").because(e), number))?;
            if read == 0 {
                break;
            }
            if !text.trim().is_empty() {
                self.put(text.trim_end(), draft).map_err(|fault| here(fault, number))?;
                count += 1;
            }
        }
        if count == 0 {
            return Err(Fault::new("there is no line to import").help("`state export` writes such lines"));
        }
        Ok(count)
    }

    fn put(&self, text: &str, draft: &mut Draft<'_>) -> Result<(), Fault> {
        let line = Line::parse(text)?;
        let known = self.operator(line.operator.as_deref())?;
        let (number, state) = known.state(line.state.as_deref())?;
        let (mut key, mut value) = (Vec::new(), Vec::new());
        from_json(&state.key, &line.key, &mut key).map_err(|e| mismatch("key", e))?;
        from_json(&state.value, &line.value, &mut value).map_err(|e| mismatch("value", e))?;
        let refused = |what: &str, e| Fault::new(format!("`{what}` is none of its type's")).because(e);
        let (hash, its_key) = (state.meta.key_of)(&key).map_err(|e| refused("key", e))?;
        let its_value = (state.meta.value_of)(&value).map_err(|e| refused("value", e))?;
        let key = if state.foreign.0 { &its_key } else { &key };
        let value = if state.foreign.1 { &its_value } else { &value };
        let entry = Entry { hash, state: number, namespace: line.namespace, key, value: Some(value) };
        draft.put(known.operator.name, || known.infos(), entry)
    }

    fn operator(&self, name: Option<&str>) -> Result<&Known<'_>, Fault> {
        let names: Vec<&str> = self.operators.iter().map(|known| known.operator.name).collect();
        match (name, &self.operators[..]) {
            (None, [only]) => Ok(only),
            (None, _) => {
                let what = "the field `operator` is missing";
                Err(Fault::new(what).help(format!("`{}` keeps state in {}", self.job, listed(&names))))
            }
            (Some(name), all) => all.iter().find(|known| known.operator.name == name).ok_or_else(|| {
                let what = format!("`operator`: `{}` keeps no state in an operator `{name}`", self.job);
                Fault::new(what).help(near(name, &names))
            }),
        }
    }
}

impl Known<'_> {
    fn state(&self, name: Option<&str>) -> Result<(u16, &KnownState<'_>), Fault> {
        let names: Vec<&str> = self.operator.states.iter().map(|state| state.name).collect();
        let mut numbered = (0..).zip(&self.states);
        match (name, &self.states[..]) {
            (None, [only]) => Ok((0, only)),
            (None, _) => {
                let what = "the field `state` is missing";
                Err(Fault::new(what).help(format!("`{}` has the states {}", self.operator.name, listed(&names))))
            }
            (Some(name), _) => numbered.find(|(_, state)| state.meta.name == name).ok_or_else(|| {
                let what = format!("`state`: operator `{}` has no state `{name}`", self.operator.name);
                Fault::new(what).help(near(name, &names))
            }),
        }
    }
}
