//! [`FaultyDisk`]: a directory in which steps go wrong where a test wants it, and which may lose its power.
//!
//! It keeps in memory what a file system has promised to keep: of each file the bytes that were synced, of each name what it meant
//! when the names of its directory were last synced, and everything since. A crash puts real files where that leaves them.

use super::plot::{Mischief, Next, Plot};
use crate::checkpoint::store::{Step, Watch};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a loss of power takes of that which was not synced. A file system promises none of it and may keep any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All: names mean what they meant, and files have the bytes that were synced.
    Everything,
    /// The bytes: names mean what they were made to mean last, but what is in the files is gone.
    Bytes,
    /// Half of the bytes of each file.
    Half,
    /// What chance has it, for each name and file by itself; another number is another case.
    Some(u64),
}

/// A directory for a store, in which things go wrong where its [`Plot`] says so. Steps are traced as `create log/.part`, with the
/// names of directories and files as they are below it and hidden ones without theirs.
pub struct FaultyDisk {
    root: PathBuf,
    loss: Loss,
    plot: Plot,
    model: Mutex<Model>,
}

impl Deref for FaultyDisk {
    type Target = Plot;

    fn deref(&self) -> &Plot {
        &self.plot
    }
}

impl FaultyDisk {
    /// An empty directory, which has to be there, and in which nothing goes wrong yet. Nobody else may write in it.
    ///
    /// # Errors
    /// If it is not there.
    pub fn new(root: &Path, loss: Loss) -> io::Result<Arc<Self>> {
        Ok(Arc::new(FaultyDisk { root: root.canonicalize()?, loss, plot: Plot::default(), model: Mutex::default() }))
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The power is gone, now.
    ///
    /// # Errors
    /// If files cannot be changed to what is left.
    pub fn crash(&self) -> io::Result<()> {
        self.lose(&mut self.model())
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, model: &mut Model) -> io::Result<()> {
        self.plot.kill();
        model.lose(&self.root, self.loss)
    }

    /// A step as the trace has it.
    fn told(&self, step: Step<'_>) -> String {
        let (what, path) = match step {
            Step::Make(path) => ("make", path),
            Step::Create(path) => ("create", path),
            Step::Write(path, _) => ("write", path),
            Step::Cut(path) => ("cut", path),
            Step::Sync(path) => ("sync", path),
            Step::Link(_, to) => ("link", to),
            Step::Rename(_, to) => ("rename", to),
            Step::Remove(path) => ("remove", path),
            Step::Hollow(path) => ("hollow", path),
            Step::SyncNames(path) => ("names", path),
            Step::Read(path) => ("read", path),
            Step::List(path) => ("list", path),
        };
        let text = match path.strip_prefix(&self.root) {
            Ok(below) if below == Path::new("") => return format!("{what} ."),
            Ok(below) => below.display().to_string(),
            Err(_) => "elsewhere".to_owned(),
        };
        match text.rsplit_once('/').unwrap_or(("", &text)) {
            (_, name) if !name.starts_with('.') => format!("{what} {text}"),
            ("", _) => format!("{what} .part"),
            (directory, _) => format!("{what} {directory}/.part"),
        }
    }
}

impl Watch for FaultyDisk {
    fn step(&self, step: Step<'_>, act: &mut dyn FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        let crashed = || Err(io::Error::other("the machine has no power"));
        let Some(Next { number, mischief, crashes }) = self.plot.next(self.told(step)) else { return crashed() };
        match mischief {
            Some(Mischief::Delay(time)) => std::thread::sleep(time),
            Some(Mischief::FreezeBefore) => self.plot.freeze(),
            _ => {}
        }
        // One at a time, so that a crash comes before or after each.
        let mut model = self.model();
        if self.plot.is_dead() {
            return crashed();
        }
        let failed = || Err(io::Error::other(format!("step {number} was made to fail")));
        let syncs = matches!(step, Step::Sync(_) | Step::SyncNames(_));
        let mut act = |bytes| model.act(&self.root, step, || act(bytes));
        let done = match (mischief, step) {
            (Some(Mischief::FailBefore), _) => failed(),
            (Some(Mischief::FailAfter), _) => act(usize::MAX).and_then(|()| failed()),
            (Some(Mischief::Short), Step::Write(_, bytes)) => act(half(bytes)).and_then(|()| failed()),
            (Some(Mischief::Short), _) => failed(),
            (Some(Mischief::Forget), _) if syncs => Ok(()),
            (Some(Mischief::ForgetHalf), _) if syncs => {
                model.sync_half(step);
                Ok(())
            }
            _ => act(usize::MAX),
        };
        if crashes {
            self.lose(&mut model)?;
            return failed();
        }
        drop(model);
        if mischief == Some(Mischief::FreezeAfter) {
            self.plot.freeze();
        }
        done
    }
}

/// Half of what is written; of more than a block whole blocks, as a disk does it and must where the cache is passed by.
fn half(bytes: usize) -> usize {
    const BLOCK: usize = 4096;
    if bytes < BLOCK { bytes / 2 } else { bytes / 2 / BLOCK * BLOCK }
}

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Directory,
    /// A file, by its number.
    File(usize),
}

