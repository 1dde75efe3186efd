//! The bytes of a segment: what stands where, and the checked reading of header and entries.
//!
//! ```text
//! 0    header           HEADER_BYTES, see below
//! 128  entries          by (hash, namespace, key bytes), each once and aligned to 8 bytes
//!      index            words of 8 bytes: top half of the hash's place in the segment's range | offset of its entry / 8
//!      filter           words of 8 bytes, 12 bits per entry, or none
//!      checksums        CRC-32 of each 4 KiB block of the file from its start on, up to here; the first one without the header
//!
//! header   0 magic "PELTONs\0"   8 version u16   10 zero u16        12 block size u32   16 entries u64     24 deletions u64
//!         32 least hash u64     40 greatest      48 least namespace i64                 56 greatest
//!         64 bytes of entries   72 places        80 words of index  88 words of filter  96 length of file  (u64 each)
//!        104 checksum of the checksums u32      108 zeroes         124 checksum of the header u32
//! entry    0 hash u64            8 head u64: length of value (32 bits) | of key (30) | has a namespace | is a deletion
//!         16 namespace i64, unless it is 0      .. key, zeroes up to 8 bytes, value, zeroes up to 8 bytes
//! ```
//!
//! All numbers are little-endian. The index is a table of open addressing whose words are in hash order: an entry's word
//! is at its home ([`Scale::home`]) or behind the word before it, and the last word is always 0. So a search ends at a 0
//! or at a greater hash. Every byte is under a checksum: the header's covers the checksum of the checksums, which makes it
//! name the whole content.
//!
//! This file knows no path but to name it in an error, and trusts no number that it reads.

use crate::error::Fault;
use std::path::Path;

/// The first bytes of a segment.
pub const MAGIC: [u8; 8] = *b"PELTONs\0";
/// The layout that this version writes, and the only one it reads.
pub const FORMAT_VERSION: u16 = 1;
/// Where the entries begin.
pub const HEADER_BYTES: usize = 128;
/// What one checksum covers. A page: it is verified when the page is first read, so neither is more work than the other.
pub const BLOCK_BYTES: usize = 4096;
/// The longest key, in bytes.
pub const MAX_KEY: usize = (1 << 30) - 1;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = u32::MAX as usize;

const HEAD_BYTES: usize = 16;
const NAMESPACE_BIT: u64 = 1 << 62;
const DELETED_BIT: u64 = 1 << 63;

/// What a segment says of a key: its value, or that it was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key's stable hash.
    pub hash: u64,
    /// What tells apart the values of one key: a window's start, or 0.
    pub namespace: i64,
    /// The key's byte form.
    pub key: &'a [u8],
    /// The value's byte form; `None` says that the key was deleted, whatever older segments say.
    pub value: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// What entries are ordered by.
    #[inline(always)]
    pub fn order(&self) -> (u64, i64, &'a [u8]) {
        (self.hash, self.namespace, self.key)
    }

    /// Appends the entry to bytes whose length is a multiple of 8.
    ///
    /// # Errors
    /// If key or value are too long ([`MAX_KEY`], [`MAX_VALUE`]).
    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let value = self.value.unwrap_or_default();
        if self.key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Err(too_long(self.key.len(), value.len()));
        }
        out.extend_from_slice(&self.hash.to_le_bytes());
        out.extend_from_slice(&self.head(value.len()).to_le_bytes());
        if self.namespace != 0 {
            out.extend_from_slice(&self.namespace.to_le_bytes());
        }
        for part in [self.key, value] {
            out.extend_from_slice(part);
            out.resize(out.len().next_multiple_of(8), 0);
        }
        Ok(())
    }

    /// Bytes that it takes, at most: with a namespace, and key and value each filled up to a multiple of 8.
    pub(super) fn bytes(&self) -> usize {
        ENTRY_HEAD + 8 + self.key.len() + self.value.map_or(0, <[u8]>::len) + 14
    }

    fn head(&self, value: usize) -> u64 {
        let mut head = value as u64 | (self.key.len() as u64) << 32;
        if self.namespace != 0 {
            head |= NAMESPACE_BIT;
        }
        if self.value.is_none() {
            head |= DELETED_BIT;
        }
        head
    }

    /// Reads the entry at the start of `bytes`, and how many bytes it takes. `None` if it is cut off.
    #[inline(always)]
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Entry<'a>, usize)> {
        let extent = Extent::read(bytes)?;
        let key = bytes.get(extent.key..extent.key + extent.key_bytes)?;
        let value = bytes.get(extent.value..extent.value + extent.value_bytes)?;
        let namespace = if extent.namespaced { i64::from_le_bytes(*bytes.get(16..)?.first_chunk()?) } else { 0 };
        let entry = Entry { hash: word(bytes, 0)?, namespace, key, value: (!extent.deleted).then_some(value) };
        (bytes.len() >= extent.end).then_some((entry, extent.end))
    }
}

