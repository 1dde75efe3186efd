//! [`LogError`]: what can go wrong with a log, and what to do about it.

use super::transaction::Ticket;
use crate::codec::CodecError;
use crate::error::Fault;
use std::fmt;
use std::path::Path;

/// Why a log could not do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened as a log.
    Open(String),
    /// There is no such topic.
    NoTopic {
        /// The name that was asked for.
        name: String,
        /// The topics that are there.
        there: Vec<String>,
    },
    /// The topic has other partitions than it was to be created with.
    TopicExists {
        /// Its name.
        name: String,
        /// How many partitions it has.
        partitions: u32,
    },
    /// The topic has no such partition.
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition that was asked for.
        partition: u32,
        /// How many there are.
        there: u32,
    },
    /// A name or a number that no topic can have.
    Refused(String),
    /// The offset lies behind the end of its partition: it belongs to another log.
    OutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The offset that was asked for.
        offset: u64,
        /// Where the partition ends.
        end: u64,
    },
    /// Another producer has taken over the transactional id: this one is a zombie.
    Fenced {
        /// The transactional id.
        id: String,
        /// This one's epoch.
        epoch: u64,
        /// The epoch of the one that has taken over.
        current: u64,
    },
    /// The log knows nothing of this transaction: it is another log, or the transaction is too old.
    Unknown(Ticket),
    /// The transaction is not prepared, so it cannot be committed by its ticket.
    NotPrepared(Ticket),
    /// The transaction was aborted, so it cannot be appended to or committed.
    Aborted(Ticket),
    /// The transaction was committed, so it cannot be aborted.
    Committed(Ticket),
    /// The transaction failed before and can only be aborted.
    Failed,
    /// Another process has been writing for too long.
    Busy,
    /// The log was told to be away ([`Faults`](super::Faults)).
    Away,
    /// The log was told to fail here ([`Faults`](super::Faults)).
    Injected(&'static str),
    /// Bytes in the file are not what was written.
    Damaged(String),
    /// The store below failed.
    Store(Box<redb::Error>),
}

impl LogError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            LogError::NoTopic { name, there } => match nearest(name, there) {
                Some(near) => format!("there is a topic `{near}`"),
                None if there.is_empty() => "there is no topic yet: create one with `create_topic`".to_owned(),
                None => format!("there are: {}", there.join(", ")),
            },
            LogError::TopicExists { name, .. } => format!("open it with `topic({name:?})`; `add_partitions` adds some"),
            LogError::OutOfRange { .. } => "give the job the log that it has read so far".to_owned(),
            LogError::Fenced { .. } => "this run is to end: a newer one has taken its place".to_owned(),
            LogError::Unknown(_) => "give the job the log that it has written so far".to_owned(),
            LogError::Busy => "look for a process that has the log open and was stopped".to_owned(),
            LogError::Damaged(_) => "restore the file from a copy".to_owned(),
            _ => return None,
        })
    }

    /// Whether another attempt would meet it again.
    fn lasts(&self) -> bool {
        matches!(
            self,
            LogError::OutOfRange { .. }
                | LogError::Fenced { .. }
                | LogError::Unknown(_)
                | LogError::Aborted(_)
                | LogError::Damaged(_)
        )
    }

    /// With the file and what to do.
    pub(super) fn fault(self, path: &Path) -> Fault {
        let help = self.help();
        let fault = Fault { lasting: self.lasts(), ..Fault::new(self.to_string()).in_file(path) };
        match help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

fn nearest<'a>(name: &str, there: &'a [String]) -> Option<&'a String> {
    let near = there.iter().map(|other| (strsim::damerau_levenshtein(name, other), other));
    near.filter(|(far, _)| *far <= 1 + name.len() / 4).min().map(|(_, other)| other)
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Open(what) => write!(f, "cannot open the log: {what}"),
            LogError::NoTopic { name, .. } => write!(f, "the log has no topic `{name}`"),
            LogError::TopicExists { name, partitions } => {
                write!(f, "the topic `{name}` is there already, with {partitions} partitions")
            }
            LogError::NoPartition { topic, partition, there } => {
                write!(f, "the topic `{topic}` has no partition {partition}, only {there}, counted from 0")
            }
            LogError::Refused(what) => f.write_str(what),
            LogError::OutOfRange { topic, partition, offset, end } => write!(
                f,
                "offset {offset} lies behind the end of partition {partition} of the topic `{topic}`, which is {end}"
            ),
            LogError::Fenced { id, epoch, current } => {
                write!(f, "`{id}` writes in epoch {epoch}, and epoch {current} has taken over")
            }
            LogError::Unknown(ticket) => write!(f, "the log does not know the transaction {ticket}"),
            LogError::NotPrepared(ticket) => write!(f, "the transaction {ticket} is not prepared"),
            LogError::Aborted(ticket) => write!(f, "the transaction {ticket} was aborted"),
            LogError::Committed(ticket) => write!(f, "the transaction {ticket} was committed"),
            LogError::Failed => f.write_str("the transaction has failed before and can only be aborted"),
            LogError::Busy => f.write_str("another process has been writing into the log for too long"),
            LogError::Away => f.write_str("the log is away, as it was told to be"),
            LogError::Injected(what) => write!(f, "the log was told to fail: {what}"),
            LogError::Damaged(what) => write!(f, "the log is damaged: {what}"),
            LogError::Store(error) => write!(f, "the log's file cannot be used: {error}"),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogError::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CodecError> for LogError {
    fn from(error: CodecError) -> Self {
        LogError::Damaged(error.to_string())
    }
}

impl From<redb::Error> for LogError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(what) => LogError::Damaged(what),
            other => LogError::Store(Box::new(other)),
        }
    }
}

macro_rules! from_store {
    ($($error:ty),*) => {$(
        impl From<$error> for LogError {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}
from_store!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError, redb::DatabaseError);
