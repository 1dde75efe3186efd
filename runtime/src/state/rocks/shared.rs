//! [`Shared`]: the databases of one operator on one worker. The worker reads; everything is written by whoever has a
//! [`Change`](super::super::files::Change), one at a time.
//!
//! ```text
//! oldest  former | former | own  newest     each with the hashes that count in it; the newest that knows a key has the word
//! ```

use super::super::files::{Listing, StateFile};
use super::database::{Budget, Database, Word, value_of};
use super::noted::Noted;
use super::stored::Stored;
use crate::error::Fault;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Bytes of former databases that are brought over with each checkpoint.
const CARRY: usize = 32 << 20;

/// See the module.
pub struct Shared {
    folder: PathBuf,
    hashes: RangeInclusive<u64>,
    budget: Budget,
    /// Not there before the first change or restore.
    own: OnceLock<Database>,
    /// Oldest first.
    formers: Mutex<Arc<[Stored]>>,
    /// There are formers: so deletions must be told, and lookups go on to them.
    told: Arc<AtomicBool>,
    /// No namespace below is asked for again.
    horizon: AtomicI64,
    writer: Mutex<Writer>,
}

/// What only whoever writes knows.
#[derive(Default)]
struct Writer {
    /// Where bringing over the newest former goes on.
    carried: Vec<u8>,
    /// How many checkpoints there have been.
    checkpoints: u64,
    /// Namespaces below have been removed.
    forgotten: Option<i64>,
}

