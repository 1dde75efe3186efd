//! A sink that keeps a diary: what each writer had seen at each barrier, what was committed, finished and aborted; and
//! that fails or is slow where it is told to.

use pelton::error::Fault;
use pelton::sink::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An epoch was committed, with what so many writers prepared.
    Commit {
        epoch: u64,
        writers: usize,
    },
    Finish,
    Abort,
}

/// How many rows, and the sum of their numbers.
pub type Seen = (u64, u64);

/// What a probe wrote down. Clones share it.
#[derive(Clone, Default)]
pub struct Diary(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    events: Vec<Event>,
    /// What each writer (worker, part) had seen in all when it was asked to prepare an epoch.
    prepared: BTreeMap<(usize, usize), Vec<(u64, Seen)>>,
    /// Rows whose epoch has been committed.
    committed: Seen,
    pending: BTreeMap<(usize, usize, u64), Seen>,
}

impl Diary {
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().events.clone()
    }
    /// What all writers together had seen at each barrier; checks that each saw each barrier once, in order.
    #[track_caller]
    pub fn at_barriers(&self, writers: usize) -> Vec<Seen> {
        let pages = self.0.lock().unwrap();
        assert_eq!(pages.prepared.len(), writers, "writers that have prepared something");
        let mut sums: Vec<Seen> = Vec::new();
        let epochs = pages.prepared.values().map(Vec::len).max().unwrap_or(0);
        for (writer, list) in &pages.prepared {
            assert_eq!(list.len(), epochs, "{writer:?} has prepared each epoch");
            sums.resize(list.len(), (0, 0));
            for (at, (epoch, seen)) in list.iter().enumerate() {
                assert_eq!(*epoch, at as u64, "{writer:?} has prepared the epochs in order");
                sums[at] = (sums[at].0 + seen.0, sums[at].1.wrapping_add(seen.1));
            }
        }
        sums
    }
    pub fn committed(&self) -> Seen {
        self.0.lock().unwrap().committed
    }
    pub fn commits(&self) -> usize {
        self.events().iter().filter(|event| matches!(event, Event::Commit { .. })).count()
    }
    /// No epoch was committed twice or out of order (one in which nothing was written need not be), then all was finished
    /// once, and nothing was aborted.
    #[track_caller]
    pub fn ended_well(&self) {
        let events = self.events();
        let (last, commits) = events.split_last().expect("something happened");
        assert_eq!(*last, Event::Finish, "{events:?}");
        let mut next = 0;
        for event in commits {
            let Event::Commit { epoch, .. } = event else { panic!("{event:?} before the end") };
            assert!(*epoch >= next, "epoch {epoch} again or too late: {events:?}");
            next = epoch + 1;
        }
    }
    /// Was aborted once, at the end, and not finished.
    #[track_caller]
    pub fn ended_badly(&self) {
        let events = self.events();
        assert_eq!(events.last(), Some(&Event::Abort), "{events:?}");
        assert_eq!(events.iter().filter(|e| matches!(e, Event::Abort)).count(), 1, "{events:?}");
        assert!(!events.contains(&Event::Finish), "{events:?}");
    }
}

/// What a probe does besides writing its diary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    pub slow: Duration,
    /// The row of a writer at which it fails, or panics.
    pub fail_at: Option<u64>,
    pub panic_at: Option<u64>,
    pub fail_writer: bool,
    pub fail_flush: bool,
    pub fail_prepare: Option<u64>,
    pub fail_commit: Option<u64>,
    pub fail_finish: bool,
    pub panic_commit: Option<u64>,
}

/// The sink. Rows are numbers.
#[derive(Clone)]
pub struct Probe {
    diary: Diary,
    trouble: Trouble,
}

/// The connector.
pub fn probe(diary: Diary, trouble: Trouble) -> Probe {
    Probe { diary, trouble }
}

impl Sink for Probe {
    type Writer = ProbeWriter;
    fn writer(&mut self, context: &SinkContext) -> Result<ProbeWriter, Fault> {
        if self.trouble.fail_writer && context.worker + 1 == context.workers {
            return Err(Fault::new("the probe cannot be opened"));
        }
        let me = (context.worker, context.part);
        Ok(ProbeWriter { probe: self.clone(), me, seen: (0, 0), fresh: (0, 0) })
    }
    fn committer(&mut self, _: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(ProbeCommitter(self.clone())))
    }
    fn describe(&self) -> String {
        "probe".to_owned()
    }
}

/// Counts on one worker.
pub struct ProbeWriter {
    probe: Probe,
    me: (usize, usize),
    seen: Seen,
    fresh: Seen,
}

impl Writer for ProbeWriter {
    fn flush(&mut self) -> Result<(), Fault> {
        match self.probe.trouble.fail_flush {
            true => Err(Fault::new("the probe cannot flush")),
            false => Ok(()),
        }
    }
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        if self.probe.trouble.fail_prepare == Some(epoch) {
            return Err(Fault::new("the probe cannot prepare"));
        }
        let mut pages = self.probe.diary.0.lock().unwrap();
        pages.prepared.entry(self.me).or_default().push((epoch, self.seen));
        let fresh = std::mem::take(&mut self.fresh);
        pages.pending.insert((self.me.0, self.me.1, epoch), fresh);
        Ok((fresh.0 > 0).then(|| Prepared(vec![self.me.1 as u8])))
    }
}

impl Accepts<u64> for ProbeWriter {
    fn write(&mut self, row: u64) -> Result<(), Fault> {
        let Trouble { slow, fail_at, panic_at, .. } = self.probe.trouble;
        for seen in [&mut self.seen, &mut self.fresh] {
            *seen = (seen.0 + 1, seen.1.wrapping_add(row));
        }
        if !slow.is_zero() {
            std::thread::sleep(slow);
        }
        assert!(panic_at != Some(self.seen.0), "the probe panics");
        match fail_at == Some(self.seen.0) {
            true => Err(Fault::new("the probe is full")),
            false => Ok(()),
        }
    }
}

struct ProbeCommitter(Probe);

impl Committer for ProbeCommitter {
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        if self.0.trouble.fail_commit == Some(epoch) {
            return Err(Fault::new("the probe cannot commit"));
        }
        assert!(self.0.trouble.panic_commit != Some(epoch), "the probe panics at a commit");
        let mut pages = self.0.diary.0.lock().unwrap();
        for (worker, Prepared(part)) in &prepared {
            let seen = pages.pending.remove(&(*worker, part[0] as usize, epoch)).expect("it was prepared");
            pages.committed = (pages.committed.0 + seen.0, pages.committed.1.wrapping_add(seen.1));
        }
        pages.events.push(Event::Commit { epoch, writers: prepared.len() });
        Ok(())
    }
    fn finish(&mut self) -> Result<(), Fault> {
        if self.0.trouble.fail_finish {
            return Err(Fault::new("the probe cannot finish"));
        }
        self.0.diary.0.lock().unwrap().events.push(Event::Finish);
        Ok(())
    }
    fn abort(&mut self) {
        self.0.diary.0.lock().unwrap().events.push(Event::Abort);
    }
}
