//! [`SourceCheck`]: what every source has to keep, each rule a check of its own.

use super::drive::{How, Run, Stopped, Turn, told};
use super::report::{Report, foreign_bytes, same_order, same_rows};
use crate::source::{Found, Guarantee, Reader, RowType, Source, Split};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

/// Rows in one poll where it does not matter.
const BUDGET: usize = 4096;
/// How many places of a run or a split are tried, at most, when not all can be.
const PLACES: usize = 64;
/// How many rows are read in all, about, from the places of one split.
const ROWS: usize = 400_000;
/// How many splits are looked at one by one.
const SPLITS: usize = 16;

/// Checks a source that ends: `make` gives the connector, anew each time and over the same input, and `expected` are all
/// of its rows, in any order. Rows are compared by what `Debug` shows of them.
///
/// `R` is the row type: [`Owned<T>`](super::Owned), [`Lent<T>`](super::Lent) or [`Str`](super::Str). [`SourceCheck`] has
/// more to set.
///
/// ```
/// use pelton::source::rows;
/// use pelton::testing::{Owned, check_source};
///
/// let data = vec![3u32, 1, 4, 1, 5];
/// check_source::<Owned<u32>, _>(|| rows(data.clone()), &data).assert();
/// ```
pub fn check_source<R, S>(make: impl Fn() -> S, expected: impl IntoIterator<Item = impl Debug>) -> Report
where
    R: RowType,
    S: Source<R>,
    for<'a> R::Row<'a>: Debug,
{
    SourceCheck::<R, S>::new(make).rows(expected).run()
}

type Feed<'m> = Box<dyn Fn() + 'm>;

/// Checks a source; [`check_source`] with more to set.
pub struct SourceCheck<'m, R, S> {
    make: Box<dyn Fn() -> S + 'm>,
    rows: Vec<String>,
    ends: bool,
    in_order: bool,
    feed: Option<(Feed<'m>, Vec<String>)>,
    patience: Duration,
    without_replay: Option<String>,
    rows_of: PhantomData<R>,
}

