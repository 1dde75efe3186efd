//! [`FolderTarget`]: a folder to which whole files are added, an epoch at a time.
//!
//! ```text
//! DIR/.pelton-RUN-ATTEMPT-lock              held by who publishes; without it nothing is published any more
//! DIR/.pelton-RUN-ATTEMPT-WORKER-PART-N     what one writer wrote in one epoch, or in several if files are to be larger
//! DIR/part-EPOCH-WORKER-PART-ATTEMPT-N-RUN-HISTORY.csv   the same, once the epoch is committed with which it was finished
//! ```
//!
//! RUN is the log of checkpoints that the attempt is of; without one it tells processes apart. So no two files ever have the same name, and of two
//! attempts of one log the later one takes over (see `parts`). A commit that is made again, by whomever, finds the file that it made. What is published has its name, and that is all there is to know. HISTORY is of a run from the beginning of its inputs and of all
//! attempts behind it: its number is in each checkpoint. Whoever goes on from an older checkpoint than the newest therefore knows which
//! files are of epochs that have not been by then, and removes them. A file that spans epochs is committed in part: how far is in the checkpoint,
//! and whoever goes on publishes so much of it. He copies it, since who wrote it may still be alive. This file knows nothing of rows.

use super::parts::{busy, failed, is_locked, remove, run, run_of, unwritable};
use super::{Prepared, SinkContext};
use crate::codec::{CodecError, Reader};
use crate::error::Fault;
use crate::record::Record;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const HIDDEN: &str = ".pelton-";
const SHOWN: &str = "part-";

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct FolderTarget {
    path: PathBuf,
    run: u64,
    attempt: u64,
    /// What names of files end with.
    extension: &'static str,
}

/// A hidden file.
struct Hidden {
    run: u64,
    attempt: u64,
    lock: bool,
    path: PathBuf,
}

impl FolderTarget {
    /// Makes the folder, if it is not there.
    pub(super) fn new(path: &Path, context: &SinkContext, extension: &'static str) -> Result<FolderTarget, Fault> {
        match std::fs::create_dir(path) {
            Ok(()) => {}
            Err(_) if path.is_dir() => {}
            Err(e) => {
                let help =
                    "a path that ends in `/` is a folder of files: name one that is there, or whose directory is";
                return Err(failed("cannot make the folder", path, e).help(help));
            }
        }
        Ok(FolderTarget { path: path.to_owned(), run: run_of(context), attempt: context.attempt, extension })
    }

    fn hidden(&self, run: u64, attempt: u64, rest: &str) -> PathBuf {
        self.path.join(format!("{HIDDEN}{run:x}-{attempt}-{rest}"))
    }

    fn lock(&self) -> PathBuf {
        self.hidden(self.run, self.attempt, "lock")
    }

    /// What a writer has written.
    fn piece(&self, piece: &Piece) -> PathBuf {
        let Piece { run, attempt, worker, part, number, .. } = piece;
        self.hidden(*run, *attempt, &format!("{worker}-{part}-{number}"))
    }

    /// Its name once it is published.
    fn shown(&self, epoch: u64, piece: &Piece, history: u64) -> PathBuf {
        let Piece { run, attempt, worker, part, number, .. } = piece;
        let name = format!("{SHOWN}{epoch:08}-{worker}-{part}-{attempt}-{number}-{run:016x}-{history:016x}");
        self.path.join(format!("{name}.{}", self.extension))
    }

    /// The file that a piece was published as, whatever the epoch.
    fn shown_as(&self, piece: &Piece, history: u64) -> Result<Option<PathBuf>, Fault> {
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let same = name(&self.shown(0, piece, history));
        let behind_epoch = |name: Option<String>| Some(name?.strip_prefix(SHOWN)?.split_once('-')?.1.to_owned());
        let same = behind_epoch(same);
        let all = self.shown_behind(None, history)?;
        Ok(all.into_iter().find(|path| behind_epoch(name(path)) == same))
    }

