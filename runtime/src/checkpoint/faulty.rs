//! [`Faulty`]: a store in which things go wrong where a test wants it. It counts the operations that are asked of it; a plan says
//! what happens at which.
//!
//! A crash is told apart from a fault: after a crash each operation fails until [`revive`](Plot::revive), as if the process were
//! gone, and what was acknowledged without being synced is lost. So a test can run something with a crash at each operation, one by one, and
//! look at what another process would find.
//!
//! [`FaultyDisk`] does the same to the steps of which a store in a directory is made, and its crash is a loss of power.

mod disk;
mod plot;

pub use disk::{FaultyDisk, Loss};
pub use plot::{At, Mischief, Plot};

use super::store::{Listed, Put, Store};
use crate::error::Fault;
use plot::Next;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A store over another one, in which things go wrong where its [`Plot`] says so.
pub struct Faulty {
    inner: Arc<dyn Store>,
    plot: Plot,
    read: AtomicU64,
    /// What a crash puts back, by name; the latest last.
    unsynced: Mutex<Vec<(String, Option<Vec<u8>>)>>,
}

impl Deref for Faulty {
    type Target = Plot;

    fn deref(&self) -> &Plot {
        &self.plot
    }
}

impl Faulty {
    /// A store in which nothing goes wrong yet.
    pub fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Faulty { inner, plot: Plot::default(), read: AtomicU64::new(0), unsynced: Mutex::default() })
    }

    /// The process crashes now.
    ///
    /// # Errors
    /// If what was not synced cannot be taken back.
    pub fn crash(&self) -> Result<(), Fault> {
        self.plot.kill();
        let unsynced = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, before) in unsynced.into_iter().rev() {
            match before {
                Some(bytes) => self.inner.put(&name, &bytes)?,
                None => self.inner.delete(&name)?,
            }
        }
        Ok(())
    }

    /// How many bytes were read.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn has_read(&self, got: &Option<Vec<u8>>) {
        self.read.fetch_add(got.as_ref().map_or(0, |bytes| bytes.len() as u64), Ordering::Relaxed);
    }

    /// One operation. `put` has the bytes if it is one, and `act` does it, with these bytes or some of them.
    fn operate<T>(
        &self,
        what: &str,
        name: &str,
        put: Option<&[u8]>,
        act: impl FnOnce(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Some(Next { number, mischief, crashes }) = self.plot.next(format!("{what} {name}")) else {
            return Err(Fault::new("the process has crashed"));
        };
        let bytes = put.unwrap_or_default();
        let half = bytes.split_at(bytes.len() / 2).0;
        let failed = || Fault::new(format!("operation {number} was made to fail")).in_file(name);
        let done = match mischief {
            None => act(bytes),
            Some(Mischief::FailBefore) => Err(failed()),
            Some(Mischief::FailAfter) => act(bytes).and_then(|_| Err(failed())),
            Some(Mischief::Short) if put.is_some() => act(half).and_then(|_| Err(failed())),
            Some(Mischief::Short) => Err(failed()),
            Some(Mischief::Forget | Mischief::ForgetHalf) if put.is_none() => act(bytes),
            Some(forgets @ (Mischief::Forget | Mischief::ForgetHalf)) => {
                let before = if forgets == Mischief::Forget { self.inner.get(name)? } else { Some(half.to_vec()) };
                let done = act(bytes)?;
                self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), before));
                Ok(done)
            }
            Some(Mischief::Delay(time)) => {
                std::thread::sleep(time);
                act(bytes)
            }
            Some(Mischief::FreezeBefore) => {
                self.plot.freeze();
                act(bytes)
            }
            Some(Mischief::FreezeAfter) => {
                let done = act(bytes);
                self.plot.freeze();
                done
            }
        };
        if crashes {
            self.crash()?;
            return Err(failed());
        }
        done
    }
}