#[cold]
fn too_long(key: usize, value: usize) -> Fault {
    Fault::new(format!("an entry of state is too large: a key of {key} bytes with a value of {value} bytes"))
        .help(format!("a key may have {MAX_KEY} bytes and a value {MAX_VALUE}; keep lists and maps by element"))
}

/// Where the parts of an entry are, from its start.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) namespaced: bool,
    pub(super) deleted: bool,
    pub(super) key: usize,
    pub(super) key_bytes: usize,
    pub(super) value: usize,
    pub(super) value_bytes: usize,
    /// Where the next entry is.
    pub(super) end: usize,
}

impl Extent {
    /// What the first 16 bytes of an entry say. `None` if there are fewer.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Option<Extent> {
        let head = word(bytes, 8)?;
        let namespaced = head & NAMESPACE_BIT != 0;
        let key = HEAD_BYTES + if namespaced { 8 } else { 0 };
        let (key_bytes, value_bytes) = ((head >> 32) as usize & MAX_KEY, head as u32 as usize);
        let value = key + key_bytes.next_multiple_of(8);
        let end = value + value_bytes.next_multiple_of(8);
        Some(Extent { namespaced, deleted: head & DELETED_BIT != 0, key, key_bytes, value, value_bytes, end })
    }
}

/// The first bytes of an entry that [`Extent::read`] needs.
pub(super) const ENTRY_HEAD: usize = HEAD_BYTES;

/// The 8 bytes at `at` as a number.
#[inline(always)]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// How the hashes of a segment, from the least to the greatest, are spread over index and filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    least: u64,
    shift: u32,
    home: u64,
    filter: u64,
}

impl Scale {
    pub(super) fn new(least: u64, greatest: u64, places: u64, filter_words: u64) -> Scale {
        let width = greatest.saturating_sub(least);
        // One hash alone has no width; any shift will do.
        let shift = width.leading_zeros() & 63;
        let most = (width << shift) >> 32;
        // `places` has 31 bits and `most`, unless it is 0, the top one of 32: a factor has 32 bits, a product 64.
        let factor = |count: u64| (count << 32) / (most + 1);
        Scale { least, shift, home: factor(places), filter: factor(filter_words) }
    }

    /// Top half of where a hash, which is not less than the least, lies between the least and the greatest.
    #[inline(always)]
    pub(super) fn tag(&self, hash: u64) -> u32 {
        (((hash.wrapping_sub(self.least)) << self.shift) >> 32) as u32
    }

    /// Where in the index the search for a tag begins.
    #[inline(always)]
    pub(super) fn home(&self, tag: u32) -> u64 {
        u64::from(tag).wrapping_mul(self.home) >> 32
    }

    /// The word of the filter that a tag belongs to.
    #[inline(always)]
    pub(super) fn filter_word(&self, tag: u32) -> u64 {
        u64::from(tag).wrapping_mul(self.filter) >> 32
    }
}

