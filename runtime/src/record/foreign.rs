//! [`Serde`]: carries a foreign type that knows serde and not [`Record`].
//!
//! Its byte form is a length and MessagePack with the names of fields and variants. Names cost bytes; but of a foreign
//! type nothing is known here, not even its name in a constant, so all have one schema. The form has to describe
//! itself, or a value written before the type changed could be taken for another. MessagePack also carries what compact formats without names cannot: maps with
//! any key, flattened structs, untagged enums, all floats; its reader bounds the depth of
//! nesting, and serde makes room for at most a megabyte of what a length claims.

use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Record, own_rows};
use crate::codec::{CodecError, MAX_DEPTH, Reader, put_bytes};
use crate::schema::Schema;

/// A foreign serde type as a record: `Serde<chrono::NaiveDate>`.
///
/// It reads and writes outside formats as the type itself does. Slower than a derived record and larger in bytes, as
/// names are carried along; inside one process it is moved like any other value.
///
/// # Panics
/// Encoding panics if the type's own `Serialize` refuses the value: what cannot be written down must not be lost
/// quietly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serde<T>(
    /// The value.
    pub T,
);

impl<T: Serialize + DeserializeOwned + Send + 'static> Record for Serde<T> {
    const SCHEMA: &'static Schema = &Schema::Foreign { name: "Serde<..>" };

    #[expect(clippy::panic, reason = "the type's own code refuses the value, and `encode` has no other way to say so")]
    fn encode(&self, out: &mut Vec<u8>) {
        match rmp_serde::to_vec_named(&self.0) {
            Ok(bytes) => put_bytes(out, &bytes),
            Err(error) => panic!("`{}` cannot be written: {error}", std::any::type_name::<T>()),
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let bytes = from.bytes()?;
        let mut rest = bytes;
        let mut reader = rmp_serde::Deserializer::new(&mut rest);
        reader.set_max_depth(MAX_DEPTH as usize);
        let value = T::deserialize(&mut reader)
            .map_err(|error| from.invalid(format!("no `{}`: {error}", std::any::type_name::<T>())))?;
        if !rest.is_empty() {
            return Err(from.invalid(format!("{} bytes behind a `{}`", rest.len(), std::any::type_name::<T>())));
        }
        Ok(Serde(value))
    }
}

own_rows!([T: Serialize + DeserializeOwned + Send + 'static] Serde<T>);

impl<T> Deref for Serde<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Serde<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Serde<T> {
    fn from(value: T) -> Self {
        Serde(value)
    }
}

impl<T: Serialize> Serialize for Serde<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Serde<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Serde)
    }
}
