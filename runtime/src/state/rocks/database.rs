//! One database of RocksDB: how it is set up, read, walked and written. It knows nothing of epochs and of who asks.

use super::super::backend::Which;
use super::catalog::{Catalog, Files};
use super::key::{Key, after, prefix};
use crate::background::give_way;
use crate::error::Fault;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BlockBasedOptions, Cache, CompactionDecision, DB, DBCompactionStyle, DBCompressionType, DBPinnableSlice,
    DataBlockIndexType, IngestExternalFileOptions, LogLevel, Options, ReadOptions, SstFileWriter,
    UniversalCompactOptions, WriteBatch, WriteBufferManager, WriteOptions,
};
use std::collections::HashMap;
use std::fs;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Memory that all databases of an attempt share.
#[derive(Clone)]
pub struct Budget {
    cache: Cache,
    buffers: WriteBufferManager,
}

/// What databases have of an attempt's memory for state, as one part of so many: blocks, their indexes and filters. The rest is the
/// tables', where a value costs no call.
pub const CACHE_PART: u64 = 4;
/// However little memory there is: filters and indexes of a database of some GB.
const LEAST_CACHE: u64 = 32 << 20;
/// Only range deletions ever are in a write buffer: tables of changes are put in as files.
const WRITE_BUFFER: usize = 1 << 20;
/// A value in the table is read once and stays there, so what lies around it on disk is read in vain.
const BLOCK: usize = 4 << 10;
/// A key that is not there is asked for as often as one that is: at 10 bits every hundredth costs a read.
const FILTER_BITS: f64 = 10.0;
/// Tables of changes that are left as they are before they are merged: as many as are in a few seconds.
const MANY: i32 = 8;
/// When changes take so many percent of what they are changes of, all becomes one table again; before that they are merged with each
/// other, those of like size.
const CHANGES: i32 = 100;
/// Entries that are put into a table in a step.
const STEP_ENTRIES: usize = 128;
/// RocksDB's manifest goes with each checkpoint, and is begun anew at this size.
const MANIFEST: usize = 64 << 10;

impl Budget {
    /// Of an attempt that has so many bytes for state.
    pub fn new(memory: u64) -> Budget {
        let bytes = usize::try_from((memory / CACHE_PART).max(LEAST_CACHE)).unwrap_or(usize::MAX);
        let cache = Cache::new_lru_cache(bytes);
        let buffers = WriteBufferManager::new_write_buffer_manager_with_cache(bytes / 4, false, cache.clone());
        Budget { cache, buffers }
    }
}

/// The last byte of a value that is there. A deletion that must be told, because another database may know the key, has no bytes.
const THERE: u8 = 1;

/// What a database says of a key.
pub fn value_of(stored: &[u8]) -> Option<&[u8]> {
    stored.split_last().map(|(_, value)| value)
}

/// What an error of RocksDB is called.
pub fn failed(what: &str, folder: &Path, error: rocksdb::Error) -> Fault {
    let fault = Fault::new(what).in_file(folder);
    match error.kind() {
        rocksdb::ErrorKind::Corruption => {
            fault.because(error).help("files of state are damaged; go on from an older checkpoint (`--from`)").damaged()
        }
        rocksdb::ErrorKind::IOError => {
            fault.because(error).help("see whether the disk is full, and how many files may be open (`ulimit -n`)")
        }
        _ => fault.because(error),
    }
}

/// A database in a folder.
pub struct Database {
    db: DB,
    options: Options,
    folder: PathBuf,
    /// Numbers what is put in.
    next: AtomicU64,
}

impl Drop for Database {
    fn drop(&mut self) {
        // Whoever lets it go does not wait until some GB are merged.
        self.db.cancel_all_background_work(true);
    }
}

