//! [`Producer`] and [`Transaction`]: appending so that all of it is seen at once, or nothing ever.
//!
//! A transactional id has one owner at a time, told by its epoch: whoever takes the id over gets a higher one, and from
//! then on the one before can neither append, nor prepare, nor commit. A transaction that is prepared stays so, across
//! crashes, until the owner of its id commits or aborts it by its [`Ticket`]; both may be repeated.

use super::error::LogError;
use super::store::{Change, Log, Shared, check_name};
use super::tables::{
    ENDS, Lane, OPEN, OWNERS, OwnerRow, RECORDS, Stretch, TRANSACTIONS, Tables, TransactionRow, TransactionState,
    decode, put, put_record, seal,
};
use super::topic::{Topic, partitions};
use crate::codec::{Reader, put_bytes};
use crate::time::Timestamp;
use redb::{TableHandle, WriteTransaction};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Resolved transactions of an id that are remembered, so that a commit can be repeated.
const REMEMBERED: u64 = 1024;
/// What a transaction keeps in memory before it writes.
const WAITING_BYTES: usize = 1 << 20;
const WAITING_RECORDS: usize = 8192;

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    key: Option<&'a [u8]>,
    value: &'a [u8],
    at: Option<Timestamp>,
    partition: Option<u32>,
}

impl<'a> NewRecord<'a> {
    /// A record without a key, at the present time, into the partitions in turn.
    pub fn new<V: AsRef<[u8]> + ?Sized>(value: &'a V) -> Self {
        NewRecord { key: None, value: value.as_ref(), at: None, partition: None }
    }
    /// Gives it a key: records of one key go into one partition, as long as none are added.
    pub fn key<K: AsRef<[u8]> + ?Sized>(mut self, key: &'a K) -> Self {
        self.key = Some(key.as_ref());
        self
    }
    /// Gives it a time.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
    /// Says into which partition it goes, whatever its key.
    pub fn partition(mut self, partition: u32) -> Self {
        self.partition = Some(partition);
        self
    }
}

/// Which transaction: what has to be kept to commit or abort it after a crash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The transactional id.
    pub id: String,
    /// The epoch of the producer that wrote it.
    pub epoch: u64,
    /// Which transaction of the id, counted from 0.
    pub sequence: u64,
}

