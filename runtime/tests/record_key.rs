//! What `#[derive(Key)]` makes of types: a hash that is the same for ever, and lookup by reference.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::borrow::Cow;

use pelton::key::{KeyColumn, KeyHash, KeyLike};
use pelton::{Key, Record};

#[derive(Record, Key, Clone, Copy, Debug, PartialEq, Eq)]
struct Airport([u8; 3]);

#[derive(Record, Key, Clone, Debug, PartialEq, Eq)]
struct Route {
    from: Airport,
    to: Airport,
    carrier: Option<String>,
}

#[derive(Record, Key, Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    Route(Route),
    Tail { number: String },
}

#[derive(Record, Key, Clone, Debug, PartialEq, Eq)]
struct Tagged<'a, T> {
    tag: Cow<'a, str>,
    value: T,
}

fn route(carrier: Option<&str>) -> Route {
    Route { from: Airport(*b"EWR"), to: Airport(*b"IAH"), carrier: carrier.map(String::from) }
}

fn hash<K: Key>(key: &K) -> u64 {
    K::hash(key.view())
}

#[test]
fn the_hash_is_that_of_the_fields_in_order() {
    let expected = Some(String::from("UA")).key_hash(b"IAH".key_hash(b"EWR".key_hash(0)));
    assert_eq!(hash(&route(Some("UA"))), expected);
    assert_eq!(hash(&Tagged { tag: "x".into(), value: 7u8 }), 7u8.key_hash("x".key_hash(0)));
}

#[test]
fn a_variant_is_hashed_by_its_name() {
    assert_eq!(hash(&Which::All), "All".key_hash(0));
    assert_eq!(hash(&Which::Tail { number: "N1".into() }), "N1".key_hash("Tail".key_hash(0)));
    assert_eq!(hash(&Which::Route(route(None))), route(None).key_hash("Route".key_hash(0)));
}

#[test]
fn equal_keys_are_found_and_others_are_not() {
    let keys =
        [Which::All, Which::Route(route(None)), Which::Route(route(Some("UA"))), Which::Tail { number: "".into() }];
    for (i, key) in keys.iter().enumerate() {
        for (j, other) in keys.iter().enumerate() {
            assert_eq!(key.same(other), i == j);
            assert_eq!(hash(key) == hash(other), i == j);
        }
        assert_eq!(&Which::own(key), key);
    }
}

#[test]
fn keys_lie_side_by_side_in_a_column() {
    let keys = [route(None), route(Some("UA"))];
    let mut column = <Route as Key>::Column::default();
    for key in &keys {
        KeyColumn::<Route>::push(&mut column, key, hash(key));
    }
    assert_eq!(KeyColumn::<Route>::len(&column), 2);
    assert_eq!(KeyColumn::<Route>::get(&column, 1), &keys[1]);
    assert_eq!(KeyColumn::<Route>::hash(&column, 1), hash(&keys[1]));
    assert_eq!(KeyLike::view(&&keys[0]), &keys[0]);
}
