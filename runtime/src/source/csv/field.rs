//! [`Field`]: one field of a record as serde reads it.
//!
//! Text is lent, numbers are parsed from the bytes. It knows nothing of the other fields.

use super::problem::{Kind, Problem};
use crate::time::Timestamp;
use serde::Deserializer;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Unexpected, VariantAccess, Visitor};

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field<'r> {
    pub(super) text: &'r [u8],
    /// What says that a value is missing, besides nothing at all.
    pub(super) na: &'r [Vec<u8>],
}

impl<'r> Field<'r> {
    #[inline]
    fn is_missing(self) -> bool {
        self.text.is_empty() || self.na.iter().any(|na| na == self.text)
    }

    #[inline]
    fn str(self) -> Result<&'r str, Problem> {
        std::str::from_utf8(self.text).map_err(|_| Problem::field(self.text, "text in UTF-8"))
    }

    #[inline]
    fn parsed<T: std::str::FromStr>(self, expected: &'static str) -> Result<T, Problem> {
        let text = std::str::from_utf8(self.text).ok();
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Problem::field(self.text, expected))
    }
}

/// Digits alone, without a sign.
#[inline]
fn magnitude(digits: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    if digits.is_empty() {
        return None;
    }
    if digits.len() < 20 {
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u64::from(digit);
        }
    } else {
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
    }
    Some(value)
}

#[inline]
fn unsigned(text: &[u8]) -> Option<u64> {
    match text {
        [b'+', digits @ ..] => magnitude(digits),
        digits => magnitude(digits),
    }
}

#[inline]
fn signed(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => 0i64.checked_sub_unsigned(magnitude(digits)?),
        text => unsigned(text)?.try_into().ok(),
    }
}

/// Rules out most of what is no number before it is parsed three times: times are read this way.
#[inline]
fn may_be_number(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        || [&b"nan"[..], b"inf", b"-inf"].iter().any(|name| text.eq_ignore_ascii_case(name))
}

macro_rules! whole_number {
    ($($deserialize:ident $visit:ident $parse:ident $expected:literal)*) => {$(
        #[inline]
        fn $deserialize<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
            match $parse(self.text).and_then(|n| n.try_into().ok()) {
                Some(n) => visitor.$visit(n),
                None => Err(Problem::field(self.text, concat!("whole number (", $expected, ")"))),
            }
        }
    )*};
}

impl<'r> Deserializer<'r> for Field<'r> {
    type Error = Problem;

    whole_number! {
        deserialize_i8 visit_i8 signed "i8"
        deserialize_i16 visit_i16 signed "i16"
        deserialize_i32 visit_i32 signed "i32"
        deserialize_i64 visit_i64 signed "i64"
        deserialize_u8 visit_u8 unsigned "u8"
        deserialize_u16 visit_u16 unsigned "u16"
        deserialize_u32 visit_u32 unsigned "u32"
        deserialize_u64 visit_u64 unsigned "u64"
    }

    fn deserialize_i128<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_i128(self.parsed("whole number (i128)")?)
    }

    fn deserialize_u128<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_u128(self.parsed("whole number (u128)")?)
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_f32(self.parsed("number (f32)")?)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_f64(self.parsed("number (f64)")?)
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.text {
            b"true" => visitor.visit_bool(true),
            b"false" => visitor.visit_bool(false),
            text => Err(Problem::field(text, "`true` or `false`")),
        }
    }

    fn deserialize_char<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_char(self.parsed("single character")?)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.str()?)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.str()?)
    }

    fn deserialize_bytes<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.text)
    }

    fn deserialize_byte_buf<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.text)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.is_missing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'r>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'r>>(self, name: &'static str, visitor: V) -> Result<V::Value, Problem> {
        // The usual form of a time needs to be looked at neither for what it may be nor for what it is encoded in.
        if name == Timestamp::SERDE_NAME && self.text.get(4) == Some(&b'-') {
            return visitor.visit_borrowed_bytes(self.text);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'r>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_enum(Variant(self.str()?))
    }

    fn deserialize_identifier<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.str()?)
    }

    fn deserialize_ignored_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    /// Where the type does not say what it wants (untagged enums, flattened maps), the text decides.
    fn deserialize_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.text {
            b"true" => return visitor.visit_bool(true),
            b"false" => return visitor.visit_bool(false),
            _ => {}
        }
        if may_be_number(self.text) {
            if let Some(n) = unsigned(self.text) {
                return visitor.visit_u64(n);
            } else if let Some(n) = signed(self.text) {
                return visitor.visit_i64(n);
            } else if let Ok(n) = self.parsed::<f64>("") {
                return visitor.visit_f64(n);
            }
        }
        match std::str::from_utf8(self.text) {
            Ok(text) => visitor.visit_borrowed_str(text),
            Err(_) => visitor.visit_borrowed_bytes(self.text),
        }
    }

    fn deserialize_seq<V: Visitor<'r>>(self, _: V) -> Result<V::Value, Problem> {
        Err(nested("a list"))
    }

    fn deserialize_tuple<V: Visitor<'r>>(self, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(nested("a tuple"))
    }

    fn deserialize_tuple_struct<V: Visitor<'r>>(self, _: &'static str, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(nested("a tuple"))
    }

    fn deserialize_map<V: Visitor<'r>>(self, _: V) -> Result<V::Value, Problem> {
        Err(nested("a map"))
    }

    fn deserialize_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Problem> {
        Err(nested("a struct"))
    }
}

