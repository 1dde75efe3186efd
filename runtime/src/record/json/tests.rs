//! Whatever a schema allows comes back bit by bit; real types look as one would write them; mistakes name the field.

use super::*;
use crate::codec::{Reader, put_bytes, put_length};
use crate::json::Json;
use crate::key::Key as _;
use crate::record::{Record, Serde, whole};
use crate::schema::OwnedVariant;
use crate::time::{TimeSpan, Timestamp};
use pelton_macros::{Key, Record};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Duration;

#[track_caller]
fn back(schema: &OwnedSchema, bytes: &[u8]) -> String {
    let text = to_json(schema, bytes).unwrap().to_string();
    let mut again = Vec::new();
    from_json(schema, &Json::parse(&text).unwrap(), &mut again).unwrap_or_else(|e| panic!("{schema}: {text}: {e}"));
    assert_eq!(again, bytes, "{schema}: {text}");
    text
}

#[track_caller]
fn shows<T: Record>(value: T, text: &str) {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(back(&T::SCHEMA.into(), &bytes), text);
}

#[derive(Record, Clone, Debug, PartialEq)]
enum Cause {
    None,
    Weather(i32),
    Crew { missing: u8, names: Vec<String> },
    Pair(u8, Option<u8>),
}

#[derive(Record, Key, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Airport([u8; 3]);

