//! What the derives write stands in any surroundings: shadowed names, odd names, strict lints, another path to Pelton.
#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
#![deny(clippy::all, clippy::pedantic)]

use pelton::codec::Reader;
use pelton::record::Record;

/// A facade that has Pelton under another name.
pub mod facade {
    pub use ::pelton as wheel;
}

mod shadowed {
    #![allow(
        dead_code,
        unreachable_pub,
        non_camel_case_types,
        non_upper_case_globals,
        clippy::upper_case_acronyms,
        reason = "names that the derives must not meet"
    )]

    pub struct Vec;
    pub struct String;
    pub struct Option;
    pub struct Result;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct Schema;
    pub struct Field;
    pub struct Reader;
    pub struct Self_;
    pub trait Record {}
    pub trait Row {}
    pub trait Key {}
    pub trait Into {}
    pub mod pelton {}
    pub mod std {}
    pub mod core {}
    pub type u8 = ::core::primitive::i64;
    pub type u64 = ();
    pub type str = ();
    pub type bool = ();

    #[derive(::pelton::Record, ::pelton::Key, Clone, PartialEq, Eq, Debug)]
    pub struct Odd {
        pub out: u8,
        pub from: ::std::string::String,
        pub value: ::core::option::Option<u8>,
        pub error: i8,
        pub state: u8,
        pub r#type: u8,
        pub x0: u8,
    }

    #[derive(::pelton::Record, ::pelton::Key, Clone, PartialEq, Eq, Debug)]
    pub enum Words {
        Stored,
        Ok(u8),
        SCHEMA { r#fn: u8 },
        Owned,
        r#Type,
    }

    /// A constant that a pattern must not be taken for.
    pub const x1: u8 = 7;
    #[derive(::pelton::Record, Clone, PartialEq, Debug)]
    pub struct Pair(pub u8, pub u8);
}

#[derive(pelton::Record, pelton::Key, Clone, PartialEq, Eq, Debug)]
#[record(crate = crate::facade::wheel)]
struct Elsewhere<T>
where
    T: Copy,
{
    value: T,
}

#[track_caller]
fn comes_back<T: Record + PartialEq + std::fmt::Debug>(value: &T) {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(T::decode(&mut Reader::new(&bytes)).as_ref(), Ok(value));
}

#[test]
fn odd_names_are_no_trouble() {
    use shadowed::{Odd, Pair, Words};
    comes_back(&Odd { out: 1, from: "x".into(), value: Some(2), error: 0, state: 3, r#type: 4, x0: 5 });
    comes_back(&vec![Words::Stored, Words::Ok(1), Words::SCHEMA { r#fn: 2 }, Words::Owned, Words::r#Type]);
    comes_back(&Pair(1, shadowed::x1));
    comes_back(&Elsewhere { value: Some(7) });
    assert_eq!(
        Odd::SCHEMA.to_string(),
        "Odd { out: i64, from: str, value: Option<i64>, error: i8, state: i64, type: i64, x0: i64 }"
    );
    assert_eq!(Words::SCHEMA.to_string(), "Words = Stored | Ok(i64) | SCHEMA { fn: i64 } | Owned | Type");
}

#[test]
fn types_inside_functions_can_be_records() {
    #[derive(pelton::Record, PartialEq, Debug)]
    struct Local<const N: usize> {
        of: [u8; N],
    }
    comes_back(&Local { of: [1, 2, 3] });
}
