//! Rows without a key, whose target the block says: each worker in turn, by chance, or one that it names.

use super::writer::{Combine, Cx, Writer};
use super::{Mark, Time};

impl<V, T: Time, C: Combine<(), V>> Writer<(), V, T, C> {
    /// How many workers there are.
    #[inline(always)]
    pub fn workers(&self) -> usize {
        self.open.len()
    }

    /// To this worker, counted on from the first again if there are fewer.
    #[inline(always)]
    pub fn to(&mut self, target: usize, value: V, time: i64, cx: &Cx) {
        use crate::key::KeyColumn;
        let target = target % self.open.len();
        let open = &mut self.open[target];
        if T::TIMED {
            if time < cx.before {
                open.marks.push(Mark { row: open.keys.len() as u32, watermark: cx.before });
            }
            open.times.push(T::of(time));
        }
        open.keys.push((), 0);
        open.values.push(value);
    }

    /// To each worker in turn.
    #[inline(always)]
    pub fn in_turn(&mut self, value: V, time: i64, cx: &Cx) {
        self.turn = self.turn.wrapping_add(1);
        self.to(self.turn as usize, value, time, cx);
    }

    /// To any worker. The numbers are those of splitmix64, the same in every run.
    #[inline(always)]
    pub fn by_chance(&mut self, value: V, time: i64, cx: &Cx) {
        self.turn = self.turn.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.turn;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let target = (u128::from(mixed) * self.open.len() as u128) >> 64;
        self.to(target as usize, value, time, cx);
    }
}
