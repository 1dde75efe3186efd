//! [`Target`]: one file that several writers make together, and that appears under its name only when it is whole.
//!
//! ```text
//! DIR/.NAME.pelton-RUN-ATTEMPT-WORKER-PART   what one writer wrote; its first LEN bytes are committed
//! DIR/.NAME.pelton-RUN-ATTEMPT-all           all of them joined; renamed to DIR/NAME at the end
//! ```
//!
//! RUN is the log of checkpoints that the attempt is of; without one it tells processes apart. So of two attempts it can be seen whether they
//! are of one job, and which is the later one: that one takes over, though the other, which is frozen say, holds its lock. It removes the
//! other's `all`, and with it the only name that the other could publish. An attempt never removes anything of a later one of its
//! log, for then it is the one that has not heard of it yet. A run with checkpoints leaves its committed parts where they are when it ends before its time, and
//! the one that goes on from its checkpoint takes them over. Who joins holds a lock on `all` as long as it lives, so that a later run knows what a
//! crashed one left behind from what another one is writing. This file knows nothing of rows.

use super::{Prepared, SinkContext};
use crate::codec::{CodecError, Reader};
use crate::error::Fault;
use crate::record::Record;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file that is to be there in the end.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// With links followed, so that a link stays one.
    path: PathBuf,
    folder: PathBuf,
    name: String,
    run: u64,
    attempt: u64,
}

impl Target {
    /// Looks at what is under the name now.
    pub(super) fn new(path: &Path, context: &SinkContext) -> Result<Target, Fault> {
        let path = match path.symlink_metadata() {
            Ok(about) if about.is_symlink() => {
                path.canonicalize().map_err(|e| failed("cannot follow the link", path, e))?
            }
            _ => path.to_owned(),
        };
        match path.metadata() {
            Ok(about) if about.is_dir() => {
                return Err(Fault::new("a directory where a file is to be written")
                    .in_file(path)
                    .help("name a file in it, or write a `/` behind it: then files are added to it as the job runs"));
            }
            Ok(about) if !about.is_file() => {
                return Err(Fault::new("neither a file nor a directory: it cannot be replaced by a finished file")
                    .in_file(path)
                    .help("name a file, or write to the terminal with `stdout()`"));
            }
            _ => {}
        }
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Err(Fault::new("the path names no file").in_file(path));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if !folder.is_dir() {
            let help = format!("create the directory {} first", folder.display());
            return Err(Fault::new("the directory of the file to write is not there").in_file(path).help(help));
        }
        Ok(Target { path, folder, name, run: run_of(context), attempt: context.attempt })
    }

    fn hidden(&self, of: u64, attempt: u64, part: &str) -> PathBuf {
        self.folder.join(format!("{}{of:x}-{attempt}-{part}", self.prefix()))
    }

    /// What a writer has written or is writing.
    fn part(&self, key: &PartKey) -> PathBuf {
        self.hidden(key.run, key.attempt, &format!("{}-{}", key.worker, key.part))
    }

    fn prefix(&self) -> String {
        format!(".{}.pelton-", self.name)
    }

