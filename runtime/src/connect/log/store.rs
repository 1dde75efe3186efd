//! [`Log`]: a file with topics in it, opened once per process and shared by all who use it there.
//!
//! Each change is one durable write of the store below, so that whatever kills the process leaves the log as it was
//! before or after. Processes share the file: each sees what the others have committed, and one writes at a time.

use super::error::LogError;
use super::faults::Faults;
use super::tables::{FORMAT, META, TOPICS, Tables, TopicRow, put};
use super::topic::Topic;
use super::watch::Watchers;
use redb::{Builder, ConcurrencyMode, Database, ReadTransaction, ReadableDatabase, TransactionError, WriteTransaction};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Memory for pages that were read.
const CACHE: usize = 64 << 20;
/// How long to wait for a process that writes, before it counts as stopped.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest name of a topic or a transactional id, in bytes.
const LONGEST_NAME: usize = 255;
/// The most partitions of a topic.
const MOST_PARTITIONS: u32 = 4096;

/// Topics with partitions in one file: a stand-in for Kafka on a laptop. Clones are of the same log.
///
/// It is created where there is none. All that a process opens under one path is one log; other processes may have it
/// open at the same time. What is committed is durable, and survives whatever ends the process.
#[derive(Clone)]
pub struct Log {
    pub(super) shared: Arc<Shared>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.shared.path).finish()
    }
}

/// What all users of a log in one process share.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    database: Database,
    /// Writers of this process wait here, in turn; those of others are waited for by asking again.
    writing: Mutex<()>,
    pub(super) faults: Faults,
    pub(super) watchers: Watchers,
    /// Counts records without a key, which go round the partitions.
    pub(super) turn: AtomicU64,
}

/// Logs that are open in this process, by their path without links.
static OPENED: Mutex<BTreeMap<PathBuf, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// Whether readers may find more after a write than before.
pub(super) enum Change<T> {
    Seen(T),
    Unseen(T),
}

impl Log {
    /// Opens the log in the file at `path`, or creates it. A file that a crash has left behind is repaired; opening checks
    /// every byte of it, which takes about a second per gigabyte.
    ///
    /// # Errors
    /// If it is no log, is damaged, or is not accessible.
    pub fn open(path: impl AsRef<Path>) -> Result<Log, LogError> {
        let path = real_path(path.as_ref())?;
        // Only whole entries are put in, so that the map is whole whatever happened.
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = opened.get(&path).and_then(Weak::upgrade) {
            return Ok(Log { shared });
        }
        opened.retain(|_, shared| shared.strong_count() > 0);
        let log = Log { shared: Arc::new(Shared::open(path.clone())?) };
        // Before anybody else has it: who finds a new log writes tables into it.
        log.shared.check_format()?;
        opened.insert(path, Arc::downgrade(&log.shared));
        Ok(log)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What is to go wrong with this log in this process.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Creates a topic. One that is there already, with as many partitions, is given back as it is.
    ///
    /// # Errors
    /// If it has other partitions, or the name is empty or longer than 255 bytes, or no topic can have so many partitions
    /// (1 to 4,096).
    pub fn create_topic(&self, name: &str, partitions: u32) -> Result<Topic, LogError> {
        check_name("topic", name)?;
        check_partitions(partitions)?;
        let row = self.shared.write(|on| match on.row::<TopicRow, _>(TOPICS, name)? {
            Some(row) if row.partitions == partitions => Ok(Change::Unseen(row)),
            Some(row) => Err(LogError::TopicExists { name: name.to_owned(), partitions: row.partitions }),
            None => {
                let number = on.row::<u32, _>(META, "topics")?.unwrap_or(0);
                let row = TopicRow { number, partitions };
                put(on, META, "topics", &(number + 1))?;
                put(on, TOPICS, name, &row)?;
                Ok(Change::Seen(row))
            }
        })?;
        Ok(Topic::new(self.clone(), name, row.number))
    }

    /// A topic that is there.
    ///
    /// # Errors
    /// If it is not: then the error names those that are.
    pub fn topic(&self, name: &str) -> Result<Topic, LogError> {
        match self.shared.read(|on| on.row::<TopicRow, _>(TOPICS, name))? {
            Some(row) => Ok(Topic::new(self.clone(), name, row.number)),
            None => Err(LogError::NoTopic { name: name.to_owned(), there: self.topics()? }),
        }
    }

    /// The names of all topics, in order.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn topics(&self) -> Result<Vec<String>, LogError> {
        self.shared.read(|on| {
            let mut names = Vec::new();
            // No name is longer than this bound.
            let behind = "\u{10ffff}".repeat(LONGEST_NAME);
            on.with(TOPICS, |rows| {
                rows.scan("", &behind, &mut |name, _| {
                    names.push(name.to_owned());
                    Ok(true)
                })
            })?;
            Ok(names)
        })
    }
}

pub(super) fn check_name(of: &str, name: &str) -> Result<(), LogError> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(LogError::Refused(format!("the name of a {of} has 1 to {LONGEST_NAME} bytes, not {}", name.len())));
    }
    Ok(())
}