/// What is in a file.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    /// So many of them are safe.
    synced: usize,
}

/// What there is and was.
#[derive(Default)]
struct Model {
    /// What each name has meant since the names of its directory were last synced, the latest last.
    names: BTreeMap<PathBuf, Vec<Option<Node>>>,
    files: Vec<Content>,
    /// How often chance was asked.
    asked: u64,
}

impl Model {
    /// Does a step, and learns what has become of it.
    fn act(&mut self, root: &Path, step: Step<'_>, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let done = act();
        match step {
            // Some systems make it and fail then, if it cannot be opened as was asked.
            Step::Create(path) if path.is_file() && self.node(path).is_none() => {
                let node = self.file(Vec::new());
                self.call(root, path, Some(node));
            }
            Step::Write(path, _) | Step::Cut(path) | Step::Hollow(path) => self.look(path)?,
            _ if done.is_err() => {}
            Step::Make(path) => self.call(root, path, Some(Node::Directory)),
            Step::Link(from, to) => {
                let node = self.node_of(from)?;
                self.call(root, to, Some(node));
            }
            // Of two names of one file nothing becomes.
            Step::Rename(from, to) if self.node(from) != self.node(to) => {
                let node = self.node_of(from)?;
                self.call(root, to, Some(node));
                self.call(root, from, None);
            }
            Step::Remove(path) => self.call(root, path, None),
            Step::Sync(path) => {
                if let Some(content) = self.content(path) {
                    content.synced = content.bytes.len();
                }
            }
            Step::SyncNames(directory) => self.changed(directory).for_each(Model::settle),
            Step::Create(_) | Step::Rename(..) | Step::Read(_) | Step::List(_) => {}
        }
        done
    }

    /// A sync that is half done.
    fn sync_half(&mut self, step: Step<'_>) {
        match step {
            Step::Sync(path) => {
                if let Some(content) = self.content(path) {
                    content.synced += (content.bytes.len() - content.synced) / 2;
                }
            }
            Step::SyncNames(directory) => self.changed(directory).step_by(2).for_each(Model::settle),
            _ => {}
        }
    }

    /// The names in a directory that mean something else since its last sync.
    fn changed(&mut self, directory: &Path) -> impl Iterator<Item = &mut Vec<Option<Node>>> {
        let names = self.names.iter_mut().filter(move |(path, _)| path.parent() == Some(directory));
        names.map(|(_, meant)| meant).filter(|meant| meant.len() > 1)
    }

    /// What a name means now it means for good.
    fn settle(meant: &mut Vec<Option<Node>>) {
        meant.drain(..meant.len().saturating_sub(1));
    }

    fn node(&self, path: &Path) -> Option<Node> {
        self.names.get(path)?.last().copied().flatten()
    }