    /// Hidden files of this target: their run, attempt, whether they are what is joined, and path.
    fn hidden_files(&self) -> io::Result<Vec<(u64, u64, bool, PathBuf)>> {
        let mut found = Vec::new();
        for entry in self.folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&self.prefix())) else { continue };
            let mut parts = rest.splitn(3, '-');
            let (Some(run), Some(attempt), Some(part)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if let (Ok(run), Ok(attempt)) = (u64::from_str_radix(run, 16), attempt.parse()) {
                found.push((run, attempt, part == "all", entry.path()));
            }
        }
        Ok(found)
    }

    /// Fails if another run is writing the same file now, or a later attempt of this one.
    fn claim(&self) -> Result<(), Fault> {
        let found = self.hidden_files().map_err(|e| failed("cannot look into the directory", &self.folder, e))?;
        for (of, attempt, all, path) in found {
            if all && (of != self.run || attempt > self.attempt) && is_locked(&path) {
                return Err(if of == self.run { self.taken() } else { busy("file", &self.path) });
            }
        }
        Ok(())
    }

    fn taken(&self) -> Fault {
        Fault::new("another run of this job has taken the file over").in_file(&self.path)
    }

    /// Removes what earlier runs and attempts left behind, but for these.
    fn clean(&self, but: &[PathBuf]) -> Result<(), Fault> {
        let found = self.hidden_files().map_err(|e| failed("cannot look into the directory", &self.folder, e))?;
        for (of, attempt, _, path) in found {
            if (of != self.run || attempt < self.attempt) && !but.contains(&path) {
                // What cannot be removed takes room and does no harm.
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> Result<File, Fault> {
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| self.unwritable(path, e))
    }

    /// A write that failed, told for the file that was to be.
    pub(super) fn unwritable(&self, hidden: &Path, error: io::Error) -> Fault {
        unwritable(&self.path, &self.folder, hidden, error)
    }
}

/// Makes sure that a file is gone, whoever has removed it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// A write that failed, told for what was to be there in the end.
pub(super) fn unwritable(path: &Path, folder: &Path, hidden: &Path, error: io::Error) -> Fault {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let help = match error.kind() {
        StorageFull | QuotaExceeded if path != folder => format!(
            "free some room where {} is: while the file is finished it is there twice; or write it elsewhere",
            folder.display()
        ),
        StorageFull | QuotaExceeded => "free some room there, or write elsewhere".to_owned(),
        PermissionDenied | ReadOnlyFilesystem => {
            format!("let the user who runs the job create files in {}", folder.display())
        }
        _ => format!("until the file is whole it is written to {}", hidden.display()),
    };
    Fault::new("cannot write the file").in_file(path).because(error).help(help)
}

pub(super) fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn unknown(target: &Target, error: CodecError) -> Fault {
    Fault::new("a commit that no writer of this file has prepared").in_file(&target.path).because(error)
}

pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Fault {
    Fault::new(what).in_file(path).because(error)
}

/// Another run holds what is to be written.
pub(super) fn busy(what: &str, path: &Path) -> Fault {
    Fault::new(format!("another run is writing to this {what} now"))
        .in_file(path)
        .help(format!("wait until it has ended, or write to another {what}"))
}

/// What hidden files of a run are known by.
pub(super) fn run_of(context: &SinkContext) -> u64 {
    context.log.unwrap_or_else(run)
}

/// A number that no other process has had.
pub(super) fn run() -> u64 {
    static RUN: OnceLock<u64> = OnceLock::new();
    *RUN.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        since.rotate_left(16) ^ u64::from(std::process::id())
    })
}

/// What one writer writes.
pub(super) struct Part {
    target: Target,
    path: PathBuf,
    key: PartKey,
    file: File,
    len: u64,
    checksum: crc32fast::Hasher,
    /// How much of it is durable.
    synced: Cell<u64>,
}

impl Part {
    /// Creates the file.
    pub(super) fn create(target: &Target, context: &SinkContext) -> Result<Part, Fault> {
        let (attempt, worker) = (target.attempt, context.worker as u64);
        let mut key = PartKey { run: target.run, attempt, worker, part: context.part as u64 };
        // Attempts are numbered by the store of checkpoints: one process may have had two of a number, over two stores.
        while target.part(&key).exists() {
            key.part += SAME_NUMBER;
        }
        let path = target.part(&key);
        let file = target.create(&path)?;
        let (target, checksum, synced) = (target.clone(), crc32fast::Hasher::new(), Cell::new(0));
        Ok(Part { target, path, key, file, len: 0, checksum, synced })
    }

    /// Makes everything durable, and tells what there is; `None` if nothing came since the last time. `header` goes in
    /// front of all parts, once.
    pub(super) fn prepare(&self, header: &[u8]) -> Result<Option<Prepared>, Fault> {
        if self.len == self.synced.get() {
            return Ok(None);
        }
        self.file.sync_data().map_err(|e| self.fault(e))?;
        self.synced.set(self.len);
        let mut out = Vec::new();
        let checksum = self.checksum.clone().finalize();
        Committed { key: self.key, len: self.len, checksum, header: header.to_vec() }.encode(&mut out);
        Ok(Some(Prepared(out)))
    }

