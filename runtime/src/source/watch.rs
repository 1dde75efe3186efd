//! [`Watch`]: files that appear while a job runs.
//!
//! A file is taken once it has not been changed for as long as one looks again, so that one that is still being copied is not read half. What was
//! taken must stay as it is, or go. It knows nothing of records and splits.

use super::files::{FileFound, Where};
use crate::clock::{Clock, MachineClock, unix_millis};
use crate::error::Fault;
use crate::time::TimeSpan;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What has been seen of a place.
pub(super) struct Watch {
    every: Duration,
    clock: Arc<dyn Clock>,
    /// When to look next.
    look_at: Duration,
    /// Files that were taken and are still there.
    seen: BTreeMap<PathBuf, FileFound>,
}

impl Watch {
    /// Of a folder or a pattern, looked at so often.
    pub(super) fn new(place: &Where, every: TimeSpan) -> Result<Watch, Fault> {
        if let Where::One(path) = place {
            return Err(Fault::new("`.watch(..)` is for a folder or a pattern, and this is one file")
                .in_file(path)
                .lasting()
                .help("write a `/` behind a folder, or a pattern such as `in/*.csv`"));
        }
        let every = Duration::from_micros(u64::try_from(every.micros()).unwrap_or(0));
        if every.is_zero() {
            return Err(Fault::new("`.watch(..)` of no time would look all the time")
                .lasting()
                .help("write how often to look: `.watch(1s)`"));
        }
        Ok(Watch { every, clock: MachineClock::start(), look_at: Duration::ZERO, seen: BTreeMap::new() })
    }

    /// These were taken by an attempt before.
    pub(super) fn has_seen(&mut self, seen: Vec<FileFound>) {
        self.seen = seen.into_iter().map(|file| (file.path.clone(), file)).collect();
        self.look_at = Duration::ZERO;
    }

    /// Files that were taken and are still there.
    pub(super) fn seen(&self) -> Vec<FileFound> {
        self.seen.values().cloned().collect()
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        self.clock.now() >= self.look_at
    }

    /// Files that are new, in their order.
    pub(super) fn look(&mut self, place: &Where) -> Result<Vec<FileFound>, Fault> {
        self.look_at = self.clock.now() + self.every;
        let (mut new, mut still) = (Vec::new(), BTreeMap::new());
        let now = u64::try_from(unix_millis()).unwrap_or(0).saturating_mul(1_000_000);
        let every = u64::try_from(self.every.as_nanos()).unwrap_or(u64::MAX);
        for file in place.list()? {
            match self.seen.remove(&file.path) {
                Some(seen) if !seen.is_still(&file) => return Err(seen.changed(file.bytes)),
                Some(seen) => {
                    still.insert(seen.path.clone(), seen);
                }
                // A time that is ahead of the clock says nothing.
                None if now.checked_sub(file.modified).is_some_and(|quiet| quiet < every) => {}
                None => {
                    still.insert(file.path.clone(), file.clone());
                    new.push(file);
                }
            }
        }
        // What is gone may come again under its name, and is another file then.
        self.seen = still;
        Ok(new)
    }
}
