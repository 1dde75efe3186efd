//! A process that dies, or loses its power, at any operation of the disk.

use super::super::writer::{PART, SPOOL};
use super::*;
use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;

/// A disk that works up to some operation and not from then on, and knows what would have survived.
struct Failing {
    left: AtomicU64,
    durable: Mutex<Durable>,
}

#[derive(Default)]
struct Durable {
    /// Content as it was last synced, by the name at that time.
    contents: BTreeMap<PathBuf, Vec<u8>>,
    /// Names that were there when the folder was last synced.
    names: BTreeSet<PathBuf>,
}

impl Failing {
    fn after(operations: u64) -> Arc<Failing> {
        Arc::new(Failing { left: operations.into(), durable: Mutex::default() })
    }
    fn step(&self) -> io::Result<()> {
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("this disk has failed")),
        }
    }
    fn has_failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
    /// What is there after a loss of power: contents that were synced, under durable names; of the others nothing, or
    /// zeroes, or half.
    fn lose_power(&self, folder: &Path) {
        let durable = self.durable.lock().unwrap();
        for (i, file) in folder.read_dir().unwrap().enumerate() {
            let path = file.unwrap().path();
            let bytes = match (durable.names.contains(&path), durable.contents.get(&path), i % 3) {
                // Its name may be there even if nobody has synced the folder, and was.
                (_, Some(bytes), _) => bytes.clone(),
                (false, None, 0) => {
                    std::fs::remove_file(&path).unwrap();
                    continue;
                }
                (_, None, 1) => vec![0; std::fs::metadata(&path).unwrap().len() as usize],
                (_, None, _) => {
                    let bytes = std::fs::read(&path).unwrap();
                    bytes[..bytes.len() / 2].to_vec()
                }
            };
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
        for name in &durable.names {
            assert!(name.exists(), "{name:?} was durable");
        }
    }
}

/// The disk itself is shared with its files.
struct Handle(Arc<Failing>);

impl Disk for Handle {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.step()?;
        let file = OsDisk.create(path)?;
        Ok(Box::new(FailingFile { disk: self.0.clone(), file, path: path.to_owned() }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step()?;
        OsDisk.rename(from, to)?;
        let mut durable = self.0.durable.lock().unwrap();
        if let Some(content) = durable.contents.remove(from) {
            durable.contents.insert(to.to_owned(), content);
        }
        Ok(())
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.step()?;
        // What a sync achieves is played, so the real one can be spared.
        self.0.durable.lock().unwrap().names = folder.read_dir()?.map(|e| e.unwrap().path()).collect();
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.step()?;
        let mut durable = self.0.durable.lock().unwrap();
        durable.contents.remove(path);
        durable.names.remove(path);
        OsDisk.remove(path)
    }
}

struct FailingFile {
    disk: Arc<Failing>,
    file: Box<dyn DiskFile>,
    path: PathBuf,
}

impl DiskFile for FailingFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.disk.step() {
            // The write during which it fails is a short one.
            let _ = self.file.write_at(at, &bytes[..bytes.len() / 2]);
            return Err(error);
        }
        self.file.write_at(at, bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.disk.step()?;
        let content = std::fs::read(&self.path)?;
        self.disk.durable.lock().unwrap().contents.insert(self.path.clone(), content);
        Ok(())
    }
}

/// What the last manifest says.
#[derive(Default)]
struct Manifest {
    parts: Vec<PathBuf>,
    model: Model,
}

/// Deltas, merges and sweeps, with a manifest after each delta; ends with the first error.
fn work(
    disk: Arc<dyn Disk>,
    place: &Place,
    merger: &Merger,
    manifest: &mut Manifest,
) -> Result<(), crate::error::Fault> {
    let folder = Folder::open(disk, &place.0, "s")?;
    let mut levels = Levels::open(folder, 0..=u64::MAX, [], merger)?;
    levels.split_at(3000);
    for round in 0..6 {
        let some = model(40, round % 3);
        let entries = some.iter().map(|((hash, namespace, key), value)| Entry {
            hash: *hash,
            namespace: *namespace,
            key,
            value: value.as_deref().filter(|_| round != 3),
        });
        levels.add_delta(entries)?;
        manifest.parts = levels.parts().iter().map(|part| part.segment().path().to_owned()).collect();
        let gone = round == 3;
        manifest.model.extend(some.into_iter().map(|(id, value)| (id, value.filter(|_| !gone))));
        if round % 2 == 1 {
            levels.merge_all();
            levels.wait()?;
        }
        let named: BTreeSet<_> = manifest.parts.iter().cloned().collect();
        levels.sweep(|path| named.contains(path))?;
    }
    Ok(())
}

#[test]
fn whatever_operation_a_process_dies_at_the_last_manifest_is_whole() {
    let merger = Merger::start().unwrap();
    let (mut operations, mut leftovers) = (0, 0);
    loop {
        let mut done = false;
        for power_is_lost in [false, true] {
            let (place, disk, mut manifest) = (Place::new(), Failing::after(operations), Manifest::default());
            done = work(Arc::new(Handle(disk.clone())), &place, &merger, &mut manifest).is_ok();
            assert!(done != disk.has_failed() || done, "an error that was not the disk's");
            if power_is_lost {
                disk.lose_power(&place.0);
            }
            leftovers += place.names().iter().filter(|name| name.starts_with('.')).count();
            let folder = Folder::open(Arc::new(OsDisk), &place.0, "t").unwrap();
            let hidden = |name: &String| name.ends_with(PART) || name.ends_with(SPOOL);
            assert!(!place.names().iter().any(hidden), "{:?}", place.names());
            let whole = |path: &PathBuf| {
                let segment = Segment::open(path).unwrap();
                segment.audit().unwrap();
                Part::new(Arc::new(segment), 0..=u64::MAX)
            };
            let parts: Vec<Part> = manifest.parts.iter().map(whole).collect();
            let mut levels = Levels::open(folder, 0..=u64::MAX, parts, &merger).unwrap();
            let all = levels.range(0..=u64::MAX).unwrap().map(|entry| owned(entry.unwrap()));
            assert!(all.map(|(id, value)| (id, value.unwrap())).eq(alive(&manifest.model)), "{operations}");
            // What nobody names goes, and what is named stays.
            levels.sweep(|_| false).unwrap();
            let mut named = manifest.parts.clone();
            named.sort();
            assert_eq!(levels.folder.segments().unwrap(), named, "{operations}");
        }
        if done {
            break;
        }
        operations += 1;
    }
    assert!(operations > 60 && leftovers > 40, "{operations} operations, {leftovers} leftovers");
}
