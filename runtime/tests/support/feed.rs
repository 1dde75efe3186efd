//! A source that follows a script: which splits there are, which rows are in them, where a reader has nothing for a
//! while, is slow, fails or panics.

use pelton::error::{Fault, Place};
use pelton::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, Waker};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What a reader does next.
#[derive(Clone, Debug)]
pub enum Step<T> {
    /// Gives a row.
    Row(T),
    /// Has nothing for so long, and wakes the worker then.
    Dry(Duration),
    /// Has nothing until the flag is set.
    Until(Arc<AtomicBool>),
    /// Has nothing until the flag is set, but says that there may be more at once.
    Spin(Arc<AtomicBool>),
    /// Takes so long over it.
    Busy(Duration),
    /// Has nothing until a barrier of a checkpoint has passed.
    Barrier,
    /// Panics with this message.
    Panic(&'static str),
    /// Fails with this fault.
    Fail(&'static str),
    /// Cannot read a record, and goes on if it is told to.
    Bad(&'static str),
}

/// The script, and what became of it. Clones share it.
#[derive(Clone)]
pub struct Feed<T> {
    pub splits: Arc<Vec<Vec<Step<T>>>>,
    /// How often the enumerator says `Later` before each split.
    pub later: usize,
    /// The enumerator says `Later` until this is set, from the split of number `later_from` on.
    pub later_until: Option<Arc<AtomicBool>>,
    pub later_from: u64,
    /// Splits are said not to end.
    pub endless: bool,
    /// How often the enumerator was asked.
    pub asked: Arc<AtomicUsize>,
    /// Rows given so far by all workers.
    pub given: Arc<AtomicU64>,
    pub fail_enumerator: bool,
    /// The enumerator panics at this question.
    pub panic_at_question: Option<usize>,
}

impl<T: Clone> Feed<T> {
    pub fn new(splits: Vec<Vec<Step<T>>>) -> Self {
        Feed {
            splits: Arc::new(splits),
            later: 0,
            later_until: None,
            later_from: 0,
            endless: false,
            asked: Arc::default(),
            given: Arc::default(),
            fail_enumerator: false,
            panic_at_question: None,
        }
    }
    /// Rows alone.
    pub fn rows(splits: &[Vec<T>]) -> Self {
        Feed::new(splits.iter().map(|split| split.iter().cloned().map(Step::Row).collect()).collect())
    }
    pub fn later(self, later: usize) -> Self {
        Feed { later, ..self }
    }
    pub fn endless(self) -> Self {
        Feed { endless: true, ..self }
    }
}

/// The connector.
pub fn feed<T>(script: Feed<T>) -> Feed<T> {
    script
}

impl<T, R> Source<R> for Feed<T>
where
    T: Clone + Send + Sync + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    type Reader = FeedReader<T>;
    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        if self.fail_enumerator {
            return Err(Fault::new("the script has no enumerator"));
        }
        let (splits, later, until, asked) =
            (self.splits.len(), self.later, self.later_until.clone(), self.asked.clone());
        let panic_at = self.panic_at_question;
        let next = from.map_or(0, number);
        let from = self.later_from;
        Ok(Box::new(FeedSplits { splits, next, later, until, from, said: 0, asked, panic_at }))
    }
    fn reader(&mut self) -> Result<FeedReader<T>, Fault> {
        Ok(FeedReader {
            feed: self.clone(),
            split: 0,
            at: 0,
            rows: 0,
            told: None,
            waker: None,
            passed: Cell::new(None),
        })
    }
    fn describe(&self) -> String {
        format!("a script of {} splits", self.splits.len())
    }
    fn endless(&self) -> bool {
        self.endless
    }
}

struct FeedSplits {
    splits: usize,
    next: u64,
    later: usize,
    until: Option<Arc<AtomicBool>>,
    from: u64,
    said: usize,
    asked: Arc<AtomicUsize>,
    panic_at: Option<usize>,
}

impl Enumerator for FeedSplits {
    fn next(&mut self) -> Result<Found, Fault> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(self.panic_at != Some(asked), "the enumerator panics");
        if self.next >= self.from && self.until.as_ref().is_some_and(|until| !until.load(Ordering::SeqCst)) {
            return Ok(Found::Later);
        }
        if self.said < self.later {
            self.said += 1;
            return Ok(Found::Later);
        }
        self.said = 0;
        if self.next >= self.splits as u64 {
            return Ok(Found::Finished);
        }
        self.next += 1;
        Ok(Found::Split(Split { id: self.next - 1, detail: Vec::new(), bytes: None }))
    }
    fn state(&self) -> Vec<u8> {
        self.next.to_le_bytes().to_vec()
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// Reads the script.
pub struct FeedReader<T> {
    feed: Feed<T>,
    split: usize,
    at: usize,
    rows: u64,
    /// Set by whoever wakes the worker from the dry spell at this step.
    told: Option<Arc<AtomicBool>>,
    waker: Option<Waker>,
    /// The step that has seen its barrier.
    passed: Cell<Option<usize>>,
}

impl<T: Clone + Send + Sync + 'static> FeedReader<T> {
    /// Whether the dry spell is over; if it has just begun, somebody is told to end it.
    fn over(&mut self, until: impl FnOnce() + Send + 'static) -> bool {
        match &self.told {
            Some(told) => told.load(Ordering::SeqCst),
            None => {
                let told = Arc::new(AtomicBool::new(false));
                self.told = Some(told.clone());
                let waker = self.waker.clone();
                std::thread::spawn(move || {
                    until();
                    told.store(true, Ordering::SeqCst);
                    if let Some(waker) = waker {
                        waker();
                    }
                });
                false
            }
        }
    }
}

impl<T, R> Reader<R> for FeedReader<T>
where
    T: Clone + Send + Sync + 'static,
    R: for<'a> RowType<Row<'a> = T>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        (self.split, self.at, self.rows, self.told) = (split.id as usize, 0, 0, None);
        self.passed.set(None);
        if let Some(from) = from {
            self.at = number(from) as usize;
            let before = &self.feed.splits[self.split][..self.at];
            self.rows = before.iter().filter(|step| matches!(step, Step::Row(_))).count() as u64;
        }
        Ok(())
    }
    fn position(&self) -> Vec<u8> {
        let mut at = self.at;
        if let Some(Step::Barrier) = self.feed.splits[self.split].get(at) {
            // It is asked at barriers alone.
            self.passed.set(Some(at));
            at += 1;
            self.waker.iter().for_each(|waker| waker());
        }
        (at as u64).to_le_bytes().to_vec()
    }
    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let feed = self.feed.clone();
        let split = &feed.splits[self.split];
        for _ in 0..budget {
            let Some(step) = split.get(self.at) else { return Ok(Polled::SplitDone) };
            match step.clone() {
                Step::Row(row) => {
                    self.rows += 1;
                    feed.given.fetch_add(1, Ordering::Relaxed);
                    out.row(row);
                }
                Step::Dry(long) => {
                    if !self.over(move || std::thread::sleep(long)) {
                        return Ok(Polled::Dry);
                    }
                    self.told = None;
                }
                Step::Until(flag) => {
                    let until = move || {
                        while !flag.load(Ordering::SeqCst) {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    };
                    if !self.over(until) {
                        return Ok(Polled::Dry);
                    }
                    self.told = None;
                }
                Step::Spin(flag) => {
                    std::thread::sleep(Duration::from_millis(1));
                    if !flag.load(Ordering::SeqCst) {
                        return Ok(Polled::More);
                    }
                }
                Step::Barrier if self.passed.get() != Some(self.at) => return Ok(Polled::Dry),
                Step::Barrier => {}
                Step::Busy(long) => std::thread::sleep(long),
                Step::Panic(message) => panic!("{message}"),
                Step::Fail(what) => return Err(Fault::new(what)),
                Step::Bad(what) => out.bad(what.as_bytes(), Fault::new(what))?,
            }
            self.at += 1;
        }
        Ok(Polled::More)
    }
    fn place(&self) -> Place {
        Place { record: Some(self.rows), ..Place::default() }
    }
    fn wake_with(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }
}