    /// The published files of a history, of epochs behind this one, or of all.
    fn shown_behind(&self, epoch: Option<u64>, history: u64) -> Result<Vec<PathBuf>, Fault> {
        let failed = |e| failed("cannot look into the folder", &self.path, e);
        let mut found = Vec::new();
        for entry in self.path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some((name, _)) = name.to_str().and_then(|name| name.strip_prefix(SHOWN)?.split_once('.')) else {
                continue;
            };
            let parts: Vec<&str> = name.split('-').collect();
            let [of, _, _, _, _, _, in_history] = parts[..] else { continue };
            let is_ours = u64::from_str_radix(in_history, 16) == Ok(history);
            if is_ours && of.parse().is_ok_and(|of: u64| epoch.is_none_or(|epoch| of > epoch)) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    fn all_hidden(&self) -> Result<Vec<Hidden>, Fault> {
        let failed = |e| failed("cannot look into the folder", &self.path, e);
        let mut all = Vec::new();
        for entry in self.path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(HIDDEN)) else { continue };
            let mut parts = rest.splitn(3, '-');
            let (Some(run), Some(attempt), Some(part)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if let (Ok(run), Ok(attempt)) = (u64::from_str_radix(run, 16), attempt.parse()) {
                all.push(Hidden { run, attempt, lock: part == "lock", path: entry.path() });
            }
        }
        Ok(all)
    }

    /// Names that were given or taken are durable.
    fn sync(&self) -> Result<(), Fault> {
        #[cfg(unix)]
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(|e| self.unwritable(&self.path, e))?;
        Ok(())
    }

    fn taken(&self) -> Fault {
        Fault::new("another run of this job has taken the folder over").in_file(&self.path)
    }

    fn unwritable(&self, hidden: &Path, error: io::Error) -> Fault {
        unwritable(&self.path, &self.path, hidden, error)
    }
}

/// What one writer wrote into one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    run: u64,
    attempt: u64,
    worker: u64,
    part: u64,
    /// Which file of this writer.
    number: u64,
    len: u64,
}

impl Piece {
    fn numbers(&self) -> [u64; 6] {
        let Piece { run, attempt, worker, part, number, len } = *self;
        [run, attempt, worker, part, number, len]
    }

    fn of([run, attempt, worker, part, number, len]: [u64; 6]) -> Piece {
        Piece { run, attempt, worker, part, number, len }
    }

    /// Whether it is the same file, however much of it.
    fn is(&self, other: &Piece) -> bool {
        Piece { len: other.len, ..*self } == *other
    }
}

/// What one writer hands over at a barrier: files that are finished, and one that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) finished: Vec<Piece>,
    pub(super) open: Option<Piece>,
}

impl Written {
    pub(super) fn encode(&self) -> Prepared {
        let mut out = Vec::new();
        let finished: Vec<[u64; 6]> = self.finished.iter().map(Piece::numbers).collect();
        (finished, self.open.map(|open| open.numbers())).encode(&mut out);
        Prepared(out)
    }

    fn decode(bytes: &[u8]) -> Result<Written, CodecError> {
        let mut from = Reader::new(bytes);
        let (finished, open): (Vec<[u64; 6]>, Option<[u64; 6]>) = Record::decode(&mut from)?;
        from.end()?;
        Ok(Written { finished: finished.into_iter().map(Piece::of).collect(), open: open.map(Piece::of) })
    }
}

/// Makes the files of one writer, one behind the other.
pub(super) struct Pieces {
    target: FolderTarget,
    worker: u64,
    part: u64,
    next: u64,
}

impl Pieces {
    /// For a writer.
    pub(super) fn new(target: FolderTarget, context: &SinkContext) -> Pieces {
        Pieces { target, worker: context.worker as u64, part: context.part as u64, next: 0 }
    }

    /// Creates the next file.
    pub(super) fn create(&mut self) -> Result<PieceFile, Fault> {
        let (worker, part, attempt) = (self.worker, self.part, self.target.attempt);
        let piece = Piece { run: self.target.run, attempt, worker, part, number: self.next, len: 0 };
        let path = self.target.piece(&piece);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|e| self.target.unwritable(&path, e))?;
        self.next += 1;
        Ok(PieceFile { target: self.target.clone(), path, file, piece })
    }
}

/// A file that is being written.
pub(super) struct PieceFile {
    target: FolderTarget,
    path: PathBuf,
    file: File,
    piece: Piece,
}

impl PieceFile {
    /// Makes what is written durable, and says which file it is and how much.
    pub(super) fn prepare(&self) -> Result<Piece, Fault> {
        self.file.sync_all().map_err(|e| self.fault(e))?;
        self.target.sync()?;
        Ok(self.piece)
    }

    /// Bytes written to it.
    #[inline]
    pub(super) fn len(&self) -> u64 {
        self.piece.len
    }

    pub(super) fn fault(&self, error: io::Error) -> Fault {
        self.target.unwritable(&self.path, error)
    }
}

