//! [`Origin`]: where the value of a setting comes from.

use std::fmt;
use std::path::PathBuf;

use crate::error::Fault;

/// Where a value comes from. What stands first counts more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// An environment variable, by its name.
    Environment(String),
    /// A config file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// Nobody has said it.
    Default,
}

impl Origin {
    /// What a message says of the flag `--flag` whose value comes from here: "flag `--workers`", "environment variable `BOARD_WORKERS`".
    pub(crate) fn of(&self, flag: &str) -> String {
        match self {
            Origin::Flag | Origin::Default => format!("flag `--{flag}`"),
            Origin::Environment(name) => format!("environment variable `{name}`"),
            Origin::File { .. } => format!("key `{flag}`"),
        }
    }

    /// A fault of a value that comes from here, with its place.
    pub(crate) fn at(&self, fault: Fault) -> Fault {
        match self {
            Origin::File { path, line } => fault.in_file(path).at_line(*line),
            _ => fault,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}
