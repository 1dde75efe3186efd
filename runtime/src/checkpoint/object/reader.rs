//! [`ObjectReader`]: reads the entries of some key groups, and believes nothing that it has not checked against the manifest.

use super::super::damage::{Damage, Problem};
use super::super::digest::digest;
use super::super::manifest::{Form, ObjectRef};
use super::super::store::Store;
use super::blob::not_entries;
use super::{Block, HEADER, INDEX_ENTRY, MAGIC, TAIL, VERSION, group_of};
use crate::codec::{CodecError, Reader};
use crate::error::Fault;
use crate::state::entry::Entry;
use std::ops::Range;

/// How much is read at once: the end of an object, and blocks that lie side by side.
const FIRST_READ: u64 = 64 << 10;
const RUN_BYTES: u64 = 4 << 20;
/// Entries that are given at once.
const BATCH: usize = 32;

/// An object of which the index has been read.
pub struct ObjectReader<'a> {
    store: &'a dyn Store,
    object: &'a ObjectRef,
    blocks: Vec<Block>,
}

impl<'a> ObjectReader<'a> {
    /// Reads the index and checks it.
    ///
    /// # Errors
    /// [`Problem::Damaged`] if the object is not there, or not the one that the manifest means; [`Problem::Failed`] if the store cannot be read.
    pub fn open(store: &'a dyn Store, object: &'a ObjectRef) -> Result<Self, Problem> {
        if object.form != Form::Entries {
            return Err(Problem::Failed(not_entries(object)));
        }
        let damaged = |what: String| Damage::new(&object.name, what);
        let end = object.length;
        let start = end.saturating_sub(FIRST_READ);
        // One byte more than there should be, which shows an object that is longer.
        let mut bytes = read(store, object, start..end.saturating_add(1))?;
        if bytes.len() as u64 != end - start {
            return Err(damaged(format!("it has not the {end} bytes that were written")).into());
        }
        let tail = bytes.len().checked_sub(TAIL).map(|at| bytes.split_at(at).1);
        let index = tail.and_then(|tail| Reader::new(tail.get(8..16)?).array().ok()).map(u64::from_le_bytes);
        let Some(index) = index.filter(|index| *index <= end.saturating_sub(TAIL as u64)) else {
            return Err(damaged("its end is not that of an object".into()).into());
        };
        let wanted = index + TAIL as u64;
        if wanted > bytes.len() as u64 {
            bytes = read(store, object, end - wanted..end)?;
        }
        let at = bytes.len() - wanted as usize;
        let blocks = parse_index(object, bytes.split_at(at).1).map_err(damaged)?;
        Ok(ObjectReader { store, object, blocks })
    }

