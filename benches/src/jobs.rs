//! The jobs, hand-expanded until the macro is there.
use crate::checksum::{Total, checksum};
use crate::data::{w1, w2, w3};
use pelton::__private as __rt;
use pelton::source::rows;
use std::sync::Arc;

const fn op(what: &'static str, name: &'static str, counted: Option<usize>, input: usize) -> __rt::OperatorMeta {
    __rt::OperatorMeta { what, name, line: 0, column: 0, arrival_ordered: false, stateful: false, counted, input }
}
static JOB: __rt::JobMeta = __rt::JobMeta { name: "W", backend: "Memory", dropped: &[] };
static SOURCE: __rt::SourceMeta = __rt::SourceMeta { name: "numbers", late_by: None, ordered: false, skip_bad: false, operators: &[op("rows", "numbers", None, 0), op("map", "", None, 0), op("filter", "", Some(0), 1), op("map", "", None, 2)] };
static SOURCE3: __rt::SourceMeta = __rt::SourceMeta { name: "bids", late_by: Some(__rt::TimeSpan::from_millis(50)), ordered: true, skip_bad: false, operators: &[op("rows", "numbers", None, 0), op("key_by", "", None, 0), op("agg", "", None, 1)] };
static SINK: __rt::SinkMeta = __rt::SinkMeta { name: "out" };
static CHAIN: __rt::ChainMeta = __rt::ChainMeta { operators: &[op("aggregate (count, sum)", "sums", None, 0)] };
static EDGE: __rt::EdgeMeta = __rt::EdgeMeta { name: "sums", because: "key_by" };

struct U64;
impl __rt::RowType for U64 { type Row<'a> = u64; }
pub fn numbers(data: Arc<[u64]>, total: Total, workers: usize) -> std::time::Duration {
    let config = __rt::Config::default().workers(workers).pin(true);
    __rt::execute::<__rt::Memory>(&JOB, config, move |g| {
        let s = __rt::sink(g, &SINK, checksum(total.clone(), |x: &u64| *x));
        __rt::source::<U64, _, _, _, _>(g, &SOURCE, rows(data.clone()), [0u64; 1], (s, ()), move |x0, cx, n, o| 'c: {
            cx.at(1);
            let x1 = __rt::call(x0, |x| w1::first(x));
            cx.at(2);
            if !__rt::test(&x1, |x| w1::keep(*x)) { break 'c }
            n[0] += 1;
            cx.at(3);
            let x2 = __rt::call(x1, |x| w1::second(x));
            o.0.write(x2, cx);
        });
    }).unwrap().elapsed
}
struct Ev;
impl __rt::RowType for Ev { type Row<'a> = w2::Event; }
pub fn running_sums(data: Arc<[w2::Event]>, total: Total, workers: usize) -> std::time::Duration {
    let config = __rt::Config::default().workers(workers).pin(true);
    __rt::execute::<__rt::Memory>(&JOB, config, move |g| {
        let s = __rt::sink(g, &SINK, checksum(total.clone(), |(key, (sum, count)): &(u64, (i64, u64))| w2::check(*key, *sum, *count)));
        let how = __rt::shared((__rt::Sum, __rt::Count));
        let (e_out, e_in) = __rt::keyed_edge::<_, _, __rt::Untimed, _>(g, &EDGE);
        let h = how.clone();
        __rt::source::<Ev, _, _, _, _>(g, &SOURCE, rows(data.clone()), [0u64; 0], (e_out, ()), move |x0, cx, _n, o| {
            cx.at(1);
            let k = __rt::is_key(__rt::call(&x0, |x| &x.key));
            let at = o.0.key(k, __rt::NO_TIME, cx);
            cx.at(2);
            let p = __rt::fits(&h, (__rt::call(&x0, |x| x.value), ()));
            o.0.value(at, p);
        });
        __rt::stage(g, &CHAIN, e_in, __rt::aggregate_each(how), [0u64; 0], (s, ()), move |x0, _t0, cx, _n, o| { o.0.write(x0, cx); }, __rt::no_late());
    }).unwrap().elapsed
}
struct B;
impl __rt::RowType for B { type Row<'a> = w3::Bid; }
pub fn windows(data: Arc<[w3::Bid]>, total: Total, workers: usize) -> std::time::Duration {
    let config = __rt::Config::default().workers(workers).pin(true);
    __rt::execute::<__rt::Memory>(&JOB, config, move |g| {
        let s = __rt::sink(g, &SINK, checksum(total.clone(), |w: &pelton::Windowed<u64, (u64, u64)>| w3::check(w.key, w.start.millis() as u64, w.value.0, w.value.1)));
        let how = __rt::shared((__rt::Count, __rt::Max));
        let win = __rt::tumbling(g, __rt::TimeSpan::from_millis(10_000), __rt::TimeSpan::ZERO, __rt::TimeSpan::ZERO, false);
        let (e_out, e_in) = __rt::combined_edge::<_, _, __rt::Timed, _>(g, &EDGE, __rt::combine_windows(&win, &how));
        let h = how.clone();
        __rt::source::<B, _, _, _, _>(g, &SOURCE3, rows(data.clone()), [0u64; 0], (e_out, ()), move |x0, cx, _n, o| {
            cx.at(0);
            let t0 = cx.time(__rt::is_time(__rt::call(&x0, |b| b.at)));
            cx.at(1);
            let k = __rt::is_key(__rt::call(&x0, |x| &x.auction));
            let at = o.0.key(k, t0, cx);
            cx.at(2);
            let p = __rt::fits(&h, ((), __rt::call(&x0, |x| x.price)));
            o.0.value(at, p);
        });
        __rt::stage(g, &CHAIN, e_in, __rt::window(win, how), [0u64; 0], (s, ()), move |x0, _t0, cx, _n, o| { o.0.write(x0, cx); }, __rt::no_late());
    }).unwrap().elapsed
}
