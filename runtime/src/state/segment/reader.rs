//! [`Segment`]: a segment on disk, mapped and read in place.
//!
//! Nothing of it is believed before it was verified: opening checks header and length, and each block of 4 KiB is
//! compared with its checksum when it is first read, or by [`Segment::scrub`] in the background. After that a lookup is
//! two dependent reads, index and entry. Numbers that are read from the file are bounds-checked even so.
//!
//! It knows nothing of other segments, and of what keys and values mean.

use super::format::{
    BLOCK_BYTES, ENTRY_HEAD, Entry, Extent, HEADER_BYTES, Header, Layout, Scale, damaged, filter_bits, filter_pick,
    word,
};
use crate::error::Fault;
use crate::mapped::{Access, Map};
use std::cmp::Ordering;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering as Memory};

/// Words of the index that are looked at one by one before the steps become larger.
const STRIDE: u64 = 32;

/// What a segment says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The byte form of its value.
    Value(&'a [u8]),
    /// That it has none any more, whatever older segments say.
    Deleted,
}

impl<'a> From<Entry<'a>> for Found<'a> {
    fn from(entry: Entry<'a>) -> Self {
        entry.value.map_or(Found::Deleted, Found::Value)
    }
}

/// Whether two keys are equal; for those of 8 bytes, which are many, without a call.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        (Some(x), Some(y)) if a.len() == 8 && b.len() == 8 => x == y,
        _ => a == b,
    }
}

/// The offset that a word of the index stands for.
#[inline(always)]
fn offset(word: u64) -> u64 {
    (word & u64::from(u32::MAX)) << 3
}

/// An immutable file of entries in hash order. Shared between threads as it is.
pub struct Segment {
    map: Map,
    path: PathBuf,
    header: Header,
    identity: u32,
    layout: Layout,
    scale: Scale,
    /// A bit per block: whether its checksum was found right.
    verified: Box<[AtomicU64]>,
    /// Blocks without that bit.
    unverified: AtomicU64,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} entries, {} bytes)", self.path.display(), self.header.entries, self.header.file_bytes)
    }
}

impl Segment {
    /// Opens a segment for lookups: checks header and length, and reads nothing else. Takes well below a millisecond,
    /// and address space rather than memory.
    ///
    /// # Errors
    /// If the file cannot be mapped, is no segment, of another format version, cut, or its header was changed.
    pub fn open(path: &Path) -> Result<Segment, Fault> {
        Segment::open_for(path, Access::Mixed)
    }

    /// Opens a segment that will be read from front to back.
    ///
    /// # Errors
    /// As for [`open`](Segment::open).
    pub fn open_in_order(path: &Path) -> Result<Segment, Fault> {
        Segment::open_for(path, Access::InOrder)
    }

