//! [`Enumerators`]: the coordinator's hand in finding splits. Who gets them is decided in `coordinator`.

use super::checkpoints::{resumed, unread};
use super::control::{Left, Resumed};
use super::guard;
use crate::checkpoint::manifest::SourceState;
use crate::error::Error;
use crate::source::{Enumerator, Found, Split};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How soon to look for splits of an endless source again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The enumerators of all sources.
#[derive(Default)]
pub struct Enumerators(BTreeMap<usize, One>);

struct One {
    name: &'static str,
    enumerator: Box<dyn Enumerator>,
    /// What is found already and nobody has asked for yet, with how to read on with it: splits that an earlier attempt did not
    /// read to their end, and one that the enumerator has found since.
    ahead: VecDeque<(Found, Option<Resumed>)>,
    /// When to look for more, if the source is endless and has not said that there will be none.
    look_at: Option<Duration>,
}

impl One {
    fn next(&mut self) -> Result<(Found, Option<Resumed>), Error> {
        match self.ahead.pop_front() {
            Some(found) => Ok(found),
            None => Ok((self.ask()?, None)),
        }
    }

    fn ask(&mut self) -> Result<Found, Error> {
        let One { name, enumerator, .. } = self;
        let failed = |fault| Error::Source { name: (*name).to_owned(), fault };
        guard::on_coordinator(name, || enumerator.next())?.map_err(failed)
    }
}

impl Enumerators {
    /// Adds a source, with what an attempt before had read of it. An endless one is looked at at once.
    pub fn add(
        &mut self,
        source: usize,
        name: &'static str,
        endless: bool,
        enumerator: Box<dyn Enumerator>,
        state: Option<&SourceState>,
    ) {
        let mut splits: Vec<_> = state.into_iter().flat_map(|state| &state.splits).collect();
        // Where splits are ordered in time they are gone on with in that order, too.
        splits.sort_by_key(|split| split.id);
        let ahead = splits.into_iter().map(resumed).collect();
        self.0.insert(source, One { name, enumerator, ahead, look_at: endless.then_some(Duration::ZERO) });
    }

    /// What the next worker that asks is given, how to read on with it, and what is left behind it.
    pub fn find(&mut self, source: usize) -> Result<Option<(Found, Option<Resumed>, Left)>, Error> {
        let Some(one) = self.0.get_mut(&source) else { return Ok(None) };
        let (found, resumed) = one.next()?;
        // One look further ahead: whoever gets the last split must know it from the first row on.
        let left = match (&found, one.ahead.front()) {
            (Found::Finished, _) => Left::None,
            (Found::Later, _) => Left::Later,
            (_, Some((Found::Finished, _))) => Left::None,
            (_, Some(_)) => Left::Some,
            (_, None) => match one.ask()? {
                Found::Later => Left::Later,
                next => {
                    let left = if matches!(next, Found::Finished) { Left::None } else { Left::Some };
                    one.ahead.push_back((next, None));
                    left
                }
            },
        };
        Ok(Some((found, resumed, left)))
    }

    /// When the next endless source is to be looked at.
    pub fn look_at(&self) -> Option<Duration> {
        self.0.values().filter_map(|one| one.look_at).min()
    }

    /// All splits of endless sources that are there now and were not before; of each source whether there will be more.
    pub fn look(&mut self, now: Duration) -> Result<Vec<(usize, Vec<(Split, Option<Resumed>)>, Left)>, Error> {
        let mut all = Vec::new();
        for (source, one) in &mut self.0 {
            if one.look_at.is_none_or(|at| now < at) {
                continue;
            }
            let mut splits = Vec::new();
            let left = loop {
                match one.next()? {
                    (Found::Split(split), resumed) => splits.push((split, resumed)),
                    (Found::Later, _) => break Left::Later,
                    (Found::Finished, _) => break Left::None,
                }
            };
            one.look_at = (left == Left::Later).then_some(now + LOOK_AGAIN);
            all.push((*source, splits, left));
        }
        Ok(all)
    }

    /// What has been found so far, and who nobody has been given yet: those begin at the floor of their source or behind it.
    /// Everything else is on its way to a worker, which will tell of it behind the barrier.
    pub fn states(
        &self,
        reached: impl Fn(usize) -> i64,
        floor: impl Fn(usize) -> i64,
    ) -> Result<BTreeMap<usize, SourceState>, Error> {
        let mut states = BTreeMap::new();
        for (source, One { name, enumerator, ahead, .. }) in &self.0 {
            let splits = ahead.iter().filter_map(|(found, resumed)| match found {
                Found::Split(split) => Some(unread(split, resumed.as_ref(), floor(*source))),
                _ => None,
            });
            let state = SourceState {
                id: (*name).to_owned(),
                enumerator: guard::on_coordinator(name, || enumerator.state())?,
                splits: splits.collect(),
                reached: reached(*source),
            };
            states.insert(*source, state);
        }
        Ok(states)
    }
}