#[derive(Record, Clone, Debug, PartialEq)]
struct Late {
    at: Timestamp,
    cause: Cause,
    from: Airport,
    note: Option<String>,
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Empty {}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Foreign {
    Plain,
    All { small: f32, large: f64, map: HashMap<u32, String>, option: Option<i64>, char: char, bytes: Vec<u8> },
}

#[test]
fn values_look_as_one_would_write_them() {
    shows(u128::MAX, "340282366920938463463374607431768211455");
    shows(i64::MIN, "-9223372036854775808");
    shows((0.1f64, -0.0f64, 1e300f64, 1.5f32), "[0.1,-0.0,1e300,1.5]");
    shows((f64::NAN, f64::INFINITY, f32::NEG_INFINITY), "[\"NaN\",\"inf\",\"-inf\"]");
    shows(
        (f64::from_bits(0x7ff8_0000_0000_0001), f32::from_bits(0xff80_0001)),
        "[\"NaN:7ff8000000000001\",\"NaN:ff800001\"]",
    );
    shows((true, 'é', "a\"b".to_owned(), ()), "[true,\"é\",\"a\\\"b\",null]");
    shows((b"JFK".to_vec(), vec![0u8, 255], Vec::<u8>::new()), "[\"JFK\",[0,255],\"\"]");
    shows((Airport(*b"EWR"), [1u8, 2], [1u16, 2]), "[\"EWR\",[1,2],[1,2]]");
    shows(PathBuf::from("/tmp/é"), "\"/tmp/é\"");
    shows(Timestamp::from_millis(1_356_998_400_123), "\"2013-01-01T00:00:00.123Z\"");
    shows((Timestamp::MIN, TimeSpan::from_mins(90)), "[\"-9223372036854775808ms\",\"1h30min\"]");
    shows(
        (Duration::new(1, 500_000_000), Duration::from_secs(7), Duration::MAX),
        "[\"1.5s\",\"7s\",\"18446744073709551615.999999999s\"]",
    );
    shows((Some(1u8), None::<u8>), "[1,null]");
    shows(
        (Some(None::<u8>), Some(Some(1u8)), None::<Option<u8>>, Some(())),
        "[{\"some\":null},1,null,{\"some\":null}]",
    );
    shows((vec![(); 3], vec![Empty {}], BTreeSet::from([2, 1])), "[[null,null,null],[{}],[1,2]]");
    shows(BTreeMap::from([("b".to_owned(), 1), ("a".to_owned(), 2)]), "{\"a\":2,\"b\":1}");
    shows(BTreeMap::from([(Airport(*b"LGA"), ())]), "[[\"LGA\",null]]");
    shows(
        vec![Cause::None, Cause::Weather(-7), Cause::Pair(1, None)],
        "[\"None\",{\"Weather\":-7},{\"Pair\":[1,null]}]",
    );
    shows(Cause::Crew { missing: 1, names: vec!["x".into()] }, "{\"Crew\":{\"missing\":1,\"names\":[\"x\"]}}");
    let late = Late { at: Timestamp::from_millis(0), cause: Cause::None, from: Airport(*b"EWR"), note: None };
    shows(late, "{\"at\":\"1970-01-01T00:00:00Z\",\"cause\":\"None\",\"from\":\"EWR\",\"note\":null}");
}

#[test]
fn what_serde_writes_is_shown_and_read_again() {
    let map = HashMap::from([(7, "x".to_owned())]);
    let all = Foreign::All { small: 1.1, large: f64::INFINITY, map, option: Some(-5), char: 'é', bytes: vec![1, 2] };
    for (value, text) in [
        (Some(Foreign::Plain), "\"Plain\""),
        (None, "null"),
        (
            Some(all),
            "{\"All\":{\"small\":1.1,\"large\":{\"$float\":\"inf\"},\"map\":{\"$map\":[[7,\"x\"]]},\"option\":-5,\"char\":\"é\",\"bytes\":[1,2]}}",
        ),
    ] {
        let value = value.map(Serde);
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        value.encode(&mut bytes);
        let schema = <Option<Serde<Foreign>>>::SCHEMA.into();
        assert!(is_foreign(&schema));
        let json = to_json(&schema, &bytes).unwrap();
        assert_eq!(json.to_string(), text);
        from_json(&schema, &json, &mut again).unwrap();
        assert_eq!(whole::<Option<Serde<Foreign>>>(&again).unwrap(), value);
    }
    // A value that is `null` itself, one that looks like the object for it, and one that looks like what stands for others.
    type Text = Serde<Option<BTreeMap<String, Option<u8>>>>;
    let object = |name: &str| Some(Serde(Some(BTreeMap::from([(name.to_owned(), None)]))));
    shows::<Vec<Option<Text>>>(
        vec![None, Some(Serde(None)), object("some"), object("$map")],
        "[null,{\"some\":null},{\"some\":{\"some\":null}},{\"$map\":[[\"$map\",null]]}]",
    );
}

#[test]
fn a_form_of_its_own_is_carried_as_it_is() {
    let own = OwnedSchema::Tuple(vec![OwnedSchema::U8, OwnedSchema::Foreign { name: "Money".into() }]);
    assert_eq!(back(&own, &[1, 2, 255]), "{\"$bytes\":\"0102ff\"}");
    let error = from_json(&own, &Json::parse("{\"$bytes\":\"0\"}").unwrap(), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("hexadecimal"), "{error}");
}

#[test]
fn other_forms_are_taken_too() {
    #[track_caller]
    fn reads<T: Record + PartialEq + std::fmt::Debug>(text: &str, value: T) {
        let mut bytes = Vec::new();
        from_json(&T::SCHEMA.into(), &Json::parse(text).unwrap(), &mut bytes).unwrap();
        assert_eq!(whole::<T>(&bytes).unwrap(), value);
    }
    reads("[74,70,75]", Airport(*b"JFK"));
    reads("1500", Timestamp::from_millis(1500));
    reads("1", 1.0f64);
    reads("[[\"a\",1]]", BTreeMap::from([("a".to_owned(), 1u8)]));
    let late = Late { at: Timestamp::from_millis(0), cause: Cause::None, from: Airport(*b"EWR"), note: None };
    reads("{\"from\":\"EWR\",\"cause\":\"None\",\"at\":0}", late);
}

#[test]
fn mistakes_name_the_field() {
    let cases = [
        ("7", "an object with the fields `at`, `cause`, `from`, `note` is expected", "a number `7`"),
        (
            "{\"at\":true,\"cause\":\"None\",\"from\":\"EWR\"}",
            "`at`: `Timestamp` is expected, and a boolean `true`",
            "",
        ),
        ("{\"at\":\"noon\",\"cause\":\"None\",\"from\":\"EWR\"}", "`at`: ", "2013-01-01"),
        ("{\"at\":0,\"from\":\"EWR\"}", "the field `cause` is missing", ""),
        ("{\"at\":0,\"couse\":\"None\",\"from\":\"EWR\"}", "there is no field `couse`; `cause` is near it", ""),
        (
            "{\"at\":0,\"cause\":\"Wether\",\"from\":\"EWR\"}",
            "`cause`: `Cause` has no variant `Wether`; `Weather` is near it",
            "",
        ),
        (
            "{\"at\":0,\"cause\":\"Weather\",\"from\":\"EWR\"}",
            "`cause`: variant `Weather` of `Cause` has fields: `0`",
            "",
        ),
        ("{\"at\":0,\"cause\":{\"None\":1},\"from\":\"EWR\"}", "has no fields: write \"None\"", ""),
        ("{\"at\":0,\"cause\":{\"Weather\":2147483648},\"from\":\"EWR\"}", "`cause.Weather`: `i32` is expected", ""),
        (
            "{\"at\":0,\"cause\":{\"Crew\":{\"missing\":0,\"names\":[\"a\",1]}},\"from\":\"EWR\"}",
            "`cause.Crew.names[1]`",
            "",
        ),
        (
            "{\"at\":0,\"cause\":{\"Pair\":[1]},\"from\":\"EWR\"}",
            "`cause.Pair`: 2 fields are expected, and 1 stand there",
            "",
        ),
        (
            "{\"at\":0,\"cause\":{\"Pair\":1},\"from\":\"EWR\"}",
            "`cause.Pair`: a list of 2 fields is expected",
            "a number `1`",
        ),
        ("{\"at\":0,\"cause\":\"None\",\"from\":\"Newark\"}", "`from`: `[u8; 3]` has 3 parts, and 6 stand there", ""),
        ("{\"at\":0,\"cause\":\"None\",\"from\":[1,2,256]}", "`from[2]`: `u8` is expected", ""),
    ];
    for (text, start, also) in cases {
        let error =
            from_json(&Late::SCHEMA.into(), &Json::parse(text).unwrap(), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(start) && error.contains(also), "{text}: {error}");
    }
    for (schema, text) in [
        (OwnedSchema::F32, "1e39"),
        (OwnedSchema::F64, "\"1.0\""),
        (OwnedSchema::F64, "\"NaN:0\""),
        (OwnedSchema::U8, "1.0"),
    ] {
        assert!(from_json(&schema, &Json::parse(text).unwrap(), &mut Vec::new()).is_err(), "{schema}: {text}");
    }
}

fn any_schema() -> impl Strategy<Value = OwnedSchema> {
    let plain = (1u8..=21).prop_map(|code| OwnedSchema::plain(code).unwrap());
    plain.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let fields = (any::<bool>(), proptest::collection::vec(inner.clone(), 0..4)).prop_map(|(named, schemas)| {
            let name = |i: usize| if named { format!("f{i}") } else { i.to_string() };
            schemas
                .into_iter()
                .enumerate()
                .map(|(i, schema)| OwnedField { name: name(i), schema, was: Vec::new() })
                .collect()
        });
        let fields = fields.boxed();
        let variants = proptest::collection::vec(fields.clone(), 1..4).prop_map(|all: Vec<Vec<OwnedField>>| {
            let all = all.into_iter().enumerate();
            all.map(|(i, fields)| OwnedVariant { name: format!("V{i}"), fields, was: Vec::new() }).collect::<Vec<_>>()
        });
        prop_oneof![
            boxed.clone().prop_map(OwnedSchema::Option),
            boxed.clone().prop_map(OwnedSchema::List),
            boxed.clone().prop_map(OwnedSchema::Scalar),
            (boxed.clone(), 0usize..4).prop_map(|(of, length)| OwnedSchema::Array(of, length)),
            (boxed.clone(), boxed).prop_map(|(key, value)| OwnedSchema::Map(key, value)),
            proptest::collection::vec(inner, 0..4).prop_map(OwnedSchema::Tuple),
            fields.prop_map(|fields| OwnedSchema::Struct { name: "S".into(), fields }),
            (variants, any::<bool>()).prop_map(|(mut variants, many)| {
                let more = if many { 256 } else { 0 };
                let plain = |i| OwnedVariant { name: format!("P{i}"), fields: Vec::new(), was: Vec::new() };
                variants.extend((0..more).map(plain));
                OwnedSchema::Enum { name: "E".into(), variants }
            }),
        ]
    })
}

