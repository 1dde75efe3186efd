//! The command line of the driver.

use crate::jobs::{BACKENDS, Backend, JOBS, Job};

/// What was asked for.
pub struct Options {
    /// For each job and backend.
    pub kills: u32,
    /// How long a run without kills takes, at least.
    pub seconds: u64,
    pub seed: u64,
    pub jobs: Vec<Job>,
    pub backends: Vec<Backend>,
}

/// What `--help` prints.
pub fn help() -> String {
    let mut text = String::from(
        "Kills jobs at random moments, again and again, and compares what they publish with an undisturbed run.

A job runs with a checkpoint every 200 ms and a limited rate. It is killed (SIGKILL) and started again, with 1, 2 or 3
workers, until it has ended by itself; in every second round what is local to the process, which is all but the checkpoints and
what is published, is lost at some of the kills. Then each row that the undisturbed run has published must be there, once. Rounds
go on until there have been enough kills.

Usage: scripts/chaos [OPTIONS]

Options:
  --kills N        Kills for each job and backend [default: 200]
  --seconds N      How long a run without kills takes, at least; more workers read more slowly [default: 20]
  --job NAME       One job only, or several: give it again
  --backend NAME   One backend only, or several: give it again
  --seed N         Other random moments [default: 1]
  -h, --help       Prints this

Jobs:
",
    );
    for job in JOBS {
        text += &format!("  {:<16} {}\n", job.name, job.about);
    }
    text += "\nBackends:\n";
    for backend in BACKENDS {
        let local =
            if backend.local { "keeps local files" } else { "keeps no local files, so that nothing of it is lost" };
        text += &format!("  {:<16} {local}\n", backend.name);
    }
    text += "
The exit code is 0 if lost = 0 and doubled = 0 for each job and at least half of the restarts have gone on from a newer checkpoint
than the start before them; 1 if not, or if a job has failed; 2 if the command line is wrong.

Examples:
  scripts/chaos                                         all jobs and backends, 200 kills each: half an hour
  scripts/chaos --job planes --kills 20 --seconds 5     less than a minute
";
    text
}

/// Reads the command line; `None` if help is asked for.
pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { kills: 200, seconds: 20, seed: 1, jobs: Vec::new(), backends: Vec::new() };
    while let Some(arg) = args.next() {
        if matches!(&*arg, "--help" | "-h") {
            return Ok(None);
        }
        if !["--kills", "--seconds", "--seed", "--job", "--backend"].contains(&&*arg) {
            return Err(format!("`{arg}` is no option"));
        }
        let value = args.next().ok_or(format!("{arg} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{arg} needs a number, not `{value}`"));
        match &*arg {
            "--kills" => options.kills = number()?.try_into().map_err(|_| format!("{arg} {value} is too many"))?,
            "--seconds" => options.seconds = number()?.max(1),
            "--seed" => options.seed = number()?,
            "--job" => options.jobs.push(named(JOBS, |job| job.name, "job", &value)?),
            _ => options.backends.push(named(BACKENDS, |backend| backend.name, "backend", &value)?),
        }
    }
    if options.jobs.is_empty() {
        options.jobs = JOBS.to_vec();
    }
    if options.backends.is_empty() {
        options.backends = BACKENDS.to_vec();
    }
    Ok(Some(options))
}

fn named<T: Copy>(all: &[T], name: impl Fn(&T) -> &'static str, what: &str, wanted: &str) -> Result<T, String> {
    let found = all.iter().find(|one| name(one) == wanted).copied();
    let names: Vec<&str> = all.iter().map(&name).collect();
    found.ok_or_else(|| format!("there is no {what} `{wanted}`; there are {}", names.join(", ")))
}
