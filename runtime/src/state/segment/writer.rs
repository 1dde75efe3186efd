//! [`Writer`]: entries in order become a segment on disk, whole or not at all.
//!
//! Everything is written once from front to back under a hidden name, then made durable, then renamed. How many entries
//! there are is known at the end only, and the index needs to know it: so for each entry 16 bytes are kept aside
//! ([`Spool`]), in memory while they are few and in a second hidden file when they are many. Memory is bounded but for 4
//! bytes per block of 4 KiB.
//!
//! It knows nothing of where entries come from, and of other segments.

use super::disk::{Disk, DiskFile, failed};
use super::format::{
    BLOCK_BYTES, Entry, HEADER_BYTES, Header, Scale, filter_bits, filter_pick, filter_words_for, places_for,
};
use crate::error::Fault;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes between two writes.
const BUFFER_BYTES: usize = 256 << 10;
/// Bytes of the spool that are held in memory.
const SPOOL_BYTES: usize = 4 << 20;
const SPOOL_ENTRY: usize = 16;
/// An entry's offset in units of 8 bytes has 32 bits.
const MAX_OFFSET: u64 = (u32::MAX as u64) << 3;
/// Places have 31 bits.
const MAX_ENTRIES: u64 = 1 << 30;

/// How a file that is not a segment yet is named.
pub(super) fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// Endings of hidden files.
pub(super) const PART: &str = ".part";
pub(super) const SPOOL: &str = ".spool";

/// A segment that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// How many entries, deletions among them.
    pub entries: u64,
    /// How many of them say that a key was deleted.
    pub deletions: u64,
    /// The file's length.
    pub bytes: u64,
    /// The checksum of its header, which covers the whole content.
    pub identity: u32,
}

/// A segment that is being written. Dropped unfinished, it takes its hidden files with it.
pub struct Writer {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    out: Blocks,
    spool: Spool,
    filter: bool,
    header: Header,
    last_key: Vec<u8>,
    last: (u64, i64),
    named: bool,
}

impl Writer {
    /// Begins a segment at `path`, in a folder that exists. `filter` says whether it gets one: all but a base do.
    ///
    /// # Errors
    /// If there is a file of that name or of its hidden one, or none can be made.
    pub fn create(disk: &Arc<dyn Disk>, path: &Path, filter: bool) -> Result<Writer, Fault> {
        if path.exists() {
            return Err(Fault::new("a segment of state would replace another one").in_file(path));
        }
        let part = hidden(path, PART);
        let file = disk.create(&part).map_err(|e| failed("cannot create a segment of state", &part, e))?;
        Ok(Writer {
            disk: disk.clone(),
            path: path.to_owned(),
            out: Blocks::new(file, part),
            spool: Spool { bytes: Vec::new(), path: hidden(path, SPOOL), file: None, written: 0 },
            filter,
            header: Header { least_namespace: i64::MAX, greatest_namespace: i64::MIN, ..Header::default() },
            last_key: Vec::new(),
            last: (0, 0),
            named: false,
        })
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.out.at()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// If it does not come behind the one before in the order of (hash, namespace, key), the segment becomes too large,
    /// or the disk fails.
    pub fn push(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        let behind = entry.order() > (self.last.0, self.last.1, &self.last_key);
        if self.header.entries == 0 {
            self.header.least = entry.hash;
        } else if !behind {
            return Err(Fault::new(format!("entry {} of a segment is out of order", self.header.entries))
                .in_file(&self.path)
                .help("this is a bug in the state backend, or memory that went bad"));
        }
        let at = self.out.at();
        if at > MAX_OFFSET || self.header.entries == MAX_ENTRIES {
            return Err(Fault::new("a segment of state would become larger than 32 GiB")
                .in_file(&self.path)
                .help("run the job with more workers, so that each has less state"));
        }
        entry.put(&mut self.out.buffer)?;
        self.out.flush(&self.path, false)?;
        let pick = filter_pick(entry.hash, entry.namespace);
        self.spool.push(&self.disk, entry.hash, u64::from(pick) << 32 | at >> 3)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(entry.key);
        self.last = (entry.hash, entry.namespace);
        let header = &mut self.header;
        header.entries += 1;
        header.deletions += u64::from(entry.value.is_none());
        header.greatest = entry.hash;
        header.least_namespace = header.least_namespace.min(entry.namespace);
        header.greatest_namespace = header.greatest_namespace.max(entry.namespace);
        Ok(())
    }

    /// Writes what follows the entries, makes the file durable and gives it its name, durably too.
    ///
    /// # Errors
    /// If the disk fails; then there is no segment.
    pub fn finish(mut self) -> Result<Written, Fault> {
        let header = &mut self.header;
        header.entry_bytes = self.out.at() - HEADER_BYTES as u64;
        header.places = places_for(header.entries);
        header.filter_words = if self.filter { filter_words_for(header.entries) } else { 0 };
        let scale = Scale::new(header.least, header.greatest, header.places, header.filter_words);
        let (out, path) = (&mut self.out, &self.path);
        // Each word goes to its home or, if that is taken, behind the one before; the rest is zeroes.
        let mut next = 0;
        self.spool.read(|hash, word| {
            let tag = scale.tag(hash);
            let place = scale.home(tag).max(next);
            out.zeroes(place - next, path)?;
            out.word(u64::from(tag) << 32 | word & u64::from(u32::MAX), path)?;
            next = place + 1;
            Ok(())
        })?;
        header.words = header.places.max(next + 1);
        out.zeroes(header.words - next, path)?;
        if self.filter {
            // In hash order too, so one word at a time is enough.
            let (mut at, mut bits) = (0, 0);
            self.spool.read(|hash, word| {
                let to = scale.filter_word(scale.tag(hash));
                if to != at {
                    out.word(bits, path)?;
                    out.zeroes(to - at - 1, path)?;
                    (at, bits) = (to, 0);
                }
                bits |= filter_bits((word >> 32) as u32);
                Ok(())
            })?;
            out.word(bits, path)?;
            out.zeroes(header.filter_words - at - 1, path)?;
        }
        header.checksum_of_checksums = out.checksums(path)?;
        header.file_bytes = out.at();
        let (bytes, identity) = header.write();
        out.close(&bytes, path)?;
        let say = |e| failed("cannot give a segment of state its name", path, e);
        self.spool.remove(&self.disk);
        self.disk.rename(&self.out.path, path).map_err(say)?;
        self.named = true;
        self.disk.sync_folder(path.parent().unwrap_or(Path::new("."))).map_err(say)?;
        let (entries, deletions, bytes) = (header.entries, header.deletions, header.file_bytes);
        Ok(Written { path: path.clone(), entries, deletions, bytes, identity })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.spool.remove(&self.disk);
        if !self.named {
            // If this fails, the next one who opens the folder removes it.
            let _ = self.disk.remove(&self.out.path);
        }
    }
}

/// Bytes on their way to the file, with a checksum for each block of them.
struct Blocks {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    /// What comes next in the file; begins with a block.
    buffer: Vec<u8>,
    start: u64,
    checksums: Vec<u8>,
}

impl Blocks {
    fn new(file: Box<dyn DiskFile>, path: PathBuf) -> Blocks {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BLOCK_BYTES);
        // In place of the header, which comes last.
        buffer.resize(HEADER_BYTES, 0);
        Blocks { file, path, buffer, start: 0, checksums: Vec::new() }
    }

