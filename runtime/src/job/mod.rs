//! A job as a value and as a binary: the trait that `stream!` implements, and the `main` that parses the command line,
//! runs the job or prints its plan, and says how it went. The engine below knows nothing of command lines; what it is
//! to do comes to it as a [`Config`].

mod cli;
mod flags;
mod lock;
mod origin;
mod state;
mod tell;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

pub use self::flags::{Flag, NoFlag, ParseFlag, Parser, Refused};
pub use self::lock::{LockReport, check_lock};
pub use self::values::Values;
use crate::config::{Config, Defaults};
use crate::engine::StoredOperator;
use crate::error::{Error, Fault};
use crate::lock::{LockPlace, StateMeta};
use crate::plan::Plan;
use crate::report::Summary;

/// What `stream!` writes for each job, so that a binary can be made of it.
pub trait Job: Sized + 'static {
    /// Its name in the block.
    const NAME: &'static str;
    /// Its doc comment.
    const ABOUT: &'static str;
    /// Its params, in the order of the block.
    fn params() -> Vec<Param>;
    /// Makes the job from what the command line says.
    ///
    /// # Errors
    /// If a param is missing, or if a text is no value of its param's type.
    fn from_values(values: &mut Values) -> Result<Self, Fault>;
    /// Runs it to the end of its inputs.
    ///
    /// # Errors
    /// Why it ended without its result.
    fn run_job(self, config: Config) -> Result<Summary, Error>;
    /// Gives the plan that it would run by, and reads and writes nothing.
    ///
    /// # Errors
    /// If the plan cannot be made with these params.
    fn plan_job(&self, config: &Config) -> Result<Plan, Error>;
    /// What its block says of checkpoints and restarts.
    const DEFAULTS: Defaults = Defaults::NONE;
    /// Whether its state backend has files: where they are, and how much memory it takes, are flags then.
    const KEEPS_FILES: bool = false;
    /// Where its lock is; `None` for a job that can have none.
    const LOCK: Option<LockPlace> = None;
    /// The states that it keeps, with their types. Like a plan it reads and writes nothing.
    ///
    /// # Errors
    /// If the graph cannot be made with these params.
    fn states_job(&self, _config: &Config) -> Result<Vec<StateMeta>, Error> {
        Ok(Vec::new())
    }
    /// What its operators store in checkpoints. Like a plan it reads and writes nothing.
    ///
    /// # Errors
    /// If the graph cannot be made with these params.
    fn stored_job(&self, _config: &Config) -> Result<Vec<StoredOperator>, Error> {
        Ok(Vec::new())
    }
}

/// A param of a job, which is a field of its struct and a flag of its binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// The field's name. The flag has dashes for its underscores.
    pub name: &'static str,
    /// Its doc comment.
    pub help: &'static str,
    /// Its type as the block says it; of an `Option<T>` param, `T`.
    pub ty: &'static str,
    /// The text of the expression after its `=`.
    pub default: Option<&'static str>,
    /// The same as its flag would say it, if it is a value by itself and not an expression.
    pub value: Option<&'static str>,
    /// Whether it is an `Option` and may be left out.
    pub optional: bool,
}

/// The `main` of a binary that is one job: `run`, which is also what no command means, `restore`, `plan`, `lock`, `state`, `completions`, and
/// `savepoint` and `stop` for one that runs.
///
/// Data goes to standard output, everything else to standard error. The exit code is 0 after a complete run, 1 after a
/// failed one, 2 if the command line, the environment or the config file is wrong, 130 if the run was interrupted.
pub fn main<J: Job>() -> ExitCode {
    main_from::<J>(std::env::args_os())
}

/// [`main`] with the arguments given, the program's own name first.
pub fn main_from<J: Job>(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Neither is locked: a sink of the job may write to them from another thread.
    ExitCode::from(main_with::<J>(args, &mut std::io::stdout(), &mut std::io::stderr()))
}

/// [`main_from`] with its output elsewhere: data goes to `out`, everything else to `err`. Gives the exit code.
pub fn main_with<J: Job>(
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn std::io::Write,
    err: &mut dyn std::io::Write,
) -> u8 {
    cli::answer::<J>(args.into_iter().collect(), out, err)
}