impl Write for PieceFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.piece.len += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives the files of an epoch their names. Dropped before it is done, it removes what has none, unless somebody may go on.
pub(super) struct Publisher {
    target: FolderTarget,
    /// Held while it may publish.
    lock: PathBuf,
    _held: File,
    committed: Committed,
    resumable: bool,
    done: bool,
}

/// What a committer goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Committed {
    history: u64,
    /// The last epoch that is committed.
    epoch: Option<u64>,
    /// Files that are not finished, and how much of each is committed.
    open: Vec<Piece>,
}

impl Committed {
    /// Nothing yet, in a history of its own.
    fn nothing() -> Committed {
        Committed { history: RandomState::new().hash_one(run()), epoch: None, open: Vec::new() }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let open: Vec<[u64; 6]> = self.open.iter().map(Piece::numbers).collect();
        (self.history, self.epoch, open).encode(&mut out);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Committed, CodecError> {
        let mut from = Reader::new(bytes);
        let (history, epoch, open): (u64, Option<u64>, Vec<[u64; 6]>) = Record::decode(&mut from)?;
        from.end()?;
        Ok(Committed { history, epoch, open: open.into_iter().map(Piece::of).collect() })
    }
}

impl Publisher {
    /// Makes sure that the folder can be written. Goes on from a state, if there is one.
    pub(super) fn new(target: FolderTarget, resumable: bool, from: Option<&[u8]>) -> Result<Publisher, Fault> {
        let committed = match from {
            None => Committed::nothing(),
            Some(state) => Committed::decode(state).map_err(|e| {
                Fault::new("what is kept of the folder is of no sink of this kind").in_file(&target.path).because(e)
            })?,
        };
        for Hidden { run, attempt, lock, path } in target.all_hidden()? {
            if lock && (run != target.run || attempt > target.attempt) && is_locked(&path) {
                return Err(if run == target.run { target.taken() } else { busy("folder", &target.path) });
            }
        }
        let lock = target.lock();
        let held = match OpenOptions::new().write(true).create_new(true).open(&lock) {
            Ok(held) => held,
            Err(e) if lock.exists() => {
                return Err(target.unwritable(&lock, e).help("give each sink of the job a folder of its own"));
            }
            Err(e) => return Err(target.unwritable(&lock, e)),
        };
        // On a file system without locks two runs at once are not noticed; the later one takes over.
        let _ = held.try_lock();
        Ok(Publisher { target, lock, _held: held, committed, resumable, done: false })
    }

    /// The history, and how far it is published.
    pub(super) fn state(&self) -> Vec<u8> {
        self.committed.encode()
    }

    /// Removes what earlier runs and attempts did not publish. From then on they publish nothing more. Takes back what they
    /// have published behind the checkpoint that is gone on from.
    pub(super) fn begin(&mut self) -> Result<(), Fault> {
        // What is committed of files that were not finished is published before anything is removed.
        for piece in std::mem::take(&mut self.committed.open) {
            self.publish_part(&piece)?;
        }
        let mut left = None;
        for Hidden { run: of, attempt, lock, path } in self.target.all_hidden()? {
            let older = of != self.target.run || attempt < self.target.attempt;
            // What else cannot be removed takes room and does no harm.
            if older && remove(&path).is_err() && lock {
                left.get_or_insert(path);
            }
        }
        if let Some(path) = left {
            return Err(Fault::new("cannot take the folder over from an earlier run").in_file(path));
        }
        let behind = self.target.shown_behind(self.committed.epoch, self.committed.history)?;
        // Whoever takes over removes this lock before he publishes anything: as long as it is there, none of these is his.
        if !self.lock.exists() {
            return Err(self.target.taken());
        }
        for path in behind {
            remove(&path).map_err(|e| {
                failed("cannot take back a file of an epoch that is made again", &path, e)
                    .help("remove it, and all newer ones of the same job, or begin anew with `--fresh`")
            })?;
        }
        self.target.sync()
    }

    /// Gives the files of an epoch their names.
    pub(super) fn commit(&mut self, epoch: u64, prepared: &[(usize, Prepared)]) -> Result<(), Fault> {
        let mut all = Vec::new();
        for (_, Prepared(bytes)) in prepared {
            all.push(Written::decode(bytes).map_err(|e| {
                Fault::new("a commit that no writer of this folder has prepared").in_file(&self.target.path).because(e)
            })?);
        }
        self.publish(epoch, all.iter().flat_map(|written| &written.finished))?;
        let open = &mut self.committed.open;
        for Written { finished, open: goes_on } in &all {
            open.retain(|known| !finished.iter().chain(goes_on).any(|other| known.is(other)));
            open.extend(goes_on);
        }
        self.committed.epoch = self.committed.epoch.max(Some(epoch));
        Ok(())
    }

