//! Whether a run may go on from a checkpoint that an earlier one took, and what is said if not.

use super::entry::Attempt;
use crate::error::Fault;
use std::collections::BTreeMap;

/// Whether the checkpoints of an earlier attempt are those of this job.
///
/// # Errors
/// If they are another job's.
pub fn check_job(before: &Attempt, now: &Attempt, place: &str) -> Result<(), Fault> {
    if before.job == now.job {
        return Ok(());
    }
    let what = format!("the checkpoints in {place} are those of job `{}`, and this is job `{}`", before.job, now.job);
    Err(Fault::new(what).lasting().help("give each job a place of its own"))
}

/// Compares what an earlier attempt was started with and what this one is: the job's name, and the params that sources and
/// sinks use. Another plan, or another number of workers, is no hindrance.
///
/// # Errors
/// If they differ; names each with both values.
pub fn check_params(before: &Attempt, now: &Attempt, place: &str) -> Result<(), Fault> {
    check_job(before, now, place)?;
    let texts = |of: &Attempt| -> BTreeMap<String, String> { of.params.iter().cloned().collect() };
    let (old, new) = (texts(before), texts(now));
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut differ = Vec::new();
    for name in names {
        let said = |text: Option<&String>| text.map_or("not there".to_owned(), |text| format!("`{text}`"));
        let (then, today) = (old.get(name), new.get(name));
        if then != today {
            differ.push(format!("`{name}` was {} and is {}", said(then), said(today)));
        }
    }
    if differ.is_empty() {
        return Ok(());
    }
    let what = format!("the checkpoints in {place} were taken with other params: {}", differ.join("; "));
    Err(Fault::new(what).lasting().help(
        "run with the params as they were to go on; with `--fresh` to begin again; or with `--fork` to go on with the new ones on purpose",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(job: &str, width: u32, params: &[(&str, &str)]) -> Attempt {
        let params = params.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Attempt { job: job.into(), width, plan: u64::from(width), params, time: 0 }
    }

    #[test]
    fn other_params_are_refused_with_both_values() {
        let before = attempt("Board", 2, &[("input", "a.csv"), ("out", "board/"), ("topic", "x")]);
        assert!(
            check_params(&before, &attempt("Board", 7, &[("topic", "x"), ("out", "board/"), ("input", "a.csv")]), "ck")
                .is_ok()
        );
        let now = attempt("Board", 2, &[("input", "b.csv"), ("out", "board/"), ("brokers", "y")]);
        assert_eq!(
            check_params(&before, &now, "ck/").unwrap_err().to_string(),
            "the checkpoints in ck/ were taken with other params: `brokers` was not there and is `y`; `input` was `a.csv` \
             and is `b.csv`; `topic` was `x` and is not there\n  help: run with the params as they were to go on; with \
             `--fresh` to begin again; or with `--fork` to go on with the new ones on purpose"
        );
        let error = check_params(&before, &attempt("Fraud", 2, &[]), "ck/").unwrap_err();
        assert_eq!(error.what, "the checkpoints in ck/ are those of job `Board`, and this is job `Fraud`");
    }
}