/// The four numbers of 6 bits that say which bits of its word an entry sets in the filter.
#[inline(always)]
pub(super) fn filter_pick(hash: u64, namespace: i64) -> u32 {
    // The top bits of a product depend on all bits; those of the hash itself chose the word.
    let mixed = (hash ^ (namespace as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as u32
}

/// The bits that a pick stands for.
#[inline(always)]
pub(super) fn filter_bits(pick: u32) -> u64 {
    1 << (pick & 63) | 1 << (pick >> 6 & 63) | 1 << (pick >> 12 & 63) | 1 << (pick >> 18 & 63)
}

/// How many home places so many entries get: 0.7 of them are taken.
pub(super) fn places_for(entries: u64) -> u64 {
    entries + entries * 3 / 7 + 1
}

/// How many words of filter so many entries get.
pub(super) fn filter_words_for(entries: u64) -> u64 {
    entries * 12 / 64 + 1
}

/// The numbers of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) entries: u64,
    pub(super) deletions: u64,
    pub(super) least: u64,
    pub(super) greatest: u64,
    pub(super) least_namespace: i64,
    pub(super) greatest_namespace: i64,
    pub(super) entry_bytes: u64,
    pub(super) places: u64,
    pub(super) words: u64,
    pub(super) filter_words: u64,
    pub(super) file_bytes: u64,
    pub(super) checksum_of_checksums: u32,
}

impl Header {
    /// The header's bytes, and its checksum.
    pub(super) fn write(&self) -> ([u8; HEADER_BYTES], u32) {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        let (low, high) = (self.least_namespace as u64, self.greatest_namespace as u64);
        for number in [self.entries, self.deletions, self.least, self.greatest, low, high] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.entry_bytes, self.places, self.words, self.filter_words, self.file_bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.checksum_of_checksums.to_le_bytes());
        out.resize(HEADER_BYTES - 4, 0);
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        let mut bytes = [0; HEADER_BYTES];
        bytes.copy_from_slice(&out);
        (bytes, checksum)
    }

    /// Reads and checks a header against the length that the file really has; gives its checksum, too.
    ///
    /// # Errors
    /// If the file is no segment, of another version, cut, or its header was changed.
    pub(super) fn read(bytes: &[u8], path: &Path) -> Result<(Header, u32), Fault> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            let what =
                format!("a segment of state has at least {HEADER_BYTES} bytes, and this file has {}", bytes.len());
            return Err(damaged(what, path, bytes.len() as u64));
        };
        let number = |at: usize| word(head, at).unwrap_or_default();
        let half = |at: usize| (number(at & !7) >> (8 * (at & 7))) as u32;
        if !head.starts_with(&MAGIC) {
            return Err(damaged("this file is no segment of state", path, 0));
        }
        let version = half(8) as u16;
        if version != FORMAT_VERSION {
            let what = format!("the segment has format version {version}, and this program reads {FORMAT_VERSION}");
            return Err(Fault::new(what).in_file(path).help("use the version of Pelton that wrote it, or a newer one"));
        }
        let (covered, _) = head.split_at(HEADER_BYTES - 4);
        if crc32fast::hash(covered) != half(HEADER_BYTES - 4) {
            return Err(damaged("the header of the segment is not what was written: its checksum differs", path, 0));
        }
        let header = Header {
            entries: number(16),
            deletions: number(24),
            least: number(32),
            greatest: number(40),
            least_namespace: number(48) as i64,
            greatest_namespace: number(56) as i64,
            entry_bytes: number(64),
            places: number(72),
            words: number(80),
            filter_words: number(88),
            file_bytes: number(96),
            checksum_of_checksums: half(104),
        };
        if header.write().0 != *head || header.layout().is_none_or(|layout| layout.end != header.file_bytes) {
            return Err(damaged("the header of the segment contradicts itself", path, 0));
        }
        if header.file_bytes != bytes.len() as u64 {
            let what = format!("the segment had {} bytes when written, and has {}", header.file_bytes, bytes.len());
            return Err(damaged(what, path, header.file_bytes.min(bytes.len() as u64)));
        }
        Ok((header, half(HEADER_BYTES - 4)))
    }

    /// Where the sections begin. `None` if the numbers cannot be those of a segment.
    pub(super) fn layout(&self) -> Option<Layout> {
        let fits = self.places > 0
            && self.places < 1 << 31
            && self.filter_words < 1 << 31
            && self.words > self.entries
            && self.words >= self.places
            && self.words <= self.places.saturating_add(self.entries)
            && self.entry_bytes.is_multiple_of(8)
            && self.least <= self.greatest;
        if !fits {
            return None;
        }
        let index = (HEADER_BYTES as u64).checked_add(self.entry_bytes)?;
        let filter = index.checked_add(self.words.checked_mul(8)?)?;
        let checksums = filter.checked_add(self.filter_words.checked_mul(8)?)?;
        let blocks = checksums.div_ceil(BLOCK_BYTES as u64);
        Some(Layout { index, filter, checksums, blocks, end: checksums.checked_add(blocks * 4)? })
    }
}