    /// Gives finished files the names that they have with this epoch.
    fn publish<'p>(&self, epoch: u64, finished: impl Iterator<Item = &'p Piece>) -> Result<(), Fault> {
        // A writer that comes twice has written one file.
        let name = |piece: &Piece| (self.target.shown(epoch, piece, self.committed.history), *piece);
        let pieces: BTreeMap<PathBuf, Piece> = finished.map(name).collect();
        if !self.lock.exists() {
            return Err(self.target.taken());
        }
        for (to, piece) in &pieces {
            let from = self.target.piece(piece);
            match from.metadata() {
                Ok(about) if about.len() == piece.len => {
                    match std::fs::rename(&from, to) {
                        // Another attempt that commits the same was faster just now.
                        Err(_) if !from.exists() && to.is_file() => {}
                        renamed => renamed.map_err(|e| self.target.unwritable(&from, e))?,
                    }
                }
                Ok(about) => {
                    let what = format!("a file has {} bytes of the {} that were written", about.len(), piece.len);
                    let help = "let nobody else change hidden files of a run";
                    return Err(Fault::new(what).in_file(&from).lasting().help(help));
                }
                // It was published before.
                Err(_) if to.is_file() => {}
                Err(e) => {
                    let help = format!(
                        "it was to become {}: put it back if it has been moved away, or begin anew with `--fresh`",
                        to.display()
                    );
                    return Err(failed("a file that is to be published is not there", &from, e).help(help));
                }
            }
        }
        if !pieces.is_empty() {
            self.target.sync()?;
        }
        Ok(())
    }

