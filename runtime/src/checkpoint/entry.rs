//! [`Entry`]: what one object of the log says, and the envelope it is in.
//!
//! ```text
//! 0   magic "PELTONl\0"
//! 8   version u16                of this layout; the head keeps its form in every version
//! 10  kind u8, a zero byte       1 attempt, 2 checkpoint, 3 committing, 4 committed, 5 rewind, 6 finished
//! 12  number u64                 the entry's place in the log, which its name says too
//! 20  token u64                  of the attempt that wrote it, drawn at random
//! 28  fingerprint u64            of the payload's schema
//! 36  length u64                 of the payload
//! 44  digest u64                 of what is before it
//! 52  payload                    the record's byte form
//! ..  digest u64                 of everything before it
//! ```
//!
//! The head has a digest of its own: when a large manifest is damaged, it is still known that it was one, and what that
//! means for what was committed.

use super::digest::digest;
use super::manifest::Manifest;
use crate::codec::{CodecError, Reader};
use crate::record::Record as _;
use crate::schema::fingerprint;
use pelton_macros::Record;
use std::fmt;

/// The first bytes of an entry.
pub const MAGIC: [u8; 8] = *b"PELTONl\0";

/// The layout that this version writes, and the only one it reads.
pub const VERSION: u16 = 1;

const HEAD: usize = 52;

/// What an entry of the log says.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Somebody runs the job from here on; whoever ran it before must stop.
    Attempt(Attempt),
    /// A checkpoint is complete.
    Checkpoint(Box<Manifest>),
    /// A checkpoint was read back, and from here on its commits may have run.
    Committing(Commit),
    /// The commits of a checkpoint have run.
    Committed(Commit),
    /// The job goes on from an older checkpoint or from the start; what is newer is abandoned.
    Rewind(Rewind),
    /// The inputs have ended and everything is committed: the next run is a new one.
    Finished(Finished),
}

/// Who runs the job, and with what.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The name of the job.
    pub job: String,
    /// How many workers it has.
    pub width: u32,
    /// Stands for the plan.
    pub plan: u64,
    /// The params that sources and sinks use, as name and text.
    pub params: Vec<(String, String)>,
    /// When it began, in ms since 1970.
    pub time: i64,
}

/// Which checkpoint is committed.
#[derive(Record, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The number of its entry.
    pub checkpoint: u64,
    /// Its epoch.
    pub epoch: u64,
}

/// From where the job goes on.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct Rewind {
    /// The number of the checkpoint's entry; `None` for the start.
    pub to: Option<u64>,
    /// Why, for people.
    pub why: String,
}

/// The end of a bounded job.
#[derive(Record, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// When, in ms since 1970.
    pub time: i64,
}

/// The kinds of entries. Their numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said at `Entry`")]
pub enum Kind {
    Attempt = 1,
    Checkpoint = 2,
    Committing = 3,
    Committed = 4,
    Rewind = 5,
    Finished = 6,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        [Kind::Attempt, Kind::Checkpoint, Kind::Committing, Kind::Committed, Kind::Rewind, Kind::Finished]
            .into_iter()
            .find(|kind| *kind as u8 == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Attempt => "attempt",
            Kind::Checkpoint => "checkpoint",
            Kind::Committing => "committing",
            Kind::Committed => "committed",
            Kind::Rewind => "rewind",
            Kind::Finished => "finished",
        })
    }
}

/// Why an entry could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not as it was written. Its kind, if that much is sure.
    Damaged(Option<Kind>, String),
    /// It is whole, and of a version of Pelton that this one cannot read.
    Other(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Damaged(_, what) | Unreadable::Other(what) => f.write_str(what),
        }
    }
}