/// Where the sections of a segment begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) index: u64,
    pub(super) filter: u64,
    pub(super) checksums: u64,
    pub(super) blocks: u64,
    pub(super) end: u64,
}

/// An error about the bytes of a segment.
#[cold]
pub(super) fn damaged(what: impl Into<String>, path: &Path, at: u64) -> Fault {
    let what = what.into();
    let help =
        "the file changed after it was written; restore from a checkpoint that does not name it, and check the disk";
    Fault::new(format!("{what} (byte {at})")).in_file(path).help(help).damaged()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_put() {
        let mut bytes = Vec::new();
        let entries = [
            Entry { hash: 1, namespace: 0, key: b"", value: Some(b"") },
            Entry { hash: u64::MAX, namespace: -5, key: b"k", value: Some(b"a value of 21 bytes..") },
            Entry { hash: 7, namespace: 0, key: b"eight by", value: None },
        ];
        for entry in &entries {
            entry.put(&mut bytes).unwrap();
            assert_eq!(bytes.len() % 8, 0);
        }
        assert_eq!(bytes.len(), 16 + (24 + 8 + 24) + 24);
        let mut rest = &bytes[..];
        for entry in &entries {
            let (read, end) = Entry::read(rest).unwrap();
            assert_eq!(&read, entry);
            for short in 0..end {
                assert_eq!(Entry::read(&rest[..short]), None, "cut to {short}");
            }
            rest = &rest[end..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn homes_keep_the_order_of_hashes_and_stay_inside() {
        for (least, greatest) in [(0, u64::MAX), (5, 5), (5, 6), (1 << 63, u64::MAX), (1 << 40, (1 << 40) + 12345)] {
            for places in [1u64, 2, 1000, (1 << 31) - 1] {
                let scale = Scale::new(least, greatest, places, places);
                let (mut last, steps) = ((0, 0), 1000);
                for i in 0..=steps {
                    let hash = least + (u128::from(greatest - least) * i / steps) as u64;
                    let now = (scale.tag(hash), scale.home(scale.tag(hash)));
                    assert!(now >= last && now.1 < places && scale.filter_word(now.0) < places, "{least} {places}");
                    last = now;
                }
                let used = (last.1 + 1) as f64 / places as f64;
                assert!(least == greatest || used > 0.99 || places <= 2 || greatest - least < 3, "{least}: {used}");
            }
        }
    }

    #[test]
    fn a_header_that_was_changed_or_is_of_another_version_is_refused() {
        let mut header = Header { places: 1, words: 1, ..Header::default() };
        header.file_bytes = header.layout().unwrap().end;
        let (mut bytes, checksum) = header.write();
        let mut file = bytes.to_vec();
        file.resize(header.file_bytes as usize, 0);
        let path = Path::new("x.segment");
        assert_eq!(Header::read(&file, path).unwrap(), (header, checksum));
        for at in 0..HEADER_BYTES {
            file[at] ^= 4;
            assert!(Header::read(&file, path).is_err(), "byte {at}");
            file[at] ^= 4;
        }
        bytes[8] = 2;
        file[..HEADER_BYTES].copy_from_slice(&bytes);
        let fault = Header::read(&file, path).unwrap_err().to_string();
        assert!(fault.contains("format version 2") && fault.contains("x.segment"), "{fault}");
        for numbers in [
            Header { words: 0, ..header },
            Header { places: 1 << 31, ..header },
            Header { entries: u64::MAX, ..header },
            Header { entry_bytes: u64::MAX - 7, ..header },
            Header { filter_words: 3, ..header },
            Header { least: 1, ..header },
        ] {
            let mut file = numbers.write().0.to_vec();
            file.resize(header.file_bytes as usize, 0);
            assert!(Header::read(&file, path).unwrap_err().what.contains("contradicts"), "{numbers:?}");
        }
    }
}
