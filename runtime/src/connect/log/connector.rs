//! [`log`]: a topic as a source and as a sink, as one writes it in a block.

use super::error::LogError;
use super::form::{Bytes, Json, KeyBy, NoKey, Text};
use super::store::Log;
use crate::error::{Fault, Place};
use std::marker::PhantomData;
use std::path::PathBuf;

/// The log in a file, to be read or to be written: `log(path).topic("payments").json()`.
///
/// As a source each partition is a split. Records are read in the order of their offsets as far as they are committed. All
/// partitions are read at once, however few workers there are; those that are added later are found while the job runs, and go
/// to the workers that have the fewest. A partition in which nothing comes holds the watermark back for `idle_after`. [`bounded`](LogTopic::bounded) makes a source that ends.
/// A record that is no row is a bad record: it ends the run, or is passed over with `on_error skip`.
///
/// As a sink rows become visible when the epoch is committed, all of an epoch at once, and exactly once: also if the job is
/// killed and goes on from its checkpoint. A run that has been replaced by a newer one can write no more. The topic is created if it is not there.
pub fn log(path: impl Into<PathBuf>) -> LogFile {
    LogFile { path: path.into() }
}

/// What [`log`] gives: a file.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
}

impl LogFile {
    /// A topic of the log. Say next what its values are: [`json`](LogTopic::json), [`text`](LogTopic::text) or
    /// [`bytes`](LogTopic::bytes).
    pub fn topic(self, name: impl Into<String>) -> LogTopic {
        LogTopic {
            path: self.path,
            name: name.into(),
            form: PhantomData,
            key: NoKey,
            bounded: false,
            partitions: None,
            transactional_id: None,
        }
    }
}

/// A topic of a log: a source and a sink, once it has a form.
#[derive(Clone, Debug)]
pub struct LogTopic<F = (), K = NoKey> {
    pub(super) path: PathBuf,
    pub(super) name: String,
    form: PhantomData<F>,
    pub(super) key: K,
    pub(super) bounded: bool,
    pub(super) partitions: Option<u32>,
    pub(super) transactional_id: Option<String>,
}

impl<K> LogTopic<(), K> {
    /// Values are JSON: a source's rows need `Deserialize`, a sink's `Serialize`.
    pub fn json(self) -> LogTopic<Json, K> {
        self.form()
    }

    /// Values are text: a source of `&str` or `String`, a sink of whatever is `AsRef<str>`.
    pub fn text(self) -> LogTopic<Text, K> {
        self.form()
    }

    /// Values are bytes: a source of `&[u8]` or `Vec<u8>`, a sink of whatever is `AsRef<[u8]>`.
    pub fn bytes(self) -> LogTopic<Bytes, K> {
        self.form()
    }

    fn form<F>(self) -> LogTopic<F, K> {
        let LogTopic { path, name, form: _, key, bounded, partitions, transactional_id } = self;
        LogTopic { path, name, form: PhantomData, key, bounded, partitions, transactional_id }
    }
}

impl<F, K> LogTopic<F, K> {
    /// As a source: ends where the committed records ended when the job first started.
    pub fn bounded(mut self) -> Self {
        self.bounded = true;
        self
    }

    /// As a sink: what a record's key is, as in `.key(|alert: &Alert| alert.card.clone())`. Records of one key go into one partition.
    /// Without it records go into the partitions in turn.
    pub fn key<L>(self, key: L) -> LogTopic<F, KeyBy<L>> {
        let LogTopic { path, name, form, key: _, bounded, partitions, transactional_id } = self;
        LogTopic { path, name, form, key: KeyBy(key), bounded, partitions, transactional_id }
    }

    /// As a sink: how many partitions the topic gets if it is not there, 1 by default. One that is there stays as it is.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// As a sink: the name by which a run finds what the run before has left, and takes its place. By default it is made of the topic and the
    /// sink's name in the block: two jobs that write into one topic at the same time need different ones.
    pub fn transactional_id(mut self, id: impl Into<String>) -> Self {
        self.transactional_id = Some(id.into());
        self
    }

    /// Which topic, whatever its form.
    pub(super) fn plain(&self) -> LogTopic {
        LogTopic {
            path: self.path.clone(),
            name: self.name.clone(),
            form: PhantomData,
            key: NoKey,
            bounded: self.bounded,
            partitions: self.partitions,
            transactional_id: self.transactional_id.clone(),
        }
    }

    pub(super) fn open(&self) -> Result<Log, Fault> {
        Log::open(&self.path).map_err(|e| self.fault(e))
    }

    pub(super) fn fault(&self, error: LogError) -> Fault {
        error.fault(&self.path)
    }

    /// A place in a partition, for messages.
    pub(super) fn place(&self, partition: u32, offset: Option<u64>) -> Place {
        let file = format!("{}, topic `{}`, partition {partition}", self.path.display(), self.name);
        Place { file: Some(file.into()), record: offset.map(|offset| offset + 1), ..Place::default() }
    }

    pub(super) fn description(&self) -> String {
        format!("log {} {}", self.path.display(), self.name)
    }
}
