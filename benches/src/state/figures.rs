//! What is measured.

use crate::Options;
use crate::gaps::Gaps;
use crate::generated::{EACH, Part, numbers};
use crate::jobs::{Huges, Keys, Sums, Wides};
#[cfg(feature = "rocksdb")]
use pelton::RocksDb;
use pelton::checkpoint::history::History;
use pelton::checkpoint::manifest::Manifest;
use pelton::{Backend, Config, Error, FileSystem, Memory};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const W2_KEYS: u64 = 1_000_000;
const WIDE: u64 = 64;

fn config() -> Config {
    Config::default().workers(2).pin(true).state_memory(8 << 30)
}

fn kept(place: &Path, every: Duration) -> Config {
    config().checkpoints(place.display().to_string()).checkpoint_every(every).checkpoint_pause(Duration::ZERO)
}

/// A run, and how many million events per second it made.
macro_rules! run {
    ($job:ident, $B:ty, $numbers:expr, $keys:expr, $gaps:expr, $config:expr) => {{
        let numbers = $numbers;
        match ($job { numbers: numbers.clone(), keys: $keys, gaps: $gaps.clone() }).run_on::<$B>($config) {
            Ok(_) => numbers.rate(),
            Err(error) => {
                eprintln!("error: {error}");
                std::process::exit(1)
            }
        }
    }};
}

/// Throughput of W2 with a checkpoint every second, and of 1 GB with one every 10 s, against without.
pub fn checkpoints(options: &Options) {
    let keys = Keys { all: W2_KEYS, then: W2_KEYS };
    let place = options.place("checkpoints");
    let (mut with, mut without) = (0f64, 0f64);
    for _ in 0..2 {
        without = without.max(run!(Sums, Memory, numbers(0, options.least()), keys, Gaps::default(), config()));
        let config = kept(&place, Duration::from_secs(1)).fresh(true);
        with = with.max(run!(Sums, Memory, numbers(0, options.least()), keys, Gaps::default(), config));
    }
    println!(
        "  W2, 1 M keys, Memory: {without:.1} M/s, with a checkpoint every second {with:.1}: {:.2} (goal 0.95)",
        with / without
    );
    large(options, &place);
}

/// Throughput of a large state in the 10 s behind a barrier, which all of its snapshot is written in, against the 10 s in front of it: the
/// machine is another one from minute to minute, and so are two runs.
fn large(options: &Options, place: &Path) {
    const PERIOD: Duration = Duration::from_secs(10);
    let periods = (options.seconds / 5).max(4) as u32;
    let keys = Keys { all: options.keys, then: options.keys };
    let numbers = numbers(options.keys, PERIOD * (2 * periods + 1) + Duration::from_secs(1));
    run!(
        Wides,
        Memory,
        numbers.clone(),
        keys,
        Gaps::default(),
        kept(place, 2 * PERIOD).keep_checkpoints(50).fresh(true)
    );
    let million = options.keys / 1_000_000;
    if manifests(place).len() <= periods as usize {
        println!("  a checkpoint took longer than {} s: these say nothing", (2 * PERIOD).as_secs());
    }
    let [mut with, mut without] = [Part { rate: 0.0, stolen: 0.0 }, Part { rate: 0.0, stolen: 0.0 }];
    for number in 1..=periods {
        let barrier = 2 * PERIOD * number;
        let (front, behind) = (numbers.between(barrier - PERIOD, barrier), numbers.between(barrier, barrier + PERIOD));
        let which = if number == 1 { ", with memory that is new" } else { "" };
        println!(
            "  {million} M keys of 64 bytes, Memory, checkpoint {number}{which}: {:.1} M/s in front, {:.1} behind: {:.2}; the machine's host kept {:.1} and {:.1} % of a core",
            front.rate,
            behind.rate,
            behind.rate / front.rate,
            100.0 * front.stolen,
            100.0 * behind.stolen,
        );
        if number > 1 {
            with.add(&behind);
            without.add(&front);
        }
    }
    let times = f64::from(periods - 1);
    println!(
        "  {million} M keys of 64 bytes, Memory, a checkpoint every 10 s against none: {:.2} (goal 0.9); the host kept {:.1} and {:.1} % of a core",
        with.rate / without.rate,
        100.0 * without.stolen / times,
        100.0 * with.stolen / times,
    );
}

