//! How long what is kept lives: for ever ([`Forever`]), or for some time after it was last written ([`Since`]).
//!
//! A value written at `t` with a ttl of `d` is there in `[t, t + d)`: at the moment `t + d` itself nobody sees it any more. Times
//! are in ms, of events or of the clock; whoever keeps the value knows which, and never mixes the two.

use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Schema};

/// How long a state lives: the bound of a function of one's own that takes a state, with a ttl ([`Since`]) or without ([`Forever`]).
///
/// ```
/// use pelton::prelude::*;
/// use pelton::process::{Age, Value};
///
/// /// Whether an amount is more than ten times the one before.
/// fn jumps<A: Age>(last: &mut Value<'_, i64, A>, amount: i64) -> bool {
///     let before = last.get().copied();
///     last.set(amount);
///     before.is_some_and(|before| amount > 10 * before)
/// }
///
/// stream! {
///     job Jumps<Memory> {
///         param data: Vec<(u64, i64)>;
///         source payments: (u64, i64) = rows(data);
///         let odd: (u64, i64) = payments.key_by(|p| p.0).process {
///             state last: Value<i64>, unbounded("one per card");
///             on event(p, cx) {
///                 if jumps(&mut last, p.1) { cx.emit(p) }
///             }
///         };
///         sink out(odd) = collect();
///     }
/// }
///
/// let results = Jumps { data: vec![(1, 10), (2, 500), (1, 20), (1, 300), (2, 600)] }.run(Config::default())?;
/// assert_eq!(results.out, [(1, 300)]);
/// # Ok::<(), pelton::Error>(())
/// ```
///
/// It is when something was written, as far as that matters. Its byte form is a time in ms, whichever it is: a state may get a
/// ttl, or lose it, and what was saved before can still be read. Only those two have it.
pub trait Age: Record + Copy + Default + sealed::Sealed {
    /// Whether it matters.
    const ENDS: bool;
    /// Written now; never goes back.
    fn write(&mut self, now: i64);
    /// Whether its time is over.
    fn over(&self, ttl: i64, now: i64) -> bool;
    /// When it was written.
    fn since(&self) -> i64;
}

mod sealed {
    /// Nobody else can tell what a snapshot of a state holds.
    pub trait Sealed {}
    impl Sealed for super::Forever {}
    impl Sealed for super::Since {}
}

/// What nobody has written yet, or without a ttl: no time is over for it.
const NEVER: i64 = i64::MIN;

/// Kept until it is cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forever;

impl Age for Forever {
    const ENDS: bool = false;
    #[inline(always)]
    fn write(&mut self, _: i64) {}
    #[inline(always)]
    fn over(&self, _: i64, _: i64) -> bool {
        false
    }
    #[inline(always)]
    fn since(&self) -> i64 {
        NEVER
    }
}

impl Record for Forever {
    const SCHEMA: &'static Schema = &Schema::I64;
    fn encode(&self, out: &mut Vec<u8>) {
        NEVER.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        i64::decode(from).map(|_| Forever)
    }
}

/// Kept for a while after it was written, at this time in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since(i64);

impl Default for Since {
    fn default() -> Self {
        Since(NEVER)
    }
}

impl Age for Since {
    const ENDS: bool = true;
    #[inline(always)]
    fn write(&mut self, now: i64) {
        // A row that comes behind its time must not shorten the life of what a later one has written.
        self.0 = self.0.max(now);
    }
    #[inline(always)]
    fn over(&self, ttl: i64, now: i64) -> bool {
        self.0 != NEVER && now.saturating_sub(ttl) >= self.0
    }
    #[inline(always)]
    fn since(&self) -> i64 {
        self.0
    }
}

impl Record for Since {
    const SCHEMA: &'static Schema = &Schema::I64;
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        i64::decode(from).map(Since)
    }
}

/// A value with its age.
#[derive(Clone, Debug, Default)]
pub struct Aged<T, A> {
    /// The value.
    pub value: T,
    /// When it was written.
    pub since: A,
}

impl<T: Default, A: Age> Aged<T, A> {
    /// The value to be changed now; begun anew if its time is over.
    #[inline(always)]
    pub fn write(&mut self, ttl: i64, now: i64) -> &mut T {
        if A::ENDS {
            if self.since.over(ttl, now) {
                self.value = T::default();
            }
            self.since.write(now);
        }
        &mut self.value
    }
}

impl<T: Record, A: Age> Record for Aged<T, A> {
    const SCHEMA: &'static Schema = &Schema::Struct {
        name: "Aged",
        fields: &[
            Field { name: "value", schema: T::SCHEMA, was: &[] },
            Field { name: "since", schema: A::SCHEMA, was: &[] },
        ],
    };
    fn encode(&self, out: &mut Vec<u8>) {
        self.value.encode(out);
        self.since.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Aged { value: T::decode(from)?, since: A::decode(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_at_the_very_moment_and_not_before() {
        let mut since = Since::default();
        assert!(!since.over(10, i64::MAX), "nothing was written yet");
        since.write(100);
        assert_eq!([99, 100, 109, 110, i64::MAX].map(|now| since.over(10, now)), [false, false, false, true, true]);
        since.write(90);
        assert!(!since.over(10, 109) && since.over(10, 110), "a row behind its time shortens nothing");
        assert!(!since.over(i64::MAX, i64::MAX));
        let mut early = Since::default();
        early.write(i64::MIN + 1);
        assert!(!early.over(i64::MAX, -2) && early.over(i64::MAX, 0));
        assert!(!Forever.over(0, i64::MAX));
    }

    #[test]
    fn both_have_one_byte_form() {
        let (mut since, mut forever, mut set) = (Vec::new(), Vec::new(), Since::default());
        set.write(7);
        set.encode(&mut since);
        Forever.encode(&mut forever);
        assert_eq!(Forever::decode(&mut Reader::new(&since)).unwrap(), Forever);
        assert_eq!(Since::decode(&mut Reader::new(&since)).unwrap(), Since(7));
        assert_eq!(Since::decode(&mut Reader::new(&forever)).unwrap(), Since::default());
    }
}
