//! How frames get to their targets: whole, by the target that they name, and back again when they have been applied.
//!
//! The way back is a second channel outside of timely's progress tracking; what arrives on it wakes the sender. It
//! carries what a frame counted for, and inside a process the emptied columns too.

use crate::frame::{Frame, Payload, Time, wire};
use crate::key::Key;
use crate::record::Record;
use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use timely::Accountable;
use timely::bytes::arc::Bytes;
use timely::communication::{Bytesable, Pull, Push};
use timely::dataflow::channels::pact::ParallelizationContract;
use timely::dataflow::channels::{ContainerBytes, Message};
use timely::logging::TimelyLogger;
use timely::worker::Worker;

impl<K: Key, V: Record, T: Time, A: Record> Accountable for Frame<K, V, T, A> {
    fn record_count(&self) -> i64 {
        // A frame without rows still carries a watermark, and timely drops what counts as nothing.
        self.rows().max(1) as i64
    }
}

impl<K: Key, V: Record, T: Time, A: Record> ContainerBytes for Frame<K, V, T, A> {
    fn from_bytes(bytes: Bytes) -> Self {
        wire::read(&bytes).unwrap_or_else(|fault| {
            // The frame arrives all the same, so that progress stays right, and fails where it is applied.
            Frame { payload: Payload::Broken(fault), ..Frame::default() }
        })
    }
    fn length_in_bytes(&self) -> usize {
        wire::write(self).len()
    }
    fn into_bytes<W: Write>(&self, writer: &mut W) {
        // Timely's writers are memory of the size asked for above; a short one is noticed at the other end.
        let _ = writer.write_all(&wire::write(self));
    }
}

/// A frame has been applied.
pub struct Return<K: Key, V, T, A> {
    /// By whom.
    pub target: u32,
    /// What it counted for.
    pub bytes: u32,
    /// Its emptied columns.
    pub emptied: Payload<K, V, T, A>,
}

impl<K: Key, V, T, A> Bytesable for Return<K, V, T, A> {
    fn from_bytes(bytes: Bytes) -> Self {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
        Return { target: word(0), bytes: word(4), emptied: Payload::Empty }
    }
    fn length_in_bytes(&self) -> usize {
        8
    }
    fn into_bytes<W: Write>(&self, writer: &mut W) {
        let _ = writer.write_all(&self.target.to_le_bytes());
        let _ = writer.write_all(&self.bytes.to_le_bytes());
    }
}

/// Where a sender finds what came back; filled when the receiver is built.
pub type ReturnSlot<K, V, T, A> = Rc<RefCell<Option<Box<dyn Pull<Return<K, V, T, A>>>>>>;
/// Where a receiver gives back.
pub type Returns<K, V, T, A> = Rc<RefCell<Vec<Box<dyn Push<Return<K, V, T, A>>>>>>;

/// Forwards whole frames by the target they name.
pub struct Routed<K: Key, V, T, A> {
    /// The sender's address: what comes back wakes it.
    pub upstream: Rc<[usize]>,
    /// The sender's end of the way back.
    pub slot: ReturnSlot<K, V, T, A>,
    /// The receiver's end.
    pub returns: Returns<K, V, T, A>,
}

type FramePusher<K, V, T, A> = Box<dyn Push<Message<u64, Frame<K, V, T, A>>>>;

impl<K: Key, V: Record, T: Time, A: Record> ParallelizationContract<u64, Frame<K, V, T, A>> for Routed<K, V, T, A> {
    type Pusher = ToTargets<K, V, T, A>;
    type Puller = Box<dyn Pull<Message<u64, Frame<K, V, T, A>>>>;
    fn connect(
        self,
        worker: &Worker,
        id: usize,
        address: Rc<[usize]>,
        _: Option<TimelyLogger>,
    ) -> (Self::Pusher, Self::Puller) {
        let (senders, puller) = worker.allocate(id, address);
        let (back, came_back) = worker.allocate(worker.new_identifier(), self.upstream);
        *self.slot.borrow_mut() = Some(came_back);
        *self.returns.borrow_mut() = back;
        (ToTargets { senders, from: worker.index(), sent: 0 }, puller)
    }
}

/// Pushes each frame to the worker it names.
pub struct ToTargets<K: Key, V, T, A> {
    senders: Vec<FramePusher<K, V, T, A>>,
    from: usize,
    sent: usize,
}

impl<K: Key, V: Record, T: Time, A: Record> Push<Message<u64, Frame<K, V, T, A>>> for ToTargets<K, V, T, A> {
    fn push(&mut self, message: &mut Option<Message<u64, Frame<K, V, T, A>>>) {
        match message {
            Some(frame) => {
                frame.from = self.from;
                frame.seq = self.sent;
                self.sent += 1;
                if let Some(sender) = self.senders.get_mut(frame.data.target as usize) {
                    sender.push(message);
                    // What a channel hands back for reuse is a frame that it has no use for; ours come back elsewhere.
                    *message = None;
                }
            }
            None => self.senders.iter_mut().for_each(|sender| sender.push(&mut None)),
        }
    }
}
