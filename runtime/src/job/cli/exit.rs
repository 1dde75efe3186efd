//! The exit codes of a job's binary.

/// Everything went well, or the run was told to stop and did.
pub(super) const DONE: u8 = 0;
/// The run failed, or whatever else was asked for could not be done.
pub(super) const FAILED: u8 = 1;
/// The command line, the environment or the config file is wrong; nothing was begun.
pub(super) const USAGE: u8 = 2;
/// As a shell says it of a program that Ctrl-C has ended: 128 and the signal's number.
pub(super) const INTERRUPTED: u8 = 130;

/// What `--help` says of them.
pub(super) const HELP: &str = "\
Exit codes:
  0    done: the inputs have ended, or the run was told to stop
  1    the run failed, or what was asked for could not be done
  2    the command line, the environment or the config file is wrong; nothing was begun
  130  ended by a signal (Ctrl-C, SIGTERM) before the inputs had ended";
