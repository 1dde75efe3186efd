//! Kills jobs again and again and looks at what comes out: `scripts/chaos` runs it, `scripts/chaos --help` says how.
//!
//! A round begins with empty folders and starts the job with checkpoints; at random moments it is killed (SIGKILL) and started again
//! with 1, 2 or 3 workers, until it has ended by itself. What it has published is compared, row for row, with an
//! undisturbed run. Rounds go on until there have been enough kills.

mod jobs;
mod options;

use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use jobs::{Backend, Job, Rows, Start};
use options::Options;

/// What has been seen of a job so far.
#[derive(Default)]
struct Seen {
    rounds: u32,
    kills: u32,
    /// Starts behind a kill.
    restarts: u32,
    /// Those of them that went on from a newer checkpoint than any start before them in their round.
    newer: u32,
    /// How often what is local was lost.
    data_lost: u32,
    lost: u64,
    doubled: u64,
}

impl Seen {
    fn is_good(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.newer * 2 >= self.restarts
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Seen { rounds, kills, restarts, newer, data_lost, lost, doubled } = self;
        write!(
            f,
            "{rounds} rounds, {kills} kills, {newer} of {restarts} restarts went on from a newer checkpoint, local data lost \
             {data_lost} times, lost = {lost}, doubled = {doubled}"
        )
    }
}

/// The numbers of splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// What a process has said: whether it went well, its text, and the epoch that it went on from.
fn said(child: Child) -> Result<(bool, String, Option<u64>), String> {
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let epoch = text.split_once("(epoch ").and_then(|(_, rest)| rest.split_once(')')).and_then(|(n, _)| n.parse().ok());
    Ok((output.status.success(), text, epoch))
}

fn start(job: &Job, start: &Start<'_>) -> Result<Child, String> {
    job.command(start)?.spawn().map_err(|e| format!("{} cannot be started: {e}", job.name))
}

fn fresh(folder: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// Kills a job as often as was asked for.
fn torment(job: &Job, backend: Backend, options: &Options, base: &Path) -> Result<Seen, String> {
    fresh(base)?;
    job.prepare(base)?;
    let (calm, round) = (base.join("calm"), base.join("round"));
    fresh(&calm)?;
    let undisturbed = Start { workers: 1, backend, rate: None, checkpoints: false, round: &calm, base };
    let (well, text, _) = said(start(job, &undisturbed)?)?;
    if !well {
        return Err(format!("the undisturbed run failed:\n{text}"));
    }
    let expected = job.published(&calm)?;
    let rate = Some((job.rows() / options.seconds).max(1));
    let (mut seen, mut random) = (Seen::default(), Random(options.seed));
    while seen.kills < options.kills {
        fresh(&round)?;
        let mut again = |workers| Start { workers, backend, rate, checkpoints: true, round: &round, base };
        let by_itself = one_round(job, &mut again, &mut seen, &mut random)?;
        seen.rounds += 1;
        compare(&expected, &job.published(&round)?, &mut seen);
        println!("{} on {}: {seen}", job.name, backend.name);
        let left: Vec<_> =
            std::fs::read_dir(&round).map_err(|e| e.to_string())?.flatten().map(|e| e.file_name()).collect();
        // The last thing that a run does is to tidy up; one that was killed before leaves that to the next one.
        if by_itself && left.iter().any(|name| name.to_string_lossy().starts_with('.')) {
            return Err(format!("hidden files are left behind: {left:?}"));
        }
    }
    Ok(seen)
}

/// After so many restarts in a row that did not go on from a newer checkpoint a job is taken not to get on at all.
const STUCK: u32 = 30;

/// Starts and kills a job until it has ended; says whether it has by itself.
fn one_round<'a>(
    job: &Job,
    again: &mut dyn FnMut(u64) -> Start<'a>,
    seen: &mut Seen,
    random: &mut Random,
) -> Result<bool, String> {
    let (mut newest, mut waited, mut first, mut stuck) = (None, false, true, 0);
    loop {
        let how = again(1 + random.below(3));
        let mut child = start(job, &how)?;
        let until = Instant::now() + Duration::from_millis(50 + random.below(1750));
        let mut ended = false;
        while Instant::now() < until && !ended {
            std::thread::sleep(Duration::from_millis(5));
            ended = child.try_wait().map_err(|e| e.to_string())?.is_some();
            if !ended && !waited && job.has_published(how.round) {
                // A good moment, once: between what is published and what is noted.
                waited = true;
                break;
            }
        }
        if !ended {
            child.kill().map_err(|e| e.to_string())?;
        }
        let (well, text, epoch) = said(child)?;
        if ended && !well {
            return Err(format!("the job failed:\n{text}"));
        }
        seen.restarts += u32::from(!first);
        seen.newer += u32::from(!first && epoch > newest);
        stuck = if epoch > newest { 0 } else { stuck + 1 };
        newest = newest.max(epoch);
        first = false;
        if ended {
            return Ok(true);
        }
        seen.kills += 1;
        // It was killed between its last word and its end.
        if job.has_ended(how.round)? {
            return Ok(false);
        }
        if stuck == STUCK {
            return Err(format!(
                "{STUCK} starts in a row have gone on from no newer checkpoint; the last one said:\n{text}"
            ));
        }
        if seen.rounds.is_multiple_of(2) && random.below(3) == 0 {
            fresh(&jobs::local(how.round))?;
            seen.data_lost += 1;
        }
    }
}

/// Counts rows that are missing, and rows that are there too often.
fn compare(expected: &Rows, found: &Rows, seen: &mut Seen) {
    let more = |a: &Rows, b: &Rows| -> u64 {
        a.iter().map(|(row, count)| (count - b.get(row).copied().unwrap_or(0)).max(0).unsigned_abs()).sum()
    };
    seen.lost += more(expected, found);
    seen.doubled += more(found, expected);
}

fn run(options: &Options) -> Result<bool, String> {
    let base = std::env::temp_dir().join(format!("pelton-chaos-{}", std::process::id()));
    // Jobs run in a folder of their own.
    let base = std::path::absolute(base).map_err(|e| e.to_string())?;
    let (mut good, mut last) = (true, Vec::new());
    for backend in &options.backends {
        for job in &options.jobs {
            let seen = torment(job, *backend, options, &base)
                .map_err(|e| format!("{} on {}: {e}\nwhat is left is in {}", job.name, backend.name, base.display()))?;
            good &= seen.is_good();
            last.push(format!("{:<7} on {}: {seen}", job.name, backend.name));
        }
    }
    println!("\n{}", last.join("\n"));
    if good {
        let _ = std::fs::remove_dir_all(&base);
    }
    Ok(good)
}

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::help());
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("error: {wrong}\n\n{}", options::help());
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "error: rows were lost or doubled, or less than half of the restarts went on from a newer checkpoint"
            );
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
