//! What stands in the file: the tables of the store below, and the bytes of their rows.
//!
//! ```text
//! meta           "format"                  u32 version
//!                "topics"                  u32 number of the next topic
//!                "changes"                 u64 goes up whenever readers may find more
//! topics         name                      u32 number, u32 partitions
//! ends           (topic, partition)        u64 offset of the next record
//! records        (topic, partition, off.)  i64 timestamp in ms, 0 or 1 and the key, the value
//! open           (topic, partition, off.)  u64 count: a stretch of records from that offset on whose transaction is not
//!                                          resolved; nothing from the first of them on is read
//! owners         id                        u64 epoch, u64 tag, u64 sequence of the next transaction
//! transactions   (id, sequence)            u64 epoch, state, count, stretches: u32 topic, u32 partition, u64 offset, u64 count
//! ```
//!
//! Numbers are little-endian, lengths as in [`codec`](crate::codec). In front of each row stands a crc32 over the
//! table's name, the key and the row: a row that went bad, or stands under another key, is never believed.

use super::error::LogError;
use crate::codec::{Reader, put_bytes, put_length};
use redb::{ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction};

/// The version of what is drawn above.
pub(super) const FORMAT: u32 = 1;

type Bytes = &'static [u8];
/// A topic's number and a partition of it.
pub(super) type Lane = (u32, u32);
/// A topic's number, a partition of it, and an offset.
pub(super) type Spot = (u32, u32, u64);

pub(super) const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
pub(super) const TOPICS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("topics");
pub(super) const ENDS: TableDefinition<'_, Lane, Bytes> = TableDefinition::new("ends");
pub(super) const RECORDS: TableDefinition<'_, Spot, Bytes> = TableDefinition::new("records");
pub(super) const OPEN: TableDefinition<'_, Spot, Bytes> = TableDefinition::new("open");
pub(super) const OWNERS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("owners");
pub(super) const TRANSACTIONS: TableDefinition<'_, (&str, u64), Bytes> = TableDefinition::new("transactions");

/// A key's bytes, for the checksum.
pub(super) trait KeyBytes: Copy {
    fn add(self, to: &mut crc32fast::Hasher);
}
impl KeyBytes for &str {
    fn add(self, to: &mut crc32fast::Hasher) {
        to.update(self.as_bytes());
    }
}
impl KeyBytes for Lane {
    fn add(self, to: &mut crc32fast::Hasher) {
        (self.0, self.1, 0).add(to);
    }
}
impl KeyBytes for Spot {
    fn add(self, to: &mut crc32fast::Hasher) {
        to.update(&self.0.to_le_bytes());
        to.update(&self.1.to_le_bytes());
        to.update(&self.2.to_le_bytes());
    }
}
impl KeyBytes for (&str, u64) {
    fn add(self, to: &mut crc32fast::Hasher) {
        to.update(&self.1.to_le_bytes());
        to.update(self.0.as_bytes());
    }
}

fn checksum(table: &str, key: impl KeyBytes, row: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(table.as_bytes());
    key.add(&mut hasher);
    hasher.update(row);
    hasher.finalize()
}

/// A row as it stands in the file.
pub(super) trait Row: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError>;
}

/// A row's bytes with the checksum in front. `row` writes the row.
pub(super) fn seal(table: &str, key: impl KeyBytes, row: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    row(&mut bytes);
    let (front, rest) = bytes.split_at_mut(4);
    front.copy_from_slice(&checksum(table, key, rest).to_le_bytes());
    bytes
}

/// A row's bytes without the checksum, once that was found right.
pub(super) fn unseal<'a>(table: &str, key: impl KeyBytes, bytes: &'a [u8]) -> Result<&'a [u8], LogError> {
    match bytes.split_first_chunk() {
        Some((front, row)) if u32::from_le_bytes(*front) == checksum(table, key, row) => Ok(row),
        _ => Err(LogError::Damaged(format!("a row of `{table}` does not fit its checksum"))),
    }
}

/// Reads a sealed row.
pub(super) fn decode<T: Row>(table: &str, key: impl KeyBytes, bytes: &[u8]) -> Result<T, LogError> {
    let mut reader = Reader::new(unseal(table, key, bytes)?);
    let row = T::get(&mut reader)?;
    reader.end()?;
    Ok(row)
}

/// The tables of one read or write: their rows by type.
pub(super) trait Tables {
    /// Looks at a table; `None` if there is none yet.
    fn with<K: redb::Key + 'static, T>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        look: impl FnOnce(&dyn Look<K>) -> Result<T, LogError>,
    ) -> Result<Option<T>, LogError>;

    /// One row.
    fn row<T: Row, K: redb::Key + 'static>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        key: K::SelfType<'_>,
    ) -> Result<Option<T>, LogError>
    where
        for<'k> K::SelfType<'k>: KeyBytes,
    {
        let found = self.with(table, |rows| match rows.get(key)? {
            Some(bytes) => decode(table.name(), key, &bytes).map(Some),
            None => Ok(None),
        });
        Ok(found?.flatten())
    }
}

/// A table that is looked at, whether it could be written or not.
pub(super) trait Look<K: redb::Key + 'static> {
    fn get(&self, key: K::SelfType<'_>) -> Result<Option<Vec<u8>>, LogError>;
    /// The rows from a key (included) to another one (excluded), until `each` says to stop with `false`.
    fn scan<'k>(
        &self,
        from: K::SelfType<'k>,
        to: K::SelfType<'k>,
        each: &mut dyn FnMut(K::SelfType<'_>, &[u8]) -> Result<bool, LogError>,
    ) -> Result<(), LogError>;
}

