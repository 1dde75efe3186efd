//! What goes over the socket.
//!
//! ```text
//! 0   magic "PELTONc\0"
//! 8   version u16
//! 10  length u32              of the payload, in bytes
//! 14  payload                 a record: a request one way, a reply the other
//! ```

use crate::codec::Reader;
use crate::error::Fault;
use crate::record::Record;
use pelton_macros::Record;
use std::io::{self, Read, Write};

const MAGIC: [u8; 8] = *b"PELTONc\0";
const VERSION: u16 = 1;
/// More is not believed.
const LONGEST: u32 = 64 << 10;

/// What somebody wants of a running job.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name of the job that is meant.
    pub job: String,
    /// What it is to do.
    pub what: What,
}

/// What a job can be asked for.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A savepoint: here, or at a place of its choice.
    Savepoint(Option<String>),
    /// The same, and to end there.
    StopWithSavepoint(Option<String>),
    /// To read no more, and to end as if its inputs had ended.
    Drain,
}

/// What it answers when that is done, or cannot be.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The savepoint is there.
    Savepoint {
        /// Where: what `--from` takes.
        place: String,
        /// The epoch that ended with it.
        epoch: u64,
        /// Bytes of its objects.
        bytes: u64,
    },
    /// The run has ended, and has published its results.
    Drained,
    /// It cannot be done.
    Refused {
        /// Why.
        what: String,
        /// What to do.
        help: Option<String>,
    },
}

impl From<Fault> for Reply {
    fn from(mut fault: Fault) -> Reply {
        let help = fault.help.take();
        Reply::Refused { what: fault.to_string(), help }
    }
}

/// Writes a message.
pub(super) fn send<T: Record>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut payload = Vec::new();
    message.encode(&mut payload);
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other("the message is too long"))?;
    let bytes = [&MAGIC[..], &VERSION.to_le_bytes(), &length.to_le_bytes(), &payload].concat();
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads a message; `None` if the other side has closed before the first byte.
pub(super) fn receive<T: Record>(from: &mut impl Read) -> io::Result<Option<T>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut magic = [0; MAGIC.len()];
    let mut filled = 0;
    while let Some(room) = magic.get_mut(filled..).filter(|room| !room.is_empty()) {
        match from.read(room) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let (mut version, mut length) = ([0; 2], [0; 4]);
    from.read_exact(&mut version)?;
    from.read_exact(&mut length)?;
    if magic != MAGIC {
        return Err(wrong("the other side is no job of Pelton's"));
    }
    if u16::from_le_bytes(version) != VERSION {
        return Err(wrong("the other side is of another version of Pelton: use the program that runs the job"));
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(wrong("the message is too long"));
    }
    let mut payload = vec![0; length as usize];
    from.read_exact(&mut payload)?;
    let mut reader = Reader::new(&payload);
    let message = T::decode(&mut reader).and_then(|message| reader.end().map(|()| message));
    message.map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
