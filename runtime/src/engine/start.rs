//! What the first attempt of a run goes on from: the newest checkpoint, nothing, or one of the user's choice. It only
//! reads; what follows from a choice is carried out in `checkpoints`.

use super::former::Former;
use crate::checkpoint::damage::Damage;
use crate::checkpoint::entry::Attempt;
use crate::checkpoint::fork::Against;
use crate::checkpoint::history::{History, Passed};
use crate::checkpoint::manifest::Manifest;
use crate::checkpoint::resume::{check_job, check_params};
use crate::checkpoint::store::{Store, open_existing};
use crate::checkpoint::verify::{Depth, check_objects};
use crate::config::Config;
use crate::error::Fault;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the user wants to go on from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Nothing.
    fresh: bool,
    /// A checkpoint by its number, or a place.
    from: Option<String>,
    /// It may be another branch of history.
    fork: bool,
    /// It may not be nothing.
    must: bool,
    /// An attempt of this run has begun before.
    again: bool,
    /// Checkpoints in which an attempt of this run has met damage, and what it was: nobody reads all of one before he goes on from it.
    damaged: BTreeMap<u64, String>,
}

/// What it comes to.
pub enum Choice {
    /// The beginning of the inputs.
    Nothing {
        /// Why the log is to say so.
        rewind: Option<String>,
        /// What is passed over.
        passed: Vec<Passed>,
    },
    /// A checkpoint of this store.
    Own {
        /// The number of its entry.
        number: u64,
        /// It.
        manifest: Manifest,
        /// Why the log is to say so: it is not the newest.
        rewind: Option<String>,
        /// What is passed over.
        passed: Vec<Passed>,
    },
    /// A checkpoint of another store, which is to be copied into this one.
    Other {
        /// The other store.
        store: Arc<dyn Store>,
        /// It.
        manifest: Manifest,
    },
}

impl Start {
    /// As the settings say.
    pub fn of(config: &Config) -> Self {
        Start {
            fresh: config.fresh,
            from: config.from.clone(),
            fork: config.fork,
            must: config.must_resume,
            ..Start::default()
        }
    }

    /// For the attempts behind the first: each goes on from the newest checkpoint. Which may still be one that was
    /// taken with other params.
    pub fn again(self) -> Self {
        let must = self.must || self.from.is_some();
        Start { fork: self.fork, must, again: true, damaged: self.damaged, ..Start::default() }
    }

    /// These checkpoints are damaged, and how.
    pub fn pass_over(&mut self, damaged: BTreeMap<u64, String>) {
        self.damaged.extend(damaged);
    }

    /// Whether an attempt of this run has begun before.
    pub fn is_again(&self) -> bool {
        self.again
    }

    /// Whether somebody names a checkpoint that need not be the newest.
    pub fn is_named(&self) -> bool {
        self.from.is_some()
    }
}

/// How often a log that goes on meanwhile is looked at before a refusal counts.
const LOOKS: usize = 5;

/// Where the choice is made.
pub struct At<'r> {
    /// The store of this run.
    pub store: &'r Arc<dyn Store>,
    /// What its log says of this run.
    pub entry: &'r Attempt,
    /// Which operators of today the stored ones are.
    pub former: &'r Former,
    /// Every sink can take back what it has published.
    pub take_back: bool,
}

