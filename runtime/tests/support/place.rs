//! [`Place`]: a folder of its own for a job's files, which can be put back as they were; and a run that ends behind some checkpoints.

use pelton::Error;
use pelton::checkpoint::history::History;
use pelton::checkpoint::manifest::Form;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The folder; removed at the end.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(name: &str) -> Place {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    /// The one file of the sink.
    pub fn out(&self) -> PathBuf {
        self.0.join("out.csv")
    }

    /// Its lines, in order; `None` if it is not there.
    pub fn lines(&self) -> Option<Vec<String>> {
        let text = std::fs::read_to_string(self.out()).ok()?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        Some(lines)
    }

    /// What the sink has there.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    pub fn put_back(&self, files: &[(PathBuf, Vec<u8>)]) {
        self.files().iter().for_each(|(path, _)| std::fs::remove_file(path).unwrap());
        files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    }

    /// As [`crashed`], with nothing of the sink in the folder at first.
    pub fn crashed(&self, run: impl Fn(&Arc<dyn Store>, Duration) -> Result<(), Error>) -> Arc<MemoryStore> {
        crashed(|store, pause| {
            self.put_back(&[]);
            run(store, pause)
        })
    }
}

/// A store of at least two checkpoints that hold something, behind which the run has failed. `run` is given pauses that become longer:
/// how many checkpoints there are depends on how busy the machine is. Its workers must be free in them, for a checkpoint takes some of their turns.
pub fn crashed(run: impl Fn(&Arc<dyn Store>, Duration) -> Result<(), Error>) -> Arc<MemoryStore> {
    let pauses = std::iter::successors(Some(Duration::from_millis(10)), |pause| Some(*pause * 3 / 2));
    for pause in pauses.take(16) {
        let store = MemoryStore::new();
        run(&(store.clone() as Arc<dyn Store>), pause).unwrap_err();
        let history = History::read(&*store).unwrap();
        let holds = |number: &&u64| history.checkpoint(**number).unwrap().objects().count() >= 2;
        if history.chain().iter().filter(holds).count() >= 2 {
            return store;
        }
    }
    panic!("no run has kept two checkpoints")
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The names of a checkpoint's files of a backend.
pub fn blobs(history: &History, checkpoint: u64) -> Vec<String> {
    let objects = history.checkpoint(checkpoint).unwrap().objects().filter(|object| object.form == Form::Blob);
    objects.map(|object| object.name.clone()).collect()
}