    /// The inputs have ended: what is not finished is as large as it will be.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let open = std::mem::take(&mut self.committed.open);
        self.publish(self.committed.epoch.unwrap_or_default(), open.iter())
    }

    /// Publishes what is committed of a file that another attempt did not finish, or finished later than what is gone on from.
    fn publish_part(&self, piece: &Piece) -> Result<(), Fault> {
        let to = self.target.shown(self.committed.epoch.unwrap_or_default(), piece, self.committed.history);
        if to.metadata().is_ok_and(|about| about.len() == piece.len) {
            return Ok(());
        }
        let hidden = self.target.piece(piece);
        let from = match hidden.exists() {
            true => hidden,
            false => self.target.shown_as(piece, self.committed.history)?.unwrap_or(hidden),
        };
        let (worker, part, number) = (piece.worker, piece.part, piece.number);
        let name = format!("{worker}-{part}-{number}-of-{:x}-{}", piece.run, piece.attempt);
        let copy = self.target.hidden(self.target.run, self.target.attempt, &name);
        let written = File::open(&from).and_then(|file| {
            let mut to = File::create(&copy)?;
            let copied = io::copy(&mut file.take(piece.len), &mut to)?;
            to.sync_all()?;
            Ok(copied)
        });
        match written {
            Ok(copied) if copied == piece.len => {
                std::fs::rename(&copy, &to).map_err(|e| self.target.unwritable(&copy, e))
            }
            Ok(copied) => {
                let what = format!("a file has {copied} bytes of the {} that are committed", piece.len);
                let help = "let nobody else change the files of a run; begin anew with `--fresh`";
                Err(Fault::new(what).in_file(&from).lasting().help(help))
            }
            Err(e) => {
                let help = format!(
                    "it was to become {}: put it back if it has been moved away, or begin anew with `--fresh`",
                    to.display()
                );
                Err(failed("a file that is to be published is not there", &from, e).help(help))
            }
        }
    }

    /// All is published: only the lock is left.
    pub(super) fn finished(&mut self) {
        self.abort();
    }

    /// Publishes what is committed of files that are not finished, and removes what is not committed of this attempt.
    pub(super) fn abort(&mut self) {
        self.done = true;
        if self.lock.exists() {
            for piece in std::mem::take(&mut self.committed.open) {
                // There is nobody to be told what went wrong; the run has failed already.
                let _ = self.publish_part(&piece);
            }
        }
        for Hidden { run: of, attempt, path, .. } in self.target.all_hidden().unwrap_or_default() {
            if of == self.target.run && attempt == self.target.attempt {
                // What cannot be removed is left to the next run.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if self.resumable {
            // Files that are prepared stay for whoever goes on.
            let _ = std::fs::remove_file(&self.lock);
        } else {
            self.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_prepared_reads_back_and_other_bytes_do_not() {
        let piece = Piece { run: u64::MAX, attempt: 2, worker: 3, part: 7, number: 1 << 40, len: 5 };
        let other = Piece { number: 7, ..piece };
        let written = Written { finished: vec![piece, other], open: Some(Piece { number: 8, ..piece }) };
        let Prepared(bytes) = written.encode();
        assert_eq!(Written::decode(&bytes).unwrap(), written);
        for cut in 0..bytes.len() {
            assert!(Written::decode(&bytes[..cut]).is_err());
        }
        assert!(Written::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(piece.is(&Piece { len: 1, ..piece }) && !piece.is(&other));
    }

    #[test]
    fn a_later_attempt_takes_over_from_one_that_holds_its_lock_and_is_left_alone_by_it() {
        let folder = std::env::temp_dir().join(format!("pelton-folder-over-{}", std::process::id()));
        let context = |attempt, log| {
            let name = "board".to_owned();
            SinkContext { name, worker: 0, workers: 1, part: 0, attempt, resumable: true, log, published: false }
        };
        let target = |attempt, log| FolderTarget::new(&folder, &context(attempt, log), "csv").unwrap();
        let write = |attempt| {
            let mut file = Pieces::new(target(attempt, Some(7)), &context(attempt, Some(7))).create().unwrap();
            file.write_all(b"1\n").unwrap();
            [(0, Written { finished: vec![file.prepare().unwrap()], open: None }.encode())]
        };
        let before = Committed { epoch: Some(1), ..Committed::nothing() }.encode();
        let publisher = |attempt, log| Publisher::new(target(attempt, log), true, Some(&before));
        let (mut frozen, mut late) = (publisher(1, Some(7)).unwrap(), publisher(2, Some(7)).unwrap());
        frozen.begin().unwrap();
        let written = write(1);
        for other in [Some(8), None] {
            let refused = publisher(9, other).map(drop).unwrap_err().to_string();
            assert!(refused.contains("another run is writing to this folder now"), "{refused}");
        }
        let mut newest = publisher(3, Some(7)).unwrap();
        let refused = publisher(2, Some(7)).map(drop).unwrap_err().to_string();
        assert!(refused.contains("another run of this job has taken the folder over"), "{refused}");
        newest.begin().unwrap();
        newest.commit(2, &write(3)).unwrap();
        // They have not heard of it yet.
        for told in [late.begin(), frozen.commit(2, &written)] {
            assert!(told.unwrap_err().to_string().contains("has taken the folder over"));
        }
        newest.finished();
        drop((late, frozen));
        assert_eq!(folder.read_dir().unwrap().count(), 1, "what the newest has published, once");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn one_that_ends_while_it_is_taken_over_from_is_no_obstacle() {
        let folder = std::env::temp_dir().join(format!("pelton-folder-end-{}", std::process::id()));
        let publisher = |attempt| {
            let (name, log) = ("board".to_owned(), Some(7));
            let context =
                SinkContext { name, worker: 0, workers: 1, part: 0, attempt, resumable: true, log, published: false };
            Publisher::new(FolderTarget::new(&folder, &context, "csv").unwrap(), true, None).unwrap()
        };
        // Each time it removes its lock while the next one looks for it.
        for round in 0..300 {
            let (ending, mut next) = (publisher(2 * round + 1), publisher(2 * round + 2));
            let both = std::sync::Barrier::new(2);
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    both.wait();
                    drop(ending);
                });
                both.wait();
                next.begin().unwrap_or_else(|error| panic!("round {round}: {error}"));
            });
        }
        assert_eq!(folder.read_dir().unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_state_reads_back_and_other_bytes_do_not() {
        for epoch in [None, Some(0), Some(u64::MAX)] {
            let open = vec![Piece::of([1, 2, 3, 4, 5, 6])];
            let committed = Committed { epoch, open, ..Committed::nothing() };
            assert_eq!(Committed::decode(&committed.encode()), Ok(committed.clone()));
            assert!(Committed::decode(&[&committed.encode()[..], &[0]].concat()).is_err());
        }
        assert!(Committed::decode(&[]).is_err());
        assert_ne!(Committed::nothing().history, Committed::nothing().history, "also of one process");
    }
}
