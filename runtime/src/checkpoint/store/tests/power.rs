//! A store in a directory, over a disk in which something goes wrong at each step, one by one, and which loses its power then, one or
//! some steps later, or behind the end: what was acknowledged is there, and nothing ever is there by half.

use super::super::{LocalStore, Put, Store};
use super::Temporary;
use crate::checkpoint::faulty::{At, FaultyDisk, Loss, Mischief};
use crate::error::Fault;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LOSSES: [Loss; 6] = [Loss::Everything, Loss::Bytes, Loss::Half, Loss::Some(1), Loss::Some(2), Loss::Some(3)];

const MISCHIEF: [Mischief; 6] = [
    Mischief::FailBefore,
    Mischief::FailAfter,
    Mischief::Short,
    Mischief::Forget,
    Mischief::ForgetHalf,
    Mischief::Delay(Duration::ZERO),
];

/// What is done to the object `log/1`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    PutNew,
    Put,
    PutFile,
    Delete,
}

/// A directory with a faulty disk in it.
struct Machine {
    disk: Arc<FaultyDisk>,
    folder: Temporary,
}

impl Machine {
    fn new(loss: Loss) -> Machine {
        // Where it is fast, if there is such a place: nobody but the disk itself loses anything.
        let folder = Temporary::fast("power");
        std::fs::create_dir(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        Machine { disk: FaultyDisk::new(&folder.path().join("disk"), loss).unwrap(), folder }
    }

    /// A store of another process.
    fn store(&self) -> LocalStore {
        LocalStore::watched(&self.disk.root().join("a/store"), self.disk.clone()).unwrap()
    }

    fn hidden(&self) -> usize {
        hidden(self.disk.root())
    }
}

fn hidden(directory: &Path) -> usize {
    let entries = directory.read_dir().unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.path().is_dir() {
            true => hidden(&entry.path()),
            false => usize::from(entry.file_name().to_string_lossy().starts_with('.')),
        })
        .sum()
}

/// Runs an act with each mischief at each of its steps, on an object that was there before or not. Gives how many cases there were.
fn everywhere(act: Act, before: Option<&[u8]>, new: &[u8], losses: &[Loss]) -> usize {
    let mut cases = 0;
    for loss in losses {
        for mischief in MISCHIEF {
            for crash in [Some(0), Some(1), Some(3), None] {
                cases += (1..).take_while(|n| one(act, before, new, *loss, mischief, crash, *n)).count();
            }
        }
    }
    cases
}

/// Strikes the step of this number; `false` if there is none.
fn one(
    act: Act,
    before: Option<&[u8]>,
    new: &[u8],
    loss: Loss,
    mischief: Mischief,
    crash: Option<u64>,
    n: u64,
) -> bool {
    let machine = Machine::new(loss);
    let disk = &machine.disk;
    let store = machine.store();
    store.put("log/0", b"bystander").unwrap();
    if let Some(before) = before {
        store.put("log/1", before).unwrap();
    }
    let file = machine.folder.path().join("file");
    std::fs::write(&file, new).unwrap();
    let at = disk.operations() + n;
    match crash {
        Some(later) => disk.crash_behind(at, mischief, later),
        None => disk.plan(at, mischief),
    }
    // What may be there: behind an acknowledgement, and else.
    let (done, wanted) = match act {
        Act::PutNew => {
            let put = store.put_new("log/1", new);
            let exists = before.is_some();
            assert!(put.as_ref().map_or(true, |put| (*put == Put::Exists) == exists), "{put:?}");
            (put.map(drop), before.or(Some(new)))
        }
        Act::Put => (store.put("log/1", new), Some(new)),
        Act::PutFile => (store.put_file("log/1", &file), Some(new)),
        Act::Delete => (store.delete("log/1"), None),
    };
    let Some(struck) = disk.struck() else { return false };
    let case = format!("{act:?}, {loss:?}, {mischief:?} at {n} `{struck}`, crash {crash:?}, {:?}", done.as_ref().err());
    let whole = |there: &Option<Vec<u8>>| there.as_deref() == before || there.as_deref() == wanted;
    if let Ok(there) = store.get("log/1") {
        assert!(whole(&there), "{case}: not whole for whoever reads it meanwhile");
        assert!(done.is_err() || there.as_deref() == wanted, "{case}: not what was acknowledged");
    }
    disk.crash().unwrap();
    assert!(store.get("log/0").is_err(), "{case}: the power is gone");
    disk.revive();
    let store = machine.store();
    assert_eq!(store.get("log/0").unwrap().as_deref(), Some(&b"bystander"[..]), "{case}");
    let there = store.get("log/1").unwrap();
    let lied = matches!(mischief, Mischief::Forget | Mischief::ForgetHalf)
        && (struck.starts_with("sync ") || struck.starts_with("names "));
    // What is removed may come back as zeroes: it is given back before its name is gone for good.
    let hollow = |there: &[u8]| before.is_some_and(|before| there.len() == before.len());
    if act == Act::Delete {
        assert!(there.as_deref().is_none_or(hollow), "{case}");
    } else if !lied {
        assert!(whole(&there), "{case}: {:?} bytes", there.map(|there| there.len()));
        assert!(done.is_err() || there.as_deref() == wanted, "{case}: acknowledged and not there");
    }
    store.tidy().unwrap();
    assert_eq!(machine.hidden(), 0, "{case}");
    // Whatever happened, it goes on from here.
    store.put("log/1", b"next").unwrap();
    disk.crash().unwrap();
    disk.revive();
    assert_eq!(machine.store().get("log/1").unwrap().as_deref(), Some(&b"next"[..]), "{case}");
    true
}

