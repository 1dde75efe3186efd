//! [`SinkCheck`]: what every sink has to keep, each rule a scenario of its own, on a target of its own.

use super::report::{Report, foreign_bytes, same_rows};
use crate::error::Fault;
use crate::sink::{Accepts, Committer, Guarantee, Prepared, Sink, SinkContext, Writer};
use std::fmt::Debug;

/// Fewer rows than this make no scenario.
const LEAST_ROWS: usize = 8;

/// Checks a sink: `target` makes a place where nothing is written yet, `sink` gives the connector for it, anew each time,
/// `visible` what a reader of the target sees, and `rows` are some rows to write, eight at least that differ. Rows are
/// compared by what `Debug` shows of them.
///
/// [`SinkCheck`] has more to set.
///
/// ```
/// use pelton::sink::{Collected, collect};
/// use pelton::testing::SinkCheck;
///
/// // What is taken is gone, so the target remembers it.
/// let target = || (Collected::<u32>::new(), std::cell::RefCell::new(Vec::new()));
/// let visible = |(collected, seen): &(Collected<u32>, std::cell::RefCell<Vec<u32>>)| {
///     seen.borrow_mut().extend(collected.take());
///     seen.borrow().clone()
/// };
/// SinkCheck::new(target, |(collected, _)| collect(collected), visible, 0..20u32)
///     .without_fencing("what it writes to ends with the process")
///     .run()
///     .assert();
/// ```
pub fn check_sink<T, S, X, Y>(
    target: impl Fn() -> T,
    sink: impl Fn(&T) -> S,
    visible: impl Fn(&T) -> Vec<Y>,
    rows: impl IntoIterator<Item = X>,
) -> Report
where
    S: Sink,
    S::Writer: Accepts<X>,
    X: Clone + Debug,
    Y: Debug,
{
    SinkCheck::new(target, sink, visible, rows).run()
}

/// Checks a sink; [`check_sink`] with more to set.
pub struct SinkCheck<'m, T, S, X> {
    target: Box<dyn Fn() -> T + 'm>,
    sink: Box<dyn Fn(&T) -> S + 'm>,
    visible: Box<dyn Fn(&T) -> Vec<String> + 'm>,
    rows: Vec<X>,
    at_finish: bool,
    in_its_time: bool,
    without_fencing: Option<String>,
    at_once: Option<String>,
    shows_nothing: Option<String>,
}

/// What a checkpoint holds of a sink.
#[derive(Clone, Debug)]
struct Checkpoint {
    epoch: u64,
    state: Vec<u8>,
    pending: Vec<(usize, Prepared)>,
}

/// The writers and the committer of one attempt.
struct Attempt<S: Sink> {
    writers: Vec<S::Writer>,
    committer: Box<dyn Committer>,
    epoch: u64,
}

fn told(what: &str) -> impl Fn(Fault) -> String {
    move |fault| format!("{what} failed: {fault}")
}