    pub(super) fn fault(&self, error: io::Error) -> Fault {
        self.target.unwritable(&self.path, error)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.len += written as u64;
        self.checksum.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From a part to one of the same worker, writer and number of attempt.
const SAME_NUMBER: u64 = 1 << 32;

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PartKey {
    attempt: u64,
    worker: u64,
    part: u64,
    run: u64,
}

/// What is committed of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Committed {
    key: PartKey,
    len: u64,
    /// The crc32 of so much of it.
    checksum: u32,
    header: Vec<u8>,
}

impl Committed {
    fn encode(&self, out: &mut Vec<u8>) {
        let PartKey { attempt, worker, part, run } = self.key;
        [attempt, worker, part, run, self.len].iter().for_each(|n| n.encode(out));
        self.checksum.encode(out);
        self.header.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Committed, CodecError> {
        let [attempt, worker, part, run, len] = Record::decode(from)?;
        let (checksum, header) = (Record::decode(from)?, Record::decode(from)?);
        Ok(Committed { key: PartKey { attempt, worker, part, run }, len, checksum, header })
    }

    /// All that these bytes hold.
    fn all(bytes: &[u8]) -> Result<Vec<Committed>, CodecError> {
        let (mut from, mut all) = (Reader::new(bytes), Vec::new());
        while from.left() > 0 {
            all.push(Committed::decode(&mut from)?);
        }
        Ok(all)
    }
}

/// Joins the parts. Dropped before it has done so, it removes them.
pub(super) struct Joiner {
    target: Target,
    all: PathBuf,
    file: File,
    committed: BTreeMap<PartKey, Committed>,
    /// What is committed has its name: the file is no longer the hidden one.
    joined: bool,
    /// Somebody may go on from here.
    resumable: bool,
    /// All was published before this attempt: parts may be gone.
    published: bool,
    done: bool,
}

impl Joiner {
    /// Makes sure that the file can be written. Goes on from a state, if there is one.
    pub(super) fn new(target: Target, context: &SinkContext, from: Option<&[u8]>) -> Result<Joiner, Fault> {
        let mut committed = BTreeMap::new();
        for part in Committed::all(from.unwrap_or_default()).map_err(|e| unknown(&target, e))? {
            committed.insert(part.key, part);
        }
        target.claim()?;
        let all = target.hidden(target.run, target.attempt, "all");
        let file = match target.create(&all) {
            Ok(file) => file,
            Err(fault) if all.exists() => {
                return Err(fault.help("give each sink of the job a file of its own"));
            }
            Err(fault) => return Err(fault),
        };
        // On a file system without locks two runs at once are not noticed; each still ends with a whole file.
        let _ = file.try_lock();
        let SinkContext { resumable, published, .. } = *context;
        Ok(Joiner { target, all, file, committed, joined: false, resumable, published, done: false })
    }

    /// Cleans up behind earlier runs and attempts.
    pub(super) fn begin(&mut self) -> Result<(), Fault> {
        let ours: Vec<PathBuf> = self.committed.keys().map(|key| self.target.part(key)).collect();
        for (path, committed) in ours.iter().zip(self.committed.values()) {
            let found = path.metadata().map_or(0, |about| about.len());
            if found >= committed.len || self.joined {
                continue;
            }
            // They go when all of them stand under the name.
            if self.published || self.is_joined().unwrap_or(false) {
                self.joined = true;
            } else {
                let what = format!("a part of the file has {found} bytes of the {} that are committed", committed.len);
                return Err(Fault::new(what).in_file(path).lasting().help("begin anew with `--fresh`"));
            }
        }
        self.target.clean(&ours)
    }

    /// Whether what is committed stands under the name, and nothing else. So it may be although nobody knows of it any more: a store may
    /// have lost its last word.
    fn is_joined(&self) -> io::Result<bool> {
        let mut file = io::BufReader::with_capacity(1 << 16, File::open(&self.target.path)?);
        let Some(first) = self.committed.values().next() else { return Ok(false) };
        let mut header = vec![0; first.header.len()];
        file.read_exact(&mut header)?;
        let mut same = header == first.header;
        for Committed { len, checksum, .. } in self.committed.values() {
            let (mut left, mut found) = (*len, crc32fast::Hasher::new());
            while left > 0 {
                let some = file.fill_buf()?;
                let some =
                    some.get(..usize::try_from(left).map_or(some.len(), |left| left.min(some.len()))).unwrap_or(some);
                if some.is_empty() {
                    return Ok(false);
                }
                found.update(some);
                let taken = some.len();
                left -= taken as u64;
                file.consume(taken);
            }
            same &= found.finalize() == *checksum;
        }
        Ok(same && file.fill_buf()?.is_empty())
    }

