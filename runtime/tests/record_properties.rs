//! Whatever a record holds comes back exactly; whatever bytes come, they are read or refused, in time and memory that
//! their length justifies.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use pelton::codec::{CodecError, CodecErrorKind, MAX_DEPTH, Reader};
use pelton::record::{Serde, open, seal};
use pelton::schema::Schema;
use pelton::time::{TimeSpan, Timestamp};
use pelton::{Record, Row};
use proptest::collection::{btree_map, btree_set, hash_map, hash_set, vec, vec_deque};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Bytes that this thread holds, and the most it has held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: every call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `f` gives, and the most memory that it held above what there was.
fn memory_of<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let value = f();
    (value, (MOST.get() - before) as usize)
}

/// Numbers, all bits of them.
#[derive(Record, Clone, Copy, Debug, PartialEq)]
struct Numbers {
    small: (u8, u16, u32, i8, i16, i32),
    large: (u64, u128, i64, i128, usize, isize),
    bits: (u32, u64),
    others: (bool, char, ()),
    times: (Timestamp, TimeSpan, Duration),
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Lists<T> {
    list: Vec<T>,
    queue: VecDeque<Option<T>>,
    three: [T; 3],
    boxed: Box<(T, Box<str>)>,
    nested: Vec<Vec<Vec<u8>>>,
    units: Vec<()>,
    bytes: Vec<u8>,
    path: PathBuf,
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Maps {
    by_name: HashMap<String, Event>,
    by_number: BTreeMap<(i32, bool), Vec<String>>,
    words: HashSet<Box<str>>,
    numbers: BTreeSet<u16>,
}

#[derive(Record, Clone, Debug, PartialEq)]
enum Event {
    Nothing,
    Number(i64),
    Named { who: String, at: Option<Timestamp> },
    Inner(Inner),
}

#[derive(Record, Clone, Debug, PartialEq)]
enum Inner {
    Pair(Box<Event2>, u8),
    Words(Vec<String>),
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Event2(f64, Option<Option<char>>);

#[derive(Record, Clone, Debug, PartialEq)]
struct Line<'a> {
    text: Cow<'a, str>,
    raw: Cow<'a, [u8]>,
    parts: Vec<(u32, Cow<'a, str>)>,
    first: Option<Cow<'a, str>>,
}

/// A foreign type that a compact form without names could not carry.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Foreign {
    kind: Kind,
    #[serde(flatten)]
    more: BTreeMap<String, i64>,
    by_pair: Vec<(u8, Option<f32>)>,
    large: i128,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(untagged)]
enum Kind {
    Number(i64),
    Text(String),
    More { of: Box<Kind> },
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let times = (any::<i64>(), any::<i64>(), any::<u64>(), 0u32..1_000_000_000);
    (
        any::<(u8, u16, u32, i8, i16, i32)>(),
        any::<(u64, u128, i64, i128, usize, isize)>(),
        any::<(u32, u64)>(),
        any::<(bool, char, ())>(),
        times,
    )
        .prop_map(|(small, large, bits, others, (ms, us, s, ns))| Numbers {
            small,
            large,
            bits,
            others,
            times: (Timestamp::from_millis(ms), TimeSpan::from_micros(us), Duration::new(s, ns)),
        })
}

fn lists<T: Clone + std::fmt::Debug + 'static>(
    of: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Lists<T>> {
    let own = (
        vec(of.clone(), 0..5),
        vec_deque(proptest::option::of(of.clone()), 0..5),
        [of.clone(), of.clone(), of.clone()],
        (of, any::<String>()),
    );
    let others = (vec(vec(vec(any::<u8>(), 0..4), 0..3), 0..3), 0usize..300, vec(any::<u8>(), 0..300), any::<String>());
    (own, others).prop_map(|((list, queue, three, (value, text)), (nested, units, bytes, path))| Lists {
        list,
        queue,
        three,
        boxed: Box::new((value, text.into())),
        nested,
        units: std::vec::from_elem((), units),
        bytes,
        path: path.into(),
    })
}

fn event() -> impl Strategy<Value = Event> + Clone {
    prop_oneof![
        Just(Event::Nothing),
        any::<i64>().prop_map(Event::Number),
        any::<(String, Option<i64>)>().prop_map(|(who, at)| Event::Named { who, at: at.map(Timestamp::from_millis) }),
        any::<(f64, Option<Option<char>>, u8)>()
            .prop_map(|(f, c, n)| Event::Inner(Inner::Pair(Box::new(Event2(f, c)), n))),
        vec(any::<String>(), 0..4).prop_map(|words| Event::Inner(Inner::Words(words))),
    ]
}

fn maps() -> impl Strategy<Value = Maps> {
    (
        hash_map(any::<String>(), event(), 0..5),
        btree_map(any::<(i32, bool)>(), vec(any::<String>(), 0..3), 0..5),
        hash_set(any::<String>().prop_map(Box::from), 0..5),
        btree_set(any::<u16>(), 0..5),
    )
        .prop_map(|(by_name, by_number, words, numbers)| Maps { by_name, by_number, words, numbers })
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let kind = prop_oneof![any::<i64>().prop_map(Kind::Number), any::<String>().prop_map(Kind::Text)];
    let kind = (kind, 0..10).prop_map(|(kind, depth)| (0..depth).fold(kind, |of, _| Kind::More { of: Box::new(of) }));
    (kind, btree_map("x[a-z]{1,5}", any::<i64>(), 0..3), vec(any::<(u8, Option<f32>)>(), 0..3), any::<i128>())
        .prop_map(|(kind, more, by_pair, large)| Foreign { kind, more, by_pair, large })
}

fn bytes_of<T: Record>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

/// The value comes back; no prefix of its bytes does; whatever else is made of the bytes is read or refused in bounds.
#[track_caller]
fn holds<T: Record + PartialEq + std::fmt::Debug>(value: &T, damage: &[(usize, u8)]) {
    let mut bytes = bytes_of(value);
    let mut reader = Reader::new(&bytes);
    assert_eq!(&T::decode(&mut reader).unwrap(), value);
    reader.end().unwrap();
    assert!(bytes.len() >= T::SCHEMA.least_bytes(), "{} bytes of {}", bytes.len(), T::SCHEMA);
    for end in 0..bytes.len() {
        assert!(in_bounds::<T>(&bytes[..end]).is_err(), "{end} of {} bytes are a value", bytes.len());
    }
    for (at, byte) in damage {
        let at = at % bytes.len().max(1);
        if let Some(to) = bytes.get_mut(at) {
            *to = *byte;
        }
        let _ = in_bounds::<T>(&bytes);
    }
}

/// What the bytes are read as, having seen that it took no more memory than they justify.
#[track_caller]
fn in_bounds<T: Record>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, most) = memory_of(|| T::decode(&mut Reader::new(bytes)));
    // An empty box or map costs memory for a byte or none, so each byte may stand for an element at its largest.
    let bound = 1024 + 64 * size_of::<T>() + 256 * bytes.len();
    assert!(most <= bound, "{most} bytes of memory for {} bytes of {}", bytes.len(), T::SCHEMA);
    value
}

fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    vec((any::<usize>(), prop_oneof![any::<u8>(), Just(0xff), Just(0x7f), Just(0)]), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn numbers_come_back(value in numbers(), damage in damage()) {
        holds(&value, &damage);
        prop_assert_eq!(bytes_of(&value).len(), Numbers::SCHEMA.least_bytes(), "numbers have one width");
    }

    #[test]
    fn floats_come_back_bit_by_bit(single: u32, double: u64) {
        let value = (f32::from_bits(single), vec![f64::from_bits(double)]);
        let back = <(f32, Vec<f64>)>::decode(&mut Reader::new(&bytes_of(&value))).unwrap();
        prop_assert_eq!((back.0.to_bits(), back.1[0].to_bits()), (single, double));
    }

    #[test]
    fn lists_come_back(strings in lists(any::<String>()), integers in lists(any::<u32>()), damage in damage()) {
        holds(&strings, &damage);
        holds(&integers, &damage);
    }

    #[test]
    fn lists_of_records_come_back(value in lists(event()), damage in damage()) {
        holds(&value, &damage);
    }

    #[test]
    fn maps_and_enums_come_back(value in maps(), damage in damage()) {
        holds(&value, &damage);
    }

    #[test]
    fn borrowed_rows_come_back_owned(text: String, raw: Vec<u8>, n: u32, damage in damage()) {
        let line = Line {
            text: Cow::Borrowed(&text),
            raw: Cow::Borrowed(&raw),
            parts: vec![(n, Cow::Borrowed(&text))],
            first: Some(Cow::Borrowed(&text)),
        };
        let stored: Line<'static> = line.clone().store();
        prop_assert_eq!(&stored, &line);
        holds(&stored, &damage);
    }

    #[test]
    fn foreign_types_come_back(value in foreign(), damage in damage()) {
        let value = Serde(value);
        let bytes = bytes_of(&value);
        prop_assert_eq!(&Serde::<Foreign>::decode(&mut Reader::new(&bytes)).unwrap(), &value);
        for end in 0..bytes.len() {
            prop_assert!(Serde::<Foreign>::decode(&mut Reader::new(&bytes[..end])).is_err());
        }
        let mut bytes = bytes;
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Serde::<Foreign>::decode(&mut Reader::new(&bytes));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(prop_oneof![any::<u8>(), 0u8..3, Just(0xff)], 0..400)) {
        let _ = in_bounds::<Numbers>(&bytes);
        let _ = in_bounds::<Lists<String>>(&bytes);
        let _ = in_bounds::<Lists<Event>>(&bytes);
        let _ = in_bounds::<Maps>(&bytes);
        let _ = in_bounds::<Vec<Maps>>(&bytes);
        let _ = in_bounds::<Vec<[Option<[u64; 32]>; 2]>>(&bytes);
        let _ = in_bounds::<Vec<Box<()>>>(&bytes);
        let _ = in_bounds::<Tree>(&bytes);
        let _ = open::<Maps>(&bytes);
    }

    #[test]
    fn whatever_is_read_is_written_alike(bytes in vec(0u8..4, 0..60)) {
        let mut reader = Reader::new(&bytes);
        if let Ok(value) = <Vec<(Option<bool>, Vec<Vec<u8>>)>>::decode(&mut reader) {
            prop_assert_eq!(&bytes_of(&value)[..], &bytes[..reader.at()]);
        }
    }

    #[test]
    fn an_envelope_shows_each_changed_byte(value in maps(), to in 1u8..) {
        let sealed = seal(&value);
        prop_assert_eq!(&open::<Maps>(&sealed).unwrap(), &value);
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone();
            bytes[at] ^= to;
            prop_assert!(open::<Maps>(&bytes).is_err(), "byte {} of {}", at, sealed.len());
        }
        for end in 0..sealed.len() {
            prop_assert!(open::<Maps>(&sealed[..end]).is_err());
        }
    }
}

