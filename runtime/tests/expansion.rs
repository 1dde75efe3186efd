//! What `stream!` emits, written by hand: the contract of docs/expansion.md against the runtime.
use pelton::__private as __rt;
use pelton::source::rows;
use std::sync::Arc;

struct Numbers;
impl __rt::RowType for Numbers {
    type Row<'a> = u64;
}
static JOB: __rt::JobMeta =
    __rt::JobMeta { name: "Sums", backend: "Memory", dropped: &[], given_up: &[], defaults: __rt::Defaults::NONE };
const fn op(what: &'static str, name: &'static str, counted: Option<usize>, input: usize) -> __rt::OperatorMeta {
    __rt::OperatorMeta { what, name, line: 0, column: 0, arrival_ordered: false, stateful: false, counted, input }
}
static SOURCE: __rt::SourceMeta = __rt::SourceMeta {
    name: "numbers",
    late_by: None,
    ordered: false,
    idle_after: Some(__rt::IDLE_AFTER),
    on_error: __rt::OnError::Fail,
    operators: &[op("rows", "numbers", None, 0), op("filter", "", Some(0), 0), op("key_by", "", None, 1)],
};
static CHAIN: __rt::ChainMeta = __rt::ChainMeta { operators: &[op("aggregate (count, sum)", "sums", None, 0)] };
static EDGE: __rt::EdgeMeta = __rt::EdgeMeta { name: "sums", because: "key_by", kind: __rt::EdgeKind::ByKey };
static SINK: __rt::SinkMeta = __rt::SinkMeta { name: "out" };

fn build(g: &mut __rt::Graph<'_>, data: &Arc<[u64]>, out: &__rt::Collected<(u64, (u64, u64))>) {
    let how = __rt::shared((__rt::Count, __rt::Sum));
    let (e_out, e_in) = __rt::combined_edge::<_, _, __rt::Untimed, _>(g, &EDGE, __rt::combine_totals(&how));
    let s_out = __rt::sink(g, &SINK, __rt::IsSink::checked(__rt::collect(out)));
    {
        let connector = <_ as __rt::SourceOf<Numbers, u64, _>>::checked(rows(data.clone()));
        __rt::source::<Numbers, _, _, _, _>(
            g,
            SOURCE,
            connector,
            [0u64; 1],
            (e_out, ()),
            move |x0, cx, n, o| 'c: {
                cx.at(1);
                if !__rt::test(&x0, |x| x % 2 == 0) {
                    break 'c;
                }
                n[0] += 1;
                cx.at(2);
                let k = __rt::IsKey::checked(__rt::call(&x0, |x| x % 10));
                let at = o.0.key(k, __rt::NO_TIME, cx);
                let p = ((), __rt::CanSum::checked(__rt::call(&x0, |x| *x)));
                o.0.value(at, p, cx);
            },
            __rt::no_errors(),
        );
    }
    __rt::stage(
        g,
        &CHAIN,
        e_in,
        __rt::aggregate_at_end(__rt::on::<__rt::Memory>(), how, __rt::unbounded()),
        [0u64; 0],
        (s_out, ()),
        move |x0, _t0, cx, _n, o| {
            o.0.write(x0, cx);
        },
        __rt::no_late(),
    );
}

#[test]
fn sums_by_key_at_one_two_and_three_workers_native_and_wire() {
    let data: Arc<[u64]> = (0..200_000).collect();
    for (workers, wire) in [(1, false), (2, false), (3, false), (2, true), (3, true)] {
        let out = __rt::Collected::new();
        let (o, d) = (out.clone(), data.clone());
        let config = __rt::Config::default().workers(workers).wire(wire);
        let summary = __rt::execute::<__rt::Memory>(&JOB, config, move |g| build(g, &d, &o)).unwrap();
        let mut rows = out.take();
        rows.sort_unstable();
        let expected: Vec<_> =
            (0..5u64).map(|k| (k * 2, (20_000, (0..20_000).map(|i| i * 10 + k * 2).sum::<u64>()))).collect();
        assert_eq!(rows, expected, "{workers} workers, wire {wire}");
        assert_eq!((summary.records_in, summary.records_out), (200_000, 5));
    }
}