    /// How far each part is committed.
    pub(super) fn state(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.committed.values().for_each(|committed| committed.encode(&mut out));
        out
    }

    /// Notes how far each part is committed.
    pub(super) fn commit(&mut self, prepared: &[(usize, Prepared)]) -> Result<(), Fault> {
        for (_, Prepared(bytes)) in prepared {
            for committed in Committed::all(bytes).map_err(|e| unknown(&self.target, e))? {
                let known = self.committed.insert(committed.key, committed.clone());
                if self.joined && known.as_ref() != Some(&committed) {
                    // What has its name is whole, and stays so until it is replaced.
                    self.file = self.target.create(&self.all)?;
                    self.joined = false;
                }
            }
        }
        Ok(())
    }

    /// Joins what is committed, and lets it appear under its name.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        // It may be called again after an end that was not noted.
        if !self.joined {
            self.join()?;
            self.joined = true;
        }
        #[cfg(unix)]
        File::open(&self.target.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| self.target.unwritable(&self.all, e))?;
        Ok(())
    }

    fn join(&mut self) -> Result<(), Fault> {
        let fault = |e| self.target.unwritable(&self.all, e);
        // It may have failed half-way before.
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(fault)?;
        if let Some(first) = self.committed.values().next() {
            self.file.write_all(&first.header).map_err(fault)?;
        }
        for (key, Committed { len, .. }) in &self.committed {
            let path = self.target.part(key);
            let part = File::open(&path).map_err(|e| failed("cannot read back a part of the file", &path, e))?;
            let copied = io::copy(&mut part.take(*len), &mut self.file).map_err(fault)?;
            if copied != *len {
                let what = format!("a part of the file has {copied} bytes of the {len} that were written");
                return Err(Fault::new(what)
                    .in_file(&path)
                    .lasting()
                    .help("let nobody else change hidden files of a run"));
            }
        }
        self.file.sync_all().map_err(fault)?;
        match std::fs::rename(&self.all, &self.target.path) {
            // Whoever takes over removes it. Nothing else can be published by this attempt.
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.target.folder.is_dir() => Err(self.target.taken()),
            renamed => renamed.map_err(fault),
        }
    }

    /// Removes the parts, which nobody needs any more. It may be killed in it; then the next attempt does the rest.
    pub(super) fn finished(&mut self) {
        self.done = true;
        for key in self.committed.keys() {
            // What cannot be removed is left to the next run.
            let _ = std::fs::remove_file(self.target.part(key));
        }
        self.remove();
    }

    /// Removes everything of this attempt.
    pub(super) fn abort(&mut self) {
        self.done = true;
        self.remove();
    }