impl Shared {
    /// Nothing yet, in a folder.
    pub fn new(folder: &Path, hashes: RangeInclusive<u64>, budget: Budget) -> Shared {
        Shared {
            folder: folder.to_owned(),
            hashes,
            budget,
            own: OnceLock::new(),
            formers: Mutex::default(),
            told: Arc::default(),
            horizon: AtomicI64::new(i64::MIN),
            writer: Mutex::default(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.own.get().is_none() && !self.told.load(Ordering::Acquire)
    }

    /// No namespace below this one is asked for again.
    pub fn forget_below(&self, namespace: i64) {
        self.horizon.fetch_max(namespace, Ordering::Relaxed);
    }

    /// Goes on from databases of a checkpoint, oldest first. One that knows all hashes of this worker, and is the newest, becomes its
    /// own.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn restore(&self, mut oldest_first: Vec<Stored>) -> Result<(), Fault> {
        if let Some(last) = oldest_first.pop_if(|last| *last.hashes() == self.hashes) {
            self.told.store(!oldest_first.is_empty(), Ordering::Release);
            let own = self.open(&last.files().folder)?;
            self.own.get_or_init(|| own);
        }
        self.told.store(!oldest_first.is_empty(), Ordering::Release);
        oldest_first.iter().try_for_each(|former| former.database(Some(&self.budget)).map(drop))?;
        *self.formers.lock().unwrap_or_else(PoisonError::into_inner) = oldest_first.into();
        Ok(())
    }

    fn open(&self, folder: &Path) -> Result<Database, Fault> {
        Database::open(folder, self.hashes.clone(), &self.budget, self.told.clone())
    }

    fn formers(&self) -> Arc<[Stored]> {
        self.formers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a key has, in its byte form.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read<R>(&self, hash: u64, key: &[u8], read: impl FnOnce(&[u8], &Path) -> R) -> Result<Option<R>, Fault> {
        // Asked for before one's own is: what is brought over meanwhile is found in either.
        let formers = if self.told.load(Ordering::Acquire) { Some(self.formers()) } else { None };
        if let Some(own) = self.own.get()
            && let Some(stored) = own.get(key)?
        {
            return Ok(value_of(&stored).map(|value| read(value, own.folder())));
        }
        for former in formers.iter().flat_map(|formers| formers.iter().rev()) {
            if former.hashes().contains(&hash) {
                let former = former.database(Some(&self.budget))?;
                if let Some(stored) = former.get(key)? {
                    return Ok(value_of(&stored).map(|value| read(value, former.folder())));
                }
            }
        }
        Ok(None)
    }

    /// Shows each database and the hashes that count in it, oldest first, and whether there is one only.
    ///
    /// # Errors
    /// What `each` says.
    pub fn each(
        &self,
        mut each: impl FnMut(&Database, &RangeInclusive<u64>, bool) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let formers = self.formers();
        for former in formers.iter() {
            each(former.database(Some(&self.budget))?, former.hashes(), false)?;
        }
        self.own.get().map_or(Ok(()), |own| each(own, &self.hashes, formers.is_empty()))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One's own database, made if it is not there. Only for whoever writes.
    fn own(&self) -> Result<&Database, Fault> {
        match self.own.get() {
            Some(own) => Ok(own),
            None => {
                let own = self.open(&self.folder.join("database"))?;
                Ok(self.own.get_or_init(|| own))
            }
        }
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// If RocksDB or the disk cannot.
    pub fn write(&self, mut noted: Noted) -> Result<(), Fault> {
        let mut writer = self.writer();
        let horizon = self.horizon.load(Ordering::Relaxed);
        if let Some(own) = self.own.get()
            && writer.forgotten.is_none_or(|forgotten| forgotten < horizon)
            && horizon > i64::MIN
        {
            own.forget_below(horizon)?;
            writer.forgotten = Some(horizon);
        }
        if noted.is_empty() {
            return Ok(());
        }
        let formers = self.formers();
        let told = |hash: u64| formers.iter().any(|former| former.hashes().contains(&hash));
        self.own()?.put(noted.sorted(|key| told(key.hash)))
    }

    /// Brings some of the newest former over, where one's own does not know better.
    fn carry(&self, writer: &mut Writer) -> Result<(), Fault> {
        let formers = self.formers();
        let Some((former, older)) = formers.split_last() else { return Ok(()) };
        let (own, horizon) = (self.own()?, self.horizon.load(Ordering::Relaxed));
        let (mut carried, mut bytes, mut next) = (Vec::new(), 0, None);
        former.database(Some(&self.budget))?.walk(&writer.carried, former.hashes(), |key, parts, stored| {
            if bytes >= CARRY {
                next = Some(key.to_vec());
                return Ok(ControlFlow::Break(()));
            }
            bytes += key.len() + stored.len();
            let needless = parts.which.namespace < horizon || stored.is_empty() && older.is_empty();
            if !needless && own.get(key)?.is_none() {
                carried.push((key.to_vec(), stored.to_vec()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if !carried.is_empty() {
            own.put(carried.iter().map(|(key, stored)| (&**key, Word::Stored(stored))))?;
        }
        match next {
            Some(next) => writer.carried = next,
            None => {
                writer.carried.clear();
                *self.formers.lock().unwrap_or_else(PoisonError::into_inner) = older.into();
                self.told.store(!older.is_empty(), Ordering::Release);
            }
        }
        Ok(())
    }

    /// All files as they are now, for a checkpoint.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn listing(&self) -> Result<Listing, Fault> {
        let mut writer = self.writer();
        self.carry(&mut writer)?;
        let mut listing = Listing::default();
        for former in self.formers().iter() {
            let files = former.files();
            let file = |path: PathBuf, entries| StateFile {
                bytes: path.clone(),
                path,
                hashes: former.hashes().clone(),
                entries,
            };
            listing.files.push(file(files.catalog(), 0));
            listing.files.extend(files.tables().zip(&files.tables).map(|(path, (_, entries))| file(path, *entries)));
        }
        if let Some(own) = self.own.get() {
            writer.checkpoints += 1;
            let scratch = self.folder.join(format!("checkpoint-{}", writer.checkpoints));
            listing.scratch = Some(scratch.clone());
            let files = own.checkpoint(&scratch)?;
            let file = |path, bytes, entries| StateFile { path, bytes, hashes: self.hashes.clone(), entries };
            listing.files.push(file(files.catalog(), files.catalog(), 0));
            // Tables never change, and no number is given twice: so they are known by where they lie in the database.
            let tables = files.tables().zip(&files.tables);
            listing.files.extend(tables.map(|(bytes, (name, entries))| file(own.folder().join(name), bytes, *entries)));
        }
        Ok(listing)
    }
}
