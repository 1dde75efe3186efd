//! [`Merger`]: the thread that makes few segments of many, and verifies them, for all operators and workers of a process.
//!
//! A merge reads its segments and writes new ones beside them; it removes and replaces nothing. The list of segments
//! ([`Levels`](super::Levels)) takes the new ones in when it likes.

use super::folder::Folder;
use super::merge::Merged;
use super::reader::Segment;
use crate::background::{self, Wish};
use crate::error::Fault;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

/// Entries between two looks whether the merge is still wanted.
const CHECK_EVERY: u32 = 4096;

/// What is to be merged.
pub(super) struct Order {
    /// Files and the hashes that count in each, newest first.
    pub(super) newest_first: Vec<(PathBuf, RangeInclusive<u64>)>,
    /// Whether nothing older lies below, so that deletions have done their work.
    pub(super) is_base: bool,
    /// Namespaces below are left out.
    pub(super) horizon: i64,
    /// New segments end when they have so many bytes, and the next one begins.
    pub(super) segment_bytes: u64,
    pub(super) folder: Folder,
    pub(super) cancelled: Arc<AtomicBool>,
}

/// New segments, in hash order. Nobody lists them yet: unless they are [taken](Made::take), their files go with this.
pub(super) struct Made {
    segments: Vec<Arc<Segment>>,
    folder: Folder,
}

impl Made {
    /// The segments, for good.
    pub(super) fn take(mut self) -> Vec<Arc<Segment>> {
        std::mem::take(&mut self.segments)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for segment in &self.segments {
            // What is left is named by nobody, and swept away when the folder is next opened.
            let _ = self.folder.remove(segment.path());
        }
    }
}

/// What became of an order.
pub(super) type Outcome = Result<Made, Fault>;

/// A handle to the merging thread. The thread ends when the last handle is dropped and its work is done.
#[derive(Clone)]
pub struct Merger {
    tasks: Sender<Task>,
}

enum Task {
    Merge(Order, Sender<Outcome>),
    /// Verify all of a segment, and tell if it is damaged.
    Scrub(Weak<Segment>, Sender<Fault>),
}

impl Merger {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start() -> Result<Merger, Fault> {
        let (tasks, taken) = channel();
        let work = move || {
            for task in taken {
                // If the list was dropped nobody waits for it any more, or wants to know.
                match task {
                    Task::Merge(order, reply) => drop(reply.send(merge(&order))),
                    Task::Scrub(segment, damage) => {
                        if let Some(Err(fault)) = segment.upgrade().map(|segment| segment.scrub()) {
                            let _ = damage.send(fault);
                        }
                    }
                }
            }
        };
        background::start("pelton-merge", Wish::Tidy, work)
            .map_err(|e| Fault::new("cannot start the thread that merges segments of state").because(e))?;
        Ok(Merger { tasks })
    }

    /// Gives an order; its outcome comes out at the other end.
    pub(super) fn order(&self, order: Order) -> Receiver<Outcome> {
        let (reply, outcome) = channel();
        // If the thread is gone, so is `reply`, and who waits for the outcome is told.
        let _ = self.tasks.send(Task::Merge(order, reply));
        outcome
    }

    /// Verifies a segment, unless nobody has it any more by then.
    pub(super) fn scrub(&self, segment: &Arc<Segment>, damage: &Sender<Fault>) {
        let _ = self.tasks.send(Task::Scrub(Arc::downgrade(segment), damage.clone()));
    }
}

fn merge(order: &Order) -> Outcome {
    // Maps of their own, so that reading ahead is right for them and lookups keep theirs.
    let opened: Result<Vec<Segment>, Fault> =
        order.newest_first.iter().map(|(path, _)| Segment::open_in_order(path)).collect();
    let opened = opened?;
    let inputs = opened.iter().zip(&order.newest_first).map(|(segment, (_, hashes))| (segment, hashes.clone()));
    let mut made = Made { segments: Vec::new(), folder: order.folder.clone() };
    write(Merged::new(inputs, !order.is_base, order.horizon)?, order, &mut made.segments)?;
    Ok(made)
}

fn write(merged: Merged<'_>, order: &Order, made: &mut Vec<Arc<Segment>>) -> Result<(), Fault> {
    let (mut writer, mut last) = (None, None);
    let mut until_check = 0;
    for entry in merged {
        let entry = entry?;
        if until_check == 0 {
            until_check = CHECK_EVERY;
            if order.cancelled.load(Ordering::Relaxed) {
                return Err(Fault::new("the merge of segments is not wanted any more"));
            }
        }
        until_check -= 1;
        // Never between two entries of one hash: a segment has all of it or nothing.
        if last != Some(entry.hash)
            && let Some(full) = writer.take_if(|writer: &mut super::Writer| writer.bytes() >= order.segment_bytes)
        {
            made.push(Arc::new(Segment::open(&full.finish()?.path)?));
        }
        last = Some(entry.hash);
        match &mut writer {
            Some(writer) => writer.push(&entry)?,
            none => none.insert(order.folder.create(!order.is_base)?).push(&entry)?,
        }
    }
    if let Some(writer) = writer {
        made.push(Arc::new(Segment::open(&writer.finish()?.path)?));
    }
    Ok(())
}
