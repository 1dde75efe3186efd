//! [`Topic`]: its partitions, and what has been committed to them.

use super::error::LogError;
use super::store::{Change, Log, check_partitions};
use super::tables::{ENDS, OPEN, RECORDS, Spot, TOPICS, Tables, TopicRow, get_record, put, unseal};
use super::transaction::{NewRecord, Waiting};
use crate::time::Timestamp;
use redb::TableHandle;
use std::ops::Range;
use std::sync::Arc;

/// A topic of a log. Clones are of the same topic.
#[derive(Clone, Debug)]
pub struct Topic {
    log: Log,
    name: Arc<str>,
    pub(super) number: u32,
}

/// How far a partition reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The offset of the next record.
    pub end: u64,
    /// Where reading ends for now: the first record of a transaction that is neither committed nor aborted, or the end.
    pub stable: u64,
}

impl Topic {
    pub(super) fn new(log: Log, name: &str, number: u32) -> Topic {
        Topic { log, name: name.into(), number }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many partitions there are now; they are counted from 0.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn partitions(&self) -> Result<u32, LogError> {
        self.log.shared.read(|on| partitions(on, self.number, &self.name))
    }

    /// Adds so many partitions, also while jobs read and write the topic. Keys go to other partitions from then on.
    ///
    /// # Errors
    /// If no topic can have so many.
    pub fn add_partitions(&self, more: u32) -> Result<(), LogError> {
        self.log.shared.write(|on| {
            let partitions = partitions(on, self.number, &self.name)?.saturating_add(more);
            check_partitions(partitions)?;
            put(on, TOPICS, &self.name, &TopicRow { number: self.number, partitions })?;
            Ok(Change::Seen(()))
        })
    }

    /// How far a partition reaches.
    ///
    /// # Errors
    /// If there is no such partition.
    pub fn extent(&self, partition: u32) -> Result<Extent, LogError> {
        self.log.shared.read(|on| self.extent_on(on, partition))
    }

    fn extent_on(&self, on: &impl Tables, partition: u32) -> Result<Extent, LogError> {
        let there = partitions(on, self.number, &self.name)?;
        if partition >= there {
            return Err(LogError::NoPartition { topic: self.name().to_owned(), partition, there });
        }
        let end = on.row(ENDS, (self.number, partition))?.unwrap_or(0);
        let mut stable = end;
        on.with(OPEN, |rows| {
            rows.scan(self.spot(partition, 0), self.spot(partition, u64::MAX), &mut |(_, _, offset), _| {
                stable = offset;
                Ok(false)
            })
        })?;
        Ok(Extent { end, stable })
    }

    fn spot(&self, partition: u32, offset: u64) -> Spot {
        (self.number, partition, offset)
    }

    /// Reads what is committed of a partition, from an offset on, into `into`: at most so many records, and about a MiB.
    /// Records of aborted transactions are passed over; nothing behind an open transaction is read.
    ///
    /// # Errors
    /// If there is no such partition, or it ends before the offset.
    pub fn read(&self, partition: u32, from: u64, most: usize, into: &mut Batch) -> Result<(), LogError> {
        into.clear(from);
        self.log.shared.read(|on| {
            let Extent { end, stable } = self.extent_on(on, partition)?;
            if from > end {
                return Err(LogError::OutOfRange { topic: self.name().to_owned(), partition, offset: from, end });
            }
            let mut full = false;
            on.with(RECORDS, |rows| {
                rows.scan(self.spot(partition, from), self.spot(partition, stable.max(from)), &mut |spot, bytes| {
                    if into.records.len() >= most || into.bytes.len() >= BATCH_BYTES {
                        full = true;
                        return Ok(false);
                    }
                    let (at, key, value) = get_record(unseal(RECORDS.name(), spot, bytes)?)?;
                    into.push(spot.2, at, key, value);
                    Ok(true)
                })
            })?;
            if !full {
                // What is left up to there was aborted.
                into.next = stable.max(from);
            }
            Ok(())
        })
    }

    /// Appends records that are seen at once, all of them or, after an error, none.
    ///
    /// # Errors
    /// If the log cannot be written, or there is no such partition.
    pub fn append<'a>(&self, records: impl IntoIterator<Item = NewRecord<'a>>) -> Result<(), LogError> {
        let mut waiting = Waiting::default();
        for record in records {
            self.log.shared.faults.append()?;
            waiting.push(self, record);
        }
        self.log.shared.write(|on| {
            waiting.write(on, false, &self.log.shared.turn)?;
            Ok(Change::Seen(()))
        })
    }
}

pub(super) fn partitions(on: &impl Tables, number: u32, name: &str) -> Result<u32, LogError> {
    match on.row::<TopicRow, _>(TOPICS, name)? {
        Some(row) if row.number == number => Ok(row.partitions),
        _ => Err(LogError::Damaged(format!("the topic `{name}` has vanished"))),
    }
}

/// How much is read at once.
const BATCH_BYTES: usize = 1 << 20;

/// Records that were read. It is used again and again.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Entry>,
    next: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    offset: u64,
    at: i64,
    key: Option<Range<usize>>,
    value: Range<usize>,
}

/// A record as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its place in its partition.
    pub offset: u64,
    /// The time that it was given, or the time at which it was appended.
    pub at: Timestamp,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: &'a [u8],
}

impl Batch {
    /// An empty one.
    pub fn new() -> Self {
        Batch::default()
    }

    fn clear(&mut self, next: u64) {
        self.bytes.clear();
        self.records.clear();
        self.next = next;
    }

    fn push(&mut self, offset: u64, at: i64, key: Option<&[u8]>, value: &[u8]) {
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let entry = Entry { offset, at, key: key.map(&mut keep), value: keep(value) };
        self.records.push(entry);
        self.next = offset + 1;
    }

    /// Where to go on reading.
    pub fn next_offset(&self) -> u64 {
        self.next
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records, in the order of their offsets.
    pub fn records(&self) -> impl Iterator<Item = LogRecord<'_>> {
        let bytes = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        self.records.iter().map(move |entry| LogRecord {
            offset: entry.offset,
            at: Timestamp::from_millis(entry.at),
            key: entry.key.as_ref().map(bytes),
            value: bytes(&entry.value),
        })
    }
}