    /// What cannot be removed is left to the next run.
    fn remove(&self) {
        for (of, attempt, _, path) in self.target.hidden_files().unwrap_or_default() {
            if of == self.target.run && attempt == self.target.attempt {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Joiner {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if self.resumable {
            // The parts stay for whoever goes on.
            let _ = std::fs::remove_file(&self.all);
        } else {
            self.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(attempt: u64, published: bool) -> SinkContext {
        let (name, log) = ("board".to_owned(), Some(7));
        SinkContext { name, worker: 0, workers: 1, part: 0, attempt, resumable: true, log, published }
    }

    #[test]
    fn a_full_disk_and_a_closed_directory_are_told_with_what_to_do() {
        let target = Target::new(&std::env::temp_dir().join("board.csv"), &context(1, false)).unwrap();
        let told = |kind: io::ErrorKind| target.unwritable(Path::new("part"), kind.into()).to_string();
        let full = told(io::ErrorKind::StorageFull);
        assert!(full.contains("board.csv") && full.contains("free some room where"), "{full}");
        assert!(told(io::ErrorKind::PermissionDenied).contains("create files in"));
        assert!(told(io::ErrorKind::Other).contains("it is written to part"));
    }

    #[test]
    fn one_that_was_killed_while_it_tidied_up_is_followed_by_one_that_does_the_rest() {
        let folder = std::env::temp_dir().join(format!("pelton-tidy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let target = |attempt| Target::new(&folder.join("board.csv"), &context(attempt, false)).unwrap();
        let mut first = Joiner::new(target(1), &context(1, false), None).unwrap();
        let mut part = Part::create(&target(1), &context(1, false)).unwrap();
        part.write_all(b"1\n").unwrap();
        first.begin().unwrap();
        first.commit(&[(0, part.prepare(b"n\n").unwrap().unwrap())]).unwrap();
        let state = first.state();
        first.finish().unwrap();
        // It is killed when the part is gone.
        std::fs::remove_file(&part.path).unwrap();
        let shown = folder.join("board.csv");
        let mut attempts = 2..;
        let mut attempt = |published| {
            let attempt = attempts.next().unwrap();
            Joiner::new(target(attempt), &context(attempt, published), Some(&state)).unwrap()
        };
        // Whoever does not know that it was published sees it by the file, if it is that.
        for other in [&b"n\n2\n"[..], b"m\n1\n", b"n\n1", b"n\n1\n2\n", b""] {
            std::fs::write(&shown, other).unwrap();
            let mut unknown = attempt(false);
            assert!(unknown.begin().unwrap_err().to_string().contains("has 0 bytes of the 2"), "{other:?}");
            // Whoever knows leaves it as somebody else has made it.
            let mut knowing = attempt(true);
            knowing.begin().unwrap();
            knowing.finish().unwrap();
            assert_eq!(std::fs::read(&shown).unwrap(), other);
        }
        std::fs::write(&shown, b"n\n1\n").unwrap();
        let mut next = attempt(false);
        next.begin().unwrap();
        next.finish().unwrap();
        next.finished();
        drop(first);
        assert_eq!(std::fs::read_to_string(&shown).unwrap(), "n\n1\n");
        assert_eq!(folder.read_dir().unwrap().count(), 1, "nothing else is there");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_later_attempt_takes_over_from_one_that_holds_its_lock_and_is_left_alone_by_it() {
        let folder = std::env::temp_dir().join(format!("pelton-over-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let target = |attempt, log| {
            Target::new(&folder.join("board.csv"), &SinkContext { log, ..context(attempt, false) }).unwrap()
        };
        let joiner = |attempt, log| Joiner::new(target(attempt, log), &context(attempt, false), None);
        let write = |attempt, text: &[u8]| {
            let mut part = Part::create(&target(attempt, Some(7)), &context(attempt, false)).unwrap();
            part.write_all(text).unwrap();
            (0, part.prepare(b"n\n").unwrap().unwrap())
        };
        let (mut frozen, mut late) = (joiner(1, Some(7)).unwrap(), joiner(2, Some(7)).unwrap());
        frozen.begin().unwrap();
        frozen.commit(&[write(1, b"1\n")]).unwrap();
        for other in [Some(8), None] {
            let refused = joiner(9, other).map(drop).unwrap_err().to_string();
            assert!(refused.contains("another run is writing to this file now"), "{refused}");
        }
        let mut newest = joiner(3, Some(7)).unwrap();
        let written = write(3, b"3\n");
        let refused = joiner(2, Some(7)).map(drop).unwrap_err().to_string();
        assert!(refused.contains("another run of this job has taken the file over"), "{refused}");
        // One that has not heard of it yet takes nothing from it.
        late.begin().unwrap();
        newest.begin().unwrap();
        newest.commit(&[written]).unwrap();
        newest.finish().unwrap();
        let mut both = [late.finish(), frozen.finish()].into_iter().map(|finished| finished.unwrap_err().to_string());
        assert!(both.all(|told| told.contains("cannot read back") || told.contains("has taken the file over")));
        assert_eq!(std::fs::read_to_string(folder.join("board.csv")).unwrap(), "n\n3\n");
        newest.finished();
        drop((late, frozen));
        assert_eq!(folder.read_dir().unwrap().count(), 1, "nothing else is there");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_committed_reads_back_and_other_bytes_do_not() {
        let key = PartKey { attempt: 2, worker: 3, part: 7, run: u64::MAX };
        let committed = Committed { key, len: 1 << 40, checksum: 9, header: b"a,b\n".to_vec() };
        let mut bytes = Vec::new();
        committed.encode(&mut bytes);
        assert_eq!(Committed::all(&[&bytes[..], &bytes].concat()).unwrap(), [committed.clone(), committed]);
        for cut in 1..bytes.len() {
            assert!(Committed::all(&bytes[..cut]).is_err());
        }
    }
}
