//! The jobs that are killed: how each is started, and what it has published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pelton::checkpoint::entry::Entry;
use pelton::checkpoint::history::History;
use pelton::checkpoint::store;
use pelton::connect::log::{Batch, Log, NewRecord};
use serde_json::json;

/// Rows, each with how often it is there.
pub type Rows = BTreeMap<String, i64>;

/// A backend that the jobs can be run on.
#[derive(Clone, Copy)]
pub struct Backend {
    /// As `--backend` says it.
    pub name: &'static str,
    /// Whether it keeps files that are local to the process, so that there is something to lose.
    pub local: bool,
}

/// All of them. What one keeps in files it keeps in the folder for temporary files, which is lost now and then.
pub const BACKENDS: &[Backend] = &[
    Backend { name: "memory", local: false },
    Backend { name: "filesystem", local: true },
    #[cfg(feature = "rocksdb")]
    Backend { name: "rocksdb", local: true },
];

/// A job that is killed.
#[derive(Clone, Copy)]
pub struct Job {
    /// As `--job` says it.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// Its program, which lies beside the driver.
    program: &'static str,
    what: What,
}

/// From where to where.
#[derive(Clone, Copy)]
enum What {
    /// From the departures of January to csv files, one for each of these flags.
    Files(&'static [&'static str]),
    /// From a topic to these topics, each with the transactional id of its sink.
    Topics(&'static [(&'static str, &'static str)]),
}

/// All of them.
pub const JOBS: &[Job] = &[
    Job {
        name: "board",
        about: "windows and totals",
        program: "chaos_board",
        what: What::Files(&["hours", "carriers"]),
    },
    Job { name: "planes", about: "a process", program: "chaos_planes", what: What::Files(&["twice", "back"]) },
    Job {
        name: "topics",
        about: "from topic to topic",
        program: "chaos_topics",
        what: What::Topics(&[("running", "running/running_topic"), ("minutes", "minutes/minutes_topic")]),
    },
];

/// Rows in the departures of January.
const DEPARTURES: u64 = 26_820;
/// Records in the topic of payments, and its partitions.
const PAYMENTS: u64 = 30_000;
const PARTITIONS: u32 = 3;

/// How a job is started.
pub struct Start<'a> {
    pub workers: u64,
    pub backend: Backend,
    /// Rows per second.
    pub rate: Option<u64>,
    /// Whether it keeps checkpoints.
    pub checkpoints: bool,
    /// Where the round is.
    pub round: &'a Path,
    /// What is the same in all rounds.
    pub base: &'a Path,
}

/// What is local to the process.
pub fn local(round: &Path) -> PathBuf {
    round.join("local")
}

impl Job {
    /// How many rows it reads.
    pub fn rows(&self) -> u64 {
        match self.what {
            What::Files(_) => DEPARTURES,
            What::Topics(_) => PAYMENTS,
        }
    }

    /// Makes what it reads, once for all rounds.
    pub fn prepare(&self, base: &Path) -> Result<(), String> {
        let What::Topics(_) = self.what else { return Ok(()) };
        let wrong = |e: pelton::connect::log::LogError| e.to_string();
        let topic =
            Log::open(base.join("payments")).map_err(wrong)?.create_topic("payments", PARTITIONS).map_err(wrong)?;
        let payments: Vec<(String, Vec<u8>)> = (0..PAYMENTS)
            .map(|n| {
                let (at, card) = (n * 70, format!("card {}", n * n % 97));
                let row = json!({ "at": at, "card": card, "cents": n * 31 % 1009 });
                (card, row.to_string().into_bytes())
            })
            .collect();
        topic.append(payments.iter().map(|(card, row)| NewRecord::new(row).key(card))).map_err(wrong)
    }

    /// The command that runs it.
    pub fn command(&self, start: &Start<'_>) -> Result<Command, String> {
        let me = std::env::current_exe().map_err(|e| e.to_string())?;
        let program = me.with_file_name(self.program);
        if !program.is_file() {
            return Err(format!("{} is not there: run `scripts/chaos`, which builds it", program.display()));
        }
        let local = local(start.round);
        std::fs::create_dir_all(&local).map_err(|e| format!("{}: {e}", local.display()))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--quiet").args(["--workers", &start.workers.to_string()]);
        match self.what {
            What::Files(flags) => {
                for flag in flags {
                    command.arg(format!("--{flag}")).arg(start.round.join(flag));
                }
            }
            What::Topics(_) => {
                command.arg("--payments").arg(start.base.join("payments")).arg("--out").arg(start.round.join("out"));
            }
        }
        if let Some(rate) = start.rate {
            command.args(["--per-second", &rate.to_string()]);
        }
        if start.checkpoints {
            command.arg("--checkpoints").arg(start.round.join("checkpoints")).args(["--checkpoint-every", "200ms"]);
        }
        command.env("PELTON_CHAOS_BACKEND", start.backend.name).env("TMPDIR", &local).current_dir(&local);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Whether its log says that it has ended, so that the next start would be of a new run.
    pub fn has_ended(&self, round: &Path) -> Result<bool, String> {
        let place = round.join("checkpoints");
        if !place.exists() {
            // It was killed before it had written anything.
            return Ok(false);
        }
        let read = || History::read(&*store::open_existing(&place.display().to_string())?);
        let history = read().map_err(|e| format!("{}: {e}", place.display()))?;
        Ok(history.entries().any(|(_, entry)| matches!(entry, Ok(Entry::Finished(_)))))
    }

    /// Whether it has just published what appears at its end: between that and its own end it is worth being killed, too.
    pub fn has_published(&self, round: &Path) -> bool {
        match self.what {
            What::Files(flags) => flags.iter().any(|flag| round.join(flag).exists()),
            // It publishes with every checkpoint.
            What::Topics(_) => false,
        }
    }

    /// What it has published when it has ended.
    pub fn published(&self, round: &Path) -> Result<Rows, String> {
        let mut rows = Rows::new();
        match self.what {
            What::Files(flags) => {
                for flag in flags {
                    let path = round.join(flag);
                    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                    text.lines().for_each(|line| *rows.entry(format!("{flag}: {line}")).or_insert(0) += 1);
                }
            }
            What::Topics(topics) => {
                let wrong = |e: pelton::connect::log::LogError| e.to_string();
                let log = Log::open(round.join("out")).map_err(wrong)?;
                for (name, id) in topics {
                    let open = log.unresolved(id).map_err(wrong)?;
                    if !open.is_empty() {
                        return Err(format!("transactions of topic `{name}` are left open: {open:?}"));
                    }
                    let topic = log.topic(name).map_err(wrong)?;
                    for partition in 0..topic.partitions().map_err(wrong)? {
                        committed(&topic, partition, &mut |value| {
                            *rows.entry(format!("{name}: {}", String::from_utf8_lossy(value))).or_insert(0) += 1;
                        })
                        .map_err(wrong)?;
                    }
                }
            }
        }
        Ok(rows)
    }
}

/// What a reader of committed records sees of a partition.
fn committed(
    topic: &pelton::connect::log::Topic,
    partition: u32,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), pelton::connect::log::LogError> {
    let (mut batch, mut from) = (Batch::new(), 0);
    loop {
        topic.read(partition, from, 4096, &mut batch)?;
        batch.records().for_each(|record| each(record.value));
        if batch.is_empty() && batch.next_offset() == from {
            return Ok(());
        }
        from = batch.next_offset();
    }
}
