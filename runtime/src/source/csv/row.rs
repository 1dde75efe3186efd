//! [`Row`]: one record as serde reads it into the declared type.

use super::columns::{Columns, How, Plan};
use super::field::Field;
use super::problem::{Kind, Problem};
use super::scan::Record;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// One record, with what is known of its columns.
pub(super) struct Row<'r, 'p> {
    pub(super) record: Record<'r>,
    pub(super) na: &'r [Vec<u8>],
    pub(super) columns: &'r Columns,
    pub(super) plan: &'p mut Plan,
}

impl<'r> Row<'r, '_> {
    /// The record's only field, for a row that is one value.
    fn only(self) -> Result<Field<'r>, Problem> {
        match (self.record.len(), self.record.get(0)) {
            (1, Some(text)) => Ok(Field { text, na: self.na }),
            (columns, _) => Err(Problem::new(Kind::Other(format!(
                "a record of {columns} columns is read into a single value; declare a struct or a tuple"
            )))),
        }
    }

    fn by_position<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(&mut ByPosition { record: self.record, na: self.na, next: 0 })
    }
}

macro_rules! single_values {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.only()?.$name(visitor).map_err(|problem| problem.in_column(0))
        }
    )*};
}

impl<'r> Deserializer<'r> for Row<'r, '_> {
    type Error = Problem;

    single_values! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_identifier
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.plan.make(fields, self.columns);
        if self.plan.how == How::InOrder {
            let mut seq = InOrder { record: self.record, na: self.na, order: self.plan.order().iter() };
            let value = visitor.visit_seq(&mut seq);
            let left_over = seq.order.len() > 0;
            self.plan.left_over = left_over;
            value
        } else if let Some(twice) = self.plan.twice() {
            Err(Problem::new(Kind::Twice(twice)))
        } else if self.columns.names.is_none() {
            self.by_position(visitor)
        } else {
            let named = self.plan.named();
            visitor.visit_map(Named { record: self.record, na: self.na, columns: named, value: 0 })
        }
    }

    fn deserialize_map<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        let Some(names) = &self.columns.names else {
            let what = "a row that is read by name needs a header; it was said to have none with `.no_header()`";
            return Err(Problem::new(Kind::Other(what.to_owned())));
        };
        let columns = names.iter().enumerate().map(|(column, name)| (name.as_str(), column));
        visitor.visit_map(Named { record: self.record, na: self.na, columns, value: 0 })
    }

    fn deserialize_seq<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.by_position(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'r>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.by_position(visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.by_position(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'r>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'r>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.only()?.deserialize_enum(name, variants, visitor).map_err(|problem| problem.in_column(0))
    }

    fn deserialize_unit<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'r>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    /// Where the type does not say what it wants: by name if there are names.
    fn deserialize_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.columns.names.is_some() { self.deserialize_map(visitor) } else { self.by_position(visitor) }
    }
}

/// The columns that a struct's fields have, in the order of the fields.
struct InOrder<'r, 'p> {
    record: Record<'r>,
    na: &'r [Vec<u8>],
    order: std::slice::Iter<'p, u32>,
}

impl<'r> SeqAccess<'r> for InOrder<'r, '_> {
    type Error = Problem;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'r>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(&column) = self.order.next() else { return Ok(None) };
        let Some(text) = self.record.get(column as usize) else { return Ok(None) };
        match seed.deserialize(Field { text, na: self.na }) {
            Ok(value) => Ok(Some(value)),
            Err(problem) => Err(problem.in_column(column as usize)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.order.len())
    }
}

/// All columns in the order of the file.
struct ByPosition<'r> {
    record: Record<'r>,
    na: &'r [Vec<u8>],
    next: usize,
}

impl<'r> SeqAccess<'r> for ByPosition<'r> {
    type Error = Problem;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'r>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(text) = self.record.get(self.next) else { return Ok(None) };
        self.next += 1;
        match seed.deserialize(Field { text, na: self.na }) {
            Ok(value) => Ok(Some(value)),
            Err(problem) => Err(problem.in_column(self.next - 1)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.record.len() - self.next)
    }
}

/// Columns with a name.
struct Named<'r, I> {
    record: Record<'r>,
    na: &'r [Vec<u8>],
    columns: I,
    /// The column whose name was said last.
    value: usize,
}

impl<'r, 'n: 'r, I: Iterator<Item = (&'n str, usize)>> MapAccess<'r> for Named<'r, I> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'r>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some((name, column)) = self.columns.next() else { return Ok(None) };
        self.value = column;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'r>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let text = self.record.get(self.value).unwrap_or_default();
        seed.deserialize(Field { text, na: self.na }).map_err(|problem| problem.in_column(self.value))
    }
}