/// Throughput of W2 on `FileSystem` while the state fits, against `Memory`; and on `RocksDb`, against a loop by hand.
pub fn backends(options: &Options) {
    fn w2<B: Backend>(options: &Options, checkpoints: bool) -> f64 {
        let keys = Keys { all: W2_KEYS, then: W2_KEYS };
        let place = options.place("backends");
        let config = if checkpoints { kept(&place, Duration::from_secs(1)).fresh(true) } else { config() };
        run!(Sums, B, numbers(0, options.least()), keys, Gaps::default(), config)
    }
    let (mut memory, mut files) = ([0f64; 2], [0f64; 2]);
    for _ in 0..2 {
        for checkpoints in [false, true] {
            let at = usize::from(checkpoints);
            memory[at] = memory[at].max(w2::<Memory>(options, checkpoints));
            files[at] = files[at].max(w2::<FileSystem>(options, checkpoints));
        }
    }
    for (at, what) in ["without checkpoints", "with one every second"].iter().enumerate() {
        let (memory, files) = (memory[at], files[at]);
        println!("  W2 {what}: Memory {memory:.1} M/s, FileSystem {files:.1}: {:.2} (goal 0.8)", files / memory);
    }
    #[cfg(feature = "rocksdb")]
    {
        let keys = Keys { all: W2_KEYS, then: W2_KEYS };
        let (mut ours, mut theirs) = (0f64, 0f64);
        for _ in 0..2 {
            ours = ours.max(w2::<RocksDb>(options, true));
            match crate::by_hand::w2(&options.place("by-hand"), keys, options.least()) {
                Ok(rate) => theirs = theirs.max(rate),
                Err(error) => eprintln!("error: {error}"),
            }
        }
        println!(
            "  W2 with a checkpoint every second: RocksDb {ours:.1} M/s, a loop that writes every second {theirs:.1}: {:.2} (goal 0.8)",
            ours / theirs
        );
    }
}

/// The time of a frame under full load with back-to-back checkpoints of 1 GB; and without any, which is what the machine does.
pub fn pauses(options: &Options) {
    fn on<B: Backend>(options: &Options) {
        if !options.on::<B>() {
            return;
        }
        let place = options.place("pauses");
        let few = options.keys * WIDE / 1024;
        for (what, checkpoints) in [("without checkpoints", false), ("back to back", true)] {
            let config = || if checkpoints { kept(&place, Duration::from_millis(1)).fresh(true) } else { config() };
            let gaps = Gaps::new(options.keys, 2 * options.least());
            let keys = Keys { all: options.keys, then: options.keys };
            let m = run!(Wides, B, numbers(options.keys, 2 * options.least()), keys, gaps, config());
            tell::<B>("64 bytes", what, m, &gaps, &place);
            let gaps = Gaps::new(few, 2 * options.least());
            let m = run!(Huges, B, numbers(few, 2 * options.least()), Keys { all: few, then: few }, gaps, config());
            tell::<B>("1 KB", what, m, &gaps, &place);
        }
    }
    fn tell<B: Backend>(values: &str, what: &str, m: f64, gaps: &Gaps, place: &Path) {
        let [p50, p99, most] = gaps.figures();
        let goal = if B::NAME == "RocksDb" { 10 } else { 5 };
        let checkpoints = manifests(place).last().map_or(0, |last| last.epoch);
        println!(
            "  {}, values of {values}, {what}: {m:.1} M/s, {checkpoints} checkpoints, a frame takes p50 {p50:.2} ms, p99 {p99:.2} (goal {goal}), at most {most:.1} (goal 50)",
            B::NAME,
        );
        let _ = std::fs::remove_dir_all(place);
    }
    on::<Memory>(options);
    on::<FileSystem>(options);
    #[cfg(feature = "rocksdb")]
    on::<RocksDb>(options);
}

/// The checkpoints of a place, oldest first.
fn manifests(place: &Path) -> Vec<Manifest> {
    let store = pelton::checkpoint::store::open(&place.display().to_string()).ok();
    let history = store.and_then(|store| History::read(&*store).ok());
    let mut all: Vec<Manifest> = history
        .map(|history| history.checkpoints().map(|(_, manifest)| manifest.clone()).collect())
        .unwrap_or_default();
    all.sort_by_key(|manifest| manifest.epoch);
    all
}

/// What a checkpoint writes after 1 % of the keys have changed.
pub fn change(options: &Options) {
    change_on::<FileSystem>(options);
    #[cfg(feature = "rocksdb")]
    change_on::<RocksDb>(options);
}