    fn at(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    /// Writes what is full, or everything.
    fn flush(&mut self, path: &Path, all: bool) -> Result<(), Fault> {
        if self.buffer.len() < BUFFER_BYTES && !all {
            return Ok(());
        }
        let whole = if all { self.buffer.len() } else { self.buffer.len() / BLOCK_BYTES * BLOCK_BYTES };
        let (full, _) = self.buffer.split_at(whole);
        for (at, block) in full.chunks(BLOCK_BYTES).enumerate() {
            let skip = if self.start == 0 && at == 0 { HEADER_BYTES } else { 0 };
            let checksum = crc32fast::hash(block.get(skip..).unwrap_or_default());
            self.checksums.extend_from_slice(&checksum.to_le_bytes());
        }
        self.file.write_at(self.start, full).map_err(|e| failed("cannot write a segment of state", path, e))?;
        self.start += whole as u64;
        self.buffer.drain(..whole);
        Ok(())
    }

    fn word(&mut self, word: u64, path: &Path) -> Result<(), Fault> {
        self.buffer.extend_from_slice(&word.to_le_bytes());
        self.flush(path, false)
    }

    fn zeroes(&mut self, mut words: u64, path: &Path) -> Result<(), Fault> {
        while words > 0 {
            let some = words.min((BUFFER_BYTES / 8) as u64);
            self.buffer.resize(self.buffer.len() + some as usize * 8, 0);
            self.flush(path, false)?;
            words -= some;
        }
        Ok(())
    }

    /// Ends the blocks and appends their checksums; gives the checksum of these.
    fn checksums(&mut self, path: &Path) -> Result<u32, Fault> {
        self.flush(path, true)?;
        self.buffer = std::mem::take(&mut self.checksums);
        Ok(crc32fast::hash(&self.buffer))
    }

    /// Writes what is left, and the header; makes all of it durable.
    fn close(&mut self, header: &[u8], path: &Path) -> Result<(), Fault> {
        let written = self.file.write_at(self.start, &self.buffer).and_then(|()| self.file.write_at(0, header));
        written.map_err(|e| failed("cannot write a segment of state", path, e))?;
        self.file.sync().map_err(|e| failed("cannot make a segment of state durable", path, e))
    }
}

/// Hash, filter pick and position of every entry, until their number is known.
struct Spool {
    bytes: Vec<u8>,
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    written: u64,
}

impl Spool {
    fn push(&mut self, disk: &Arc<dyn Disk>, hash: u64, word: u64) -> Result<(), Fault> {
        self.bytes.extend_from_slice(&hash.to_le_bytes());
        self.bytes.extend_from_slice(&word.to_le_bytes());
        if self.bytes.len() >= SPOOL_BYTES {
            let say = |e| failed("cannot write the notes for a segment of state", &self.path, e);
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(disk.create(&self.path).map_err(say)?),
            };
            file.write_at(self.written, &self.bytes).map_err(say)?;
            self.written += self.bytes.len() as u64;
            self.bytes.clear();
        }
        Ok(())
    }

    /// Gives everything out in the order in which it came.
    fn read(&self, mut each: impl FnMut(u64, u64) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut give = |note: &[u8; SPOOL_ENTRY]| {
            let both = u128::from_le_bytes(*note);
            each(both as u64, (both >> 64) as u64)
        };
        if self.file.is_some() {
            let say = |e| failed("cannot read the notes for a segment of state", &self.path, e);
            let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(&self.path).map_err(say)?);
            for _ in 0..self.written / SPOOL_ENTRY as u64 {
                let mut note = [0; SPOOL_ENTRY];
                file.read_exact(&mut note).map_err(say)?;
                give(&note)?;
            }
        }
        self.bytes.as_chunks::<SPOOL_ENTRY>().0.iter().try_for_each(give)
    }

    fn remove(&mut self, disk: &Arc<dyn Disk>) {
        if self.file.take().is_some() {
            // If this fails, the next one who opens the folder removes it.
            let _ = disk.remove(&self.path);
        }
    }
}
