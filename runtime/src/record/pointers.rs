//! Records that hold one value or none: `Box`, `Option`; and rows that are borrowed whole.

use super::{Record, Row};
use crate::codec::{CodecError, Reader};
use crate::schema::Schema;

impl<T: Record> Record for Option<T> {
    const SCHEMA: &'static Schema = &Schema::Option(T::SCHEMA);
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        match from.byte()? {
            0 => Ok(None),
            1 => Ok(Some(T::decode(from)?)),
            other => Err(from.invalid(format!("{other} is neither none (0) nor some (1)"))),
        }
    }
}

impl<R: Row> Row for Option<R> {
    type Stored = Option<R::Stored>;
    #[inline]
    fn store(self) -> Option<R::Stored> {
        self.map(R::store)
    }
}

/// The value alone: a box is not seen in the bytes nor in the schema.
impl<T: Record> Record for Box<T> {
    const SCHEMA: &'static Schema = T::SCHEMA;
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        from.nested(|from| T::decode(from).map(Box::new))
    }
}

impl<R: Row> Row for Box<R> {
    type Stored = Box<R::Stored>;
    #[inline]
    fn store(self) -> Box<R::Stored> {
        Box::new((*self).store())
    }
}

/// A borrowed row is cloned when it is kept.
#[diagnostic::do_not_recommend]
impl<R: Row + Clone> Row for &R {
    type Stored = R::Stored;
    #[inline]
    fn store(self) -> R::Stored {
        self.clone().store()
    }
}