fn change_on<B: Backend>(options: &Options) {
    let place = options.place("change");
    let keys = Keys { all: options.keys, then: options.keys / 100 };
    let config = kept(&place, Duration::from_secs(2)).keep_checkpoints(50);
    // The first load, and what it is merged into, take the longest.
    run!(Wides, B, numbers(options.keys, 4 * options.least()), keys, Gaps::default(), config);
    let manifests = manifests(&place);
    let mut written = Vec::new();
    for pair in manifests.windows(2) {
        let before: BTreeSet<&str> = pair[0].objects().map(|object| &*object.name).collect();
        let new: BTreeSet<(&str, u64)> =
            pair[1].objects().filter(|o| !before.contains(&*o.name)).map(|o| (&*o.name, o.length)).collect();
        written.push(new.iter().map(|o| o.1).sum::<u64>());
    }
    let all: Vec<String> = written.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6)).collect();
    println!("  {}: checkpoints write, in MB: {}", B::NAME, all.join(" "));
    // The last one is of the end, when everything has gone out; in front of the last half the first load is merged.
    written.pop();
    let full = manifests.iter().map(Manifest::bytes).max().unwrap_or(0).max(1) as f64;
    let half = written.len() / 2;
    let last = &mut written[half..];
    let mean = last.iter().sum::<u64>() as f64 / last.len().max(1) as f64;
    last.sort_unstable();
    let usual = last.get(last.len() / 2).copied().unwrap_or(0) as f64;
    println!(
        "  {}: a checkpoint after 1 % of {} M keys changed writes {:.1} MB of {:.0} MB: {:.1} % (goal 5 %); with merges {:.1} % on average",
        B::NAME,
        options.keys / 1_000_000,
        usual / 1e6,
        full / 1e6,
        100.0 * usual / full,
        100.0 * mean / full
    );
}

/// Ends a run when a checkpoint is kept that has all keys.
#[derive(Clone)]
pub struct Trap {
    keys: u64,
    place: PathBuf,
}

impl Trap {
    /// Whether it ends the run at this row.
    pub fn springs(&self, row: u64) -> bool {
        // Splits are given out in the order of keys.
        let given_out = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes) * EACH;
        let is_full = |manifest: &Manifest| manifest.sources.iter().any(|s| given_out(&s.enumerator) >= 2 * self.keys);
        row.is_multiple_of(1 << 22) && manifests(&self.place).iter().any(is_full)
    }
}

/// From the start to the first results, with the state of a run before.
pub fn restart(options: &Options) {
    fn on<B: Backend>(options: &Options) {
        if !options.on::<B>() {
            return;
        }
        let place = options.place("restart");
        let keys = Keys { all: options.keys, then: options.keys };
        let filled = kept(&place, Duration::from_secs(2)).restart(pelton::Restart::Never);
        // It ends by an error, when there has been time for some checkpoints, so that the next run has something to go on from.
        let numbers = numbers(2_000_000_000, options.least());
        let trap = Trap { keys: options.keys, place: place.clone() };
        let filling = crate::jobs::Trapped { numbers, keys, gaps: Gaps::default(), trap: Some(trap) };
        match filling.run_on::<B>(filled) {
            Err(Error::Panic { .. }) => {}
            Err(error) => return eprintln!("error: {}: {error}", B::NAME),
            Ok(_) => return eprintln!("error: {}: no checkpoint of all keys was kept in time", B::NAME),
        }
        let bytes = manifests(&place).iter().map(Manifest::bytes).max().unwrap_or(0);
        let (gaps, begun) = (Gaps::default(), Instant::now());
        let numbers = crate::generated::numbers(0, Duration::ZERO);
        let job = crate::jobs::Trapped { numbers, keys, gaps: gaps.clone(), trap: None };
        if let Err(error) = job.run_on::<B>(kept(&place, Duration::from_secs(60))) {
            return eprintln!("error: {}: {error}", B::NAME);
        }
        let took = gaps.first().map_or(f64::NAN, |first| (first - begun).as_secs_f64());
        let per_worker = bytes as f64 / 1e6 / took / 2.0;
        println!(
            "  {}: {:.0} MB, {took:.2} s to the first frame, {per_worker:.0} MB/s per worker",
            B::NAME,
            bytes as f64 / 1e6
        );
    }
    on::<Memory>(options);
    on::<FileSystem>(options);
    #[cfg(feature = "rocksdb")]
    on::<RocksDb>(options);
}

/// What 10 M keys with values of 64 bytes take, and the longest pause while they come.
pub fn memory(options: &Options) {
    let keys = Keys { all: 10_000_000, then: 10_000_000 };
    let (before, gaps) = (resident(), Gaps::default());
    let watch = std::thread::spawn(|| {
        let mut most = 0;
        while !DONE.load(Ordering::Relaxed) {
            most = most.max(resident());
            std::thread::sleep(Duration::from_millis(20));
        }
        most
    });
    run!(Wides, Memory, numbers(keys.all, Duration::ZERO), keys, gaps, config());
    DONE.store(true, Ordering::Relaxed);
    let most = watch.join().unwrap_or(0).saturating_sub(before);
    let plain = keys.all * (8 + WIDE);
    let [_, p99, longest] = gaps.figures();
    println!(
        "  Memory: 10 M keys take {:.0} MB, {:.2} times their {:.0} MB (goal 2); a frame took p99 {p99:.2} ms, at most {longest:.1} (goal 50)",
        most as f64 / 1e6,
        most as f64 / plain as f64,
        plain as f64 / 1e6
    );
    let _ = options;
}

static DONE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Bytes of memory that the process has.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok())).unwrap_or(0) * 4096
}