#[track_caller]
fn refused<T: Record>(bytes: &[u8], kind: CodecErrorKind, says: &str) {
    let (error, most) = memory_of(|| T::decode(&mut Reader::new(bytes)).err().unwrap());
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(most < 4096, "{most} bytes of memory");
}

#[test]
fn a_count_without_the_bytes_takes_no_memory() {
    const MANY: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let short = CodecErrorKind::Short;
    refused::<Vec<u64>>(&MANY, short, "elements of at least 8 bytes are claimed, and 0 bytes are left");
    refused::<Vec<String>>(&MANY, short, "claimed");
    refused::<Vec<()>>(&MANY, short, "claimed");
    refused::<Vec<Box<()>>>(&MANY, short, "claimed");
    refused::<Vec<[(); 3]>>(&MANY, short, "claimed");
    refused::<HashMap<(), ()>>(&MANY, short, "claimed");
    refused::<BTreeSet<u8>>(&MANY, short, "claimed");
    refused::<String>(&MANY, short, "the bytes end");
    refused::<Serde<String>>(&MANY, short, "the bytes end");
    // A count that the bytes could hold, of elements that are large in memory and small in bytes.
    refused::<Vec<Option<[u64; 64]>>>(&[200, 1, 2], short, "claimed");
    let mut bytes = vec![0xe8, 7, 2];
    bytes.extend([0; 999]);
    refused::<Vec<Option<[u64; 512]>>>(&bytes[..500], short, "claimed");
    let (result, most) = memory_of(|| <Vec<Option<[u64; 512]>>>::decode(&mut Reader::new(&bytes)));
    assert_eq!(result.unwrap_err().at(), 3);
    assert!(most < 10 * 1000, "{most} bytes of memory, before one element was read");
}

#[test]
fn elements_without_bytes_are_counted_by_zeros() {
    assert_eq!(bytes_of(&vec![(), (), ()]), [3, 0, 0, 0]);
    refused::<Vec<()>>(&[3, 0, 0, 1], CodecErrorKind::Invalid, "no zeros behind elements without bytes");
    let maps = (BTreeSet::from([()]), HashMap::<(), [u8; 0]>::from([((), [])]));
    let bytes = bytes_of(&maps);
    assert_eq!(<(BTreeSet<()>, HashMap<(), [u8; 0]>)>::decode(&mut Reader::new(&bytes)).unwrap(), maps);
}

