//! [`Cells`]: a flat row taken apart by serde into the texts of its fields, for a board.
//!
//! It knows nothing of widths and terminals.

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};
use std::fmt::{self, Write};

/// The fields of one row as texts. Reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    text: String,
    /// Where each cell ends in the text, and whether it is a number.
    ends: Vec<(usize, bool)>,
    /// The names of a struct's fields; empty for a tuple or a single value.
    names: Vec<&'static str>,
    /// Whether names are to be kept.
    with_names: bool,
    /// Inside a field: no further structure fits.
    inside: bool,
    number: bool,
}

impl Cells {
    /// Takes a row apart.
    pub(super) fn fill<X: Serialize>(&mut self, row: &X, with_names: bool) -> Result<(), Problem> {
        self.text.clear();
        self.ends.clear();
        self.names.clear();
        self.with_names = with_names;
        self.inside = false;
        row.serialize(&mut *self)
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The cells, each with whether it is a number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, &(end, number))| (self.text.get(start..end).unwrap_or_default(), number))
    }

    /// A value of its own: a cell if it is the whole row, else a part of the field that is being written.
    fn value(&mut self, number: bool, value: impl fmt::Display) -> Result<(), Problem> {
        let whole = !self.inside;
        let start = self.text.len();
        // Writing to a `String` does not fail.
        let _ = write!(self.text, "{value}");
        // A line of the board is a row.
        if !number && self.text.get(start..).is_some_and(|text| text.contains(['\n', '\r', '\t'])) {
            let escaped = self.text.split_off(start).replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
            self.text.push_str(&escaped);
        }
        self.number = number;
        if whole {
            self.ends.push((self.text.len(), number));
        }
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        self.inside = true;
        self.number = false;
        value.serialize(&mut *self)?;
        self.inside = false;
        self.ends.push((self.text.len(), self.number));
        Ok(())
    }

    fn open(&mut self, what: &str) -> Result<&mut Self, Problem> {
        match self.inside {
            false => Ok(self),
            true => Err(Problem(format!("{what} inside a field"))),
        }
    }
}

/// Why a row is not flat.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Problem {}
impl ser::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem(message.to_string())
    }
}

macro_rules! values {
    ($($serialize:ident $type:ty, $number:literal;)*) => {$(
        fn $serialize(self, value: $type) -> Result<(), Problem> {
            self.value($number, value)
        }
    )*};
}

impl<'c> Serializer for &'c mut Cells {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = &'c mut Cells;
    type SerializeTuple = &'c mut Cells;
    type SerializeTupleStruct = &'c mut Cells;
    type SerializeTupleVariant = Impossible<(), Problem>;
    type SerializeMap = Impossible<(), Problem>;
    type SerializeStruct = &'c mut Cells;
    type SerializeStructVariant = Impossible<(), Problem>;

    values! {
        serialize_bool bool, false;
        serialize_char char, false;
        serialize_str &str, false;
        serialize_i8 i8, true;
        serialize_i16 i16, true;
        serialize_i32 i32, true;
        serialize_i64 i64, true;
        serialize_i128 i128, true;
        serialize_u8 u8, true;
        serialize_u16 u16, true;
        serialize_u32 u32, true;
        serialize_u64 u64, true;
        serialize_u128 u128, true;
        serialize_f32 f32, true;
        serialize_f64 f64, true;
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Problem> {
        self.value(false, value.escape_ascii())
    }

    /// An empty cell, which takes no part in whether its column is one of numbers.
    fn serialize_none(self) -> Result<(), Problem> {
        self.value(true, "")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Problem> {
        self.value(true, "")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Problem> {
        self.value(false, name)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Problem> {
        self.value(false, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Problem> {
        Err(Problem(format!("the variant `{variant}` holds a value")))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Problem> {
        self.open("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Problem> {
        self.open("a tuple")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.open("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Problem>, Problem> {
        Err(Problem(format!("the variant `{variant}` holds values")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Impossible<(), Problem>, Problem> {
        Err(Problem("a map".to_owned()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.open("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Problem>, Problem> {
        Err(Problem(format!("the variant `{variant}` holds values")))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Problem> {
        self.value(false, value)
    }
}

/// What has no names of its own: its fields stand in order.
macro_rules! in_order {
    ($($kind:ident, $add:ident;)*) => {$(
        impl ser::$kind for &mut Cells {
            type Ok = ();
            type Error = Problem;
            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
                self.field(value)
            }
            fn end(self) -> Result<(), Problem> {
                Ok(())
            }
        }
    )*};
}
in_order! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
}

impl ser::SerializeStruct for &mut Cells {
    type Ok = ();
    type Error = Problem;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Problem> {
        if self.with_names {
            self.names.push(name);
        }
        self.field(value)
    }
    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Inner(u8, &'static str);
    #[derive(Serialize)]
    enum Side {
        Buy,
    }
    #[derive(Serialize)]
    struct Flat {
        text: &'static str,
        number: f64,
        none: Option<u8>,
        some: Option<i64>,
        side: Side,
    }

    fn cells(row: &impl Serialize) -> Result<(Vec<String>, String), Problem> {
        let mut cells = Cells::default();
        cells.fill(row, true)?;
        let texts = cells.iter().map(|(text, number)| format!("{text}{}", if number { "#" } else { "" })).collect();
        Ok((texts, cells.names().join(",")))
    }

    #[test]
    fn a_struct_is_its_fields_with_names_and_a_tuple_its_fields() {
        let row = Flat { text: "a\nb", number: 2.5, none: None, some: Some(-1), side: Side::Buy };
        let (texts, names) = cells(&row).unwrap();
        assert_eq!(texts, [r"a\nb", "2.5#", "#", "-1#", "Buy"]);
        assert_eq!(names, "text,number,none,some,side");
        assert_eq!(cells(&Inner(1, "x")).unwrap(), (vec!["1#".into(), "x".into()], String::new()));
        assert_eq!(cells(&("x", 2)).unwrap().0, ["x", "2#"]);
        assert_eq!(cells(&7).unwrap().0, ["7#"]);
        assert_eq!(cells(&Some("x")).unwrap().0, ["x"]);
    }

    #[test]
    fn what_is_not_flat_is_refused() {
        assert!(cells(&(1, Inner(1, "x"))).is_err());
        assert!(cells(&(1, vec![1])).is_err());
        assert!(cells(&std::collections::BTreeMap::from([(1, 2)])).is_err());
    }
}
