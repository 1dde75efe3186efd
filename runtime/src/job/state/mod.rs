//! What is in a place of checkpoints: looked at, taken out as JSON, put into another place. Which of it is asked for, `cli` knows.
//!
//! What is stored says what it is, so that only [`import`] needs the job: it writes what a run is to go on from.

mod export;
mod import;
mod line;

pub use self::export::{export, key};
pub use self::import::import;

use std::sync::Arc;

use crate::checkpoint::copy;
use crate::checkpoint::describe::describe_with_sizes;
use crate::checkpoint::history::History;
use crate::checkpoint::manifest::{Manifest, OperatorState};
use crate::checkpoint::store::{self, Store};
use crate::checkpoint::verify;
use crate::error::Fault;
use crate::names::near;
use crate::window;

/// Which checkpoint.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// The place of checkpoints.
    pub place: &'a str,
    /// The number of its entry there; the newest one if nothing is said.
    pub checkpoint: Option<u64>,
}

/// A checkpoint that was found.
struct Opened {
    store: Arc<dyn Store>,
    history: History,
    number: u64,
}

impl At<'_> {
    fn open(&self) -> Result<Opened, Fault> {
        let store = store::open_existing(self.place)?;
        let history = History::read(&*store)?;
        let none = || Fault::new(format!("there is no checkpoint in {}", store.place()));
        let number = match self.checkpoint {
            Some(number) => number,
            None => *history.valid().first().ok_or_else(none)?,
        };
        history.checkpoint(number)?;
        Ok(Opened { store, history, number })
    }
}

impl Opened {
    fn manifest(&self) -> Result<&Manifest, Fault> {
        self.history.checkpoint(self.number)
    }

    fn operator(&self, name: &str) -> Result<&OperatorState, Fault> {
        let operators = &self.manifest()?.operators;
        let names: Vec<&str> = operators.iter().map(|operator| &*operator.id).collect();
        operators.iter().find(|operator| operator.id == name).ok_or_else(|| {
            let what = format!("checkpoint {} in {} has no operator `{name}`", self.number, self.store.place());
            Fault::new(what).help(near(name, &names))
        })
    }

    /// Why it could not be read: a running job may have removed it meanwhile.
    fn failed(&self, fault: Fault) -> Fault {
        match History::read(&*self.store) {
            Ok(now) if now.checkpoint(self.number).is_err() => {
                let what = format!("the running job has removed checkpoint {} while it was read", self.number);
                Fault::new(what).because(fault).help("try again, or take another one")
            }
            _ => fault,
        }
    }
}

/// Which entries of an operator are still kept, by state and namespace.
fn kept(operator: &OperatorState) -> Result<Box<dyn Fn(u16, i64) -> bool>, Fault> {
    if operator.states.iter().all(|state| state.kind != window::WINDOW) {
        return Ok(Box::new(|_, _| true));
    }
    let keeps = window::keeps(&operator.heads);
    Ok(Box::new(keeps.map_err(|e| Fault::new(format!("the windows of `{}` cannot be read", operator.id)).because(e))?))
}

/// Each checkpoint with its operators and their states, of the newest one with their sizes.
pub(super) fn list(place: &str) -> Result<String, Fault> {
    Ok(describe_with_sizes(&*store::open_existing(place)?, kept)?.to_string())
}

/// What is damaged, and whether nothing is.
pub(super) fn verify(place: &str) -> Result<(String, bool), Fault> {
    let report = verify::verify(&*store::open_existing(place)?)?;
    if report.entries == 0 && report.is_good() {
        return Err(Fault::new(format!("no run has kept checkpoints in {}", report.place))
            .help("name the directory or URL that a run was given as `--checkpoints`"));
    }
    Ok((report.to_string(), report.is_good()))
}

/// How often a copy of the newest checkpoint is begun again because the running job has removed it.
const TRIES: usize = 5;

/// Copies a checkpoint to another place; says what was copied.
pub(super) fn copy(at: At<'_>, to: &str) -> Result<String, Fault> {
    let mut tries = 0;
    loop {
        let opened = at.open()?;
        tries += 1;
        match copy::copy(&*opened.store, &opened.history, opened.number, store::open(to)?) {
            Ok(copied) => {
                return Ok(format!(
                    "checkpoint {} (epoch {}) is checkpoint {} in {to}: {} objects, {} bytes, read back and compared",
                    opened.number, copied.epoch, copied.number, copied.objects, copied.bytes
                ));
            }
            Err(_) if at.checkpoint.is_none() && tries < TRIES && at.open()?.number != opened.number => {}
            Err(fault) => return Err(opened.failed(fault)),
        }
    }
}
