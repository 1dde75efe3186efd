//! `lock`: how what is stored has changed since it was accepted.

use std::io::Write;

use clap::ArgMatches;

use super::exit::{DONE, FAILED};
use super::say;
use crate::job::{Job, lock};

/// Shows it or accepts it, and gives the exit code.
pub(super) fn show<J: Job>(job: &J, matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let answer = lock::place::<J>()
        .and_then(|place| if matches.get_flag("accept") { lock::accept(job, place) } else { lock::show(job, place) });
    match answer {
        Ok(lock::Answer { text, open }) => {
            say(out, format_args!("{text}"));
            if open { FAILED } else { DONE }
        }
        Err(error) => {
            say(err, format_args!("error: {error}\n"));
            FAILED
        }
    }
}
