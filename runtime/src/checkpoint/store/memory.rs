//! [`MemoryStore`]: objects in this process, for tests and for jobs that only have to survive themselves.

use super::{Listed, Put, Store, check_name};
use crate::error::Fault;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

type Objects = BTreeMap<String, Arc<[u8]>>;

/// A store that lives as long as the process, or as somebody holds it if it has no name.
pub struct MemoryStore {
    name: String,
    objects: Mutex<Objects>,
}

static NAMED: Mutex<BTreeMap<String, Arc<MemoryStore>>> = Mutex::new(BTreeMap::new());

impl MemoryStore {
    /// An empty one that nobody else finds.
    pub fn new() -> Arc<Self> {
        Arc::new(MemoryStore { name: "of its own".into(), objects: Mutex::default() })
    }

    /// The one of this name in this process.
    pub fn named(name: &str) -> Arc<Self> {
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(MemoryStore { name: name.to_owned(), objects: Mutex::default() });
        Arc::clone(named.entry(name.to_owned()).or_insert_with(made))
    }

    /// A store of its own with the same objects: as if the disk had been copied.
    pub fn fork(&self) -> Arc<Self> {
        let objects = self.with(|objects| objects.clone());
        Arc::new(MemoryStore { name: format!("{}, copied", self.name), objects: Mutex::new(objects) })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Objects) -> T) -> T {
        // Whoever panicked while holding it was not in the middle of a change: each is one call of the map.
        act(&mut self.objects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    fn place(&self) -> String {
        format!("memory://{}", self.name)
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault> {
        check_name(name)?;
        Ok(self.with(|objects| {
            if objects.contains_key(name) {
                return Put::Exists;
            }
            objects.insert(name.to_owned(), bytes.into());
            Put::Created
        }))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        check_name(name)?;
        self.with(|objects| objects.insert(name.to_owned(), bytes.into()));
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        check_name(name)?;
        let object = self.with(|objects| objects.get(name).cloned());
        Ok(object.map(|bytes| bytes.to_vec()))
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault> {
        check_name(name)?;
        let object = self.with(|objects| objects.get(name).cloned());
        Ok(object.map(|bytes| {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            bytes.get(place(range.start)..place(range.end)).unwrap_or_default().to_vec()
        }))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        Ok(self.with(|objects| {
            let found = objects.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
            found.map(|(name, bytes)| Listed { name: name.clone(), bytes: bytes.len() as u64 }).collect()
        }))
    }

    fn delete(&self, name: &str) -> Result<(), Fault> {
        check_name(name)?;
        self.with(|objects| objects.remove(name));
        Ok(())
    }
}