impl<'m, R, S> SourceCheck<'m, R, S>
where
    R: RowType,
    S: Source<R>,
    for<'a> R::Row<'a>: Debug,
{
    /// Checks what `make` gives, anew each time and over the same input.
    pub fn new(make: impl Fn() -> S + 'm) -> Self {
        SourceCheck {
            make: Box::new(make),
            rows: Vec::new(),
            ends: true,
            in_order: false,
            feed: None,
            patience: Duration::from_secs(2),
            without_replay: None,
            rows_of: PhantomData,
        }
    }

    /// All rows that are there, in any order.
    pub fn rows(mut self, rows: impl IntoIterator<Item = impl Debug>) -> Self {
        self.rows = rows.into_iter().map(|row| format!("{row:?}")).collect();
        self
    }

    /// The rows are given in the order in which they stand in the splits, one split behind the other.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// The source does not end: its readers go dry when they have given all that is there, or its enumerator says that there may be
    /// splits later.
    pub fn endless(mut self) -> Self {
        self.ends = false;
        self
    }

    /// The source does not end, and `feed` gives it more while it is read: these rows, in splits that are there or in new ones.
    /// It is called once, after all other checks.
    pub fn grows(mut self, feed: impl Fn() + 'm, rows: impl IntoIterator<Item = impl Debug>) -> Self {
        self.ends = false;
        self.feed = Some((Box::new(feed), rows.into_iter().map(|row| format!("{row:?}")).collect()));
        self
    }

    /// The source cannot give again what it has given, and why that is all right. What it says to a run that goes on all the same is for a test of its own.
    pub fn without_replay(mut self, why: impl Into<String>) -> Self {
        self.without_replay = Some(why.into());
        self
    }

    /// How long to wait for rows that are to come; 2 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Checks.
    pub fn run(self) -> Report {
        let mut report = Report::new(format!("source {}", (self.make)().describe()));
        report.check("rows", "one reader gives all rows, each once", || self.all(1, BUDGET));
        report.check("budget", "a poll gives about as many rows as it is asked for", || self.all(1, 1));
        report.check("readers", "several readers give all rows, each once", || self.all(3, 3));
        report.check("splits", "each split is found once, and has a number of its own", || self.splits());
        let replay = "a split that is read again gives the same rows";
        let positions = "a reader that is opened at a position gives what stands behind it";
        let restart = "a run that is stopped anywhere and gone on with gives all rows, each once";
        match &self.without_replay {
            None => {
                report.check("replay", replay, || self.replay());
                report.check("positions", positions, || self.positions());
                report.check("restart", restart, || self.restart());
            }
            Some(why) => {
                report.skip("replay", replay, why);
                report.skip("positions", positions, why);
                report.skip("restart", restart, why);
                report.check("guarantee", "its `GUARANTEE` promises no more than it keeps", || match S::GUARANTEE {
                    Guarantee::ExactlyOnce => Err("it promises `ExactlyOnce`, and cannot give again what it has given: say `Guarantee::Nothing(why)`".to_owned()),
                    _ => Ok(()),
                });
            }
        }
        report.check("state", "an enumerator goes on from its state with the splits it has not given", || self.state());
        let rule = "what ends says so, and goes on saying so; what does not end never does";
        report.check("finished", rule, || self.finished());
        report.check("foreign bytes", "positions and states of others are refused or taken, with no panic", || {
            self.foreign()
        });
        let idle =
            "a reader without rows goes dry, keeps no other split waiting, and wakes its worker when there are some";
        let found = "rows and splits that come while it runs are found, also behind a restart";
        match &self.feed {
            Some((feed, more)) => {
                report.check("idle", idle, || self.idle());
                report.check("discovery", found, || self.discovery(feed, more));
            }
            None => {
                report.skip("idle", idle, "no `grows(..)` was given");
                report.skip("discovery", found, "no `grows(..)` was given");
            }
        }
        report
    }

    fn how(&self, readers: usize, budget: usize) -> How {
        How { readers, budget, ends: self.ends, patience: self.patience }
    }

    fn start(&self, how: How, from: Option<&Stopped>) -> Result<Run<'_, R, S>, String> {
        Run::new(&*self.make, how, from)
    }

    /// Reads everything.
    fn read(&self, how: How) -> Result<Run<'_, R, S>, String> {
        let mut run = self.start(how, None)?;
        run.read(self.rows.len())?;
        Ok(run)
    }

    fn all(&self, readers: usize, budget: usize) -> Result<(), String> {
        let run = self.read(self.how(readers, budget))?;
        let found = run.by_split();
        if self.in_order { same_order(&found, &self.rows) } else { same_rows(&found, &self.rows) }
    }

    fn splits(&self) -> Result<(), String> {
        let one = self.read(self.how(1, BUDGET))?;
        let mut ids: Vec<u64> = one.splits.iter().map(|split| split.id).collect();
        ids.sort_unstable();
        match ids.array_windows().find(|[a, b]| a == b) {
            Some([id, _]) => return Err(format!("two splits have the number {id}")),
            None if ids.is_empty() && !self.rows.is_empty() => return Err("there is no split".to_owned()),
            None => {}
        }
        let again = self.read(self.how(2, 1))?;
        let mut splits = (one.splits.clone(), again.splits.clone());
        splits.0.sort_by_key(|split| split.id);
        splits.1.sort_by_key(|split| split.id);
        match splits.0 == splits.1 {
            true => Ok(()),
            false => Err("the same input has other splits the second time".to_owned()),
        }
    }

    /// The state of an enumerator that has given all splits; the first few of them, with their rows.
    fn by_split(&self) -> Result<(Vec<u8>, Vec<(Split, Vec<String>)>), String> {
        let run = self.read(self.how(1, BUDGET))?;
        let rows = |id: u64| run.rows.iter().filter(|(split, _)| *split == id).map(|(_, row)| row.clone()).collect();
        let splits = run.splits.iter().take(SPLITS).map(|split| (split.clone(), rows(split.id))).collect();
        Ok((run.stop().state, splits))
    }

    /// Reads one split from a position, with nothing else to do, and compares.
    fn only(&self, state: &[u8], split: &Split, from: &[u8], expected: &[String]) -> Result<(), String> {
        let stopped = Stopped { state: state.to_vec(), open: vec![(split.clone(), from.to_vec())], rows: Vec::new() };
        let mut run = self.start(self.how(1, BUDGET), Some(&stopped))?;
        run.read(expected.len())?;
        same_order(&run.by_split(), expected)
    }

    /// The position at the very start of a split.
    fn start_of(&self, split: &Split) -> Result<Vec<u8>, String> {
        let mut reader = (self.make)().reader().map_err(told)?;
        reader.open(split.clone(), None).map_err(told)?;
        Ok(reader.position())
    }

    fn replay(&self) -> Result<(), String> {
        let (state, splits) = self.by_split()?;
        for (split, rows) in splits {
            self.only(&state, &split, &self.start_of(&split)?, &rows)
                .map_err(|e| format!("split {}, opened at the position at its start: {e}", split.id))?;
        }
        Ok(())
    }

    fn positions(&self) -> Result<(), String> {
        let (state, splits) = self.by_split()?;
        for (split, rows) in splits {
            let (id, all) = (split.id, rows.len());
            let places = self.places_in(&state, &split, (0, self.start_of(&split)?), all)?;
            for (before, position) in &places {
                self.only(&state, &split, position, rows.get(*before..).unwrap_or_default())
                    .map_err(|e| format!("split {id}, opened behind row {before} of {all}: {e}"))?;
            }
            // Positions of a reader that was opened at one.
            let Some(middle) = places.get(places.len() / 2) else { continue };
            for (before, position) in self.places_in(&state, &split, middle.clone(), all)? {
                let first = middle.0;
                self.only(&state, &split, &position, rows.get(before..).unwrap_or_default()).map_err(|e| {
                    format!("split {id}, opened behind row {first} of {all}, and again behind row {before}: {e}")
                })?;
            }
        }
        Ok(())
    }

    /// Positions in a split from a place on, with the number of rows before each; taken while it is read row by row.
    fn places_in(
        &self,
        state: &[u8],
        split: &Split,
        (before, position): (usize, Vec<u8>),
        rows: usize,
    ) -> Result<Vec<(usize, Vec<u8>)>, String> {
        let stopped = Stopped { state: state.to_vec(), open: vec![(split.clone(), position)], rows: Vec::new() };
        let mut run = self.start(self.how(1, 1), Some(&stopped))?;
        let mut places = Vec::new();
        // The split is open once the run has handed it out.
        loop {
            let here = run.rows.len();
            let turn = run.turn()?;
            places.extend(run.position().map(|position| (before + run.rows.len(), position)));
            match turn {
                Turn::Done => break,
                Turn::On => {}
                Turn::Idle if before + here >= rows => break,
                Turn::Idle => run.read(here + 1)?,
            }
        }
        places.dedup();
        Ok(spread(places, rows))
    }

    fn state(&self) -> Result<(), String> {
        let all = self.read(self.how(1, BUDGET))?.splits;
        let mut enumerator = (self.make)().enumerator(None).map_err(told)?;
        for given in 0..=all.len() {
            let state = enumerator.state();
            if given <= PLACES || given == all.len() {
                let mut other = (self.make)().enumerator(Some(&state)).map_err(told)?;
                for split in all.iter().skip(given) {
                    match other.next().map_err(told)? {
                        Found::Split(found) if found == *split => {}
                        found => {
                            return Err(format!(
                                "with {given} of {} splits given, it goes on with {} instead of split {}",
                                all.len(),
                                name(&found),
                                split.id
                            ));
                        }
                    }
                }
                if let Found::Split(split) = other.next().map_err(told)? {
                    let id = split.id;
                    return Err(format!("with {given} of {} splits given, it gives split {id} again", all.len()));
                }
            }
            if given < all.len() {
                // A source that is not quick to find what is there may say `Later` first.
                for _ in 0..PLACES {
                    if !matches!(enumerator.next().map_err(told)?, Found::Later) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn restart(&self) -> Result<(), String> {
        let budget = (self.rows.len() / PLACES).max(1);
        let mut stops = vec![self.start(self.how(2, budget), None)?.stop()];
        let mut run = self.start(self.how(2, budget), None)?;
        loop {
            let before = run.rows.len();
            let turn = match run.turn()? {
                Turn::Idle if before < self.rows.len() => {
                    run.read(before + 1)?;
                    Turn::On
                }
                turn => turn,
            };
            stops.push(run.stop());
            if turn != Turn::On {
                break;
            }
        }
        for stop in spread(stops, self.rows.len()) {
            for readers in [1, 3] {
                let (rows, open) = (stop.rows.len(), stop.open.len());
                let when =
                    format!("stopped behind {rows} rows, with {open} splits open, and gone on with {readers} readers");
                self.goes_on(&stop, readers).map_err(|e| format!("{when}: {e}"))?;
                // And stopped again a little later.
                let mut run = self.start(self.how(readers, budget), Some(&stop))?;
                run.turn()?;
                run.turn()?;
                let mut again = run.stop();
                again.rows = stop.rows.iter().cloned().chain(again.rows).collect();
                self.goes_on(&again, readers)
                    .map_err(|e| format!("{when}, and stopped again behind {} rows: {e}", again.rows.len()))?;
            }
        }
        Ok(())
    }

    /// Reads on from where a run was stopped, and compares all.
    fn goes_on(&self, stop: &Stopped, readers: usize) -> Result<(), String> {
        let mut run = self.start(self.how(readers, BUDGET), Some(stop))?;
        run.read(self.rows.len().saturating_sub(stop.rows.len()))?;
        let found: Vec<String> = stop.rows.iter().cloned().chain(run.by_split()).collect();
        same_rows(&found, &self.rows)
    }

    fn finished(&self) -> Result<(), String> {
        let mut run = self.read(self.how(1, BUDGET))?;
        for _ in 0..3 {
            match (run.ask()?, self.ends) {
                (Found::Finished, true) | (Found::Later, false) => {}
                (found, _) => return Err(format!("when all is read the enumerator says {}", name(&found))),
            }
        }
        let state = run.stop().state;
        let mut other = (self.make)().enumerator(Some(&state)).map_err(told)?;
        match (other.next().map_err(told)?, self.ends) {
            (Found::Finished, true) | (Found::Later, false) => Ok(()),
            (found, _) => Err(format!("restarted when all is read, the enumerator says {}", name(&found))),
        }
    }

    fn foreign(&self) -> Result<(), String> {
        let split = self.read(self.how(1, BUDGET))?.splits.first().cloned();
        for bytes in foreign_bytes() {
            if let Ok(mut enumerator) = (self.make)().enumerator(Some(&bytes)) {
                // It may fail.
                let _ = enumerator.next();
            }
            let Some(split) = &split else { continue };
            let other = Split { detail: bytes.clone(), ..split.clone() };
            for (split, from) in [(split.clone(), Some(&*bytes)), (other, None)] {
                let mut reader = (self.make)().reader().map_err(told)?;
                if reader.open(split, from).is_ok() {
                    let _ = reader.poll(1, &mut Nowhere);
                }
            }
        }
        Ok(())
    }

    fn idle(&self) -> Result<(), String> {
        let mut run = self.read(self.how(1, BUDGET))?;
        for _ in 0..PLACES {
            if run.turn()? != Turn::Idle {
                return Err("with all rows read it still has something to do".to_owned());
            }
        }
        Ok(())
    }

    fn discovery(&self, feed: &Feed<'m>, more: &[String]) -> Result<(), String> {
        let mut run = self.read(self.how(1, BUDGET))?;
        if !run.said_later() {
            return Err("the enumerator never said `Later`".to_owned());
        }
        let stop = run.stop();
        feed();
        let expected: Vec<String> = self.rows.iter().chain(more).cloned().collect();
        run.read(expected.len())?;
        same_rows(&run.by_split(), &expected).map_err(|e| format!("going on reading: {e}"))?;
        for (what, from) in [("gone on from before", Some(&stop)), ("begun anew", None)] {
            let mut run = self.start(self.how(2, 7), from)?;
            let before = from.map(|stop| stop.rows.clone()).unwrap_or_default();
            run.read(expected.len() - before.len())?;
            let found: Vec<String> = before.into_iter().chain(run.by_split()).collect();
            same_rows(&found, &expected).map_err(|e| format!("{what}: {e}"))?;
        }
        Ok(())
    }
}

/// Where rows go that nobody looks at.
struct Nowhere;

impl<R: RowType> crate::source::Emit<R> for Nowhere {
    fn row(&mut self, _: R::Row<'_>) {}
    fn bad(&mut self, _: &[u8], fault: crate::error::Fault) -> Result<(), crate::error::Fault> {
        Err(fault)
    }
}

fn name(found: &Found) -> String {
    match found {
        Found::Split(split) => format!("split {}", split.id),
        Found::Later => "`Later`".to_owned(),
        Found::Finished => "`Finished`".to_owned(),
    }
}

/// Some of many places in `rows` rows, with the first and the last: fewer if there are many rows to read from each.
fn spread<T>(all: Vec<T>, rows: usize) -> Vec<T> {
    let (len, most) = (all.len(), (ROWS / rows.max(1)).clamp(8, PLACES));
    if len <= most {
        return all;
    }
    let chosen: BTreeSet<usize> = (0..most).map(|n| n * (len - 1) / (most - 1)).collect();
    all.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, one)| one).collect()
}