#[test]
fn a_new_object_is_there_whole_or_not_at_all() {
    let cases = everywhere(Act::PutNew, None, b"a new one", &LOSSES);
    assert!(cases > 6 * 6 * 4 * 5, "{cases} cases");
    everywhere(Act::PutNew, Some(b"old"), b"a new one", &LOSSES);
}

#[test]
fn an_object_is_replaced_by_a_whole_one_or_stays() {
    everywhere(Act::Put, None, b"a new one", &LOSSES);
    everywhere(Act::Put, Some(b"old"), b"a new one", &LOSSES);
}

#[test]
fn a_file_becomes_a_whole_object() {
    everywhere(Act::PutFile, None, b"a new one", &LOSSES);
    everywhere(Act::PutFile, Some(b"old"), b"a new one", &LOSSES);
}

#[test]
fn what_is_deleted_is_there_as_it_was_or_not_at_all() {
    everywhere(Act::Delete, Some(b"old"), b"", &LOSSES);
    everywhere(Act::Delete, None, b"", &LOSSES[..2]);
}

#[test]
fn large_objects_too() {
    let large = |by: usize| -> Vec<u8> { (0..(1 << 20) + 5000).map(|at| (at / by) as u8 | 1).collect() };
    let (old, new) = (large(7), large(11));
    for act in [Act::PutNew, Act::Put, Act::Delete] {
        everywhere(act, Some(&old).filter(|_| act != Act::PutNew).map(|old| &old[..]), &new, &LOSSES[..2]);
    }
}

#[test]
fn a_store_that_could_not_be_made_is_made_by_the_next_one() {
    for loss in LOSSES {
        for mischief in MISCHIEF {
            for n in 1.. {
                let machine = Machine::new(loss);
                machine.disk.crash_at(n, mischief);
                let first = LocalStore::watched(&machine.disk.root().join("a/store"), machine.disk.clone());
                if machine.disk.struck().is_none() {
                    break;
                }
                assert!(first.is_err());
                machine.disk.revive();
                let store = machine.store();
                store.put("log/1", b"one").unwrap();
                machine.disk.crash().unwrap();
                machine.disk.revive();
                assert!(machine.store().get("log/1").unwrap().is_some(), "{loss:?}, {mischief:?} at {n}");
            }
        }
    }
}

/// A put that failed may have come as far as to the name, in a directory that is not durable; whoever asks again must not take that
/// for more than it is.
#[test]
fn what_is_asked_for_again_and_acknowledged_is_there() {
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
        for n in 1.. {
            let machine = Machine::new(Loss::Everything);
            let store = machine.store();
            machine.disk.plan(machine.disk.operations() + n, mischief);
            let first = store.put_new("log/1", b"one");
            let Some(struck) = machine.disk.struck() else { break };
            let visible = store.get("log/1").unwrap().is_some();
            let again = store.put_new("log/1", b"one").unwrap();
            assert_eq!(again == Put::Exists, visible, "{mischief:?} at `{struck}`: {first:?}");
            machine.disk.crash().unwrap();
            machine.disk.revive();
            assert!(machine.store().get("log/1").unwrap().is_some(), "{mischief:?} at `{struck}`");
        }
    }
}

#[test]
fn a_directory_that_another_thread_has_just_made_is_durable_for_both() {
    let machine = Machine::new(Loss::Everything);
    let (store, disk) = (machine.store(), &machine.disk);
    disk.plan(At::Nth("make a/store/log".into(), 1), Mischief::FreezeAfter);
    std::thread::scope(|scope| {
        let first: std::thread::ScopedJoinHandle<Result<(), Fault>> = scope.spawn(|| store.put("log/1", b"one"));
        assert!(disk.wait_until_frozen(Duration::from_secs(60)));
        store.put("log/2", b"two").unwrap();
        disk.crash().unwrap();
        disk.wake();
        assert!(first.join().unwrap().is_err());
    });
    disk.revive();
    assert_eq!(machine.store().get("log/2").unwrap().as_deref(), Some(&b"two"[..]));
}

/// A store that gives names before there is anything behind them would be found out.
#[test]
fn the_disk_loses_what_nobody_has_synced() {
    use super::super::{Step, Watch};
    let machine = Machine::new(Loss::Bytes);
    let disk = &machine.disk;
    let (path, other) = (disk.root().join("file"), disk.root().join("other"));
    let write = |path: &Path, bytes: &[u8]| {
        disk.step(Step::Create(path), &mut |_| std::fs::File::create_new(path).map(drop)).unwrap();
        disk.step(Step::Write(path, bytes.len()), &mut |_| std::fs::write(path, bytes)).unwrap();
    };
    write(&path, b"bytes");
    write(&other, b"others");
    disk.step(Step::Sync(&path), &mut |_| Ok(())).unwrap();
    disk.crash().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
    assert_eq!(std::fs::read(&other).unwrap(), b"", "a name without its bytes");
    disk.revive();
    disk.step(Step::Remove(&path), &mut |_| std::fs::remove_file(&path)).unwrap();
    assert_eq!(disk.trace(), ["create file", "write file", "create other", "write other", "sync file", "remove file"]);

    let machine = Machine::new(Loss::Everything);
    let disk = &machine.disk;
    let path = disk.root().join("file");
    disk.step(Step::Create(&path), &mut |_| std::fs::write(&path, b"bytes")).unwrap();
    disk.step(Step::Sync(&path), &mut |_| Ok(())).unwrap();
    disk.step(Step::SyncNames(disk.root()), &mut |_| Ok(())).unwrap();
    disk.step(Step::Remove(&path), &mut |_| std::fs::remove_file(&path)).unwrap();
    disk.crash().unwrap();
    assert!(path.exists(), "its name was not taken from it for good");
}