pub(super) fn check_partitions(partitions: u32) -> Result<(), LogError> {
    if !(1..=MOST_PARTITIONS).contains(&partitions) {
        return Err(LogError::Refused(format!("a topic has 1 to {MOST_PARTITIONS} partitions, not {partitions}")));
    }
    Ok(())
}

impl Shared {
    fn open(path: PathBuf) -> Result<Shared, LogError> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        if cfg!(any(target_os = "linux", target_vendor = "apple", windows)) {
            // Elsewhere one process has the file at a time.
            builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        }
        let database = caught(|| builder.create(&path).map_err(not_opened))?;
        Ok(Shared {
            path,
            database,
            writing: Mutex::new(()),
            faults: Faults::none(),
            watchers: Watchers::default(),
            turn: AtomicU64::new(0),
        })
    }

    fn check_format(&self) -> Result<(), LogError> {
        let is_ours = |found: Option<u32>| match found {
            Some(FORMAT) => Ok(true),
            Some(other) => {
                Err(LogError::Open(format!("it has format {other}, and this program knows format {FORMAT}")))
            }
            None => Ok(false),
        };
        match is_ours(self.read(|on| on.row(META, "format"))?)? {
            true => Ok(()),
            false => self.write(|on| {
                // Somebody else may have made the log meanwhile.
                if is_ours(on.row(META, "format")?)? {
                    return Ok(Change::Unseen(()));
                }
                if on.list_tables()?.any(|table| redb::TableHandle::name(&table) != "meta") {
                    return Err(LogError::Open("it holds another program's tables".to_owned()));
                }
                put(on, META, "format", &FORMAT)?;
                Ok(Change::Unseen(()))
            }),
        }
    }

    /// Looks at the log as it is now.
    pub(super) fn read<T>(&self, look: impl FnOnce(&ReadTransaction) -> Result<T, LogError>) -> Result<T, LogError> {
        self.faults.enter()?;
        caught(|| look(&self.database.begin_read()?))
    }

    /// Changes the log, durably and as a whole; not at all if `change` fails.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<Change<T>, LogError>,
    ) -> Result<T, LogError> {
        self.faults.enter()?;
        let (done, seen) = {
            // It guards nothing of ours.
            let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            caught(|| {
                let on = self.begin()?;
                let (done, seen) = match change(&on)? {
                    Change::Seen(done) => (done, true),
                    Change::Unseen(done) => (done, false),
                };
                if seen {
                    let changes = on.row::<u64, _>(META, "changes")?.unwrap_or(0);
                    put(&on, META, "changes", &changes.wrapping_add(1))?;
                }
                on.commit()?;
                Ok((done, seen))
            })?
        };
        if seen {
            self.watchers.wake();
        }
        Ok(done)
    }

    fn begin(&self) -> Result<WriteTransaction, LogError> {
        let (mut waited, mut pause) = (Duration::ZERO, Duration::from_micros(100));
        loop {
            match self.database.try_begin_write() {
                Err(TransactionError::WouldBlock) if waited >= PATIENCE => return Err(LogError::Busy),
                Err(TransactionError::WouldBlock) => {
                    std::thread::sleep(pause);
                    waited += pause;
                    pause = (pause * 2).min(Duration::from_millis(5));
                }
                begun => return Ok(begun?),
            }
        }
    }

    /// Goes up whenever readers may find more.
    pub(super) fn changes(&self) -> Result<u64, LogError> {
        Ok(self.read(|on| on.row(META, "changes"))?.unwrap_or(0))
    }
}

/// The store below checks what it writes and trusts much of what it reads: in a file that went bad behind its back it may
/// panic.
fn caught<T>(run: impl FnOnce() -> Result<T, LogError>) -> Result<T, LogError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(LogError::Damaged(format!("the store cannot make sense of it ({said})")))
    })
}

fn not_opened(error: redb::DatabaseError) -> LogError {
    use redb::{DatabaseError, StorageError};
    LogError::Open(match error {
        DatabaseError::DatabaseAlreadyOpen => "another process has it open, and here only one can at a time".to_owned(),
        DatabaseError::LockProtocolMismatch => "a process of another version has it open".to_owned(),
        DatabaseError::UpgradeRequired(version) => format!("it is of an older store, of format {version}"),
        DatabaseError::Storage(StorageError::Corrupted(what)) => return LogError::Damaged(what),
        DatabaseError::Storage(StorageError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
            format!("it is no log ({e})")
        }
        DatabaseError::Storage(StorageError::Io(e)) => e.to_string(),
        other => other.to_string(),
    })
}

/// The path without links: of the file, or of its folder if it is not there yet.
fn real_path(path: &Path) -> Result<PathBuf, LogError> {
    if path.is_dir() {
        return Err(LogError::Open(format!("{} is a directory: name a file in it", path.display())));
    }
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let Some(name) = path.file_name() else {
        return Err(LogError::Open(format!("`{}` names no file", path.display())));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match folder.canonicalize() {
        Ok(folder) => Ok(folder.join(name)),
        Err(e) => Err(LogError::Open(format!("cannot find the directory {} of the file: {e}", folder.display()))),
    }
}