impl Ticket {
    /// Its bytes: epoch and sequence, little-endian, and the id with its length in front.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = [self.epoch.to_le_bytes(), self.sequence.to_le_bytes()].concat();
        put_bytes(&mut bytes, self.id.as_bytes());
        bytes
    }

    /// Reads it back; `None` if the bytes are no ticket.
    pub fn decode(bytes: &[u8]) -> Option<Ticket> {
        let mut from = Reader::new(bytes);
        let epoch = u64::from_le_bytes(from.array().ok()?);
        let sequence = u64::from_le_bytes(from.array().ok()?);
        let id = from.str().ok()?.to_owned();
        from.end().ok()?;
        Some(Ticket { id, epoch, sequence })
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}` (epoch {})", self.sequence, self.id, self.epoch)
    }
}

/// The owner of a transactional id, until another one takes it over. Clones are the same owner.
#[derive(Clone, Debug)]
pub struct Producer {
    log: Log,
    id: Arc<str>,
    epoch: u64,
}

impl Log {
    /// Takes over a transactional id, in a new epoch. Transactions that its owner before has open are aborted; those that are
    /// prepared stay so, and are for the new owner to commit or abort.
    ///
    /// # Errors
    /// If the log cannot be written, or the id is empty or longer than 255 bytes.
    pub fn producer(&self, id: &str) -> Result<Producer, LogError> {
        self.take_over(id, 0)
    }

    /// The same, with a number by which [`join`](Log::join) finds it.
    pub(super) fn take_over(&self, id: &str, tag: u64) -> Result<Producer, LogError> {
        check_name("transactional id", id)?;
        let epoch = self.shared.write(|on| {
            let mut owner: OwnerRow = on.row(OWNERS, id)?.unwrap_or_default();
            owner = OwnerRow { epoch: owner.epoch + 1, tag, ..owner };
            put(on, OWNERS, id, &owner)?;
            for (ticket, mut row) in unresolved(on, id)? {
                if row.state == TransactionState::Open {
                    resolve(on, &ticket, &mut row, TransactionState::Aborted)?;
                }
            }
            Ok(Change::Seen(owner.epoch))
        })?;
        Ok(Producer { log: self.clone(), id: id.into(), epoch })
    }

    /// Another half of the producer that took over the id with this number; `None` if it has a newer owner, or none.
    pub(super) fn join(&self, id: &str, tag: u64) -> Result<Option<Producer>, LogError> {
        let owner = self.shared.read(|on| on.row::<OwnerRow, _>(OWNERS, id))?;
        let owner = owner.filter(|owner| owner.tag == tag);
        Ok(owner.map(|owner| Producer { log: self.clone(), id: id.into(), epoch: owner.epoch }))
    }

    /// The transactions of an id that are neither committed nor aborted. Each holds back what stands behind it in its
    /// partitions.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn unresolved(&self, id: &str) -> Result<Vec<(Ticket, TransactionState)>, LogError> {
        let found = self.shared.read(|on| unresolved(on, id))?;
        Ok(found.into_iter().map(|(ticket, row)| (ticket, row.state)).collect())
    }
}

impl Producer {
    /// The transactional id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Begins a transaction. There may be several at a time.
    pub fn begin(&self) -> Transaction {
        Transaction {
            producer: self.clone(),
            waiting: Waiting::default(),
            ticket: None,
            state: Some(TransactionState::Open),
        }
    }

    /// Commits what is prepared, all at once: readers see all of it or nothing. What is committed already stays so.
    ///
    /// # Errors
    /// If another producer has taken over the id, a transaction was aborted, is not prepared, or is not known. Then none of them is
    /// committed by this call. After any other error, repeat it.
    pub fn commit<'a>(&self, tickets: impl IntoIterator<Item = &'a Ticket>) -> Result<(), LogError> {
        self.shared().faults.commit()?;
        self.shared().write(|on| {
            self.check(on)?;
            let mut seen = false;
            for ticket in tickets {
                let mut row = self.row(on, ticket)?;
                match row.state {
                    TransactionState::Committed => continue,
                    TransactionState::Prepared => resolve(on, ticket, &mut row, TransactionState::Committed)?,
                    TransactionState::Open => return Err(LogError::NotPrepared(ticket.clone())),
                    TransactionState::Aborted => return Err(LogError::Aborted(ticket.clone())),
                }
                forget(on, ticket)?;
                seen = true;
            }
            Ok(if seen { Change::Seen(()) } else { Change::Unseen(()) })
        })?;
        self.shared().faults.answer()
    }

    /// Aborts transactions, all at once. What is aborted already stays so.
    ///
    /// # Errors
    /// If another producer has taken over the id, or a transaction was committed or is not known. Then none of them is
    /// aborted by this call. After any other error, repeat it.
    pub fn abort<'a>(&self, tickets: impl IntoIterator<Item = &'a Ticket>) -> Result<(), LogError> {
        self.shared().write(|on| {
            self.check(on)?;
            for ticket in tickets {
                let mut row = self.row(on, ticket)?;
                match row.state {
                    TransactionState::Aborted => {}
                    TransactionState::Committed => return Err(LogError::Committed(ticket.clone())),
                    _ => resolve(on, ticket, &mut row, TransactionState::Aborted)?,
                }
            }
            Ok(Change::Seen(()))
        })
    }

    /// Aborts whatever owners before this one have left unresolved; says how many transactions that were.
    ///
    /// # Errors
    /// If another producer has taken over the id.
    pub fn abort_earlier(&self) -> Result<usize, LogError> {
        self.abort_where(|ticket| ticket.epoch < self.epoch)
    }

    /// Aborts whatever is unresolved under the id; says how many transactions that were.
    ///
    /// # Errors
    /// If another producer has taken over the id.
    pub fn abort_all(&self) -> Result<usize, LogError> {
        self.abort_where(|_| true)
    }

    fn abort_where(&self, which: impl Fn(&Ticket) -> bool) -> Result<usize, LogError> {
        self.shared().write(|on| {
            self.check(on)?;
            let mut left = unresolved(on, &self.id)?;
            left.retain(|(ticket, _)| which(ticket));
            for (ticket, row) in &mut left {
                resolve(on, ticket, row, TransactionState::Aborted)?;
            }
            Ok(Change::Seen(left.len()))
        })
    }

    fn shared(&self) -> &Shared {
        &self.log.shared
    }

    /// Fails if it is a zombie.
    fn check(&self, on: &impl Tables) -> Result<OwnerRow, LogError> {
        let owner: OwnerRow = on.row(OWNERS, &*self.id)?.unwrap_or_default();
        if owner.epoch == self.epoch {
            return Ok(owner);
        }
        Err(LogError::Fenced { id: self.id.to_string(), epoch: self.epoch, current: owner.epoch })
    }

    fn row(&self, on: &impl Tables, ticket: &Ticket) -> Result<TransactionRow, LogError> {
        if ticket.id != *self.id {
            return Err(LogError::Refused(format!("transaction {ticket} is none of `{}`", self.id)));
        }
        let row = on.row::<TransactionRow, _>(TRANSACTIONS, (&ticket.id, ticket.sequence))?;
        row.filter(|row| row.epoch == ticket.epoch).ok_or_else(|| LogError::Unknown(ticket.clone()))
    }
}

/// Records that are appended together. Dropped before it is prepared or committed, it is aborted.
#[derive(Debug)]
pub struct Transaction {
    producer: Producer,
    waiting: Waiting,
    /// Once something was written.
    ticket: Option<Ticket>,
    /// `None` once a write failed: what became of it is not known.
    state: Option<TransactionState>,
}

impl Transaction {
    /// Appends a record. It is written when there are about a MiB of them.
    ///
    /// # Errors
    /// If the producer is a zombie, or the log cannot be written: then the transaction can only be aborted.
    pub fn append(&mut self, topic: &Topic, record: NewRecord<'_>) -> Result<(), LogError> {
        self.producer.shared().faults.append()?;
        self.waiting.push(topic, record);
        if self.waiting.bytes.len() >= WAITING_BYTES || self.waiting.records.len() >= WAITING_RECORDS {
            self.write(TransactionState::Open)?;
        }
        Ok(())
    }

    /// Makes everything durable, for a commit to come; nobody sees it yet. `None` if nothing was appended.
    ///
    /// # Errors
    /// If the producer is a zombie, or the log cannot be written: then the transaction is aborted.
    pub fn prepare(mut self) -> Result<Option<Ticket>, LogError> {
        if self.is_empty() {
            return Ok(None);
        }
        self.producer.shared().faults.prepare()?;
        self.write(TransactionState::Prepared)?;
        Ok(self.ticket.take())
    }

    /// Makes everything durable and seen, in one go.
    ///
    /// # Errors
    /// If the producer is a zombie. After another error it is not known whether it was committed.
    pub fn commit(mut self) -> Result<(), LogError> {
        if self.is_empty() {
            return Ok(());
        }
        self.producer.shared().faults.commit()?;
        self.write(TransactionState::Committed)?;
        self.ticket = None;
        self.producer.shared().faults.answer()
    }

    /// Ends it so that nobody ever sees it.
    ///
    /// # Errors
    /// If the log cannot be written. Then it is aborted when the id is taken over.
    pub fn abort(mut self) -> Result<(), LogError> {
        self.waiting = Waiting::default();
        match self.ticket.take() {
            Some(ticket) => self.producer.abort([&ticket]),
            None => Ok(()),
        }
    }

    fn is_empty(&self) -> bool {
        self.ticket.is_none() && self.waiting.records.is_empty()
    }

    fn write(&mut self, state: TransactionState) -> Result<(), LogError> {
        if self.state.take() != Some(TransactionState::Open) {
            return Err(LogError::Failed);
        }
        let Transaction { producer, waiting, ticket, .. } = self;
        let sequence = ticket.as_ref().map(|ticket| ticket.sequence);
        let written = producer.shared().write(|on| {
            let mut owner = producer.check(on)?;
            let new = || Ticket { id: producer.id.to_string(), epoch: producer.epoch, sequence: owner.next };
            let now = ticket.clone().unwrap_or_else(new);
            let mut row = match sequence {
                Some(_) => producer.row(on, &now)?,
                None => {
                    owner.next += 1;
                    put(on, OWNERS, &*producer.id, &owner)?;
                    TransactionRow { epoch: now.epoch, state: TransactionState::Open, stretches: Vec::new() }
                }
            };
            if row.state != TransactionState::Open {
                return Err(LogError::Aborted(now));
            }
            row.stretches.extend(waiting.write(on, true, &producer.shared().turn)?);
            join(&mut row.stretches);
            if state == TransactionState::Committed {
                resolve(on, &now, &mut row, state)?;
                forget(on, &now)?;
                return Ok(Change::Seen(now));
            }
            row.state = state;
            put(on, TRANSACTIONS, (&now.id, now.sequence), &row)?;
            Ok(Change::Unseen(now))
        })?;
        self.waiting.clear();
        self.ticket = Some(written);
        self.state = Some(state);
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            // If it cannot be aborted now, it is when the id is taken over.
            let _ = self.producer.abort([&ticket]);
        }
    }
}

/// Makes one of stretches that follow each other.
fn join(stretches: &mut Vec<Stretch>) {
    stretches.sort_by_key(|stretch| (stretch.lane, stretch.first));
    stretches.dedup_by(|next, before| {
        let follows = before.lane == next.lane && before.first + before.count == next.first;
        if follows {
            before.count += next.count;
        }
        follows
    });
}

/// The transactions of an id that are neither committed nor aborted.
fn unresolved(on: &impl Tables, id: &str) -> Result<Vec<(Ticket, TransactionRow)>, LogError> {
    let mut found = Vec::new();
    on.with(TRANSACTIONS, |rows| {
        rows.scan((id, 0), (id, u64::MAX), &mut |key, bytes| {
            let row: TransactionRow = decode(TRANSACTIONS.name(), key, bytes)?;
            if matches!(row.state, TransactionState::Open | TransactionState::Prepared) {
                found.push((Ticket { id: id.to_owned(), epoch: row.epoch, sequence: key.1 }, row));
            }
            Ok(true)
        })
    })?;
    Ok(found)
}

/// Commits or aborts a transaction.
fn resolve(
    on: &WriteTransaction,
    ticket: &Ticket,
    row: &mut TransactionRow,
    state: TransactionState,
) -> Result<(), LogError> {
    let mut open = on.open_table(OPEN)?;
    let mut records = on.open_table(RECORDS)?;
    for Stretch { lane: (topic, partition), first, count } in std::mem::take(&mut row.stretches) {
        // A stretch of the row may stand there in several, as it was written.
        let all = (topic, partition, first)..(topic, partition, first.saturating_add(count));
        open.retain_in(all.clone(), |_, _| false)?;
        if state == TransactionState::Aborted {
            records.retain_in(all, |_, _| false)?;
        }
    }
    row.state = state;
    put(on, TRANSACTIONS, (&ticket.id, ticket.sequence), row)
}

/// Forgets transactions that were resolved long before this one.
fn forget(on: &WriteTransaction, ticket: &Ticket) -> Result<(), LogError> {
    let Some(old) = ticket.sequence.checked_sub(REMEMBERED) else { return Ok(()) };
    let mut gone = Vec::new();
    on.with(TRANSACTIONS, |rows| {
        rows.scan((&ticket.id, 0), (&ticket.id, old), &mut |key, bytes| {
            let row: TransactionRow = decode(TRANSACTIONS.name(), key, bytes)?;
            if matches!(row.state, TransactionState::Committed | TransactionState::Aborted) {
                gone.push(key.1);
            }
            Ok(gone.len() < 64)
        })
    })?;
    let mut rows = on.open_table(TRANSACTIONS)?;
    for sequence in gone {
        rows.remove((&*ticket.id, sequence))?;
    }
    Ok(())
}

/// Records that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    records: Vec<Held>,
    topics: BTreeMap<u32, Arc<str>>,
}

#[derive(Debug)]
struct Held {
    topic: u32,
    partition: Option<u32>,
    at: i64,
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Waiting {
    pub(super) fn push(&mut self, topic: &Topic, record: NewRecord<'_>) {
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let (key, value) = (record.key.map(&mut keep), keep(record.value));
        let at = record.at.map_or_else(crate::clock::unix_millis, Timestamp::millis);
        self.records.push(Held { topic: topic.number, partition: record.partition, at, key, value });
        self.topics.entry(topic.number).or_insert_with(|| topic.name().into());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    /// Writes all of them, and says where they are now. Nobody sees them if they are `open`, until their transaction is
    /// committed. `turn` counts records without a key, which go round.
    pub(super) fn write(&self, on: &WriteTransaction, open: bool, turn: &AtomicU64) -> Result<Vec<Stretch>, LogError> {
        let mut there = BTreeMap::new();
        for (number, name) in &self.topics {
            there.insert(*number, partitions(on, *number, name)?);
        }
        let mut lanes: BTreeMap<Lane, Stretch> = BTreeMap::new();
        {
            let mut records = on.open_table(RECORDS)?;
            let slice = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
            for held in &self.records {
                let there = there.get(&held.topic).copied().unwrap_or(1);
                let key = held.key.as_ref().map(slice);
                let partition = match (held.partition, key) {
                    (Some(partition), _) => partition,
                    (None, Some(key)) => (crate::hash::bytes(key) % u64::from(there)) as u32,
                    (None, None) => {
                        let turn = turn.fetch_add(1, Ordering::Relaxed);
                        (turn % u64::from(there)) as u32
                    }
                };
                if partition >= there {
                    let topic = self.topics.get(&held.topic).map(|name| name.to_string()).unwrap_or_default();
                    return Err(LogError::NoPartition { topic, partition, there });
                }
                let lane = (held.topic, partition);
                let stretch = match lanes.entry(lane) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let first = on.row(ENDS, lane)?.unwrap_or(0);
                        entry.insert(Stretch { lane, first, count: 0 })
                    }
                };
                let spot = (lane.0, lane.1, stretch.first + stretch.count);
                let value = slice(&held.value);
                let bytes = seal(RECORDS.name(), spot, |out| put_record(out, held.at, key, value));
                records.insert(spot, &*bytes)?;
                stretch.count += 1;
            }
        }
        for Stretch { lane, first, count } in lanes.values() {
            put(on, ENDS, *lane, &(first + count))?;
            if open {
                put(on, OPEN, (lane.0, lane.1, *first), count)?;
            }
        }
        Ok(lanes.into_values().collect())
    }
}