impl At<'_> {
    /// What would be chosen, and the end of the log then. Nothing is written: whoever runs the job now is not to be stopped by a run
    /// that is refused.
    ///
    /// # Errors
    /// As [`choose`](At::choose), and if the store cannot be read.
    pub fn look(&self, how: &Start) -> Result<(u64, Choice), Fault> {
        let mut looks = 1;
        loop {
            let history = History::read(&**self.store)?;
            let refused = match self.choose(&history, how) {
                Ok(choice) => return Ok((history.end(), choice)),
                Err(refused) => refused,
            };
            // Whoever runs the job may have removed meanwhile what was just looked at, since there is something newer.
            if looks == LOOKS || History::read(&**self.store)?.end() == history.end() {
                return Err(refused);
            }
            looks += 1;
        }
    }

    /// Finds the checkpoint, and makes sure that it may be gone on from and that its objects are there.
    ///
    /// # Errors
    /// If there is none, if it is damaged, if results would be lost or published twice, or if other params were meant.
    pub fn choose(&self, history: &History, how: &Start) -> Result<Choice, Fault> {
        let choice = match &how.from {
            _ if how.fresh => {
                return Ok(Choice::Nothing { rewind: Some("`--fresh`".to_owned()), passed: Vec::new() });
            }
            None => self.newest(history, how)?,
            Some(from) => match from.parse() {
                Ok(number) => self.numbered(history, number, how)?,
                Err(_) => self.elsewhere(history, from, how)?,
            },
        };
        match choice {
            Choice::Nothing { .. } if how.must => {
                Err(Fault::new(format!("there is no checkpoint in {} to go on from", self.store.place()))
                    .help("begin at the beginning of the inputs with `run`; or name a savepoint with `--from`"))
            }
            choice => Ok(choice),
        }
    }

    /// Reads all of the checkpoint that an attempt would go on from. Gives those that name something of it that is damaged: what did not
    /// change is in many of them.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no such checkpoint.
    pub fn inside(&self, how: &Start) -> Result<BTreeMap<u64, String>, Fault> {
        let history = History::read(&**self.store)?;
        let Some((_, newest)) = history.newest(&how.damaged, self.take_back)?.from else { return Ok(BTreeMap::new()) };
        let damage = check_objects(&**self.store, &newest, Depth::All)?;
        let named = |manifest: &Manifest| {
            let mut objects = manifest.objects();
            objects.find_map(|object| damage.iter().find(|damage| damage.object == object.name)).map(Damage::to_string)
        };
        Ok(history.checkpoints().filter_map(|(number, manifest)| Some((number, named(manifest)?))).collect())
    }

    /// The newest checkpoint that is good, or an older one if nothing is lost or told twice by that.
    fn newest(&self, history: &History, how: &Start) -> Result<Choice, Fault> {
        let mut damaged = how.damaged.clone();
        let start = loop {
            let start = history.newest(&damaged, self.take_back)?;
            let Some((number, manifest)) = &start.from else { break start };
            match check_objects(&**self.store, manifest, Depth::Index)?.into_iter().next() {
                None => break start,
                Some(damage) => damaged.insert(*number, damage.to_string()),
            };
        };
        if let Some((_, manifest)) = &start.from {
            self.same_job(history, manifest, &self.store.place(), how.fork)?;
        }
        let rewind = start.passed.first().map(|p| format!("checkpoint {} is damaged: {}", p.number, p.why));
        let passed = start.passed;
        Ok(match start.from {
            Some((number, manifest)) => Choice::Own { number, manifest, rewind, passed },
            None => Choice::Nothing { rewind, passed },
        })
    }

    fn same_job(&self, history: &History, manifest: &Manifest, place: &str, fork: bool) -> Result<(), Fault> {
        match history.attempt(manifest.attempt) {
            // Nothing in one that was made up of entries alone depends on params.
            Some(before) if fork || !manifest.has_run() => check_job(before, self.entry, place)?,
            Some(before) => check_params(before, self.entry, place)?,
            None => {}
        }
        // The names alone are looked at; nobody is stopped by a job that does not fit.
        self.former.today(manifest).map(drop)
    }

    /// A checkpoint of this store.
    fn numbered(&self, history: &History, number: u64, how: &Start) -> Result<Choice, Fault> {
        let place = self.store.place();
        let manifest = history.checkpoint(number)?;
        self.same_job(history, manifest, &place, how.fork)?;
        if let Some(against) = history.against(number).filter(|_| !how.fork) {
            return Err(against.refuse(&format!("checkpoint {number}"), &place));
        }
        if let Some(damage) = check_objects(&**self.store, manifest, Depth::Index)?.into_iter().next() {
            return Err(Fault::new(format!("checkpoint {number} in {place} is damaged"))
                .because(damage)
                .help("choose another one: `state verify` says which are whole"));
        }
        let why = if how.fork { "`--from` with `--fork`" } else { "`--from`" };
        let rewind = (history.head() != Some(number)).then(|| why.to_owned());
        Ok(Choice::Own { number, manifest: manifest.clone(), rewind, passed: Vec::new() })
    }

    /// The newest checkpoint of another store: a savepoint, as a rule.
    fn elsewhere(&self, history: &History, place: &str, how: &Start) -> Result<Choice, Fault> {
        let store = open_existing(place).map_err(|fault| {
            let help =
                "`--from` takes the number of a checkpoint, as `state list` shows it, or the place of a savepoint";
            Fault { what: format!("there is no savepoint at `{place}`: {}", fault.what), ..fault }.help(help)
        })?;
        if store.place() == self.store.place() {
            return self.newest(history, how);
        }
        let there = History::read(&*store)?;
        let Some((number, manifest)) = there.newest(&BTreeMap::new(), false)?.from else {
            return Err(Fault::new(format!("there is no checkpoint in {} to go on from", store.place()))
                .help("`state list --checkpoints PLACE` shows what is in a place"));
        };
        self.same_job(&there, &manifest, &store.place(), how.fork)?;
        if let Some(damage) = check_objects(&*store, &manifest, Depth::Index)?.into_iter().next() {
            return Err(Fault::new(format!("checkpoint {number} in {} is damaged", store.place()))
                .because(damage)
                .help("choose another one"));
        }
        if let Some(original) = history.original(&manifest) {
            // It lies here too, and need not be copied; unless it is damaged here.
            let whole = check_objects(&**self.store, history.checkpoint(original)?, Depth::Index)?.is_empty();
            if whole {
                return self.numbered(history, original, how);
            }
            if let Some(against) = history.against(original).filter(|_| !how.fork) {
                return Err(against.refuse(&format!("the savepoint {place}"), &self.store.place()));
            }
        } else if !how.fork && !history.is_unused() {
            return Err(Against::Abandoned.refuse(&format!("the savepoint {place}"), &self.store.place()));
        }
        Ok(Choice::Other { store, manifest })
    }
}
