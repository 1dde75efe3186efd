//! Durable checkpoints: what they are made of, where they are kept, and which of them a job goes on from.
//!
//! The life of one checkpoint, and what happens if the process dies there:
//!
//! 1. Workers put *data objects* ([`object`]) with the entries of their state; each is durable when its put returns. Whoever dies
//!    here leaves objects that nothing names; a later sweep deletes them.
//! 2. The coordinator appends the *manifest* ([`manifest`]) to the *log* ([`log`]). With that the checkpoint is complete: the next
//!    run goes on from it. If somebody else has taken the number, this process no longer runs the job, and stops.
//! 3. It reads back what it wrote ([`log::Log::read_back`]).
//! 4. It appends `committing`; then sinks publish what they had prepared. Who dies between two commits does all of them again in the
//!    next run: that a commit may be repeated is what sinks promise.
//! 5. It appends `committed`, and sweeps ([`log::Log::retain`]): what no checkpoint needs that is kept.
//!
//! A run begins with [`log::Log::begin`], which takes over the log, then asks [`history::History::newest`] for the checkpoint to go on from.
//! Somebody may choose another one ([`fork`]), or ask a run for one that is his own ([`savepoint`]).
//! Everything that is stored has a digest, and is believed only after it was compared ([`verify`], `docs/format.md`).
//! Nothing here knows operators, frames or threads of workers.

pub mod copy;
pub mod damage;
pub mod describe;
pub mod digest;
pub mod entries;
pub mod entry;
pub mod faulty;
pub mod files;
pub mod fork;
pub mod history;
pub mod log;
pub mod manifest;
pub mod object;
mod portable;
pub mod resume;
pub mod retain;
pub mod savepoint;
mod scratch;
pub mod store;
pub mod verify;
