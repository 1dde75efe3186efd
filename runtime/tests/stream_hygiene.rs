//! Generated code meets none of the user's names, and passes the strictest lints.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, missing_debug_implementations)]
#![deny(
    unused_lifetimes,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    trivial_casts,
    let_underscore_drop,
    unused_results
)]
#![deny(clippy::all, clippy::pedantic)]

/// A user without a prelude, whose names are those of the standard library.
#[no_implicit_prelude]
pub mod user {
    #![allow(dead_code, missing_debug_implementations, missing_docs, clippy::all, clippy::pedantic)]
    pub struct Option;
    pub struct Some;
    pub struct None;
    pub struct Vec;
    pub struct Box;
    pub enum Result {
        Ok,
        Err,
    }
    pub fn drop() {}
    pub trait Clone {}
    pub trait Iterator {}
    pub trait IntoIterator {}
    pub trait Default {}
    pub trait From {}
    pub trait FnMut {}
    pub trait Send {}
    pub trait Job {}
    pub mod std {}
    pub mod core {}
    pub mod pelton {}
    pub const JOB: u8 = 0;
    pub struct Graph;
    pub struct Config;
    pub struct Error;
    pub fn call() {}
    pub fn k() {}
    pub fn o() {}
    pub fn n() {}
    pub fn g() {}
    pub fn cx() {}

    ::pelton::stream! {
        /// A job whose params are named as generated locals.
        pub job Hidden<Memory> {
            param data: ::std::sync::Arc<[(i64, u64)]>;
            param x0: u64 = 1;
            param k: u64;
            param o: ::core::option::Option<u64>;
            param values: ::std::string::String = "v";

            source a: (i64, u64) = ::pelton::source::rows(data), event_time |r| ::pelton::Timestamp::from_millis(r.0), late_by 1h;
            let b = a.map(|r| (r.0, r.1 + x0 * k)).filter(|r| r.1 > k).flat_map(|r| [r, r]).inspect(|_| ());
            let c = b.filter_map(|r| ::core::option::Option::Some(r.1));
            let c3 = a.map(|r| r.1);
            let w = b.key_by(|r| r.1).window(tumbling 1h).aggregate((count(), sum(|r| r.1)));
            let d: u64 = union(c, c3).key_by(|r| *r % 3).fold(0u64, |s, r| *s += r, emit at_end, unbounded("few keys")).map(|r| r.1);
            sink out(d) = collect();
            drop w, w.late;
        }
    }
}

pelton::stream! {
    job Private<Memory> {
        param data: std::sync::Arc<[u64]>;
        param tag: String = "t";
        source a: u64 = pelton::source::rows(data);
        let k = a.key_by(|x| x % 2);
        let b = k.reduce(|a, b| a + b, unbounded("few keys"));
        let n = k.aggregate(count(), emit every 10ms, unbounded("few keys"));
        let c: (u64, String) = b.map(|b| (b.1, tag.clone()));
        sink out(c) = collect();
        drop n;
    }
}

#[test]
fn they_run() {
    let data = (0..100).collect::<Vec<u64>>();
    let results = Private { data: data.into(), tag: String::new() }.run(pelton::Config::default().workers(1));
    assert_eq!(results.map(|r| r.out.len()).map_err(|e| e.to_string()), Ok(100));
}
