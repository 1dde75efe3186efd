//! Whether a run may go on from a checkpoint of somebody's choice. What was published after it would be published again, in
//! this form or another: that is a new branch of history, and nobody gets one by accident.

use super::history::{Fresh, History, Step};
use super::manifest::Manifest;
use crate::error::Fault;

/// What stands against going on from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Results of this newer checkpoint are published, or may be.
    Published(u64),
    /// The run that took it has ended, and has published its results.
    Ended,
    /// A later run has gone on from an older one, or has begun anew.
    Abandoned,
    /// This newer entry cannot be read: what it says of results nobody knows.
    Unknown(u64),
}

impl History {
    /// The checkpoint to which the newest entries lead, if nothing has to be passed over on the way.
    pub fn head(&self) -> Option<u64> {
        match self.steps(false).first() {
            Some(Step::Checkpoint(number, _)) => Some(*number),
            _ => None,
        }
    }

    /// What stands against going on from a checkpoint of this log.
    pub fn against(&self, checkpoint: u64) -> Option<Against> {
        for step in self.steps(false) {
            match step {
                Step::Checkpoint(number, _) if number == checkpoint => return None,
                Step::Checkpoint(number, _) if number < checkpoint => break,
                Step::Checkpoint(number, manifest) => {
                    if manifest.has_pending() && self.is_committing(number) {
                        return Some(Against::Published(number));
                    }
                }
                Step::Unreadable(number, ..) | Step::Other(number, _) => return Some(Against::Unknown(number)),
                Step::Fresh(Fresh::Finished) => return Some(Against::Ended),
                Step::Fresh(Fresh::Rewound | Fresh::Nothing) => break,
            }
        }
        Some(Against::Abandoned)
    }

    /// The checkpoint of this log of which another store has a copy.
    pub fn original(&self, copy: &Manifest) -> Option<u64> {
        let floor = self.floor();
        self.checkpoints().find(|(number, there)| *number >= floor && there.is_same(copy)).map(|(number, _)| number)
    }

    /// Whether no run has kept anything here.
    pub fn is_unused(&self) -> bool {
        matches!(self.steps(false)[..], [Step::Fresh(Fresh::Nothing)])
    }
}

impl Against {
    /// The refusal to go on from `from`, with the ways that there are.
    pub fn refuse(self, from: &str, place: &str) -> Fault {
        let why = match self {
            Against::Published(newer) => format!(
                "results of the newer checkpoint {newer} in {place} are published, and going on from {from} would publish \
                 them again, in this form or another"
            ),
            Against::Ended => format!("a run in {place} has ended after {from}, and its results are published"),
            Against::Abandoned => {
                format!("{from} is not where the job in {place} goes on: a later run has left it behind")
            }
            Against::Unknown(number) => format!(
                "entry {number} in {place} is newer than {from} and cannot be read: results may be published already"
            ),
        };
        Fault::new(why).help(
            "go on from the newest checkpoint, without `--from`; or add `--fork` to begin a new branch of history here on purpose: \
             sinks that cannot take back what they have published then have the results of both branches",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::entry::{Attempt, Commit, Entry, Finished, Rewind, Unreadable};
    use crate::checkpoint::manifest::{Pending, SinkState};

    fn attempt() -> Entry {
        Entry::Attempt(Attempt { job: "Board".into(), width: 1, plan: 0, params: Vec::new(), time: 0 })
    }

    fn checkpoint(epoch: u64) -> Entry {
        let pending = vec![Pending { epoch, worker: 0, bytes: vec![1] }];
        let sink = SinkState { id: "out".into(), state: Vec::new(), pending };
        Entry::Checkpoint(Box::new(Manifest { sinks: vec![sink], ..Manifest::new("Board", 1, epoch) }))
    }

    fn committing(checkpoint: u64, epoch: u64) -> Entry {
        Entry::Committing(Commit { checkpoint, epoch })
    }

    fn log(entries: Vec<Entry>) -> History {
        History::of((1..).zip(entries.into_iter().map(Ok)))
    }

    #[test]
    fn what_is_published_later_stands_against_a_checkpoint() {
        let mut entries = vec![attempt(), checkpoint(0), committing(2, 0), checkpoint(1)];
        let history = log(entries.clone());
        // Nothing of the newer one is published.
        assert_eq!((history.head(), history.against(4), history.against(2)), (Some(4), None, None));
        assert_eq!(history.against(1), Some(Against::Published(2)));
        entries.push(committing(4, 1));
        assert_eq!(
            (log(entries.clone()).against(4), log(entries.clone()).against(2)),
            (None, Some(Against::Published(4)))
        );
        entries.extend([attempt(), Entry::Rewind(Rewind { to: Some(2), why: "x".into() })]);
        let history = log(entries.clone());
        assert_eq!((history.head(), history.against(2)), (Some(2), None));
        assert_eq!(history.against(4), Some(Against::Abandoned), "it lies on another branch");
        entries.push(Entry::Finished(Finished { time: 0 }));
        assert_eq!((log(entries.clone()).head(), log(entries).against(2)), (None, Some(Against::Ended)));
    }

    #[test]
    fn what_cannot_be_read_stands_against_all_that_are_older() {
        let mut history = log(vec![attempt(), checkpoint(0)]);
        assert!(!history.is_unused() && log(vec![attempt(), attempt()]).is_unused());
        history = History::of([
            (1, Ok(attempt())),
            (2, Ok(checkpoint(0))),
            (3, Err(Unreadable::Damaged(None, "it is no entry".into()))),
        ]);
        assert_eq!((history.head(), history.against(2)), (None, Some(Against::Unknown(3))));
    }

    #[test]
    fn a_copy_finds_its_original() {
        let history = log(vec![attempt(), checkpoint(0), checkpoint(1)]);
        let mut copy = history.checkpoint(3).unwrap().clone();
        (copy.attempt, copy.floor) = (77, 78);
        assert_eq!(history.original(&copy), Some(3));
        copy.sinks.clear();
        assert_eq!(history.original(&copy), None);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let said = Against::Published(8).refuse("checkpoint 5", "ck").to_string();
        assert!(said.contains("newer checkpoint 8 in ck") && said.contains("`--fork`"), "{said}");
    }
}
