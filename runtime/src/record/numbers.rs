//! Records of fixed width: `bool`, `char`, `()`, integers, floats, times.

use std::marker::PhantomData;
use std::time::Duration;

use super::{Record, own_rows};
use crate::codec::{CodecError, Reader};
use crate::schema::Schema;
use crate::time::{TimeSpan, Timestamp};

/// Numbers are copied as their little-endian bytes, whole slices at once.
macro_rules! numbers {
    ($($type:ident $schema:ident),* $(,)?) => { $(
        impl Record for $type {
            const SCHEMA: &'static Schema = &Schema::$schema;
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok($type::from_le_bytes(from.array()?))
            }
            #[inline]
            fn encode_all(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + size_of_val(values), 0);
                let (room, _) = out.split_at_mut(start).1.as_chunks_mut();
                for (room, value) in room.iter_mut().zip(values) {
                    *room = value.to_le_bytes();
                }
            }
            #[inline]
            fn decode_all(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, CodecError> {
                let bytes = from.take(count.saturating_mul(size_of::<Self>()))?;
                Ok(bytes.as_chunks().0.iter().map(|chunk| $type::from_le_bytes(*chunk)).collect())
            }
            #[inline]
            fn decode_array<const N: usize>(from: &mut Reader<'_>) -> Result<[Self; N], CodecError> {
                let bytes = from.take(N.saturating_mul(size_of::<Self>()))?;
                let mut values = [$type::from_le_bytes([0; size_of::<$type>()]); N];
                for (value, chunk) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = $type::from_le_bytes(*chunk);
                }
                Ok(values)
            }
        }
        own_rows!([] $type);
    )* };
}

numbers!(
    u8 U8, u16 U16, u32 U32, u64 U64, u128 U128, i8 I8, i16 I16, i32 I32, i64 I64, i128 I128, f32 F32, f64 F64
);

/// Types that are carried as another one, where not each value of that one is theirs.
macro_rules! carried {
    ($($type:ty as $carrier:ident $schema:ident, $to:expr, $back:expr, $what:literal);* $(;)?) => { $(
        impl Record for $type {
            const SCHEMA: &'static Schema = &Schema::$schema;
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                let to: fn($type) -> $carrier = $to;
                to(*self).encode(out);
            }
            #[inline]
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                let carrier = $carrier::decode(from)?;
                let back: fn($carrier) -> Option<$type> = $back;
                back(carrier).ok_or_else(|| from.invalid(format!($what, carrier)))
            }
        }
        own_rows!([] $type);
    )* };
}

carried! {
    usize as u64 U64, |n| n as u64, |n| usize::try_from(n).ok(), "{} is no `usize` of this machine";
    isize as i64 I64, |n| n as i64, |n| isize::try_from(n).ok(), "{} is no `isize` of this machine";
    bool as u8 Bool, u8::from, |n| match n { 0 => Some(false), 1 => Some(true), _ => None }, "{} is no `bool`";
    char as u32 Char, u32::from, char::from_u32, "{:#x} is no `char`";
    Timestamp as i64 Timestamp, Timestamp::millis, |ms| Some(Timestamp::from_millis(ms)), "{} is no time";
    TimeSpan as i64 TimeSpan, TimeSpan::micros, |us| Some(TimeSpan::from_micros(us)), "{} is no span of time";
}

impl Record for () {
    const SCHEMA: &'static Schema = &Schema::Unit;
    #[inline]
    fn encode(&self, _: &mut Vec<u8>) {}
    #[inline]
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(())
    }
}

impl<T: Send + 'static> Record for PhantomData<T> {
    const SCHEMA: &'static Schema = &Schema::Unit;
    #[inline]
    fn encode(&self, _: &mut Vec<u8>) {}
    #[inline]
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(PhantomData)
    }
}

/// Whole seconds as `u64`, then nanoseconds as `u32`.
impl Record for Duration {
    const SCHEMA: &'static Schema = &Schema::Duration;
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_secs().encode(out);
        self.subsec_nanos().encode(out);
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (seconds, nanos) = (u64::decode(from)?, u32::decode(from)?);
        if nanos >= 1_000_000_000 {
            return Err(from.invalid(format!("{nanos} nanoseconds are a second or more")));
        }
        Ok(Duration::new(seconds, nanos))
    }
}

own_rows!([] (), [] Duration, [T: Send + 'static] PhantomData<T>);
