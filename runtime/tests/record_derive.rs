//! What `#[derive(Record)]` makes of types: byte forms, schemas, stored rows.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use pelton::codec::Reader;
use pelton::record::{Serde, open, seal};
use pelton::schema::Schema;
use pelton::time::Timestamp;
use pelton::{Record, Row};

#[derive(Record, Clone, Debug, PartialEq)]
struct Departure {
    scheduled: Timestamp,
    origin: Airport,
    #[was(tail, tail_number)]
    tailnum: Option<String>,
    delay: Option<i32>,
    cause: Cause,
}

#[derive(Record, Clone, Copy, Debug, PartialEq)]
#[record(scalar)]
struct Airport([u8; 3]);

#[derive(Record, Clone, Debug, PartialEq)]
enum Cause {
    Unknown,
    #[was(Storm)]
    Weather(f32, char),
    Crew {
        of: String,
        since: Timestamp,
    },
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Nothing;

#[derive(Record, Clone, Debug, PartialEq)]
struct Pair<A, B = u8, const N: usize = 2>
where
    B: Clone,
{
    a: [A; N],
    b: B,
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Word<'a, T> {
    text: Cow<'a, str>,
    parts: Vec<(Cow<'a, str>, u8)>,
    n: T,
}

#[derive(Record, Clone, Debug, PartialEq)]
enum Line<'a> {
    Empty,
    Text(Cow<'a, str>, u32),
}

#[track_caller]
fn back<T: Record + PartialEq + std::fmt::Debug>(value: T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    let mut reader = Reader::new(&bytes);
    assert_eq!(T::decode(&mut reader).unwrap(), value);
    reader.end().unwrap();
    assert_eq!(open::<T>(&seal(&value)).unwrap(), value);
    bytes
}

fn departure() -> Departure {
    Departure {
        scheduled: Timestamp::from_millis(1000),
        origin: Airport(*b"EWR"),
        tailnum: Some("N1".into()),
        delay: None,
        cause: Cause::Crew { of: "c".into(), since: Timestamp::from_millis(-1) },
    }
}

#[test]
fn the_byte_form_is_the_fields_in_order() {
    let bytes = back(departure());
    let mut expected = vec![0xe8, 3, 0, 0, 0, 0, 0, 0];
    expected.extend(b"EWR");
    expected.extend(b"\x01\x02N1");
    expected.push(0);
    expected.extend(b"\x02\x01c");
    expected.extend([0xff; 8]);
    assert_eq!(bytes, expected);
}

#[test]
fn the_schema_reads_like_the_type() {
    assert_eq!(
        Departure::SCHEMA.to_string(),
        "Departure { scheduled: Timestamp, origin: Airport([u8; 3]), tailnum: Option<str>, delay: Option<i32>, \
         cause: (Cause = Unknown | Weather(f32, char) | Crew { of: str, since: Timestamp }) }"
    );
    assert_eq!(Nothing::SCHEMA.to_string(), "Nothing");
    assert_eq!(Pair::<u16, bool, 3>::SCHEMA.to_string(), "Pair { a: [u16; 3], b: bool }");
    assert_eq!(Word::<'static, u8>::SCHEMA.to_string(), "Word { text: str, parts: [(str, u8)], n: u8 }");
    let Schema::Struct { fields, .. } = Departure::SCHEMA else { panic!("no struct") };
    assert_eq!(fields[2].was, ["tail", "tail_number"]);
    let Schema::Enum { variants, .. } = Cause::SCHEMA else { panic!("no enum") };
    assert_eq!(variants[1].was, ["Storm"]);
}

#[test]
fn generics_enums_and_nested_types_come_back() {
    back(Pair { a: [Some(1u8), None], b: String::from("x") });
    back(Pair::<String, (), 0> { a: [], b: () });
    back(vec![Cause::Unknown, Cause::Weather(f32::MIN, '\u{10ffff}')]);
    back(vec![Nothing, Nothing, Nothing]);
    back(BTreeMap::from([(1u8, HashMap::from([(String::from("k"), departure())]))]));
    back(Serde(vec![(1u8, Some(2.5f64))]));
    back(Word { text: "x".into(), parts: vec![("y".into(), 1)], n: Some(1u8) });
}

#[test]
fn a_row_that_borrows_is_stored_as_itself_owned() {
    let buffer = String::from("some words");
    let (first, second) = buffer.split_once(' ').unwrap();
    let word = Word { text: first.into(), parts: vec![(second.into(), 1)], n: 7u64 };
    let line = Line::Text(second.into(), 1);
    let (word, line): (Word<'static, u64>, Line<'static>) = (word.store(), line.store());
    drop(buffer);
    assert_eq!((&*word.text, &*word.parts[0].0, word.n), ("some", "words", 7));
    assert_eq!(line, Line::Text("words".into(), 1));
    assert_eq!(Line::Empty.store(), Line::Empty);
}

#[test]
fn a_foreign_type_is_carried_and_seen_through() {
    #[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    struct Money {
        cents: i64,
    }
    #[derive(Record, serde::Serialize, Clone, Debug, PartialEq)]
    struct Order {
        total: Serde<Money>,
    }
    let order = Order { total: Money { cents: 5 }.into() };
    back(order.clone());
    assert_eq!(order.total.cents, 5);
    assert_eq!(serde_json::to_string(&order).unwrap(), r#"{"total":{"cents":5}}"#);
    assert_eq!(serde_json::from_str::<Serde<Money>>(r#"{"cents":5}"#).unwrap(), order.total);
    assert_eq!(Order::SCHEMA.to_string(), "Order { total: Serde<..> }");

    // A value of the type as it was before a field was renamed is refused, not misread.
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Before {
        euros: i64,
    }
    let mut bytes = Vec::new();
    Serde(Before { euros: 5 }).encode(&mut bytes);
    let error = Serde::<Money>::decode(&mut Reader::new(&bytes)).unwrap_err();
    assert!(error.what().contains("missing field `cents`"), "{error}");
}

#[test]
#[should_panic(expected = "cannot be written: only even numbers")]
fn a_foreign_type_that_refuses_its_value_is_not_lost_quietly() {
    #[derive(serde::Deserialize)]
    struct Even(#[expect(dead_code, reason = "only its type matters")] u8);
    impl serde::Serialize for Even {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("only even numbers"))
        }
    }
    Serde(Even(1)).encode(&mut Vec::new());
}

#[test]
fn a_marker_of_a_type_takes_no_bytes() {
    #[derive(Record, Clone, Debug, PartialEq)]
    struct Id<T> {
        number: u32,
        of: std::marker::PhantomData<T>,
    }
    assert_eq!(back(Id::<u8> { number: 7, of: std::marker::PhantomData }).len(), 4);
}

#[test]
fn an_error_names_type_and_field() {
    let mut bytes = Vec::new();
    departure().encode(&mut bytes);
    bytes[16] = 3;
    let error = Departure::decode(&mut Reader::new(&bytes)).unwrap_err();
    assert_eq!(error.to_string(), "`Cause` has no variant number 3 (byte 17, in `Departure.cause`)");
    bytes[16] = 2;
    bytes.pop();
    let error = Departure::decode(&mut Reader::new(&bytes)).unwrap_err();
    assert_eq!(error.to_string(), "the bytes end 1 short of 8 (byte 19, in `Departure.cause.Crew.since`)");
}
