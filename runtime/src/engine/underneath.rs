//! [`Underneath`]: the files below one operator's tables, on the worker's side: what is being written, what has been, and what
//! may be dropped from memory for it.

use super::local::Local;
use super::saver::{Delivered, save_changes};
use crate::checkpoint::manifest::OperatorState;
use crate::error::Fault;
use crate::state::files::OnDisk;
use crate::state::save::{SaveTo, Saved};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Files below an operator's tables, and what is under way with them.
pub struct Underneath {
    files: Rc<dyn OnDisk>,
    /// Where it is told what has been written.
    back: Sender<Delivered>,
    delivered: Receiver<Delivered>,
    /// How many changes are being written.
    under_way: usize,
    /// Memory for the tables, in bytes.
    memory: usize,
    /// Memory was short when it was last looked at.
    short: bool,
    /// What is below is being dropped from memory.
    relieving: bool,
}

/// Shows the tables of an operator.
pub type Tables<'x> = &'x mut dyn FnMut(&mut dyn FnMut(u16, i64, &mut dyn Saved));

impl Underneath {
    /// Of an operator; its share of memory is that of all operators with state.
    pub fn new(files: Rc<dyn OnDisk>, local: &Local) -> Self {
        let (back, delivered) = channel();
        let share = files.for_tables(local.config.state_memory) / (local.workers * local.parts().max(1)) as u64;
        let memory = usize::try_from(share).unwrap_or(usize::MAX);
        Underneath { files, back, delivered, under_way: 0, memory, short: false, relieving: false }
    }

    /// Where the changes of an epoch go; `None` without checkpoints unless memory is short: then what changed is written only to
    /// make room.
    pub fn begin_save(
        &mut self,
        local: &Local,
        epoch: u64,
        chain: usize,
        state: impl FnOnce() -> OperatorState,
        tables: Tables<'_>,
    ) -> Option<SaveTo> {
        let mut bytes = 0;
        tables(&mut |_, _, table| bytes += table.bytes());
        if local.saver.is_none() && (bytes <= self.memory || self.under_way > 0) {
            return None;
        }
        self.under_way += 1;
        let at = (epoch, local.worker, chain);
        Some(save_changes(local.saver.as_ref(), at, state(), self.files.change(epoch), self.back.clone()))
    }

    /// The changes that were begun last will not be written.
    pub fn given_up(&mut self) {
        self.under_way -= 1;
    }

    /// Reads from what has been written, and drops from memory what is in it if memory is short; not while tables are `saving`.
    /// Says whether there is more to drop.
    ///
    /// # Errors
    /// If changes could not be written and no checkpoint will tell.
    pub fn settle(&mut self, local: &Local, saving: bool, tables: Tables<'_>) -> Result<bool, Fault> {
        while let Ok(Delivered { epoch, written }) = self.delivered.try_recv() {
            self.under_way -= 1;
            match written {
                Ok(()) => self.files.take_in(epoch),
                // With checkpoints this one fails, and the next one has these changes, too.
                Err(_) if local.saver.is_some() => {}
                Err(fault) => return Err(fault),
            }
            let (mut bytes, mut littered) = (0, false);
            tables(&mut |_, _, table| {
                bytes += table.bytes();
                littered |= table.is_littered();
            });
            self.short = bytes > self.memory;
            self.relieving = self.short || littered;
        }
        if saving {
            return Ok(false);
        }
        self.files.settle(self.under_way == 0);
        if self.relieving {
            let (mut more, short) = (false, self.short);
            tables(&mut |_, _, table| more |= table.relieve(short));
            self.relieving = more;
        }
        Ok(self.relieving)
    }
}
