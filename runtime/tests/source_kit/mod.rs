//! What the tests of sources share: readers driven by hand, as the engine would, and files to read.

use pelton::error::Fault;
use pelton::source::{Emit, Found, Polled, Reader, RowType, Source, Split};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Keeps what `keep` makes of each row, and the faults of bad records.
pub struct Kept<R, K, F> {
    pub rows: Vec<K>,
    pub bad: Vec<Fault>,
    keep: F,
    of: PhantomData<R>,
}

impl<R: RowType, K, F: FnMut(R::Row<'_>) -> K> Kept<R, K, F> {
    pub fn new(keep: F) -> Self {
        Kept { rows: Vec::new(), bad: Vec::new(), keep, of: PhantomData }
    }
}

impl<R: RowType, K, F: FnMut(R::Row<'_>) -> K> Emit<R> for Kept<R, K, F> {
    fn row(&mut self, row: R::Row<'_>) {
        self.rows.push((self.keep)(row));
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        self.bad.push(fault);
        Ok(())
    }
}

/// How a source is read.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub readers: usize,
    pub budget: usize,
}

impl Default for How {
    fn default() -> Self {
        How { readers: 1, budget: 100 }
    }
}

/// What came out of a source: rows in the order of the splits, whichever reader had them.
#[derive(Debug)]
pub struct Got<K> {
    pub rows: Vec<K>,
    pub bad: Vec<Fault>,
    pub splits: usize,
}

/// Reads everything, as `how.readers` workers would that take turns. `make` is the connector expression: each worker
/// evaluates it anew.
pub fn read<R: RowType, S: Source<R>, K>(
    make: impl Fn() -> S,
    how: How,
    keep: impl Fn(R::Row<'_>) -> K,
) -> Result<Got<K>, Fault> {
    let mut first = make();
    let mut enumerator = first.enumerator(None)?;
    let mut sources: Vec<S> = std::iter::once(first).chain((1..how.readers).map(|_| make())).collect();
    let mut workers = Vec::new();
    for source in &mut sources {
        workers.push((source.reader()?, None));
    }
    let (mut done, mut finished) = (Vec::new(), false);
    loop {
        let mut busy = false;
        for (reader, open) in &mut workers {
            if open.is_none() && !finished {
                match enumerator.next()? {
                    Found::Split(split) => {
                        let id = split.id;
                        reader.open(split, None)?;
                        *open = Some((id, Kept::<R, K, _>::new(&keep)));
                    }
                    Found::Later => {}
                    Found::Finished => finished = true,
                }
            }
            let Some((_, kept)) = open else { continue };
            busy = true;
            let before = kept.rows.len() + kept.bad.len();
            let polled = reader.poll(how.budget, kept)?;
            assert!(kept.rows.len() + kept.bad.len() - before <= how.budget, "more than the budget");
            if polled == Polled::SplitDone {
                done.extend(open.take());
            }
        }
        if finished && !busy {
            break;
        }
    }
    done.sort_by_key(|(id, _)| *id);
    let mut got = Got { rows: Vec::new(), bad: Vec::new(), splits: done.len() };
    for (_, kept) in done {
        got.rows.extend(kept.rows);
        got.bad.extend(kept.bad);
    }
    Ok(got)
}

/// All splits of a source.
pub fn splits<R: RowType, S: Source<R>>(source: &mut S) -> Vec<Split> {
    let mut enumerator = source.enumerator(None).unwrap();
    let mut all = Vec::new();
    while let Found::Split(split) = enumerator.next().unwrap() {
        all.push(split);
    }
    all
}

/// A directory of its own, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and gives its path.
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

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}