#[cold]
fn nested(what: &str) -> Problem {
    Problem::new(Kind::Other(format!("a csv field cannot hold {what}; write its fields into the row's struct itself")))
}

/// An enum is read by the name of a variant that holds nothing.
struct Variant<'r>(&'r str);

impl<'r> de::EnumAccess<'r> for Variant<'r> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'r>>(self, seed: V) -> Result<(V::Value, Self), Problem> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.0))?, self))
    }
}

impl<'r> VariantAccess<'r> for Variant<'r> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'r>>(self, _: T) -> Result<T::Value, Problem> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &"a variant that holds a value"))
    }

    fn tuple_variant<V: Visitor<'r>>(self, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &"a variant that holds values"))
    }

    fn struct_variant<V: Visitor<'r>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Problem> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &"a variant that holds values"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    fn read<'r, T: Deserialize<'r>>(text: &'r str) -> Option<T> {
        T::deserialize(Field { text: text.as_bytes(), na: &[] }).ok()
    }

    #[test]
    fn numbers_end_where_their_type_does() {
        assert_eq!((read::<i8>("-128"), read::<i8>("-129"), read::<i8>("128")), (Some(-128), None, None));
        assert_eq!((read::<u64>("18446744073709551615"), read::<u64>("18446744073709551616")), (Some(u64::MAX), None));
        assert_eq!((read::<i64>("-9223372036854775808"), read::<i64>("-9223372036854775809")), (Some(i64::MIN), None));
        assert_eq!((read::<u8>("-0"), read::<u8>(""), read::<u8>("+"), read::<i8>("-")), (None, None, None, None));
    }

    #[test]
    fn options_are_none_where_the_text_says_so() {
        let na = [b"NA".to_vec(), b"-".to_vec()];
        let read = |text: &'static str| Option::<i32>::deserialize(Field { text: text.as_bytes(), na: &na });
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("NA").unwrap(), None);
        assert_eq!(read("-").unwrap(), None);
        assert_eq!(read("-1").unwrap(), Some(-1));
        assert!(read("N").is_err());
    }

    #[test]
    fn where_the_type_does_not_say_the_text_decides() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(untagged)]
        enum Any<'a> {
            Bool(bool),
            Natural(u64),
            Whole(i64),
            Number(f64),
            Text(&'a str),
        }
        let cases = [
            ("true", Any::Bool(true)),
            ("7", Any::Natural(7)),
            ("-7", Any::Whole(-7)),
            ("1e3", Any::Number(1e3)),
            ("-Inf", Any::Number(f64::NEG_INFINITY)),
            ("2013-01-01T10:17:00Z", Any::Text("2013-01-01T10:17:00Z")),
            ("2013-01-01", Any::Text("2013-01-01")),
            ("", Any::Text("")),
        ];
        for (text, expected) in cases {
            assert_eq!(read::<Any<'_>>(text), Some(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_parsed_as_std_does(text in "[+-]?[0-9]{0,21}[a ]?") {
            prop_assert_eq!(read::<i64>(&text), text.parse().ok());
            prop_assert_eq!(read::<u64>(&text), text.parse().ok());
            prop_assert_eq!(read::<i16>(&text), text.parse().ok());
            prop_assert_eq!(read::<u8>(&text), text.parse().ok());
        }
    }
}