impl Store for Faulty {
    fn place(&self) -> String {
        format!("{}, with faults", self.inner.place())
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault> {
        self.operate("put_new", name, Some(bytes), |bytes| self.inner.put_new(name, bytes))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.operate("put", name, Some(bytes), |bytes| self.inner.put(name, bytes))
    }

    fn put_file(&self, name: &str, file: &Path) -> Result<(), Fault> {
        // By way of its bytes, so that half of them can be lost.
        let bytes = std::fs::read(file).map_err(|e| Fault::new("cannot read the file").in_file(file).because(e))?;
        self.operate("put_file", name, Some(&bytes), |bytes| self.inner.put(name, bytes))
    }

    fn get_file(&self, name: &str, file: &Path) -> Result<bool, Fault> {
        self.operate("get_file", name, None, |_| self.inner.get_file(name, file))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let got = self.operate("get", name, None, |_| self.inner.get(name))?;
        self.has_read(&got);
        Ok(got)
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault> {
        let got = self.operate("get_range", name, None, |_| self.inner.get_range(name, range))?;
        self.has_read(&got);
        Ok(got)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        self.operate("list", prefix, None, |_| self.inner.list(prefix))
    }

    fn delete(&self, name: &str) -> Result<(), Fault> {
        self.operate("delete", name, None, |_| self.inner.delete(name))
    }

    fn tidy(&self) -> Result<(), Fault> {
        self.operate("tidy", "", None, |_| self.inner.tidy())
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::MemoryStore;
    use super::*;
    use std::time::Duration;

    fn store() -> (Arc<MemoryStore>, Arc<Faulty>) {
        let inner = MemoryStore::new();
        (Arc::clone(&inner), Faulty::new(inner))
    }

    #[test]
    fn each_mischief_does_what_it_says() {
        for (mischief, works, there, after_crash) in [
            (Mischief::FailBefore, false, None, None),
            (Mischief::FailAfter, false, Some("four"), Some("four")),
            (Mischief::Short, false, Some("fo"), Some("fo")),
            (Mischief::Forget, true, Some("four"), None),
            (Mischief::ForgetHalf, true, Some("four"), Some("fo")),
            (Mischief::Delay(Duration::ZERO), true, Some("four"), Some("four")),
        ] {
            let (inner, store) = store();
            store.put("other", b"x").unwrap();
            store.plan(2, mischief);
            assert_eq!(store.put("a", b"four").is_ok(), works, "{mischief:?}");
            let look = || inner.get("a").unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(look().as_deref(), there, "{mischief:?}");
            store.crash().unwrap();
            assert_eq!(look().as_deref(), after_crash, "{mischief:?}");
            assert!(store.get("other").is_err(), "nothing works after a crash");
            store.revive();
            assert_eq!(store.get("other").unwrap().as_deref(), Some(&b"x"[..]));
            assert_eq!(store.trace(), ["put other", "put a", "get other"]);
        }
    }

    #[test]
    fn what_was_overwritten_and_not_synced_comes_back() {
        let (inner, store) = store();
        store.put("a", b"old").unwrap();
        store.plan(2, Mischief::Forget);
        store.crash_at(3, Mischief::FailBefore);
        store.put("a", b"new").unwrap();
        store.list("").unwrap_err();
        assert_eq!(inner.get("a").unwrap().as_deref(), Some(&b"old"[..]));
    }

    #[test]
    fn an_operation_is_found_by_its_kind_and_a_crash_comes_so_much_later() {
        let (inner, store) = store();
        store.crash_behind(At::Nth("put ".to_owned(), 2), Mischief::Forget, 2);
        store.put("a", b"1").unwrap();
        store.list("").unwrap();
        assert_eq!(store.struck(), None);
        store.put("b", b"2").unwrap();
        assert_eq!(store.struck().as_deref(), Some("put b"));
        store.list("").unwrap();
        store.list("").unwrap_err();
        assert_eq!(inner.get("a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(inner.get("b").unwrap(), None);
        assert_eq!(store.struck().as_deref(), Some("put b"), "a crash is no other mischief");
    }

    #[test]
    fn a_frozen_operation_is_done_before_or_after_it_is_woken() {
        for (mischief, there) in [(Mischief::FreezeBefore, false), (Mischief::FreezeAfter, true)] {
            let (inner, store) = store();
            store.plan(1, mischief);
            std::thread::scope(|scope| {
                let put = scope.spawn(|| store.put("a", b"1"));
                assert!(store.wait_until_frozen(Duration::from_secs(60)));
                assert_eq!(inner.get("a").unwrap().is_some(), there);
                store.wake();
                put.join().unwrap().unwrap();
            });
            assert!(inner.get("a").unwrap().is_some());
            assert!(!store.wait_until_frozen(Duration::ZERO));
        }
    }
}
