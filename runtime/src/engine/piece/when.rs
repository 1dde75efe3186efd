//! Whether rows have event time, as a type.
//!
//! What two types say together is known by a projection, `A::And<B>`, once both are known. A flow does not know those of its callers. To
//! what it uses itself it hands a struct, [`BothTimed`] or [`EitherTimed`]: a projection that cannot be resolved yet, in the type of a
//! flow in a flow in a flow, has rustc walk through all of that type again and again.

use crate::frame::{Time, Timed, Untimed};

/// Whether rows have event time, or something behind them needs it: at the level of types, since a flow does not know its callers.
pub trait When: Time {
    /// This or the other.
    type Or<B: When>: When;
    /// This and the other.
    type And<B: When>: When;
}
impl When for Timed {
    type Or<B: When> = Timed;
    type And<B: When> = B;
}
impl When for Untimed {
    type Or<B: When> = B;
    type And<B: When> = Untimed;
}

/// What a flow that goes by event time asks of a stream.
#[diagnostic::on_unimplemented(
    message = "this flow goes by event time, and the stream has none",
    label = "rows without event time",
    note = "write `event_time |r| r.at, late_by 1min` on the sources of this stream"
)]
pub trait EventTimed: When {}
impl EventTimed for Timed {}
#[diagnostic::do_not_recommend]
impl<A: EventTimed, B: EventTimed> EventTimed for BothTimed<A, B> {}

macro_rules! together {
    ($(#[$doc:meta])* $name:ident, $way:ident) => {
        $(#[$doc])*
        pub struct $name<A: When, B: When>(A::$way<B>);

        impl<A: When, B: When> Clone for $name<A, B> {
            #[inline(always)]
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<A: When, B: When> Copy for $name<A, B> {}
        impl<A: When, B: When> Time for $name<A, B> {
            const TIMED: bool = <A::$way<B> as Time>::TIMED;
            #[inline(always)]
            fn of(ms: i64) -> Self {
                $name(Time::of(ms))
            }
            #[inline(always)]
            fn ms(self) -> i64 {
                self.0.ms()
            }
        }
        impl<A: When, B: When> When for $name<A, B> {
            type Or<C: When> = <A::$way<B> as When>::Or<C>;
            type And<C: When> = <A::$way<B> as When>::And<C>;
        }
    };
}

together! {
    /// `A::And<B>`.
    BothTimed, And
}
together! {
    /// `A::Or<B>`.
    EitherTimed, Or
}
