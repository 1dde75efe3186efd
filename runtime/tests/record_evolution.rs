//! What a derived type says of the forms it had: bytes of the old type are read as values of the new one.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use pelton::Record;
use pelton::codec::Reader;
use pelton::record::Migration;
use pelton::schema::OwnedSchema;

/// The types as they were. They have today's names.
mod before {
    use super::*;

    #[derive(Record, Clone, Debug, PartialEq)]
    pub struct Trade {
        pub price: f32,
        pub size: u32,
        pub note: String,
        pub kind: Kind,
        pub legs: Vec<Option<Leg>>,
        pub by_venue: BTreeMap<String, (u8, Leg)>,
        pub seen: [Leg; 2],
    }

    #[derive(Record, Clone, Debug, PartialEq)]
    pub struct Leg {
        pub to: String,
    }

    #[derive(Record, Clone, Debug, PartialEq)]
    pub enum Kind {
        Buy,
        Sell(i16, bool),
        Short { of: u8 },
    }

    #[derive(Record, Clone, Debug, PartialEq)]
    pub struct Delay {
        pub seconds: i32,
    }
}

mod today {
    use super::*;

    // Also `Default`: its derive takes no attribute of ours for its own.
    #[derive(Record, Clone, Debug, PartialEq, Default)]
    #[dropped(note)]
    pub struct Trade {
        pub legs: Vec<Option<Leg>>,
        pub size: u64,
        pub kind: Kind,
        #[was(cost, price)]
        pub paid: f64,
        #[added]
        pub tags: Vec<String>,
        #[added(5 + 2)]
        pub venue: u16,
        pub by_venue: BTreeMap<String, (u32, Leg)>,
        pub seen: [Leg; 2],
    }

    #[derive(Record, Clone, Debug, PartialEq, Default)]
    #[was(Leg)]
    pub struct Hop<'a> {
        pub to: Cow<'a, str>,
        #[added("nowhere".into())]
        pub from: Cow<'a, str>,
    }
    pub type Leg = Hop<'static>;

    #[derive(Record, Clone, Debug, PartialEq, Default)]
    #[dropped(Short)]
    pub enum Kind {
        #[was(Sell)]
        #[dropped(1)]
        Sold(i64),
        #[default]
        Buy,
        Swap {
            #[added(1)]
            rate: u8,
        },
    }

    #[derive(Record, Clone, Debug, PartialEq)]
    #[record(migrate = from_seconds, migrate = from_text)]
    pub struct Delay {
        pub millis: i64,
    }

    fn from_seconds(old: before::Delay) -> Delay {
        Delay { millis: i64::from(old.seconds) * 1000 }
    }
    fn from_text(old: String) -> Delay {
        Delay { millis: old.len() as i64 }
    }

    /// A migration that begins with a type that has one itself.
    #[derive(Record, Clone, Debug, PartialEq)]
    #[record(migrate = wait)]
    pub struct Wait(pub i64, pub bool);
    fn wait(old: Delay) -> Wait {
        Wait(old.millis, true)
    }
}

#[track_caller]
fn read<Old: Record, New: Record>(old: &Old) -> Result<New, String> {
    let migration = Migration::between(&OwnedSchema::from(Old::SCHEMA), New::SCHEMA).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    old.encode(&mut bytes);
    let mut from = Reader::new(&bytes);
    let value = migration.decode(&mut from, &mut Vec::new()).map_err(|e| e.to_string())?;
    from.end().unwrap();
    Ok(value)
}

fn trade(kind: before::Kind) -> before::Trade {
    let leg = |to: &str| before::Leg { to: to.into() };
    before::Trade {
        price: 1.5,
        size: 7,
        note: "gone".into(),
        kind,
        legs: vec![Some(leg("a")), None],
        by_venue: BTreeMap::from([("x".to_owned(), (3, leg("b")))]),
        seen: [leg("c"), leg("d")],
    }
}

#[test]
fn what_was_written_is_what_is_read() {
    let hop = |to: &'static str| today::Hop { to: to.into(), from: "nowhere".into() };
    let expected = today::Trade {
        legs: vec![Some(hop("a")), None],
        size: 7,
        kind: today::Kind::Sold(-2),
        paid: 1.5,
        tags: vec![],
        venue: 7,
        by_venue: BTreeMap::from([("x".to_owned(), (3, hop("b")))]),
        seen: [hop("c"), hop("d")],
    };
    assert_eq!(read(&trade(before::Kind::Sell(-2, true))), Ok(expected.clone()));
    let bought = today::Trade { kind: today::Kind::Buy, ..expected };
    assert_eq!(read(&trade(before::Kind::Buy)), Ok(bought.clone()));
    // What is there today needs no words.
    assert_eq!(read(&bought), Ok(bought));
}

#[test]
fn a_value_of_a_dropped_variant_is_refused() {
    let error = read::<_, today::Trade>(&trade(before::Kind::Short { of: 1 })).unwrap_err();
    assert!(error.contains("a stored `Kind::Short`, a variant that `Kind` has dropped"), "{error}");
}

#[test]
fn migrations_begin_with_what_they_take() {
    assert_eq!(read(&before::Delay { seconds: -3 }), Ok(today::Delay { millis: -3000 }));
    assert_eq!(read(&"four".to_owned()), Ok(today::Delay { millis: 4 }));
    assert_eq!(read(&before::Delay { seconds: 2 }), Ok(today::Wait(2000, true)));
    assert_eq!(read(&vec![Some(before::Delay { seconds: 1 })]), Ok(vec![Some(today::Delay { millis: 1000 })]));
    let error = read::<_, today::Delay>(&before::Leg { to: String::new() }).unwrap_err();
    assert!(error.contains("`Leg`") && error.contains("today:  Delay { millis: i64 }"), "{error}");
}

#[test]
fn what_is_refused_names_both_schemas_the_part_and_what_to_write() {
    #[derive(Record)]
    struct Leg {
        to: u64,
    }
    let error = read::<_, Vec<Leg>>(&vec![before::Leg { to: String::new() }]).map(|_| ()).unwrap_err();
    assert_eq!(
        error,
        "what was stored cannot be read: `[].to` was `str` and is `u64` now\n  stored: [Leg { to: str }]\n  today:  \
         [Leg { to: u64 }]\n  help: change it back, or keep the old type under another name and write `#[record(migrate \
         = function)]` on `Leg`, with `fn(Old) -> Leg`"
    );
    let _ = Leg { to: 1 }.to;
}
