//! A topic as a source: partitions are splits, positions are offsets.

use super::connector::LogTopic;
use super::form::Reads;
use super::topic::{Batch, Topic};
use super::watch::Watch;
use crate::codec::Reader as Bytes;
use crate::error::{Fault, Place};
use crate::record::Record;
use crate::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, Waker, number};
use std::marker::PhantomData;

impl<R: RowType, F: Reads<R>, K: 'static> Source<R> for LogTopic<F, K> {
    type Reader = LogReader<F>;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let here = self.plain();
        let topic = self.open()?.topic(&self.name).map_err(|e| self.fault(e))?;
        let found = match from {
            Some(state) => Partitions::decode(state, &here)?,
            None => Partitions { next: 0, ends: if self.bounded { Some(here.ends(&topic)?) } else { None } },
        };
        Ok(Box::new(LogSplits { here, topic, found }))
    }

    fn reader(&mut self) -> Result<LogReader<F>, Fault> {
        let topic = self.open()?.topic(&self.name).map_err(|e| self.fault(e))?;
        Ok(LogReader { here: self.plain(), topic, open: None, batch: Batch::new(), watch: None, form: PhantomData })
    }

    fn describe(&self) -> String {
        self.description()
    }

    /// Partitions, unless each is read up to where it ended.
    fn endless(&self) -> bool {
        !self.bounded
    }
}

impl LogTopic {
    /// Where the partitions end now.
    fn ends(&self, topic: &Topic) -> Result<Vec<u64>, Fault> {
        let partitions = topic.partitions().map_err(|e| self.fault(e))?;
        (0..partitions).map(|p| topic.extent(p).map(|extent| extent.stable).map_err(|e| self.fault(e))).collect()
    }
}

/// Which partitions have been handed out, and where each ends if they end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partitions {
    next: u32,
    ends: Option<Vec<u64>>,
}

impl Partitions {
    fn encode(&self, topic: &str) -> Vec<u8> {
        let mut out = Vec::new();
        topic.to_owned().encode(&mut out);
        self.next.encode(&mut out);
        self.ends.encode(&mut out);
        out
    }

    fn decode(state: &[u8], here: &LogTopic) -> Result<Partitions, Fault> {
        let read = || {
            let mut from = Bytes::new(state);
            let topic: String = Record::decode(&mut from)?;
            let found = Partitions { next: Record::decode(&mut from)?, ends: Record::decode(&mut from)? };
            from.end().map(|()| (topic, found))
        };
        let (topic, found) =
            read().map_err(|e| Fault::new("the state of the partitions that were read is none").because(e))?;
        if topic != here.name {
            return Err(Fault::new(format!("the job has read the topic `{topic}` so far, and not `{}`", here.name))
                .lasting()
                .help("give it the same topic, or begin anew with `--fresh`"));
        }
        if found.ends.is_some() != here.bounded {
            let before = if here.bounded { "without" } else { "with" };
            return Err(Fault::new(format!("the job has read the topic {before} `.bounded()` so far"))
                .lasting()
                .help("leave it so, or begin anew with `--fresh`"));
        }
        Ok(found)
    }
}

struct LogSplits {
    here: LogTopic,
    topic: Topic,
    found: Partitions,
}

impl Enumerator for LogSplits {
    fn next(&mut self) -> Result<Found, Fault> {
        let partition = self.found.next;
        let end = match &self.found.ends {
            Some(ends) => match ends.get(partition as usize) {
                Some(end) => Some(*end),
                None => return Ok(Found::Finished),
            },
            None if partition >= self.topic.partitions().map_err(|e| self.here.fault(e))? => return Ok(Found::Later),
            None => None,
        };
        self.found.next += 1;
        let mut detail = Vec::new();
        (partition, end).encode(&mut detail);
        Ok(Found::Split(Split { id: u64::from(partition), detail, bytes: None }))
    }

    fn state(&self) -> Vec<u8> {
        self.found.encode(&self.here.name)
    }
}

/// Reads one partition at a time.
pub struct LogReader<F> {
    here: LogTopic,
    topic: Topic,
    open: Option<Open>,
    batch: Batch,
    /// Wakes the worker as long as the reader lives.
    watch: Option<Watch>,
    form: PhantomData<F>,
}

struct Open {
    partition: u32,
    /// The offset of the next record to emit.
    next: u64,
    end: Option<u64>,
    last: Option<u64>,
}

impl<R: RowType, F: Reads<R>> Reader<R> for LogReader<F> {
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let mut detail = Bytes::new(&split.detail);
        let read = <(u32, Option<u64>)>::decode(&mut detail).and_then(|read| detail.end().map(|()| read));
        let (partition, end) = read.map_err(|e| Fault::new("this is no partition of a topic").because(e))?;
        let next = from.map_or(Ok(0), number)?;
        let extent = self.topic.extent(partition).map_err(|e| self.here.fault(e))?;
        if next.max(end.unwrap_or(0)) > extent.end {
            let what = format!("the partition ends at offset {}, and has been read to {next}", extent.end);
            let mut fault =
                Fault::new(what).help("give the job the log that it has read so far, or begin anew with `--fresh`");
            fault.place = self.here.place(partition, None);
            return Err(fault);
        }
        self.open = Some(Open { partition, next, end, last: None });
        Ok(())
    }

    fn position(&self) -> Vec<u8> {
        self.open.as_ref().map_or(0, |open| open.next).to_le_bytes().to_vec()
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let Some(open) = &mut self.open else { return Ok(Polled::SplitDone) };
        let end = open.end.unwrap_or(u64::MAX);
        if open.next >= end {
            return Ok(Polled::SplitDone);
        }
        let begun = open.next;
        self.topic.read(open.partition, begun, budget.max(1), &mut self.batch).map_err(|e| self.here.fault(e))?;
        for record in self.batch.records().take_while(|record| record.offset < end) {
            open.last = Some(record.offset);
            match F::read(record.value) {
                Ok(row) => out.row(row),
                Err(why) => {
                    let mut fault = Fault::new(format!("the record is no row: {why}"))
                        .help("write what the source's type expects, or `on_error skip` at the source");
                    fault.place = self.here.place(open.partition, Some(record.offset));
                    out.bad(record.value, fault)?;
                }
            }
            open.next = record.offset + 1;
        }
        // Behind aborted records, too.
        open.next = self.batch.next_offset().min(end);
        Ok(match open.next {
            next if next >= end => Polled::SplitDone,
            next if next == begun => Polled::Dry,
            _ => Polled::More,
        })
    }

    fn place(&self) -> Place {
        self.open.as_ref().map(|open| self.here.place(open.partition, open.last)).unwrap_or_default()
    }

    fn wake_with(&mut self, waker: Waker) {
        self.watch = Some(self.topic.log().watch(waker));
    }
}
