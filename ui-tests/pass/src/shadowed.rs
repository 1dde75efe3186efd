//! A module without the prelude, whose own names are those of the standard library and of emitted locals.
#![no_implicit_prelude]
#![allow(dead_code, missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
#![allow(unused_macros, unused_imports, clippy::all, clippy::pedantic)]

pub struct Option;
pub struct Some;
pub struct None;
pub struct Vec;
pub struct Box;
pub struct String;
pub enum Result {
    Ok,
    Err,
}
pub trait Clone {}
pub trait Iterator {}
pub trait IntoIterator {}
pub trait Default {}
pub trait From {}
pub trait Into {}
pub trait Fn {}
pub trait FnMut {}
pub trait Send {}
pub trait Sync {}
pub trait Sized {}
pub trait Debug {}
pub trait Job {}
pub trait Record {}
pub trait Row {}
pub struct Graph;
pub struct Config;
pub struct Error;
pub struct Memory;
pub struct Count;
pub mod std {}
pub mod core {}
pub mod pelton {}
pub mod river {}
pub mod __rt {}
pub const JOB: u8 = 0;
pub const OK: u8 = 0;
pub fn drop() {}
pub fn call() {}
pub fn test() {}
pub fn store() {}
pub fn k() {}
pub fn o() {}
pub fn n() {}
pub fn g() {}
pub fn p() {}
pub fn cx() {}
pub fn at() {}
pub fn job() {}
pub fn x0() {}
macro_rules! vec {
    () => {};
}
pub(crate) use vec;

::river::stream! {
    /// A flow whose parameters are named as what is emitted.
    pub flow flown(n: Stream<(i64, u64)>, g: u64, next: u64) -> u64, o: (i64, u64) {
        let x0 = n.split {
            cx: |r| r.1 >= g + next - next;
            on: _;
        };
        let k = x0.cx.map(|r| r.1);
        return k, o = x0.on;
    }

    /// A job whose params are named as what is emitted.
    pub job Shadowed<Memory> {
        param data: ::std::sync::Arc<[(i64, u64)]>;
        param x0: u64 = 1;
        param k: u64 = 3;
        param o: ::core::option::Option<u64>;
        param cx: ::std::string::String = "text";

        source a: (i64, u64) = ::river::source::rows(data), event_time |r| ::river::Timestamp::from_millis(r.0), late_by 1h;
        let b = a
            .map(|r| (r.0, r.1 + x0 * k))
            .filter(|r| r.1 > k && !cx.is_empty())
            .flat_map(|r| [r, r])
            .inspect(|_| ());
        let c = b.filter_map(|r| ::core::option::Option::Some(r.1 + o.unwrap_or(0)));
        let d = a.map(|r| r.1);
        let w = b.key_by(|r| r.1).window(tumbling 1h, allow_late 10min, refire).aggregate((count(), sum(|r| r.1), max_by(|r| r.1)));
        let counts: u64 = w.map(|w| w.value.0);
        let u: u64 = union(c, d).key_by(|r| *r % 3).fold(0u64, |s, r| *s += r, emit at_end, unbounded("few keys")).map(|r| r.1);
        let states: u64 = a.key_by(|r| r.1 % 5).process {
            state h: Value<u64>, ttl 1h;
            state rest: Reducing<u64> = |one, n| one + n, unbounded("few keys");
            timer pattern: event_time;
            output one: u64;
            on event((_, n), c) {
                if h.get().is_none() {
                    one.emit(n);
                }
                h.set(n + x0 - x0);
                rest.add(n);
                c.set(pattern, c.time() + 1h);
            }
            on timer pattern(at, c) {
                c.emit(rest.take().unwrap_or(0));
            }
        };
        let ones: u64 = states.one.map(|n| n);
        let l = flown(a, k + 7, x0);
        let large: u64 = l.map(|r| r);
        let within: (i64, u64) = l.o;
        let taken = crate::flows::firsts(within, 1, |r| *r > k - k);
        let few: u64 = taken;
        sink flown_out(large) = collect();
        sink few_out(few) = collect();
        drop taken.more;
        sink at_the_end(states) = collect();
        sink firsts(ones) = collect();
        sink sums(u) = collect();
        sink per_hour(counts) = collect();
        drop w.late;
    }
}