impl Entry {
    /// What kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Entry::Attempt(_) => Kind::Attempt,
            Entry::Checkpoint(_) => Kind::Checkpoint,
            Entry::Committing(_) => Kind::Committing,
            Entry::Committed(_) => Kind::Committed,
            Entry::Rewind(_) => Kind::Rewind,
            Entry::Finished(_) => Kind::Finished,
        }
    }

    /// The bytes of the object with this number.
    pub fn seal(&self, number: u64, token: u64) -> Vec<u8> {
        let mut payload = Vec::new();
        match self {
            Entry::Attempt(attempt) => attempt.encode(&mut payload),
            Entry::Checkpoint(manifest) => manifest.encode(&mut payload),
            Entry::Committing(commit) | Entry::Committed(commit) => commit.encode(&mut payload),
            Entry::Rewind(rewind) => rewind.encode(&mut payload),
            Entry::Finished(finished) => finished.encode(&mut payload),
        }
        let mut out = Vec::with_capacity(HEAD + payload.len() + 8);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[self.kind() as u8, 0]);
        for word in [number, token, print_of(self.kind()), payload.len() as u64] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&digest(&out).to_le_bytes());
        out.extend_from_slice(&payload);
        out.extend_from_slice(&digest(&out).to_le_bytes());
        out
    }

    /// Reads the object with this number.
    ///
    /// # Errors
    /// If it is not as it was written, of another number, or of another version.
    pub fn open(bytes: &[u8], number: u64) -> Result<Self, Unreadable> {
        let damaged = |kind: Option<Kind>| move |what: &str| Unreadable::Damaged(kind, what.to_owned());
        let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
            return Err(damaged(None)("it is too short for an entry of the log"));
        };
        let head = Head::read(head).map_err(|what| damaged(None)(what))?;
        if head.number != number {
            return Err(damaged(None)(&format!("it is the entry with number {}", head.number)));
        }
        if head.version != VERSION {
            let what = format!("it has format version {}, and this program reads version {VERSION}", head.version);
            return Err(Unreadable::Other(what));
        }
        let Some(kind) = Kind::of(head.kind) else {
            return Err(Unreadable::Other(format!(
                "it is an entry of kind {}, which this program does not know",
                head.kind
            )));
        };
        let damaged = damaged(Some(kind));
        let length = usize::try_from(head.length).ok().filter(|length| length.checked_add(8) == Some(rest.len()));
        let Some((payload, written)) = length.and_then(|length| rest.split_at_checked(length)) else {
            return Err(damaged(&format!("its length is not that of the {kind} that was written")));
        };
        if digest(bytes.split_at(HEAD + payload.len()).0).to_le_bytes() != written {
            return Err(damaged(&format!("the {kind} in it is not as it was written: the digest differs")));
        }
        if head.fingerprint != print_of(kind) {
            let what = format!(
                "the {kind} in it has a form that this program does not know (fingerprint {:016x})",
                head.fingerprint
            );
            return Err(Unreadable::Other(what));
        }
        Self::decode(kind, payload).map_err(|e| damaged(&format!("the {kind} in it cannot be read: {e}")))
    }

    fn decode(kind: Kind, payload: &[u8]) -> Result<Self, CodecError> {
        let mut from = Reader::new(payload);
        let entry = match kind {
            Kind::Attempt => Entry::Attempt(Attempt::decode(&mut from)?),
            Kind::Checkpoint => Entry::Checkpoint(Box::new(Manifest::decode(&mut from)?)),
            Kind::Committing => Entry::Committing(Commit::decode(&mut from)?),
            Kind::Committed => Entry::Committed(Commit::decode(&mut from)?),
            Kind::Rewind => Entry::Rewind(Rewind::decode(&mut from)?),
            Kind::Finished => Entry::Finished(Finished::decode(&mut from)?),
        };
        from.end()?;
        Ok(entry)
    }
}

fn print_of(kind: Kind) -> u64 {
    match kind {
        Kind::Attempt => const { fingerprint(Attempt::SCHEMA) },
        Kind::Checkpoint => const { fingerprint(Manifest::SCHEMA) },
        Kind::Committing | Kind::Committed => const { fingerprint(Commit::SCHEMA) },
        Kind::Rewind => const { fingerprint(Rewind::SCHEMA) },
        Kind::Finished => const { fingerprint(Finished::SCHEMA) },
    }
}

struct Head {
    version: u16,
    kind: u8,
    number: u64,
    fingerprint: u64,
    length: u64,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let parse = || -> Result<(Self, u8, u64), CodecError> {
            let mut from = Reader::new(bytes);
            let _magic: [u8; 8] = from.array()?;
            let version = u16::from_le_bytes(from.array()?);
            let [kind, zero] = from.array()?;
            let mut word = || from.array().map(u64::from_le_bytes);
            let (number, _token, fingerprint, length) = (word()?, word()?, word()?, word()?);
            Ok((Head { version, kind, number, fingerprint, length }, zero, word()?))
        };
        if !bytes.starts_with(&MAGIC) {
            return Err("it is no entry of a log");
        }
        match parse() {
            Ok((head, 0, written)) if digest(bytes.split_at(HEAD - 8).0) == written => Ok(head),
            _ => Err("its head is not as it was written: the digest differs"),
        }
    }
}

