//! What the tests of the log share: a folder, and what a partition holds.

use pelton::connect::log::{Batch, Topic};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-log-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is committed of a partition, three records at a time.
pub fn values(topic: &Topic, partition: u32) -> Vec<String> {
    let (mut batch, mut all, mut from) = (Batch::new(), Vec::new(), 0);
    loop {
        topic.read(partition, from, 3, &mut batch).unwrap();
        all.extend(batch.records().map(|record| String::from_utf8(record.value.to_vec()).unwrap()));
        if batch.is_empty() && batch.next_offset() == from {
            return all;
        }
        from = batch.next_offset();
    }
}
