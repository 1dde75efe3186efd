//! The block as it is written: one file per noun, every token kept that a later phase may point at. Nothing here knows
//! whether a name exists or a stream has a key; a statement that cannot be read leaves its name and its tokens behind.

pub(crate) mod aggregate;
pub(crate) mod attributes;
pub(crate) mod block;
pub(crate) mod checkpoint;
pub(crate) mod code;
pub(crate) mod cursor;
pub(crate) mod life;
pub(crate) mod lock;
pub(crate) mod operator;
pub(crate) mod options;
pub(crate) mod param;
pub(crate) mod process;
pub(crate) mod restart;
pub(crate) mod roll;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod split;
pub(crate) mod stream;
pub(crate) mod units;
pub(crate) mod window;

pub(crate) use aggregate::{Aggregate, Part};
pub(crate) use block::{Job, Statement, What, parse};
pub(crate) use checkpoint::Checkpoint;
pub(crate) use code::Code;
pub(crate) use life::Life;
pub(crate) use lock::Stored;
pub(crate) use operator::{Call, Emit, Op};
pub(crate) use param::Param;
pub(crate) use process::Process;
pub(crate) use restart::Restart;
pub(crate) use roll::Roll;
pub(crate) use sink::Connector;
pub(crate) use source::{OnError, Source};
pub(crate) use stream::{Input, Start};
pub(crate) use units::Length;
pub(crate) use window::Window;