    /// The file of this name, which may come from elsewhere, where nobody has synced it.
    fn node_of(&mut self, path: &Path) -> io::Result<Node> {
        match self.node(path) {
            Some(node) => Ok(node),
            None => Ok(self.file(fs::read(path)?)),
        }
    }

    fn file(&mut self, bytes: Vec<u8>) -> Node {
        self.files.push(Content { bytes, synced: 0 });
        Node::File(self.files.len() - 1)
    }

    fn content(&mut self, path: &Path) -> Option<&mut Content> {
        match self.node(path) {
            Some(Node::File(number)) => self.files.get_mut(number),
            _ => None,
        }
    }

    /// A name means something else from now on.
    fn call(&mut self, root: &Path, path: &Path, node: Option<Node>) {
        if path.starts_with(root) {
            self.names.entry(path.to_owned()).or_insert_with(|| vec![None]).push(node);
        }
    }

    /// There is something else in a file.
    fn look(&mut self, path: &Path) -> io::Result<()> {
        if let Some(content) = self.content(path) {
            content.bytes = fs::read(path)?;
            content.synced = content.synced.min(content.bytes.len());
        }
        Ok(())
    }

    /// One of so many, by chance.
    fn chance(&mut self, seed: u64, of: usize) -> usize {
        self.asked += 1;
        let mix = |x: u64, by: u64| (x ^ (x >> 30)).wrapping_mul(by);
        let x = mix(mix((seed << 32) ^ self.asked, 0xBF58_476D_1CE4_E5B9), 0x94D0_49BB_1331_11EB);
        (x >> 33) as usize % of.max(1)
    }

    /// Loses what was not synced.
    fn lose(&mut self, root: &Path, loss: Loss) -> io::Result<()> {
        let names = std::mem::take(&mut self.names);
        // Those in a directory come behind it.
        let mut kept: BTreeMap<&Path, Node> = BTreeMap::new();
        for (path, meant) in &names {
            let node = match loss {
                Loss::Everything => meant.first(),
                Loss::Bytes | Loss::Half => meant.last(),
                Loss::Some(seed) => meant.get(self.chance(seed, meant.len())),
            };
            let above = path.parent().unwrap_or(root);
            if let Some(Some(node)) = node
                && (above == root || kept.get(above) == Some(&Node::Directory))
            {
                kept.insert(path, *node);
            }
        }
        for number in 0..self.files.len() {
            let chance = if let Loss::Some(seed) = loss { self.chance(seed, 3) } else { 0 };
            let Some(Content { bytes, synced }) = self.files.get_mut(number) else { continue };
            let unsynced = bytes.len() - *synced;
            bytes.truncate(match (loss, chance) {
                (Loss::Half, _) | (Loss::Some(_), 1) => *synced + unsynced / 2,
                (Loss::Some(_), 2) => *synced + unsynced,
                _ => *synced,
            });
            *synced = bytes.len();
        }
        for (path, meant) in names.iter().rev().filter(|(path, _)| !kept.contains_key(path.as_path())) {
            match meant.last() {
                Some(Some(Node::Directory)) => fs::remove_dir(path)?,
                Some(Some(Node::File(_))) => fs::remove_file(path)?,
                _ => {}
            }
        }
        for (path, node) in &kept {
            match *node {
                Node::Directory if path.is_dir() => {}
                Node::Directory => fs::create_dir(path)?,
                Node::File(number) => {
                    let bytes = self.files.get(number).map_or(&[][..], |content| &content.bytes);
                    if fs::read(path).ok().as_deref() != Some(bytes) {
                        // It may have other names, which are to be left alone.
                        match fs::remove_file(path) {
                            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                            _ => fs::write(path, bytes)?,
                        }
                    }
                }
            }
        }
        self.names = kept.into_iter().map(|(path, node)| (path.to_owned(), vec![Some(node)])).collect();
        Ok(())
    }
}