impl<S: Sink> Attempt<S> {
    /// Gives rows to the writers in turn.
    fn write<X: Clone>(&mut self, rows: &[X]) -> Result<(), String>
    where
        S::Writer: Accepts<X>,
    {
        let writers = self.writers.len();
        for (at, row) in rows.iter().enumerate() {
            if let Some(writer) = self.writers.get_mut(at % writers.max(1)) {
                writer.write(row.clone()).map_err(told("writing"))?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.writers.iter_mut().try_for_each(|writer| writer.flush().map_err(told("flushing")))
    }

    /// Ends the epoch: what a checkpoint holds then.
    fn prepare(&mut self) -> Result<Checkpoint, String> {
        let mut pending = Vec::new();
        for (worker, writer) in self.writers.iter_mut().enumerate() {
            let prepared = writer.prepare(self.epoch).map_err(told("preparing"))?;
            pending.extend(prepared.map(|prepared| (worker, prepared)));
        }
        let checkpoint = Checkpoint { epoch: self.epoch, state: self.committer.state(), pending };
        self.epoch += 1;
        Ok(checkpoint)
    }

    fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        self.committer.commit(checkpoint.epoch, checkpoint.pending.clone()).map_err(told("committing"))
    }

    /// Writes rows and commits them.
    fn epoch<X: Clone>(&mut self, rows: &[X]) -> Result<Checkpoint, String>
    where
        S::Writer: Accepts<X>,
    {
        self.write(rows)?;
        let checkpoint = self.prepare()?;
        self.commit(&checkpoint)?;
        Ok(checkpoint)
    }

    /// The inputs have ended.
    fn finish(&mut self) -> Result<(), String> {
        self.committer.finish().map_err(told("finishing"))?;
        self.committer.finished();
        Ok(())
    }
}

impl<'m, T, S, X> SinkCheck<'m, T, S, X>
where
    S: Sink,
    S::Writer: Accepts<X>,
    X: Clone + Debug,
{
    /// See [`check_sink`].
    pub fn new<Y: Debug>(
        target: impl Fn() -> T + 'm,
        sink: impl Fn(&T) -> S + 'm,
        visible: impl Fn(&T) -> Vec<Y> + 'm,
        rows: impl IntoIterator<Item = X>,
    ) -> Self {
        SinkCheck {
            target: Box::new(target),
            sink: Box::new(sink),
            visible: Box::new(move |target| visible(target).iter().map(|row| format!("{row:?}")).collect()),
            rows: rows.into_iter().collect(),
            at_finish: false,
            in_its_time: false,
            without_fencing: None,
            at_once: None,
            shows_nothing: None,
        }
    }

    /// Nothing is visible before the run has finished: the sink makes one file, say.
    pub fn visible_at_finish(mut self) -> Self {
        self.at_finish = true;
        self
    }

    /// Rows become visible when they are committed or later, when the run has finished at the latest: the sink fills files over several epochs, say.
    pub fn visible_in_its_time(mut self) -> Self {
        self.in_its_time = true;
        self
    }

    /// The sink itself does not keep an older attempt from committing, and why that is all right. Pelton does not let it: who
    /// has been replaced cannot complete a checkpoint. A sink that can refuse it all the same should.
    pub fn without_fencing(mut self, why: impl Into<String>) -> Self {
        self.without_fencing = Some(why.into());
        self
    }

    /// The sink shows each row when it is written, and promises nothing about rows of epochs that are not committed; and why that is all right.
    pub fn at_once(mut self, why: impl Into<String>) -> Self {
        self.at_once = Some(why.into());
        self
    }

    /// No row that the sink is given is ever visible, and why that is all right. All that is done to other sinks is done to it, too: nothing may fail,
    /// and nothing be seen.
    pub fn shows_nothing(mut self, why: impl Into<String>) -> Self {
        self.shows_nothing = Some(why.into());
        self
    }

    /// Checks.
    pub fn run(self) -> Report {
        let mut report = Report::new(format!("sink {}", (self.sink)(&(self.target)()).describe()));
        let rows = "each row is visible once when the run has finished";
        match &self.shows_nothing {
            None => report.check("rows", rows, || self.all()),
            Some(why) => {
                report.skip("rows", rows, why);
                report.check("nothing", "no row is visible, also when the run has finished", || self.all());
            }
        }
        match &self.at_once {
            None => self.publishing(&mut report),
            Some(why) => {
                report.skip("publishing", "rows are published with their epoch, once, whatever happens", why);
                report.check("guarantee", "its `GUARANTEE` promises no more than it keeps", || match S::GUARANTEE {
                    Guarantee::ExactlyOnce => Err("it promises `ExactlyOnce`, and shows rows of epochs that are not committed: say `Guarantee::AtLeastOnce(why)`".to_owned()),
                    _ => Ok(()),
                });
            }
        }
        report.check("empty", "epochs without rows, and runs without any, are nothing special", || self.empty());
        report.check("foreign bytes", "states and commits of others are refused or taken, with no panic", || {
            self.foreign()
        });
        report
    }

    /// What a sink promises that publishes.
    fn publishing(&self, report: &mut Report) {
        report.check("pre-commit", "nothing is visible before it is committed", || self.pre_commit());
        report.check("commit twice", "an epoch that is committed again is not visible twice", || self.commit_twice());
        report.check(
            "restart",
            "what was prepared at the checkpoint is committed by the attempt behind it, once",
            || self.restart(2, 2),
        );
        report.check("rescale", "also if that attempt has more writers or fewer", || {
            self.restart(1, 3).and_then(|()| self.restart(3, 1))
        });
        report.check("abandoned", "what was prepared behind the last checkpoint is never visible", || self.abandoned());
        let back = "what was published behind an older checkpoint is taken back by an attempt that goes on from it";
        match (self.sink)(&(self.target)()).takes_back() {
            true => report.check("fall back", back, || self.fall_back()),
            false => report.skip("fall back", back, "it does not say `takes_back`"),
        }
        report.check("abort", "a run that is given up leaves what it had committed, and nothing else", || self.abort());
        report.check("next run", "a run behind one that ended in any way begins anew", || self.next_run());
        let writer = "what a writer of an older attempt still writes and prepares is never visible, and harms nobody";
        report.check("zombie writer", writer, || self.zombie(false));
        let commit = "what an older attempt still commits is refused";
        match &self.without_fencing {
            None => report.check("zombie commit", commit, || self.zombie(true)),
            Some(why) => report.skip("zombie commit", commit, why),
        }
    }

    fn start(&self, on: &T, workers: usize, attempt: u64, from: Option<&Checkpoint>) -> Result<Attempt<S>, String> {
        let context = |worker| SinkContext {
            name: "checked".to_owned(),
            worker,
            workers,
            part: 0,
            attempt,
            resumable: true,
            log: None,
            published: false,
        };
        let state = from.map(|checkpoint| &*checkpoint.state);
        let mut committer = (self.sink)(on).committer(&context(0), state).map_err(told("making the committer"))?;
        let mut writers = Vec::new();
        for worker in 0..workers {
            writers.push((self.sink)(on).writer(&context(worker)).map_err(told("making a writer"))?);
        }
        let mut epoch = 0;
        if let Some(checkpoint) = from {
            let again = committer.commit(checkpoint.epoch, checkpoint.pending.clone());
            again.map_err(told("committing what the checkpoint holds"))?;
            epoch = checkpoint.epoch + 1;
        }
        committer.begin().map_err(told("beginning"))?;
        Ok(Attempt { writers, committer, epoch })
    }

    /// Fails if a reader sees other rows than these, which are committed; a sink that shows them at the end alone shows none.
    fn sees(&self, on: &T, rows: &[X], when: &str) -> Result<(), String> {
        if !self.in_its_time {
            return self.shows(on, if self.at_finish { &[] } else { rows }, when);
        }
        // Some of them, and none that is not committed.
        let mut left: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        for seen in (self.visible)(on) {
            match left.iter().position(|row| *row == seen) {
                Some(at) => drop(left.swap_remove(at)),
                None => return Err(format!("{when}: {seen} is visible, or visible twice, and should not be")),
            }
        }
        Ok(())
    }

    fn shows(&self, on: &T, rows: &[X], when: &str) -> Result<(), String> {
        let rows = if self.shows_nothing.is_some() { &[] } else { rows };
        let expected: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        same_rows(&(self.visible)(on), &expected).map_err(|e| format!("{when}: {e}"))
    }

    /// The rows in four parts.
    fn parts(&self) -> Result<[&[X]; 4], String> {
        if self.rows.len() < LEAST_ROWS {
            return Err(format!("the check was given {} rows, and needs {LEAST_ROWS}", self.rows.len()));
        }
        let (front, back) = self.rows.split_at(self.rows.len() / 2);
        let ((a, b), (c, d)) = (front.split_at(front.len() / 2), back.split_at(back.len() / 2));
        Ok([a, b, c, d])
    }

    /// The first rows, up to the end of a part.
    fn up_to(&self, part: &[X], parts: &[&[X]]) -> Vec<X> {
        let mut rows: Vec<X> = parts.concat();
        rows.extend_from_slice(part);
        rows
    }

    fn all(&self) -> Result<(), String> {
        let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        for part in [a, b, c] {
            run.epoch(part)?;
        }
        self.sees(&on, &self.up_to(c, &[a, b]), "with three epochs committed")?;
        run.epoch(d)?;
        run.finish()?;
        self.shows(&on, &self.rows, "when the run has finished")
    }

    fn pre_commit(&self) -> Result<(), String> {
        let (on, [a, b, ..]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        run.epoch(a)?;
        run.write(b)?;
        self.sees(&on, a, "with rows written behind the first epoch")?;
        run.flush()?;
        self.sees(&on, a, "with rows written and flushed behind the first epoch")?;
        let checkpoint = run.prepare()?;
        self.sees(&on, a, "with the second epoch prepared and not committed")?;
        run.commit(&checkpoint)?;
        self.sees(&on, &self.up_to(b, &[a]), "with the second epoch committed")
    }

    fn commit_twice(&self) -> Result<(), String> {
        let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        let first = run.epoch(a)?;
        run.commit(&first)?;
        self.sees(&on, a, "with the first epoch committed twice")?;
        let second = run.epoch(b)?;
        run.commit(&second)?;
        run.epoch(c)?;
        self.sees(&on, &self.up_to(c, &[a, b]), "with two epochs committed twice and one once")?;
        run.epoch(d)?;
        let last = run.prepare()?;
        run.commit(&last)?;
        // Finished, and gone before that was noted.
        for when in ["when the run has finished", "when it was told so twice"] {
            run.committer.finish().map_err(told("finishing"))?;
            self.shows(&on, &self.rows, when)?;
        }
        drop(run);
        let mut run = self.start(&on, 2, 2, Some(&last))?;
        run.finish()?;
        self.shows(&on, &self.rows, "when another attempt has finished it once more")
    }

    /// The run ends between the checkpoint and the commit, and between the commit and what is behind it.
    fn restart(&self, before: usize, behind: usize) -> Result<(), String> {
        for committed in [false, true] {
            let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
            let mut run = self.start(&on, before, 1, None)?;
            run.epoch(a)?;
            run.write(b)?;
            let checkpoint = run.prepare()?;
            let when = if committed {
                run.commit(&checkpoint)?;
                "restarted behind the commit"
            } else {
                "restarted between the checkpoint and the commit"
            };
            drop(run);
            let mut run = self.start(&on, behind, 2, Some(&checkpoint))?;
            self.sees(&on, &self.up_to(b, &[a]), when)?;
            run.epoch(c)?;
            run.write(d)?;
            let checkpoint = run.prepare()?;
            drop(run);
            // Once more, with all rows behind it.
            let mut run = self.start(&on, before, 3, Some(&checkpoint))?;
            run.finish()?;
            self.shows(&on, &self.rows, &format!("{when}, and again, and finished"))?;
        }
        Ok(())
    }

    fn abandoned(&self) -> Result<(), String> {
        let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        let checkpoint = run.epoch(a)?;
        run.write(b)?;
        run.prepare()?;
        // Some rows are on their way to the next one, too.
        run.write(c)?;
        run.flush()?;
        drop(run);
        let mut run = self.start(&on, 2, 2, Some(&checkpoint))?;
        self.sees(&on, a, "restarted from the first of two checkpoints")?;
        run.epoch(b)?;
        run.epoch(c)?;
        run.epoch(d)?;
        run.finish()?;
        self.shows(&on, &self.rows, "with the rows written again, and finished")
    }

    /// The newest checkpoint is damaged, and so is the one before, after what they hold was published.
    fn fall_back(&self) -> Result<(), String> {
        for behind in [1, 3] {
            let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
            let mut run = self.start(&on, 2, 1, None)?;
            run.epoch(a)?;
            let checkpoint = run.epoch(b)?;
            run.epoch(c)?;
            run.epoch(d)?;
            drop(run);
            let mut run = self.start(&on, behind, 2, Some(&checkpoint))?;
            let before = self.up_to(b, &[a]);
            self.sees(&on, &before, "gone on from the second of four checkpoints")?;
            // The epochs are cut in other places this time.
            run.epoch(&[c, d].concat())?;
            self.sees(&on, &self.rows, "with the rows behind it written again")?;
            let last = run.prepare()?;
            run.commit(&last)?;
            drop(run);
            let mut run = self.start(&on, 2, 3, Some(&last))?;
            run.finish()?;
            self.shows(&on, &self.rows, "with the rows behind it written again, restarted and finished")?;
        }
        Ok(())
    }

    fn abort(&self) -> Result<(), String> {
        let (on, [a, b, c, _]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        run.epoch(a)?;
        run.write(b)?;
        run.prepare()?;
        run.write(c)?;
        run.committer.abort();
        self.sees(&on, a, "given up with an epoch prepared and not committed")?;
        drop(run);
        self.sees(&on, a, "given up, and gone")
    }

    fn next_run(&self) -> Result<(), String> {
        let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
        let mut run = self.start(&on, 2, 1, None)?;
        run.epoch(a)?;
        run.write(b)?;
        run.prepare()?;
        run.committer.abort();
        drop(run);
        // What is left behind by one that was killed, too.
        let mut run = self.start(&on, 3, 2, None)?;
        run.write(b)?;
        run.prepare()?;
        run.write(b)?;
        drop(run);
        let mut run = self.start(&on, 2, 3, None)?;
        run.epoch(b)?;
        run.epoch(c)?;
        run.epoch(d)?;
        run.finish()?;
        let committed = if self.at_finish { self.up_to(d, &[b, c]) } else { self.rows.clone() };
        self.shows(&on, &committed, "behind a run that was given up and one that was killed")
    }

    /// The first attempt goes on when the second has begun; it also commits if `commits`.
    fn zombie(&self, commits: bool) -> Result<(), String> {
        let (on, [a, b, c, d]) = ((self.target)(), self.parts()?);
        let mut old = self.start(&on, 2, 1, None)?;
        let checkpoint = old.epoch(a)?;
        old.write(b)?;
        // Prepared before it was thought dead, and committed after.
        let ready = old.prepare()?;
        let mut new = self.start(&on, 2, 2, Some(&checkpoint))?;
        // Whatever it says to what follows, nothing may come of it.
        if commits {
            let _ = old.commit(&ready);
            self.sees(&on, a, "with a commit of the zombie")?;
        }
        new.write(b)?;
        let second = new.prepare()?;
        let _ = old.write(c);
        let _ = old.flush();
        // Under the number of the epoch that the new attempt has prepared, and of the next one.
        old.epoch = second.epoch;
        for _ in 0..2 {
            if let (Ok(late), true) = (old.prepare(), commits) {
                let _ = old.commit(&late);
            }
            let _ = old.write(d);
        }
        self.sees(&on, a, "with all of the zombie's")?;
        new.commit(&second)?;
        new.epoch(c)?;
        new.write(d)?;
        drop(old);
        let last = new.prepare()?;
        new.commit(&last)?;
        self.sees(&on, &self.rows, "with the new attempt's")?;
        new.finish()?;
        self.shows(&on, &self.rows, "when the new attempt has finished")
    }

    fn empty(&self) -> Result<(), String> {
        let on = (self.target)();
        let mut run = self.start(&on, 2, 1, None)?;
        for _ in 0..2 {
            let checkpoint = run.prepare()?;
            run.commit(&checkpoint)?;
        }
        let checkpoint = run.prepare()?;
        drop(run);
        let mut run = self.start(&on, 2, 2, Some(&checkpoint))?;
        run.epoch(&self.rows)?;
        run.prepare().and_then(|checkpoint| run.commit(&checkpoint))?;
        run.finish()?;
        self.shows(&on, &self.rows, "with empty epochs around the rows")?;
        let on = (self.target)();
        let mut run = self.start(&on, 1, 1, None)?;
        let checkpoint = run.prepare()?;
        run.commit(&checkpoint)?;
        run.finish()?;
        self.shows(&on, &[], "without a row")
    }

    fn foreign(&self) -> Result<(), String> {
        let on = (self.target)();
        for bytes in foreign_bytes() {
            let checkpoint = Checkpoint { epoch: 0, state: bytes.clone(), pending: vec![(0, Prepared(bytes.clone()))] };
            // They may fail.
            let _ = self.start(&on, 1, 1, Some(&checkpoint));
            let mut run = self.start(&on, 1, 2, None)?;
            let _ = run.commit(&Checkpoint { state: Vec::new(), ..checkpoint });
        }
        Ok(())
    }
}