/// The name of the entry with this number.
pub fn name_of(number: u64) -> String {
    format!("{LOG}{number:020}")
}

/// What the names of all entries begin with.
pub const LOG: &str = "log/";

/// The number of an entry of this name; `None` if it is none.
pub fn number_of(name: &str) -> Option<u64> {
    let number: u64 = name.strip_prefix(LOG)?.parse().ok()?;
    (number > 0 && name_of(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn each() -> Vec<Entry> {
        let commit = Commit { checkpoint: 7, epoch: 3 };
        vec![
            Entry::Attempt(Attempt {
                job: "Board".into(),
                width: 2,
                plan: 0xfeed,
                params: vec![("input".into(), "a.csv".into())],
                time: 1_700_000_000_000,
            }),
            Entry::Checkpoint(Box::new(Manifest::new("Board", 2, 3))),
            Entry::Committing(commit),
            Entry::Committed(commit),
            Entry::Rewind(Rewind { to: Some(7), why: "`log/8` is damaged".into() }),
            Entry::Finished(Finished { time: 5 }),
        ]
    }

    #[test]
    fn each_kind_is_read_back_under_its_number_only() {
        for entry in each() {
            let bytes = entry.seal(12, 99);
            assert_eq!(Entry::open(&bytes, 12).unwrap(), entry);
            let error = Entry::open(&bytes, 13).unwrap_err();
            assert_eq!(error, Unreadable::Damaged(None, "it is the entry with number 12".into()));
        }
    }

    #[test]
    fn every_damage_is_found_and_the_kind_is_known_while_the_head_is_whole() {
        for entry in each() {
            let mut bytes = entry.seal(12, 99);
            for at in 0..bytes.len() {
                for flip in [1, 0x80, 0xff] {
                    bytes[at] ^= flip;
                    let Unreadable::Damaged(kind, what) = Entry::open(&bytes, 12).unwrap_err() else {
                        panic!("byte {at}")
                    };
                    assert_eq!(kind, (at >= HEAD).then_some(entry.kind()), "byte {at}: {what}");
                    bytes[at] ^= flip;
                }
                let cut = Entry::open(&bytes[..at], 12);
                assert!(matches!(cut, Err(Unreadable::Damaged(..))), "{at} bytes");
            }
            bytes.push(0);
            assert!(Entry::open(&bytes, 12).is_err());
        }
    }

    #[test]
    fn what_a_newer_program_wrote_is_no_damage() {
        let change = |at: usize, to: &[u8]| {
            let mut bytes = each()[0].seal(1, 9);
            bytes[at..at + to.len()].copy_from_slice(to);
            let head = digest(&bytes[..HEAD - 8]);
            bytes[HEAD - 8..HEAD].copy_from_slice(&head.to_le_bytes());
            let end = bytes.len() - 8;
            let all = digest(&bytes[..end]);
            bytes[end..].copy_from_slice(&all.to_le_bytes());
            Entry::open(&bytes, 1).unwrap_err()
        };
        for (at, to, says) in
            [(8, &[2, 0][..], "version 2"), (10, &[77], "kind 77"), (28, &[1; 8], "fingerprint 01010101")]
        {
            let Unreadable::Other(what) = change(at, to) else { panic!("{says}") };
            assert!(what.contains(says), "{what}");
        }
    }

    #[test]
    fn names_are_numbers_that_sort() {
        assert_eq!(name_of(7), "log/00000000000000000007");
        assert_eq!(number_of(&name_of(u64::MAX)), Some(u64::MAX));
        for other in ["log/7", "log/00000000000000000000", "log/+0000000000000000007", "data/x", "log/x"] {
            assert_eq!(number_of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn random_payloads_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200), kind in 1u8..7) {
            let kind = Kind::of(kind).unwrap();
            if let Ok(entry) = Entry::decode(kind, &payload) {
                let sealed = entry.seal(1, 1);
                prop_assert_eq!(&sealed[HEAD..sealed.len() - 8], &payload[..]);
            }
        }
    }
}