#[test]
fn what_no_value_is_written_as_is_refused() {
    let invalid = CodecErrorKind::Invalid;
    refused::<bool>(&[2], invalid, "2 is no `bool`");
    refused::<char>(&[0, 0xd8, 0, 0], invalid, "0xd800 is no `char`");
    refused::<Option<u8>>(&[7, 0], invalid, "7 is neither none (0) nor some (1)");
    refused::<String>(&[2, 0xc3, 0x28], invalid, "not UTF-8");
    refused::<Duration>(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0xca, 0x9a, 0x3b], invalid, "a second or more");
    refused::<BTreeMap<u8, bool>>(&[2, 5, 1, 5, 0], invalid, "a key of a map that is already there (byte 5, in `[1]`)");
    refused::<HashSet<u8>>(&[2, 5, 5], invalid, "an element of a set that is already there");
    refused::<Serde<String>>(&[2, 0xa0, 0], invalid, "1 bytes behind a `alloc::string::String`");
    refused::<Serde<String>>(&[1, 0xc0], invalid, "no `alloc::string::String`");
}

#[test]
fn a_foreign_type_takes_no_more_than_a_megabyte_for_what_is_claimed() {
    // MessagePack: text, bytes and a list of 4 billion.
    for head in [0xdb, 0xc6, 0xdd] {
        let bytes = [&[8, head, 0xff, 0xff, 0xff, 0xff][..], b"abc"].concat();
        let (results, most) = memory_of(|| {
            (
                Serde::<String>::decode(&mut Reader::new(&bytes)).is_err(),
                Serde::<Vec<u64>>::decode(&mut Reader::new(&bytes)).is_err(),
                Serde::<BTreeMap<u8, Vec<String>>>::decode(&mut Reader::new(&bytes)).is_err(),
            )
        });
        assert_eq!(results, (true, true, true));
        assert!(most < 2 << 20, "{most} bytes of memory");
    }
}

/// A record that contains itself, written by hand.
#[derive(Debug)]
struct Tree(Vec<Tree>);

impl Record for Tree {
    const SCHEMA: &'static Schema = &Schema::Foreign { name: "Tree" };
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Vec::decode(from).map(Tree)
    }
}

#[test]
fn a_deep_value_ends_in_an_error_and_not_in_the_stack() {
    let deep = |n: u32| (1..n).fold(Tree(vec![]), |tree, _| Tree(vec![tree]));
    let back = Tree::decode(&mut Reader::new(&bytes_of(&deep(MAX_DEPTH)))).unwrap();
    assert_eq!(bytes_of(&back).len(), MAX_DEPTH as usize);
    let error = Tree::decode(&mut Reader::new(&[1; 1_000_000])).unwrap_err();
    assert_eq!(error.kind(), CodecErrorKind::TooDeep);
    // A foreign type that contains itself: one array in the other.
    let mut bytes = bytes_of(&vec![0x91u8; 1_000_000]);
    bytes.push(0xc0);
    #[derive(Deserialize, Serialize, Debug)]
    struct Nest(Vec<Nest>);
    assert!(Serde::<Nest>::decode(&mut Reader::new(&bytes)).is_err());
}

#[test]
fn an_envelope_says_why_it_is_not_opened() {
    let sealed = seal(&(1u32, String::from("x")));
    let error = |bytes: &[u8]| open::<(u32, String)>(bytes).unwrap_err();
    assert_eq!(error(b"hello").kind(), CodecErrorKind::NotAnEnvelope);
    let mut other = sealed.clone();
    other[8] = 9;
    assert_eq!(error(&other).to_string(), "the record has format version 9, and this program reads version 1 (byte 8)");
    let mut damaged = sealed.clone();
    damaged[27] ^= 1;
    assert_eq!(error(&damaged).kind(), CodecErrorKind::Damaged);
    let mut longer = sealed.clone();
    longer.push(0);
    assert_eq!(error(&longer).kind(), CodecErrorKind::Trailing);
    let error = open::<(u32, u64)>(&sealed).unwrap_err();
    assert_eq!(error.kind(), CodecErrorKind::OtherSchema);
    assert!(error.to_string().contains("another schema"), "{error}");
    assert!(error.to_string().contains("than `(u32, u64)`"), "{error}");
}
