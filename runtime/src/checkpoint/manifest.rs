//! [`Manifest`]: what one complete checkpoint consists of. It is put into the log last, when everything it names is
//! durable, and whoever restores reads nothing that it does not name.
//!
//! Plain data: what the bytes of a sink or an enumerator mean, only they know.

use crate::schema::OwnedSchema;
use crate::state::save::StateMeta;
use pelton_macros::Record;

/// A complete checkpoint, or a savepoint: they differ in who asked for it and how long it is kept.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The attempt that took it: the number of its entry in the log.
    pub attempt: u64,
    /// Which checkpoint of the job it is; goes up across attempts.
    pub epoch: u64,
    /// How many workers took it.
    pub width: u32,
    /// The name of the job.
    pub job: String,
    /// When it was complete, in ms since 1970.
    pub time: i64,
    /// Whether the inputs had ended: all that is left to do is to commit and to publish.
    pub last: bool,
    /// The lowest number in the log that is still needed after this one; set by [`Log::complete`](super::log::Log::complete).
    pub floor: u64,
    /// What keeps state by key, by name in the block.
    pub operators: Vec<OperatorState>,
    /// How far the sources have read.
    pub sources: Vec<SourceState>,
    /// What the sinks have written.
    pub sinks: Vec<SinkState>,
    /// Room for checkpoints without alignment. Empty in this version: whoever finds something in it must not go on.
    pub in_flight: Vec<InFlight>,
}

/// The state of one operator.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct OperatorState {
    /// The operator's name in the block.
    pub id: String,
    /// Its states; entries in objects name them by their place in this list.
    pub states: Vec<StateInfo>,
    /// What each worker keeps beside the keys, in the operator's own form: by worker.
    pub heads: Vec<Vec<u8>>,
    /// Where the entries are. Later ones replace earlier ones, key by key.
    pub objects: Vec<ObjectRef>,
}

/// What is known of one state without the program.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct StateInfo {
    /// Its name in the operator.
    pub name: String,
    /// What kind of state: `Value`, `Map`, ..; timers too are a state.
    pub kind: String,
    /// What the bytes of keys hold.
    pub key: OwnedSchema,
    /// What the bytes of values hold.
    pub value: OwnedSchema,
    /// Stands for both schemas: [`StateInfo::fingerprint_of`].
    pub fingerprint: u64,
}

impl StateInfo {
    /// The description of a state.
    pub fn new(name: impl Into<String>, kind: impl Into<String>, key: OwnedSchema, value: OwnedSchema) -> Self {
        let fingerprint = Self::fingerprint_of(key.fingerprint(), value.fingerprint());
        StateInfo { name: name.into(), kind: kind.into(), key, value, fingerprint }
    }

    /// The description of a state of an operator, under its name there.
    pub fn of(state: &StateMeta) -> Self {
        StateInfo::new(state.name, state.kind, state.key.into(), state.value.into())
    }

    /// Stands for a key's and a value's schema, given what stands for each: equal if they can be read as they are.
    pub const fn fingerprint_of(key: u64, value: u64) -> u64 {
        key.rotate_left(32) ^ value
    }
}

/// An object that a manifest names, and how to know it.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its name in the store.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// Its length in bytes.
    pub length: u64,
    /// Of entries the digest of the index, which has those of the blocks; of a blob see [`blob`](super::object::blob).
    pub digest: u64,
    /// The least key group in it. Greater than `last_group` if there is none, or nobody says.
    pub first_group: u16,
    /// The greatest key group in it.
    pub last_group: u16,
    /// How many entries it has.
    pub entries: u64,
}

/// What an object is.
#[derive(Record, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Entries that every backend reads ([`object`](super::object)).
    Entries,
    /// A file of the backend that wrote the checkpoint.
    Blob,
}

/// How far one source has read.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct SourceState {
    /// The source's name in the block.
    pub id: String,
    /// The enumerator, in its own form.
    pub enumerator: Vec<u8>,
    /// The splits that were found and not read to their end.
    pub splits: Vec<SplitState>,
    /// The watermark that the source as a whole has reached.
    pub reached: i64,
}