    fn open_for(path: &Path, access: Access) -> Result<Segment, Fault> {
        let file =
            File::open(path).map_err(|e| Fault::new("cannot open a segment of state").in_file(path).because(e))?;
        let map = Map::open(path, file, access)?;
        let (header, identity) = Header::read(map.bytes(), path)?;
        let Some(layout) = header.layout() else {
            return Err(damaged("the header of the segment contradicts itself", path, 0));
        };
        let scale = Scale::new(header.least, header.greatest, header.places, header.filter_words);
        let verified = (0..layout.blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let unverified = AtomicU64::new(layout.blocks);
        Ok(Segment { map, path: path.to_owned(), header, identity, layout, scale, verified, unverified })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's length.
    pub fn bytes(&self) -> u64 {
        self.header.file_bytes
    }

    /// How many entries, deletions among them.
    pub fn entries(&self) -> u64 {
        self.header.entries
    }

    /// How many of the entries say that a key was deleted.
    pub fn deletions(&self) -> u64 {
        self.header.deletions
    }

    /// The least and the greatest hash.
    pub fn hashes(&self) -> RangeInclusive<u64> {
        self.header.least..=self.header.greatest
    }

    /// The greatest namespace; the least number if there are no entries.
    pub fn greatest_namespace(&self) -> i64 {
        self.header.greatest_namespace
    }

    /// The checksum of the header, which covers the whole content: what a manifest notes beside the length.
    pub fn identity(&self) -> u32 {
        self.identity
    }

    /// Whether it has a filter: all have but bases.
    pub fn has_filter(&self) -> bool {
        self.header.filter_words > 0
    }

    /// Whether there may be something for the key: no lookup is needed if not.
    #[inline]
    fn may_hold(&self, hash: u64, namespace: i64, tag: u32) -> Result<bool, Fault> {
        if self.header.filter_words == 0 {
            return Ok(true);
        }
        let at = self.layout.filter + self.scale.filter_word(tag) * 8;
        let bits = filter_bits(filter_pick(hash, namespace));
        Ok(self.word(at)? & bits == bits)
    }

    #[cfg(test)]
    pub(super) fn filter_passes(&self, hash: u64, namespace: i64) -> bool {
        self.hashes().contains(&hash) && self.may_hold(hash, namespace, self.scale.tag(hash)).unwrap()
    }

    /// What the segment says of a key, borrowed from the file; `None` if nothing.
    ///
    /// Cost: a word of the filter, if it has one, for nearly all keys that are not there; else one or two words of the
    /// index and the entry.
    ///
    /// # Errors
    /// If what is read is not what was written: names the file and the byte.
    #[inline]
    pub fn get(&self, hash: u64, namespace: i64, key: &[u8]) -> Result<Option<Found<'_>>, Fault> {
        let header = &self.header;
        if hash < header.least
            || hash > header.greatest
            || namespace < header.least_namespace
            || namespace > header.greatest_namespace
        {
            return Ok(None);
        }
        if self.unverified.load(Memory::Relaxed) == 0
            && let Some(found) = self.get_verified(hash, namespace, key)
        {
            return Ok(found);
        }
        self.get_verifying(hash, namespace, key)
    }

    /// A lookup when all blocks have been verified; `None` if it is not a common case. The processor works on several
    /// lookups at once as long as each is few instructions: this one is three times as fast as the other.
    #[inline(always)]
    fn get_verified(&self, hash: u64, namespace: i64, key: &[u8]) -> Option<Option<Found<'_>>> {
        let bytes = self.map.bytes();
        let tag = self.scale.tag(hash);
        if self.header.filter_words > 0 {
            let bits = filter_bits(filter_pick(hash, namespace));
            if word(bytes, (self.layout.filter + self.scale.filter_word(tag) * 8) as usize)? & bits != bits {
                return Some(None);
            }
        }
        let home = (self.layout.index + self.scale.home(tag) * 8) as usize;
        for step in 0..STRIDE as usize {
            let at = word(bytes, home + step * 8)?;
            let found = (at >> 32) as u32;
            // Words are in order, and what is missing behind one's home is nowhere.
            if at == 0 || found > tag {
                return Some(None);
            }
            if found == tag {
                let entry = bytes.get(offset(at) as usize..)?;
                let extent = Extent::read(entry)?;
                if word(entry, 0)? == hash
                    && extent.namespaced == (namespace != 0)
                    && (namespace == 0 || word(entry, ENTRY_HEAD)? == namespace as u64)
                    && same(entry.get(extent.key..extent.key + extent.key_bytes)?, key)
                {
                    return Some(Some(if extent.deleted {
                        Found::Deleted
                    } else {
                        Found::Value(entry.get(extent.value..extent.value + extent.value_bytes)?)
                    }));
                }
            }
        }
        None
    }

