//! What every store must keep, checked on each of them; and what `open` says.

mod power;

use super::*;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory that is removed in the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Self::below(&std::env::temp_dir(), name)
    }

    /// In memory, where the machine has such a place.
    fn fast(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory, name) } else { Self::new(name) }
    }

    fn below(folder: &Path, name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("pelton-{name}-{}-{n}", std::process::id()));
        Temporary(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn url(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// In memory, in a directory, and where `PELTON_TEST_STORE` says: a URL of a bucket that is empty.
fn on_each(check: impl Fn(&dyn Store)) {
    check(&*MemoryStore::new());
    let folder = Temporary::new("store");
    check(&*open(&folder.url()).unwrap());
    if let Ok(url) = std::env::var("PELTON_TEST_STORE") {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        check(&*open(&format!("{url}/{}", COUNT.fetch_add(1, Ordering::Relaxed))).unwrap());
    }
}

fn names(store: &dyn Store, prefix: &str) -> Vec<String> {
    store.list(prefix).unwrap().into_iter().map(|listed| listed.name).collect()
}

#[test]
fn the_first_put_of_a_new_name_wins() {
    on_each(|store| {
        assert_eq!(store.put_new("log/1", b"one").unwrap(), Put::Created);
        assert_eq!(store.put_new("log/1", b"two").unwrap(), Put::Exists);
        assert_eq!(store.get("log/1").unwrap().as_deref(), Some(&b"one"[..]));
        store.put("log/1", b"three").unwrap();
        assert_eq!(store.get("log/1").unwrap().as_deref(), Some(&b"three"[..]));
        store.put("log/0", b"").unwrap();
        assert_eq!(store.get("log/0").unwrap().as_deref(), Some(&b""[..]));
        store.delete("log/1").unwrap();
        store.delete("log/1").unwrap();
        assert_eq!(store.get("log/1").unwrap(), None);
        assert_eq!(store.put_new("log/1", b"four").unwrap(), Put::Created);
    });
}

#[test]
fn ranges_end_where_the_object_does() {
    on_each(|store| {
        store.put("a", b"0123456789").unwrap();
        let range = |range: Range<u64>| store.get_range("a", range).unwrap().unwrap();
        assert_eq!(range(0..3), b"012");
        assert_eq!(range(8..10), b"89");
        assert_eq!(range(8..u64::MAX), b"89");
        assert_eq!(range(10..12), b"");
        assert_eq!(range(50..60), b"");
        #[expect(clippy::reversed_empty_ranges, reason = "bytes of others may say so")]
        {
            assert_eq!(range(5..2), b"");
        }
        assert_eq!(store.get_range("b", 0..1).unwrap(), None);
    });
}

#[test]
fn files_go_in_and_come_out() {
    on_each(|store| {
        let folder = Temporary::new("files");
        std::fs::create_dir(folder.path()).unwrap();
        let (file, back) = (folder.path().join("file"), folder.path().join("back"));
        let bytes: Vec<u8> = (0..9_000_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&file, &bytes).unwrap();
        store.put("data/f", b"another").unwrap();
        store.put_file("data/f", &file).unwrap();
        // The object stays when the file goes.
        std::fs::remove_file(&file).unwrap();
        assert!(store.get("data/f").unwrap().unwrap() == bytes);
        assert!(store.get_file("data/f", &back).unwrap());
        assert!(std::fs::read(&back).unwrap() == bytes);
        assert!(store.get_file("data/f", &back).is_err(), "there is a file already");
        assert!(!store.get_file("data/g", &folder.path().join("g")).unwrap());
        assert!(store.put_file("data/g", &file).is_err(), "there is no such file");
        store.delete("data/f").unwrap();
        assert!(std::fs::read(&back).unwrap() == bytes);
        assert_eq!(names(store, ""), [""; 0]);
    });
}

#[test]
fn lists_are_sorted_by_name_and_begin_as_asked() {
    on_each(|store| {
        for (name, bytes) in [("log/2", 2), ("log/10", 10), ("data/x/y", 1), ("data/x-1", 3), ("logs", 1)] {
            store.put(name, &vec![7; bytes]).unwrap();
        }
        assert_eq!(names(store, ""), ["data/x-1", "data/x/y", "log/10", "log/2", "logs"]);
        assert_eq!(names(store, "log/"), ["log/10", "log/2"]);
        assert_eq!(names(store, "log"), ["log/10", "log/2", "logs"]);
        assert_eq!(names(store, "data/x"), ["data/x-1", "data/x/y"]);
        assert_eq!(names(store, "data/x/"), ["data/x/y"]);
        assert_eq!(names(store, "none/"), [""; 0]);
        assert_eq!(store.list("log/10").unwrap(), [Listed { name: "log/10".into(), bytes: 10 }]);
    });
}

#[test]
fn no_name_leads_out_of_the_store() {
    on_each(|store| {
        for name in
            ["", "/etc", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a b", "é", &"x".repeat(600)]
        {
            assert!(store.get(name).is_err(), "{name}");
            assert!(store.put(name, b"").is_err(), "{name}");
            assert!(store.put_new(name, b"").is_err(), "{name}");
            assert!(store.get_range(name, 0..1).is_err(), "{name}");
            assert!(store.delete(name).is_err(), "{name}");
        }
    });
}

#[test]
fn one_of_many_threads_gets_each_number() {
    on_each(|store| {
        let created: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4u8)
                .map(|thread| {
                    scope.spawn(move || {
                        let put = |n: &u32| store.put_new(&format!("log/{n}"), &[thread; 100]).unwrap();
                        (0..50u32).filter(|n| put(n) == Put::Created).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(created, 50);
        for listed in store.list("log/").unwrap() {
            let bytes = store.get(&listed.name).unwrap().unwrap();
            assert!(bytes.len() == 100 && bytes.iter().all(|byte| *byte == bytes[0]), "{}", listed.name);
        }
    });
}

#[test]
fn what_a_dead_process_left_is_hidden_and_tidied_away() {
    let folder = Temporary::new("tidy");
    let store = open(&folder.url()).unwrap();
    store.put("log/1", b"one").unwrap();
    let left = folder.path().join("log/.1-0000000000000001-0.part");
    std::fs::write(&left, b"half").unwrap();
    std::fs::write(folder.path().join("log/.keep"), b"").unwrap();
    assert_eq!(names(&*store, ""), ["log/1"]);
    // A savepoint is a store of its own, which somebody may be writing just now.
    let inside = folder.path().join("savepoints/3/data/.1-0000000000000001-0.part");
    open(&folder.path().join("savepoints/3").display().to_string()).unwrap().put("log/1", b"one").unwrap();
    std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
    std::fs::write(&inside, b"half").unwrap();
    store.tidy().unwrap();
    assert!(!left.exists());
    assert!(inside.exists(), "what others are writing is left alone");
    assert!(folder.path().join("log/.keep").exists(), "files of others are left alone");
    let files = std::fs::read_dir(folder.path().join("log")).unwrap().count();
    assert_eq!(files, 2, "nothing hidden is left by a put that ended");
}

#[test]
fn a_store_in_memory_is_found_by_its_name() {
    open("memory://store-tests").unwrap().put("a", b"1").unwrap();
    assert_eq!(open("memory://store-tests").unwrap().get("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(open("memory://store-tests-2").unwrap().get("a").unwrap(), None);
}

#[test]
fn a_directory_is_made_and_found_by_path_and_url() {
    let folder = Temporary::new("open");
    let deep = folder.path().join("a b/c");
    open(&deep.display().to_string()).unwrap().put("x", b"1").unwrap();
    let url = format!("file://{}", deep.display().to_string().replace(' ', "%20"));
    assert_eq!(open_existing(&url).unwrap().get("x").unwrap().as_deref(), Some(&b"1"[..]));
    let url = url.replace("file://", "file://localhost");
    assert_eq!(open_existing(&url).unwrap().place(), deep.canonicalize().unwrap().display().to_string());
}

#[track_caller]
fn refused(url: &str, says: &[&str]) {
    let Err(fault) = open(url) else { panic!("{url} was opened") };
    let text = fault.to_string();
    for part in says {
        assert!(text.contains(part), "{url}: {text}");
    }
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    refused("", &["an empty path", "write a path"]);
    refused("ftp://host/x", &["`ftp://` is not known", "`s3://bucket/prefix`"]);
    refused("memory://", &["has no name", "memory://tests"]);
    refused("file://host/x", &["another machine", "three slashes"]);
    refused("file:///x%2", &["hexadecimal", "%25"]);
    #[cfg(not(feature = "cloud"))]
    refused("s3://bucket/x", &["built without `s3://`", "cargo feature `cloud`"]);
    let folder = Temporary::new("refused");
    open(&folder.url()).unwrap().put("file", b"").unwrap();
    let file = folder.path().join("file").display().to_string();
    refused(&file, &["not a directory", &file, "name a directory"]);
    refused(&format!("{file}/below"), &["not a directory"]);
    let Err(fault) = open_existing(&folder.path().join("none").display().to_string()) else { panic!("it was made") };
    assert!(fault.to_string().contains("no such directory"), "{fault}");
}

#[cfg(target_os = "linux")]
#[test]
fn files_come_from_another_file_system_too() {
    use std::os::unix::fs::MetadataExt;
    let folder = Temporary::new("far");
    let store = open(&folder.url()).unwrap();
    let shared = Path::new("/dev/shm");
    // Where there is no other one, linking is all that can happen.
    let other = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let file = other.join(format!("pelton-far-{}", std::process::id()));
    std::fs::write(&file, b"far").unwrap();
    store.put_file("data/f", &file).unwrap();
    let device = |path: &Path| std::fs::metadata(path).unwrap().dev();
    let linked = std::fs::metadata(&file).unwrap().nlink() == 2;
    assert_eq!(linked, device(&file) == device(folder.path()));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(store.get("data/f").unwrap().as_deref(), Some(&b"far"[..]));
    assert!(store.get_file("data/f", &file).unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), b"far");
    std::fs::remove_file(&file).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_written_is_told_when_it_is_opened() {
    // Nobody can make a file there, root included.
    refused("/proc/pelton", &["/proc/pelton"]);
    let full = Path::new("/dev/full");
    if full.exists() {
        let error = std::fs::write(full, b"x").unwrap_err();
        let text = local::tests::told(error);
        assert!(text.contains("the disk is full: make room"), "{text}");
    }
    let text = local::tests::told(std::io::ErrorKind::PermissionDenied.into());
    assert!(text.contains("let this user read and write"), "{text}");
}