/// How far one split was read.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct SplitState {
    /// Its number.
    pub id: u64,
    /// What the reader needs to find it, in the source's own form.
    pub detail: Vec<u8>,
    /// Bytes to read, if known.
    pub bytes: Option<u64>,
    /// Where to read on, in the reader's own form; empty if nobody has begun it.
    pub position: Vec<u8>,
    /// Its watermark.
    pub watermark: i64,
    /// Rows read from it.
    pub rows: u64,
}

/// What one sink has written.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct SinkState {
    /// The sink's name in the block.
    pub id: String,
    /// The committer, in its own form.
    pub state: Vec<u8>,
    /// What was prepared and is to be committed.
    pub pending: Vec<Pending>,
}

/// What one writer has prepared.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct Pending {
    /// The epoch in which it did.
    pub epoch: u64,
    /// Its worker.
    pub worker: u32,
    /// What it prepared, in its own form.
    pub bytes: Vec<u8>,
}

/// Frames that were on their way when the checkpoint was taken.
#[derive(Record, Clone, Debug, PartialEq)]
pub struct InFlight {
    /// The edge's name in the plan.
    pub edge: String,
    /// The worker that sent them.
    pub sender: u32,
    /// The worker that they were sent to.
    pub target: u32,
    /// Where they are.
    pub objects: Vec<ObjectRef>,
}

impl Manifest {
    /// A checkpoint without anything in it.
    pub fn new(job: impl Into<String>, width: u32, epoch: u64) -> Self {
        Manifest {
            attempt: 0,
            epoch,
            width,
            job: job.into(),
            time: 0,
            last: false,
            floor: 0,
            operators: Vec::new(),
            sources: Vec::new(),
            sinks: Vec::new(),
            in_flight: Vec::new(),
        }
    }

    /// Every object that it names.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        let in_flight = self.in_flight.iter().flat_map(|frames| &frames.objects);
        self.operators.iter().flat_map(|operator| &operator.objects).chain(in_flight)
    }

    /// Bytes of the objects that it names.
    pub fn bytes(&self) -> u64 {
        self.objects().fold(0, |sum, object| sum.saturating_add(object.length))
    }

    /// Whether it was taken from a job that ran: one that was made up of entries alone has no places in sources, and a run that goes on from
    /// it reads them from their beginning.
    pub fn has_run(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Whether any sink has something to commit.
    pub fn has_pending(&self) -> bool {
        self.sinks.iter().any(|sink| !sink.pending.is_empty())
    }
}

/// Names of data objects: `data/a1-e12-w3-0`. They say who wrote them and for which checkpoint, so that what no
/// manifest names can be told from what one will name soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataName {
    /// The attempt: the number of its entry in the log.
    pub attempt: u64,
    /// The checkpoint for which it was written.
    pub epoch: u64,
    /// The worker that wrote it.
    pub worker: u32,
    /// Which object of this worker and checkpoint.
    pub number: u32,
}

/// What the names of all data objects begin with.
pub const DATA: &str = "data/";

impl DataName {
    /// Takes a name apart; `None` if it is none of these.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(DATA)?.split('-');
        let mut part = |letter: &str| parts.next()?.strip_prefix(letter);
        let (attempt, epoch, worker) = (part("a")?.parse().ok()?, part("e")?.parse().ok()?, part("w")?.parse().ok()?);
        let number = part("")?.parse().ok()?;
        let parsed = DataName { attempt, epoch, worker, number };
        // One name for one object: no `+1`, no zeros in front, nothing behind.
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl std::fmt::Display for DataName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let DataName { attempt, epoch, worker, number } = self;
        write!(f, "{DATA}a{attempt}-e{epoch}-w{worker}-{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_say_who_wrote_them() {
        let name = DataName { attempt: 7, epoch: 12, worker: 3, number: 0 };
        assert_eq!(name.to_string(), "data/a7-e12-w3-0");
        assert_eq!(DataName::parse("data/a7-e12-w3-0"), Some(name));
        for other in ["data/a7-e12-w3", "data/a07-e12-w3-0", "data/a7-e12-w3-0-1", "data/a7-e12-w3-+1", "a7-e12-w3-0"] {
            assert_eq!(DataName::parse(other), None, "{other}");
        }
        super::super::store::check_name(&name.to_string()).unwrap();
    }
}