    /// A lookup that verifies what it reads.
    #[inline(never)]
    fn get_verifying(&self, hash: u64, namespace: i64, key: &[u8]) -> Result<Option<Found<'_>>, Fault> {
        let tag = self.scale.tag(hash);
        if !self.may_hold(hash, namespace, tag)? {
            return Ok(None);
        }
        let home = self.scale.home(tag);
        for place in home..home + STRIDE {
            let word = self.index(place)?;
            let found = (word >> 32) as u32;
            if word == 0 || found > tag {
                return Ok(None);
            }
            if found == tag {
                let (entry, _) = self.entry(offset(word))?;
                if entry.order() == (hash, namespace, key) {
                    return Ok(Some(entry.into()));
                }
            }
        }
        self.search(home + STRIDE, tag, (hash, namespace, key))
    }

    /// The rest of a lookup that has taken many steps: the keys before it, or namespaces of its own key, are very many.
    #[cold]
    #[inline(never)]
    fn search(&self, place: u64, tag: u32, order: (u64, i64, &[u8])) -> Result<Option<Found<'_>>, Fault> {
        let place = self.skip(place, |word| {
            Ok(word != 0
                && match ((word >> 32) as u32).cmp(&tag) {
                    Ordering::Less => true,
                    Ordering::Greater => false,
                    Ordering::Equal => self.entry(offset(word))?.0.order() < order,
                })
        })?;
        let word = self.index(place)?;
        if word == 0 || (word >> 32) as u32 != tag {
            return Ok(None);
        }
        let (entry, _) = self.entry(offset(word))?;
        Ok((entry.order() == order).then(|| entry.into()))
    }

    /// The first place from `place` on for which `before` does not hold: in steps that double, then by halves. A key
    /// with very many namespaces, or its neighbours, would be searched one by one otherwise.
    ///
    /// `before` holds up to some place and then no more: also where a 0 lies between, because behind it all words have a
    /// later home than the one the search came from.
    fn skip(&self, place: u64, before: impl Fn(u64) -> Result<bool, Fault>) -> Result<u64, Fault> {
        let last = self.header.words - 1;
        let (mut low, mut step) = (place, 1);
        // All below `low` are before; `high` is not, or is the last word, which is 0.
        let mut high = loop {
            let at = (low + step).min(last);
            if at == last || !before(self.index(at)?)? {
                break at;
            }
            low = at + 1;
            step *= 2;
        };
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.index(middle)?)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Asks for the memory that a lookup of this hash begins with, ahead of it: the filter's word, or the index's. With
    /// [`prefetch_entry`](Segment::prefetch_entry) some lookups later, a frame's lookups wait for memory together and not
    /// one after the other.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if hash < self.header.least || hash > self.header.greatest {
            return;
        }
        let tag = self.scale.tag(hash);
        match self.header.filter_words {
            0 => self.touch(self.layout.index + self.scale.home(tag) * 8),
            _ => self.touch(self.layout.filter + self.scale.filter_word(tag) * 8),
        }
    }

    /// Asks for the memory of the entry that a hash will probably find, when the index's has come. Does nothing where a
    /// filter will say that there is none.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64, namespace: i64) {
        if hash < self.header.least || hash > self.header.greatest {
            return;
        }
        // What is read here need not be verified: it only says what to ask for.
        let tag = self.scale.tag(hash);
        let word_at = |at: u64| word(self.map.bytes(), at as usize).unwrap_or_default();
        if self.header.filter_words > 0 {
            let bits = filter_bits(filter_pick(hash, namespace));
            if word_at(self.layout.filter + self.scale.filter_word(tag) * 8) & bits != bits {
                return;
            }
        }
        let home = self.layout.index + self.scale.home(tag) * 8;
        for step in 0..STRIDE {
            let word = word_at(home + step * 8);
            let found = (word >> 32) as u32;
            if word == 0 || found > tag {
                return;
            }
            if found == tag {
                return self.touch(offset(word));
            }
        }
    }

    /// A plain read that nobody waits for.
    #[inline(always)]
    fn touch(&self, at: u64) {
        if let Some(byte) = self.map.bytes().get(at as usize) {
            std::hint::black_box(*byte);
        }
    }

    /// The entries whose hashes are in a range, in order.
    ///
    /// # Errors
    /// If the index is not what was written; the iterator itself gives an error likewise, and ends with it.
    pub fn range(&self, hashes: RangeInclusive<u64>) -> Result<Entries<'_>, Fault> {
        let (from, to) = (*hashes.start(), *hashes.end());
        let end = self.layout.index;
        let nothing = Entries { segment: self, at: end, end, to, last: None };
        if self.header.entries == 0 || from > to || from > self.header.greatest || to < self.header.least {
            return Ok(nothing);
        }
        if from <= self.header.least {
            return Ok(Entries { at: HEADER_BYTES as u64, ..nothing });
        }
        let tag = self.scale.tag(from);
        let mut place = self.scale.home(tag);
        if self.index(place)? != 0 {
            place = self.skip(place, |word| Ok(word != 0 && ((word >> 32) as u32) < tag))?;
        }
        // Here is a word that is not smaller, or the next one after some zeroes.
        while place < self.header.words && self.index(place)? == 0 {
            place += 1;
        }
        if place >= self.header.words {
            return Ok(nothing);
        }
        let mut at = offset(self.index(place)?);
        while at < end {
            let (entry, bytes) = self.entry(at)?;
            if entry.hash >= from {
                break;
            }
            at += bytes as u64;
        }
        Ok(Entries { at, ..nothing })
    }

    /// Compares every block with its checksum, and the checksums with theirs. Reads the whole file once, front to
    /// back; meant for a thread in the background. Lookups are faster when it is done.
    ///
    /// # Errors
    /// The first damage that there is.
    pub fn scrub(&self) -> Result<(), Fault> {
        self.map.check()?;
        let checksums = self.map.bytes().get(self.layout.checksums as usize..).unwrap_or_default();
        if crc32fast::hash(checksums) != self.header.checksum_of_checksums {
            return Err(damaged("the checksums of the segment changed", &self.path, self.layout.checksums));
        }
        (0..self.layout.blocks as usize).try_for_each(|block| self.verify(block))
    }

    /// Walks over everything and compares it with what the header says and what the index finds: what [`scrub`]
    /// cannot see, since a program that writes nonsense gives it good checksums.
    ///
    /// [`scrub`]: Segment::scrub
    ///
    /// # Errors
    /// The first contradiction.
    pub fn audit(&self) -> Result<(), Fault> {
        self.scrub()?;
        let (mut entries, mut deletions) = (0, 0);
        let mut walk = self.range(0..=u64::MAX)?;
        while let Some(entry) = walk.next().transpose()? {
            entries += 1;
            deletions += u64::from(entry.value.is_none());
            let found = self.get_verifying(entry.hash, entry.namespace, entry.key)?;
            if found != Some(entry.into()) || self.get(entry.hash, entry.namespace, entry.key)? != found {
                return Err(damaged("the index does not find an entry that is there", &self.path, walk.at));
            }
        }
        if (entries, deletions) != (self.header.entries, self.header.deletions) {
            let what = format!("the header counts {} entries, and there are {entries}", self.header.entries);
            return Err(damaged(what, &self.path, 0));
        }
        Ok(())
    }

    /// A word of the index. Behind the last one there is nothing more to find.
    #[inline(always)]
    fn index(&self, place: u64) -> Result<u64, Fault> {
        if place >= self.header.words {
            return Ok(0);
        }
        self.word(self.layout.index + place * 8)
    }

    /// The entry at an offset, and its length.
    #[inline(always)]
    fn entry(&self, at: u64) -> Result<(Entry<'_>, usize), Fault> {
        let head = self.section(at, ENTRY_HEAD)?;
        let end = Extent::read(head).map_or(ENTRY_HEAD, |extent| extent.end);
        Entry::read(self.section(at, end)?).ok_or_else(|| self.no_entry(at))
    }

    /// Verified bytes among the entries.
    #[inline(always)]
    fn section(&self, at: u64, bytes: usize) -> Result<&[u8], Fault> {
        if at < HEADER_BYTES as u64 || at + bytes as u64 > self.layout.index {
            return Err(self.no_entry(at));
        }
        self.verified(at as usize, bytes)
    }

    #[cold]
    fn no_entry(&self, at: u64) -> Fault {
        damaged("there is no whole entry where the segment says there is one", &self.path, at)
    }

    #[inline(always)]
    fn word(&self, at: u64) -> Result<u64, Fault> {
        // Words are aligned, so that one lies in one block.
        let block = at as usize / BLOCK_BYTES;
        if !self.is_verified(block) {
            self.verify(block)?;
        }
        word(self.map.bytes(), at as usize).ok_or_else(|| self.no_entry(at))
    }

    /// Bytes of the file whose blocks have been compared with their checksums.
    #[inline(always)]
    fn verified(&self, at: usize, bytes: usize) -> Result<&[u8], Fault> {
        let (mut block, last) = (at / BLOCK_BYTES, (at + bytes.max(1) - 1) / BLOCK_BYTES);
        loop {
            if !self.is_verified(block) {
                self.verify(block)?;
            }
            if block == last {
                break;
            }
            block += 1;
        }
        self.map.bytes().get(at..at + bytes).ok_or_else(|| self.no_entry(at as u64))
    }

    #[inline(always)]
    fn is_verified(&self, block: usize) -> bool {
        // The bytes never change, so there is nothing to order: who sees the bit sees what was verified.
        self.verified.get(block / 64).is_some_and(|bits| bits.load(Memory::Relaxed) >> (block % 64) & 1 == 1)
    }

    #[cold]
    #[inline(never)]
    fn verify(&self, block: usize) -> Result<(), Fault> {
        let (start, end) = (block * BLOCK_BYTES, ((block + 1) * BLOCK_BYTES).min(self.layout.checksums as usize));
        // The header has a checksum of its own, which covers those of the blocks.
        let bytes = self.map.bytes().get(start.max(HEADER_BYTES)..end);
        let noted = self.map.bytes().get(self.layout.checksums as usize + block * 4..).and_then(|b| b.first_chunk());
        let right = bytes.zip(noted).is_some_and(|(bytes, noted)| crc32fast::hash(bytes) == u32::from_le_bytes(*noted));
        if !right {
            let what = "a block of the segment is not what was written: its checksum differs";
            return Err(damaged(what, &self.path, start as u64));
        }
        if let Some(bits) = self.verified.get(block / 64) {
            let bit = 1 << (block % 64);
            if bits.fetch_or(bit, Memory::Relaxed) & bit == 0 {
                self.unverified.fetch_sub(1, Memory::Relaxed);
            }
        }
        Ok(())
    }
}

/// Entries of one segment in order: what [`Segment::range`] gives.
pub struct Entries<'a> {
    segment: &'a Segment,
    at: u64,
    end: u64,
    to: u64,
    last: Option<Entry<'a>>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let at = std::mem::replace(&mut self.at, self.end);
        match self.segment.entry(at) {
            Ok((entry, _)) if entry.hash > self.to => None,
            Ok((entry, _)) if self.last.is_some_and(|last| last.order() >= entry.order()) => {
                Some(Err(damaged("the entries of the segment are out of order", &self.segment.path, at)))
            }
            Ok((entry, bytes)) => {
                self.at = at + bytes as u64;
                self.last = Some(entry);
                Some(Ok(entry))
            }
            Err(fault) => Some(Err(fault)),
        }
    }
}