impl<K: redb::Key + 'static, R: ReadableTable<K, Bytes>> Look<K> for R {
    fn get(&self, key: K::SelfType<'_>) -> Result<Option<Vec<u8>>, LogError> {
        Ok(ReadableTable::get(self, key)?.map(|row| row.value().to_vec()))
    }
    fn scan<'k>(
        &self,
        from: K::SelfType<'k>,
        to: K::SelfType<'k>,
        each: &mut dyn FnMut(K::SelfType<'_>, &[u8]) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        for row in self.range::<K::SelfType<'k>>(from..to)? {
            let (key, value) = row?;
            if !each(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }
}

impl Tables for redb::ReadTransaction {
    fn with<K: redb::Key + 'static, T>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        look: impl FnOnce(&dyn Look<K>) -> Result<T, LogError>,
    ) -> Result<Option<T>, LogError> {
        match self.open_table(table) {
            Ok(rows) => look(&rows).map(Some),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Tables for WriteTransaction {
    fn with<K: redb::Key + 'static, T>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        look: impl FnOnce(&dyn Look<K>) -> Result<T, LogError>,
    ) -> Result<Option<T>, LogError> {
        look(&self.open_table(table)?).map(Some)
    }
}

/// Writes one row.
pub(super) fn put<T: Row, K: redb::Key + 'static>(
    on: &WriteTransaction,
    table: TableDefinition<'_, K, Bytes>,
    key: K::SelfType<'_>,
    row: &T,
) -> Result<(), LogError>
where
    for<'k> K::SelfType<'k>: KeyBytes,
{
    let bytes = seal(table.name(), key, |out| row.put(out));
    on.open_table(table)?.insert(key, &*bytes)?;
    Ok(())
}

impl Row for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError> {
        Ok(u32::from_le_bytes(from.array()?))
    }
}

impl Row for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError> {
        Ok(u64::from_le_bytes(from.array()?))
    }
}

/// A topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TopicRow {
    pub(super) number: u32,
    pub(super) partitions: u32,
}

impl Row for TopicRow {
    fn put(&self, out: &mut Vec<u8>) {
        self.number.put(out);
        self.partitions.put(out);
    }
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError> {
        Ok(TopicRow { number: u32::get(from)?, partitions: u32::get(from)? })
    }
}

/// Who may write under a transactional id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnerRow {
    pub(super) epoch: u64,
    /// What the owner calls itself, so that its other halves find it.
    pub(super) tag: u64,
    pub(super) next: u64,
}

impl Row for OwnerRow {
    fn put(&self, out: &mut Vec<u8>) {
        [self.epoch, self.tag, self.next].iter().for_each(|n| n.put(out));
    }
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError> {
        Ok(OwnerRow { epoch: u64::get(from)?, tag: u64::get(from)?, next: u64::get(from)? })
    }
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// Records are appended.
    Open,
    /// All of it is durable, and nobody sees it.
    Prepared,
    /// Everybody sees it.
    Committed,
    /// Nobody will ever see it.
    Aborted,
}

/// A stretch of records of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) lane: Lane,
    pub(super) first: u64,
    pub(super) count: u64,
}

/// A transaction; once it is resolved, without its stretches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TransactionRow {
    pub(super) epoch: u64,
    pub(super) state: TransactionState,
    pub(super) stretches: Vec<Stretch>,
}

impl Row for TransactionRow {
    fn put(&self, out: &mut Vec<u8>) {
        self.epoch.put(out);
        out.push(self.state as u8);
        put_length(out, self.stretches.len());
        for Stretch { lane, first, count } in &self.stretches {
            lane.0.put(out);
            lane.1.put(out);
            first.put(out);
            count.put(out);
        }
    }
    fn get(from: &mut Reader<'_>) -> Result<Self, LogError> {
        let epoch = u64::get(from)?;
        let state = match from.byte()? {
            0 => TransactionState::Open,
            1 => TransactionState::Prepared,
            2 => TransactionState::Committed,
            3 => TransactionState::Aborted,
            other => return Err(LogError::Damaged(format!("{other} is no state of a transaction"))),
        };
        let count = from.count(24)?;
        let mut stretches = Vec::with_capacity(count);
        for _ in 0..count {
            let lane = (u32::get(from)?, u32::get(from)?);
            stretches.push(Stretch { lane, first: u64::get(from)?, count: u64::get(from)? });
        }
        Ok(TransactionRow { epoch, state, stretches })
    }
}

/// Writes a record's row.
pub(super) fn put_record(out: &mut Vec<u8>, at: i64, key: Option<&[u8]>, value: &[u8]) {
    out.extend_from_slice(&at.to_le_bytes());
    match key {
        None => out.push(0),
        Some(key) => {
            out.push(1);
            put_bytes(out, key);
        }
    }
    out.extend_from_slice(value);
}

/// A record's row: timestamp, key, value.
pub(super) fn get_record(row: &[u8]) -> Result<(i64, Option<&[u8]>, &[u8]), LogError> {
    let mut from = Reader::new(row);
    let at = i64::from_le_bytes(from.array()?);
    let key = match from.byte()? {
        0 => None,
        1 => Some(from.bytes()?),
        other => return Err(LogError::Damaged(format!("a key begins with {other}"))),
    };
    let left = from.left();
    Ok((at, key, from.take(left)?))
}
