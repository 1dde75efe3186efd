//! The snapshot of an operator's tables, a little of it between any two frames, and what lies below them.

use super::Running;
use crate::engine::port::Live;
use crate::engine::resume::saved_operator;
use crate::engine::source::Counters;
use crate::error::Error;
use crate::frame::Time;
use crate::frame::writer::Cx;
use crate::key::Key;
use crate::keyed::{Operator, Out};
use crate::record::Record;

/// Bytes of a snapshot that are written between two frames.
const SAVE_BYTES: usize = 512 << 10;

impl<K, V, T, A, Op, N, L, F, D> Running<K, V, T, A, Op, N, L, F, D>
where
    K: Key,
    V: Record,
    T: Time,
    A: Record,
    Op: Operator<K, V, A, T>,
    N: Counters,
    L: Live,
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut L) + 'static,
    D: FnMut(V, i64, &mut Cx, &mut N, &mut L) + 'static,
{
    /// The tables are told where their entries go, as they are now; it is done between the frames to come.
    pub(super) fn begin_save(&mut self) {
        if self.states.is_empty() {
            return;
        }
        let Running { local, below, states, op, epoch, chain, name, .. } = self;
        let head = op.head();
        let state = || saved_operator(name, states, head);
        let to = match (below, &local.saver) {
            (None, None) => return,
            (None, Some(saver)) => saver.save(*epoch, local.worker, *chain, state()),
            (Some(below), _) => match below.begin_save(local, *epoch, *chain, state, &mut |each| op.tables(each)) {
                Some(to) => to,
                None => return,
            },
        };
        // Changes from now on belong to the next epoch, and must be seen to.
        self.op.barrier(self.epoch);
        self.op.tables(&mut |state, namespace, table| table.begin_save(&to, state, namespace));
        self.saving = Some((self.epoch, to));
    }

    /// Sees to what lies below. Says whether there is more to do.
    pub(super) fn settle_below(&mut self) -> Result<bool, Error> {
        let Running { local, below: Some(below), saving, op, name, .. } = self else { return Ok(false) };
        let settled = below.settle(local, saving.is_some(), &mut |each| op.tables(each));
        settled.map_err(|fault| Error::State { operator: (*name).to_owned(), fault })
    }

    /// Writes a little more into the snapshot under way. Says whether it can go on at once.
    pub(super) fn save_some(&mut self) -> bool {
        let Some((epoch, to)) = &self.saving else { return true };
        if self.local.given_up(*epoch) {
            to.give_up();
            self.op.tables(&mut |_, _, table| table.give_up());
            if let Some(below) = &mut self.below {
                below.given_up();
            }
            self.saving = None;
            return true;
        }
        if to.is_behind() {
            return false;
        }
        let (mut all, mut budget) = (true, SAVE_BYTES);
        self.op.tables(&mut |_, _, table| all = all && table.save_some(&mut budget));
        if all {
            to.end();
            self.saving = None;
        }
        true
    }
}