    /// Gives each entry of some key groups to `each`, in the order in which they were written.
    ///
    /// # Errors
    /// As [`open`](ObjectReader::open), and what `each` says, as [`Problem::Failed`]. What was given before an error was whole blocks that
    /// are right; the rest is missing.
    pub fn read(
        &self,
        groups: Range<u32>,
        mut each: impl FnMut(Entry<'_>) -> Result<(), Fault>,
    ) -> Result<(), Problem> {
        self.read_batches(groups, |entries| entries.iter().try_for_each(|entry| each(*entry)))
    }

    /// The same, some entries at a time: so whoever puts them somewhere can ask for the memory of all of them at once.
    ///
    /// # Errors
    /// As [`read`](ObjectReader::read).
    pub fn read_batches(
        &self,
        groups: Range<u32>,
        mut some: impl FnMut(&[Entry<'_>]) -> Result<(), Fault>,
    ) -> Result<(), Problem> {
        let wanted = |entry: &Entry<'_>| groups.contains(&u32::from(group_of(entry.hash)));
        self.runs(
            |block| block.touches(&groups),
            |block, bytes, first| self.read_block(block, bytes, first, &wanted, &mut some),
        )
    }

    /// Reads every byte of the object, and checks it.
    ///
    /// # Errors
    /// As [`open`](ObjectReader::open).
    pub fn verify(&self) -> Result<(), Problem> {
        self.runs(|_| true, |block, bytes, first| self.read_block(block, bytes, first, &|_| false, &mut |_| Ok(())))
    }

    /// Reads the blocks that are wanted, those that lie side by side at once, and gives each with its bytes and whether it is the
    /// first of the object.
    fn runs(
        &self,
        wanted: impl Fn(&Block) -> bool,
        mut each: impl FnMut(&Block, &[u8], bool) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut at = 0;
        let mut blocks = self.blocks.iter().enumerate().peekable();
        while let Some((first, block)) = blocks.next() {
            let start = at;
            at += block.length;
            if !wanted(block) {
                continue;
            }
            let mut run = vec![block];
            while let Some((_, next)) =
                blocks.next_if(|(_, next)| wanted(next) && at + next.length - start <= RUN_BYTES)
            {
                at += next.length;
                run.push(next);
            }
            let bytes = read(self.store, self.object, start..at)?;
            let mut rest = &bytes[..];
            for (i, block) in run.into_iter().enumerate() {
                let cut = usize::try_from(block.length).ok().and_then(|length| rest.split_at_checked(length));
                let Some((bytes, behind)) = cut else {
                    let what = format!("it is shorter than the {} bytes that were written", self.object.length);
                    return Err(Damage::new(&self.object.name, what).into());
                };
                each(block, bytes, first + i == 0)?;
                rest = behind;
            }
        }
        Ok(())
    }

    fn read_block(
        &self,
        block: &Block,
        bytes: &[u8],
        first: bool,
        wanted: &dyn Fn(&Entry<'_>) -> bool,
        some: &mut dyn FnMut(&[Entry<'_>]) -> Result<(), Fault>,
    ) -> Result<(), Problem> {
        let damaged = |what: String| Problem::from(Damage::new(&self.object.name, what));
        if digest(bytes) != block.digest {
            return Err(damaged("a block of it is not as it was written: the digest differs".into()));
        }
        // What follows can only fail if a program wrote it wrong.
        let unreadable = |e: CodecError| damaged(format!("a block of it cannot be read: {e}"));
        let mut from = Reader::new(bytes);
        if first && !from.take(HEADER).is_ok_and(is_header) {
            return Err(damaged("it does not begin as an object does".into()));
        }
        let mut batch = Vec::with_capacity(BATCH);
        for _ in 0..block.entries {
            let entry = Entry::read(&mut from).map_err(unreadable)?;
            if !(block.least..=block.greatest).contains(&group_of(entry.hash)) {
                return Err(damaged("a block of it has entries of other key groups than its index says".into()));
            }
            if wanted(&entry) {
                batch.push(entry);
            }
            if batch.len() == BATCH {
                some(&batch).map_err(Problem::Failed)?;
                batch.clear();
            }
        }
        some(&batch).map_err(Problem::Failed)?;
        from.end().map_err(unreadable)
    }
}

impl Block {
    fn touches(&self, groups: &Range<u32>) -> bool {
        self.entries > 0 && u32::from(self.least) < groups.end && u32::from(self.greatest) >= groups.start
    }
}

fn is_header(header: &[u8]) -> bool {
    let (magic, rest) = header.split_at(MAGIC.len());
    let (version, rest) = rest.split_at(2);
    magic == MAGIC && version == VERSION.to_le_bytes() && rest.iter().all(|byte| *byte == 0)
}

fn read(store: &dyn Store, object: &ObjectRef, range: Range<u64>) -> Result<Vec<u8>, Problem> {
    match store.get_range(&object.name, range) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Damage::new(&object.name, "it is not there").into()),
        Err(fault) => Err(Problem::Failed(fault)),
    }
}

/// Reads index and tail; says what is wrong with them.
fn parse_index(object: &ObjectRef, bytes: &[u8]) -> Result<Vec<Block>, String> {
    let short = |_: CodecError| "its end is not that of an object".to_owned();
    let (index, tail) = bytes.split_at(bytes.len().saturating_sub(TAIL));
    let mut from = Reader::new(tail);
    let mut number = || from.array().map(u64::from_le_bytes);
    let (entries, index_length) = (number().map_err(short)?, number().map_err(short)?);
    let version = u16::from_le_bytes(from.array().map_err(short)?);
    let zero: [u8; 2] = from.array().map_err(short)?;
    let end = bytes.len() - from.left();
    let written = u64::from_le_bytes(from.array().map_err(short)?);
    if digest(bytes.split_at(end).0) != written {
        return Err("its index is not as it was written: the digest differs".into());
    }
    if version != VERSION {
        return Err(format!("it has format version {version}, and this program reads version {VERSION}"));
    }
    if written != object.digest {
        return Err("it is another object than the one that the checkpoint names: the digest differs".into());
    }
    let mut from = Reader::new(index);
    let mut blocks = Vec::with_capacity(index.len() / INDEX_ENTRY);
    while from.left() > 0 {
        let mut number = || from.array().map(u64::from_le_bytes).map_err(short);
        let (length, entries, digest) = (number()?, number()?, number()?);
        let mut group = || from.array().map(u16::from_le_bytes).map_err(short);
        blocks.push(Block { length, entries, digest, least: group()?, greatest: group()? });
    }
    let sum = |part: fn(&Block) -> u64| blocks.iter().try_fold(0u64, |sum, block| sum.checked_add(part(block)));
    let fits = index_length == index.len() as u64
        && zero == [0; 2]
        && sum(|block| block.length) == object.length.checked_sub(bytes.len() as u64)
        && sum(|block| block.entries) == Some(entries)
        && entries == object.entries
        && blocks.iter().all(|block| {
            block.entries == 0 || block.least >= object.first_group && block.greatest <= object.last_group
        });
    if fits { Ok(blocks) } else { Err("its index does not fit the object".into()) }
}
