//! A topic as a sink: one transactional id per sink, taken over by the committer of each attempt.
//!
//! The committer of an attempt takes the id over when it is made; a writer finds its epoch when it gets its first row.
//! Workers build their graphs side by side, so that row may come a little earlier: then the writer waits. Whatever an older
//! attempt does after that is refused.

use super::connector::LogTopic;
use super::error::LogError;
use super::form::{Keys, Writes};
use super::topic::Topic;
use super::transaction::{NewRecord, Producer, Ticket, Transaction};
use crate::error::Fault;
use crate::sink::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

impl<F: 'static, K: Clone + 'static> Sink for LogTopic<F, K> {
    type Writer = LogWriter<F, K>;

    fn writer(&mut self, context: &SinkContext) -> Result<LogWriter<F, K>, Fault> {
        Ok(LogWriter {
            path: self.path.clone(),
            topic: self.topic_to_write()?,
            id: self.id(context),
            tag: tag(context),
            producer: None,
            transaction: None,
            key: self.key.clone(),
            key_bytes: Vec::new(),
            value_bytes: Vec::new(),
            form: PhantomData,
        })
    }

    fn committer(&mut self, context: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        let topic = self.topic_to_write()?;
        let taken = topic.log().take_over(&self.id(context), tag(context));
        let producer = taken.map_err(|e| self.fault(e))?;
        Ok(Box::new(LogCommitter { path: self.path.clone(), producer }))
    }

    fn describe(&self) -> String {
        self.description()
    }
}

impl<F, K> LogTopic<F, K> {
    fn id(&self, context: &SinkContext) -> String {
        self.transactional_id.clone().unwrap_or_else(|| format!("{}/{}", self.name, context.name))
    }

    fn topic_to_write(&self) -> Result<Topic, Fault> {
        let log = self.open()?;
        match log.topic(&self.name) {
            Err(LogError::NoTopic { .. }) => match log.create_topic(&self.name, self.partitions.unwrap_or(1)) {
                // Another writer was faster.
                Err(LogError::TopicExists { .. }) => log.topic(&self.name),
                created => created,
            },
            topic => topic,
        }
        .map_err(|e| self.fault(e))
    }
}

/// What the halves of an attempt have in common, and no two attempts.
fn tag(context: &SinkContext) -> u64 {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    let process = *PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    crate::hash::pair(process, context.attempt)
}

/// How often to look for the committer's epoch, and how long to wait in between: a second in all.
const JOINS: u32 = 500;
const JOIN_AGAIN: Duration = Duration::from_millis(2);

/// Appends to a topic on one worker.
pub struct LogWriter<F, K> {
    path: PathBuf,
    topic: Topic,
    id: String,
    tag: u64,
    producer: Option<Producer>,
    transaction: Option<Transaction>,
    key: K,
    key_bytes: Vec<u8>,
    value_bytes: Vec<u8>,
    form: PhantomData<F>,
}

impl<F, K> LogWriter<F, K> {
    fn failed(&self, error: LogError) -> Fault {
        error.fault(&self.path)
    }

    #[cold]
    fn begin(&mut self) -> Result<Transaction, Fault> {
        let producer = match &self.producer {
            Some(producer) => producer.clone(),
            None => {
                let joined = self.join()?;
                self.producer.insert(joined).clone()
            }
        };
        Ok(producer.begin())
    }

    /// Finds what the committer of this attempt has taken over.
    fn join(&self) -> Result<Producer, Fault> {
        for _ in 0..JOINS {
            let joined = self.topic.log().join(&self.id, self.tag).map_err(|e| self.failed(e))?;
            match joined {
                Some(joined) => return Ok(joined),
                None => std::thread::sleep(JOIN_AGAIN),
            }
        }
        Err(Fault::new(format!("another run writes as `{}` now", self.id))
            .in_file(&self.path)
            .help("let this run end; jobs that write at the same time need a `.transactional_id(..)` of their own"))
    }
}

impl<F: 'static, K: 'static> Writer for LogWriter<F, K> {
    fn prepare(&mut self, _epoch: u64) -> Result<Option<Prepared>, Fault> {
        let Some(transaction) = self.transaction.take() else { return Ok(None) };
        let ticket = transaction.prepare().map_err(|e| self.failed(e))?;
        Ok(ticket.map(|ticket| Prepared(ticket.encode())))
    }
}

impl<X, F: Writes<X>, K: Keys<X>> Accepts<X> for LogWriter<F, K> {
    fn write(&mut self, row: X) -> Result<(), Fault> {
        let mut transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.begin()?,
        };
        self.key_bytes.clear();
        self.value_bytes.clear();
        F::write(&row, &mut self.value_bytes)
            .map_err(|e| Fault::new(format!("a row that the topic cannot hold: {e}")).in_file(&self.path))?;
        let mut record = NewRecord::new(&self.value_bytes);
        if self.key.key(&row, &mut self.key_bytes) {
            record = record.key(&self.key_bytes);
        }
        transaction.append(&self.topic, record).map_err(|e| self.failed(e))?;
        self.transaction = Some(transaction);
        Ok(())
    }
}

struct LogCommitter {
    path: PathBuf,
    producer: Producer,
}

impl LogCommitter {
    fn failed(&self, error: LogError) -> Fault {
        error.fault(&self.path)
    }
}

impl Committer for LogCommitter {
    fn commit(&mut self, _epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        let tickets: Option<Vec<Ticket>> = prepared.iter().map(|(_, Prepared(bytes))| Ticket::decode(bytes)).collect();
        let Some(tickets) = tickets else {
            return Err(Fault::new("a commit that no writer of a log has prepared").in_file(&self.path));
        };
        if tickets.is_empty() {
            return Ok(());
        }
        self.producer.commit(&tickets).map_err(|e| self.failed(e))
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.producer.abort_earlier().map(drop).map_err(|e| self.failed(e))
    }

    fn abort(&mut self) {
        // What cannot be aborted now, because the log is away say, is when the next run begins. A zombie has nothing to abort.
        let _ = self.producer.abort_all();
    }
}
