//! Kills a job again and again and looks at what comes out: `scripts/chaos` runs it.
//!
//! A round begins with empty folders and starts the job with checkpoints; at random moments it is killed (SIGKILL) and started again
//! with 1, 2 or 3 workers, until it has ended by itself. What it has published is compared, row for row, with an
//! undisturbed run. Rounds go on until there have been enough kills.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

struct Options {
    kills: u32,
    per_second: u64,
    seed: u64,
}

fn options() -> Result<Options, String> {
    let mut options = Options { kills: 200, per_second: 1300, seed: 1 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let number = args.next().and_then(|value| value.parse::<u64>().ok()).ok_or(format!("{arg} needs a number"))?;
        match arg.as_str() {
            "--kills" => options.kills = u32::try_from(number).map_err(|e| e.to_string())?,
            "--per-second" => options.per_second = number,
            "--seed" => options.seed = number,
            _ => return Err(format!("`{arg}` is no option; there are --kills, --per-second, --seed")),
        }
    }
    Ok(options)
}

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    kills: u32,
    rounds: u32,
    restarts: u32,
    newer: u32,
    lost: u64,
    doubled: u64,
}

struct Random(u64);
impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// The job, which lies beside this program.
fn job() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let job = me.with_file_name("chaos_board");
    if job.is_file() { Ok(job) } else { Err(format!("{} is not there: build the examples first", job.display())) }
}

struct Round<'a> {
    folder: &'a Path,
    job: &'a Path,
    per_second: Option<u64>,
}

const FILES: [&str; 2] = ["hours", "carriers"];

impl Round<'_> {
    fn start(&self, workers: u64, checkpoints: bool) -> Result<Child, String> {
        let mut command = Command::new(self.job);
        command.arg("run").arg("--quiet").args(["--workers", &workers.to_string()]);
        for file in FILES {
            command.arg(format!("--{file}")).arg(self.folder.join(file));
        }
        if let Some(rate) = self.per_second {
            command.args(["--per-second", &rate.to_string()]);
        }
        if checkpoints {
            command.arg("--checkpoints").arg(self.folder.join("checkpoints")).args(["--checkpoint-every", "200ms"]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())
    }

    /// Its rows, each with how often it is there.
    fn rows(&self) -> Result<BTreeMap<String, i64>, String> {
        let mut rows = BTreeMap::new();
        for file in FILES {
            let path = self.folder.join(file);
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            text.lines().for_each(|line| *rows.entry(format!("{file}: {line}")).or_insert(0) += 1);
        }
        Ok(rows)
    }
}

/// What a process has said: its text, and the epoch that it went on from.
fn said(child: Child) -> Result<(bool, String, Option<u64>), String> {
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let epoch = text.split_once("(epoch ").and_then(|(_, rest)| rest.split_once(')')).and_then(|(n, _)| n.parse().ok());
    Ok((output.status.success(), text, epoch))
}

fn fresh(folder: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

fn run(options: &Options) -> Result<Seen, String> {
    let job = job()?;
    let base = std::env::temp_dir().join(format!("pelton-chaos-{}", std::process::id()));
    let calm = base.join("calm");
    fresh(&calm)?;
    let undisturbed = Round { folder: &calm, job: &job, per_second: None };
    let (well, text, _) = said(undisturbed.start(1, false)?)?;
    if !well {
        return Err(format!("the undisturbed run failed:\n{text}"));
    }
    let expected = undisturbed.rows()?;
    let (mut seen, mut random) = (Seen::default(), Random(options.seed));
    while seen.kills < options.kills {
        let folder = base.join("round");
        fresh(&folder)?;
        let round = Round { folder: &folder, job: &job, per_second: Some(options.per_second) };
        let (mut newest, mut waited) = (None, false);
        loop {
            let mut child = round.start(1 + random.below(3), true)?;
            let until = Instant::now() + Duration::from_millis(50 + random.below(1400));
            let mut ended = false;
            while Instant::now() < until && !ended {
                std::thread::sleep(Duration::from_millis(5));
                ended = child.try_wait().map_err(|e| e.to_string())?.is_some();
                if FILES.iter().any(|file| folder.join(file).exists()) && !ended && !waited {
                    // A good moment, once: between what is published and what is noted.
                    waited = true;
                    break;
                }
            }
            if !ended {
                child.kill().map_err(|e| e.to_string())?;
                seen.kills += 1;
            }
            let (well, text, epoch) = said(child)?;
            if ended && !well {
                return Err(format!("the job failed:\n{text}"));
            }
            seen.restarts += 1;
            if epoch > newest {
                seen.newer += 1;
                newest = epoch;
            }
            if ended {
                break;
            }
        }
        seen.rounds += 1;
        let rows = round.rows()?;
        for (row, count) in &expected {
            seen.lost += count.saturating_sub(rows.get(row).copied().unwrap_or(0)).max(0).unsigned_abs();
        }
        for (row, count) in &rows {
            seen.doubled += count.saturating_sub(expected.get(row).copied().unwrap_or(0)).max(0).unsigned_abs();
        }
        println!(
            "round {}: {} kills, {} starts, {} of them went on from a newer checkpoint, lost = {}, doubled = {}",
            seen.rounds, seen.kills, seen.restarts, seen.newer, seen.lost, seen.doubled
        );
        let left: Vec<_> =
            std::fs::read_dir(&folder).map_err(|e| e.to_string())?.flatten().map(|e| e.file_name()).collect();
        if left.iter().any(|name| name.to_string_lossy().starts_with('.')) {
            return Err(format!("hidden files are left behind: {left:?}"));
        }
    }
    let _ = std::fs::remove_dir_all(&base);
    Ok(seen)
}

fn main() -> ExitCode {
    let seen = options().and_then(|options| run(&options));
    match seen {
        Ok(seen) => {
            println!("kills {}, resumes of a newer checkpoint {} of {} starts", seen.kills, seen.newer, seen.restarts);
            println!("lost = {}, doubled = {}", seen.lost, seen.doubled);
            if seen.lost == 0 && seen.doubled == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
