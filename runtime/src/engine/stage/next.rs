//! What follows an operator: the rest of its chain, as long as there is room and time.

use crate::engine::local::Local;
use crate::engine::port::Live;
use crate::frame::writer::{Cx, Ship};
use crate::keyed::{Follow, Out};
use std::time::Duration;
use timely::dataflow::operators::Capability;
use timely::scheduling::Activator;

/// When an operator that has more to say than there is time for pauses, and goes on when others have had their turn.
pub(super) struct Turn<'x> {
    pub(super) ends: Duration,
    pub(super) local: &'x Local,
    pub(super) activator: &'x Activator,
}

impl Turn<'_> {
    fn lasts(&self) -> bool {
        let lasts = self.local.now() < self.ends;
        if !lasts {
            self.activator.activate();
        }
        lasts
    }
}

/// What follows the operator: the rest of the chain.
pub(super) struct Next<'x, N, L, F, D> {
    pub(super) cx: &'x mut Cx,
    pub(super) counters: &'x mut N,
    pub(super) live: &'x mut L,
    pub(super) main: &'x mut F,
    pub(super) late: &'x mut D,
    pub(super) caps: &'x [Capability<u64>],
    pub(super) watermark: i64,
    pub(super) emitted: u64,
    pub(super) turn: Turn<'x>,
}

impl<Op, V, N, L, F, D> Follow<Op, V> for Next<'_, N, L, F, D>
where
    Op: Out,
    L: Live,
    F: for<'a> FnMut(Op::Row<'a>, i64, &mut Cx, &mut N, &mut L),
    D: FnMut(V, i64, &mut Cx, &mut N, &mut L),
{
    #[inline(always)]
    fn main(&mut self, row: Op::Row<'_>, time: i64) {
        self.emitted += 1;
        (self.main)(row, time, self.cx, self.counters, self.live);
        // The operator itself runs again.
        self.cx.operator = 0;
    }
    fn late(&mut self, row: V, time: i64) {
        (self.late)(row, time, self.cx, self.counters, self.live);
        self.cx.operator = 0;
    }
    #[inline(always)]
    fn judged_by(&mut self, watermark: i64) {
        self.cx.before = self.cx.before.max(watermark);
    }
    fn room(&mut self) -> bool {
        self.live.touch(self.cx);
        self.live.ship(Ship::Full, self.watermark, self.caps);
        self.live.open() && self.turn.lasts()
    }
}