/// What is put into a database, or written over there.
#[derive(Clone, Copy)]
pub enum Word<'a> {
    /// The value of a key.
    Value(&'a [u8]),
    /// As another database has it.
    Stored(&'a [u8]),
    /// There is no value. `told`: another database may know one.
    Gone { told: bool },
}

impl Database {
    /// Opens the database in a folder, or makes one, for a range of hashes: others that it has go when it is merged. `told` says whether
    /// deletions must be told; as long as they must, they are kept.
    ///
    /// # Errors
    /// If RocksDB cannot.
    pub fn open(
        folder: &Path,
        hashes: RangeInclusive<u64>,
        budget: &Budget,
        told: Arc<AtomicBool>,
    ) -> Result<Database, Fault> {
        let mut options = options(Some(budget));
        options.create_if_missing(true);
        options.set_compaction_filter(c"pelton-gone", move |_, key: &[u8], stored: &[u8]| {
            let elsewhere = Key::read(key).is_some_and(|key| !hashes.contains(&key.hash));
            match elsewhere || stored.is_empty() && !told.load(Ordering::Acquire) {
                true => CompactionDecision::Remove,
                false => CompactionDecision::Keep,
            }
        });
        let cannot = |e| Fault::new("cannot make a folder for state").in_file(folder).because(e);
        fs::create_dir_all(folder).map_err(|e: std::io::Error| cannot(e))?;
        let db = DB::open(&options, folder).map_err(|e| failed("cannot open the database of state", folder, e))?;
        Ok(Database { db, options, folder: folder.to_owned(), next: AtomicU64::new(0) })
    }

    /// Opens the database in a folder, to read it.
    ///
    /// # Errors
    /// If RocksDB cannot.
    pub fn read_only(folder: &Path, budget: Option<&Budget>) -> Result<Database, Fault> {
        let options = options(budget);
        let db = DB::open_for_read_only(&options, folder, false);
        let db = db.map_err(|e| failed("cannot open the database of state", folder, e))?;
        Ok(Database { db, options, folder: folder.to_owned(), next: AtomicU64::new(0) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is stored of a key.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, Fault> {
        self.db.get_pinned(key).map_err(|e| self.unreadable(e))
    }

    fn unreadable(&self, error: rocksdb::Error) -> Fault {
        failed("state in the database cannot be read", &self.folder, error)
    }

    /// Looks at all that is stored from a key on, of a range of hashes: state by state, namespace by namespace, hash by hash. Reads past
    /// the cache, which is for what is asked for by key.
    ///
    /// # Errors
    /// If it cannot be read, or what `each` says.
    pub fn walk(
        &self,
        from: &[u8],
        hashes: &RangeInclusive<u64>,
        mut each: impl FnMut(&[u8], Key<'_>, &[u8]) -> Result<ControlFlow<()>, Fault>,
    ) -> Result<(), Fault> {
        if hashes.is_empty() {
            return Ok(());
        }
        let mut reading = ReadOptions::default();
        reading.fill_cache(false);
        let mut at = self.db.raw_iterator_opt(reading);
        at.seek(from);
        while let Some((bytes, stored)) = at.item() {
            let Some(key) = Key::read(bytes) else {
                return Err(Fault::new("an entry of the database has no state").in_file(&self.folder));
            };
            let elsewhere = if key.hash < *hashes.start() {
                Some(key.which)
            } else if key.hash > *hashes.end() {
                match after(key.which) {
                    Some(next) => Some(next),
                    None => break,
                }
            } else {
                None
            };
            if let Some(which) = elsewhere {
                at.seek(prefix(which, *hashes.start()));
            } else {
                if each(bytes, key, stored)?.is_break() {
                    return Ok(());
                }
                at.next();
            }
        }
        at.status().map_err(|e| self.unreadable(e))
    }

    /// Puts in entries, in the order of keys, as one table. There must be some.
    ///
    /// # Errors
    /// If they are not in order, or the disk fails.
    pub fn put<'e>(&self, entries: impl IntoIterator<Item = (&'e [u8], Word<'e>)>) -> Result<(), Fault> {
        let file = self.folder.join(format!("pelton-{}.sst", self.next.fetch_add(1, Ordering::Relaxed)));
        let cannot = |e| failed("changes of state cannot be put into the database", &self.folder, e);
        let write = || -> Result<(), rocksdb::Error> {
            let mut room = Vec::new();
            let mut writer = SstFileWriter::create(&self.options);
            writer.open(&file)?;
            for (n, (key, word)) in entries.into_iter().enumerate() {
                if n % STEP_ENTRIES == 0 {
                    give_way();
                }
                match word {
                    Word::Value(value) => {
                        room.clear();
                        room.extend_from_slice(value);
                        room.push(THERE);
                        writer.put(key, &room)?;
                    }
                    Word::Stored(stored) => writer.put(key, stored)?,
                    Word::Gone { told: true } => writer.put(key, [])?,
                    Word::Gone { told: false } => writer.delete(key)?,
                }
            }
            writer.finish()
        };
        let written = write();
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        let put = written.and_then(|()| self.db.ingest_external_file_opts(&options, vec![&file]));
        if put.is_err() {
            // It goes with the attempt's folder otherwise.
            let _ = fs::remove_file(&file);
        }
        put.map_err(cannot)
    }

    /// Removes what lies below a namespace, in every state.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn forget_below(&self, namespace: i64) -> Result<(), Fault> {
        let mut write = WriteOptions::default();
        write.disable_wal(true);
        let mut at = self.db.raw_iterator();
        at.seek_to_first();
        while let Some(key) = at.key() {
            let Some(key) = Key::read(key) else { break };
            let state = key.which.state;
            if key.which.namespace < namespace {
                let (from, to) = (prefix(key.which, 0), prefix(Which { state, namespace }, 0));
                let mut batch = WriteBatch::default();
                batch.delete_range(from, to);
                self.db
                    .write_opt(batch, &write)
                    .map_err(|e| failed("closed windows cannot be removed from the database", &self.folder, e))?;
            }
            match state.checked_add(1) {
                Some(state) => at.seek(prefix(Which { state, namespace: i64::MIN }, 0)),
                None => break,
            }
        }
        at.status().map_err(|e| self.unreadable(e))
    }

    /// Links all files as they are now into a folder that is not there yet, with their catalog.
    ///
    /// # Errors
    /// If RocksDB or the disk cannot.
    pub fn checkpoint(&self, folder: &Path) -> Result<Files, Fault> {
        let cannot = |e| failed("files of the database cannot be linked for a checkpoint", &self.folder, e);
        Checkpoint::new(&self.db).and_then(|checkpoint| checkpoint.create_checkpoint(folder)).map_err(cannot)?;
        let live = self.db.live_files().map_err(cannot)?;
        let entries: HashMap<&str, u64> =
            live.iter().map(|file| (file.name.trim_start_matches('/'), file.num_entries)).collect();
        let unreadable = |e: std::io::Error| Fault::new("cannot read a file of state").in_file(folder).because(e);
        let current = fs::read_to_string(folder.join("CURRENT")).map_err(unreadable)?;
        let manifest = current.trim().to_owned();
        let bytes = fs::read(folder.join(&manifest)).map_err(unreadable)?;
        let mut tables = Vec::new();
        for file in folder.read_dir().map_err(unreadable)? {
            let name = file.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".sst") {
                tables.push(name);
            }
        }
        tables.sort();
        // One that was merged away meanwhile is in the checkpoint, and no longer told of.
        let counted = tables.iter().map(|name| entries.get(&**name).copied().unwrap_or(0)).collect();
        Catalog { manifest, bytes, tables }.put_beside(folder, counted)
    }
}

fn options(budget: Option<&Budget>) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_size(BLOCK);
    blocks.set_bloom_filter(FILTER_BITS, false);
    blocks.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    if let Some(budget) = budget {
        blocks.set_block_cache(&budget.cache);
        // So that the budget has a say in them; those of the newest tables, which every lookup asks, stay.
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    }
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    // By levels each merge of changes would write the whole database again: they have keys of all hashes.
    let mut merging = UniversalCompactOptions::default();
    merging.set_max_size_amplification_percent(CHANGES);
    options.set_compaction_style(DBCompactionStyle::Universal);
    options.set_universal_compaction_options(&merging);
    options.set_level_zero_file_num_compaction_trigger(MANY);
    options.set_write_buffer_size(WRITE_BUFFER);
    options.set_max_manifest_file_size(MANIFEST);
    // A restore is to read as little as it can.
    options.set_skip_stats_update_on_db_open(true);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(1);
    if let Some(budget) = budget {
        options.set_write_buffer_manager(&budget.buffers);
    }
    options
}
