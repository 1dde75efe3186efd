//! What a run gives back: the counters of all workers, in the order of the plan.

use super::meta::JobMeta;
use super::port;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::report::{OperatorSummary, Summary};
use std::time::Duration;

/// What the counters say, in the order of the plan.
pub fn summary(job: &JobMeta, config: &Config, elapsed: Duration, metrics: &Metrics, plan: &Plan) -> Summary {
    let mut summary = Summary {
        job: job.name.to_owned(),
        workers: config.workers,
        elapsed,
        records_in: 0,
        records_out: 0,
        late: 0,
        skipped: 0,
        operators: Vec::new(),
        stopped: false,
    };
    let cells = metrics.all();
    for (number, chain) in plan.chains.iter().enumerate() {
        let of_chain: Vec<_> = cells.iter().filter(|c| c.chain == number).collect();
        let sum = |of: &dyn Fn(&crate::metrics::ChainCells) -> u64| of_chain.iter().map(|c| of(c)).sum::<u64>();
        let rows_in = sum(&|c| c.rows_in.get());
        let late = sum(&|c| c.late.get());
        let mut outs: Vec<u64> = Vec::new();
        for (at, operator) in chain.operators.iter().enumerate() {
            let rows_in = match operator.input {
                _ if at == 0 => rows_in,
                port::LATE => late,
                input => outs.get(input).copied().unwrap_or(0),
            };
            let rows_out = match operator.counted {
                Some(i) => sum(&|c| c.counted.get(i).map_or(0, |cell| cell.get())),
                None if at == 0 => sum(&|c| c.emitted.get()),
                None => rows_in,
            };
            outs.push(rows_out);
            summary.records_out += if operator.sink { rows_out } else { 0 };
            let (name, what) = (operator.name.clone(), operator.what.clone());
            summary.operators.push(OperatorSummary { chain: number, name, what, rows_in, rows_out });
        }
        summary.late += late;
        summary.skipped += sum(&|c| c.skipped.get());
        if of_chain.iter().any(|c| c.is_source) {
            summary.records_in += rows_in;
        }
    }
    summary
}