/// Bytes that a schema allows, out of a source of random numbers.
fn make(schema: &OwnedSchema, random: &mut dyn FnMut() -> u64, out: &mut Vec<u8>) {
    let fields = |fields: &[OwnedField], random: &mut dyn FnMut() -> u64, out: &mut Vec<u8>| {
        fields.iter().for_each(|field| make(&field.schema, random, out));
    };
    match schema {
        OwnedSchema::Bool => out.push((random() % 2) as u8),
        OwnedSchema::Char => u32::from(['a', '\u{0}', '水', '"'][random() as usize % 4]).encode(out),
        OwnedSchema::Str => put_bytes(out, ["", "a b", "\"\\\n\u{1}", "水"][random() as usize % 4].as_bytes()),
        OwnedSchema::Bytes => put_bytes(out, [&b""[..], b"text", b"\x00\xff", b"~\x7f"][random() as usize % 4]),
        OwnedSchema::Path => put_bytes(out, [&b""[..], b"/a/b", b"\xff\xfe", "/é".as_bytes()][random() as usize % 4]),
        OwnedSchema::Duration => {
            random().encode(out);
            ((random() % 1_000_000_000) as u32).encode(out);
        }
        OwnedSchema::Unit => {}
        OwnedSchema::Option(of) => {
            let some = random().is_multiple_of(2);
            some.encode(out);
            if some {
                make(of, random, out);
            }
        }
        OwnedSchema::List(of) => {
            let count = random() as usize % 4;
            put_length(out, count);
            (0..count).for_each(|_| make(of, random, out));
            out.resize(out.len() + if of.least_bytes() == 0 { count } else { 0 }, 0);
        }
        OwnedSchema::Array(of, length) => (0..*length).for_each(|_| make(of, random, out)),
        OwnedSchema::Map(key, of) => {
            // Keys that differ, which a map's do.
            let (mut seen, mut pairs) = (BTreeSet::new(), Vec::new());
            for _ in 0..random() % 4 {
                let mut bytes = Vec::new();
                make(key, random, &mut bytes);
                if seen.insert(bytes.clone()) {
                    pairs.push(bytes);
                }
            }
            put_length(out, pairs.len());
            for bytes in &pairs {
                out.extend_from_slice(bytes);
                make(of, random, out);
            }
            let empty = key.least_bytes() + of.least_bytes() == 0;
            out.resize(out.len() + if empty { pairs.len() } else { 0 }, 0);
        }
        OwnedSchema::Tuple(parts) => parts.iter().for_each(|part| make(part, random, out)),
        OwnedSchema::Struct { fields: of, .. } => fields(of, random, out),
        OwnedSchema::Enum { variants, .. } => {
            let index = random() as usize % variants.len();
            if variants.len() > 256 {
                (index as u16).encode(out)
            } else {
                out.push(index as u8)
            }
            fields(&variants[index].fields, random, out);
        }
        OwnedSchema::Scalar(of) => make(of, random, out),
        // Any bits are a number or a time.
        fixed => (0..fixed.least_bytes()).for_each(|_| out.push(random() as u8)),
    }
}

proptest! {
    #[test]
    fn whatever_a_schema_allows_comes_back_bit_by_bit(schema in any_schema(), seed: u64) {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            crate::hash::mix(state)
        };
        let mut bytes = Vec::new();
        make(&schema, &mut random, &mut bytes);
        back(&schema, &bytes);
    }

    #[test]
    fn bytes_that_are_no_value_are_an_error(schema in any_schema(), bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
        if let Ok(json) = to_json(&schema, &bytes) {
            let mut again = Vec::new();
            from_json(&schema, &json, &mut again).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }
}

#[test]
fn a_key_has_the_hash_of_its_type() {
    let meta = crate::state::save::StateMeta::of::<Airport, u8>("value");
    let mut bytes = Vec::new();
    from_json(&meta.key.into(), &Json::text("JFK"), &mut bytes).unwrap();
    let (hash, again) = (meta.key_of)(&bytes).unwrap();
    assert_eq!((hash, again), (Airport::hash(Airport(*b"JFK").view()), bytes));
    assert!((meta.key_of)(b"JFKL").is_err() && Reader::new(b"").byte().is_err());
}
