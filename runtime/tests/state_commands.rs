//! `state` of a job's binary, on a run that has failed on its way: what is taken out as JSON is put in again bit by bit, and a run
//! goes on from it, from a copy, or from lines that somebody wrote.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::Restart;
use pelton::checkpoint::describe::{Standing, describe};
use pelton::checkpoint::entries::entries;
use pelton::checkpoint::entry::Attempt;
use pelton::checkpoint::history::History;
use pelton::checkpoint::log::Log;
use pelton::checkpoint::manifest::{Form, Manifest, OperatorState};
use pelton::checkpoint::store::{Store, open, open_existing};
use pelton::job::main_with;
use pelton::prelude::*;
use pelton::record::Serde;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Record, Deserialize, Clone, Debug)]
struct Row {
    card: String,
    at: Timestamp,
    city: String,
    amount: i64,
}

#[derive(Record, Key, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum City {
    Oslo,
    Rome,
    Other { name: String },
}

fn city(name: &str) -> City {
    match name {
        "oslo" => City::Oslo,
        "rome" => City::Rome,
        name => City::Other { name: name.to_owned() },
    }
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Seen {
    at: Timestamp,
    city: City,
    amount: Option<i64>,
}

/// What a foreign crate would have.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Tag {
    name: String,
    weights: BTreeMap<u32, f64>,
    small: f32,
}

#[derive(Record, Clone, Debug, Default)]
struct Best {
    amount: Option<i64>,
    cities: Vec<String>,
    share: f64,
}

#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    of: String,
    text: String,
}

fn line(of: impl std::fmt::Debug, text: impl std::fmt::Debug) -> Line {
    Line { of: format!("{of:?}"), text: format!("{text:?}") }
}

/// Slows a run down, and ends it in the first split when there is a checkpoint with something in each state.
fn brake(stop: Option<&PathBuf>, row: i64) {
    let Some(place) = stop else { return };
    std::thread::sleep(Duration::from_micros(200));
    if (500..1200).contains(&row) && row % 10 == 0 {
        let found = open_existing(&place.display().to_string()).and_then(|store| describe(&*store));
        let of_now = |manifest: &Manifest| {
            let entries = |operator: &OperatorState| operator.objects.iter().map(|object| object.entries).sum::<u64>();
            let read = manifest.sources.iter().flat_map(|source| &source.splits).find(|split| split.id == 0);
            manifest.operators.len() == 5
                && manifest.operators.iter().all(|operator| entries(operator) > 0)
                && read.is_some_and(|first| first.rows > 500)
        };
        assert!(!found.is_ok_and(|found| found.checkpoints.iter().any(|one| of_now(&one.manifest))), "told to stop");
        // Time for a checkpoint: a chain looks for barriers after some ms.
        std::thread::sleep(Duration::from_millis(20));
    }
}

pelton::stream! {
    /// All kinds of states, of keys and of values.
    pub job Cards<Memory> {
        param rows: PathBuf;
        param out: PathBuf;
        param stop: Option<PathBuf>;
        source all: Row = csv(rows), event_time |r| r.at, late_by 1min, ordered_splits, on_error fail;
        let braked = all.inspect(|r| brake(stop.as_ref(), r.at.millis() / 10_000));

        let hourly = braked.key_by(|r| city(&r.city)).window(tumbling 1h).aggregate((count(), max(|r| r.amount)));
        let hours = hourly.map(|w| line(w.key, (w.start, w.value)));

        let best = braked.key_by(|r| (r.card.clone(), (r.amount % 3) as i8)).fold(Best::default(), |best, r| {
            best.amount = best.amount.max(Some(r.amount));
            best.share += r.amount as f64 / 8.0;
            if let Err(at) = best.cities.binary_search(&r.city) {
                best.cities.insert(at, r.city);
            }
        }, emit at_end, unbounded("few cards"));
        let bests = best.map(|(key, best)| line(key, best));

        let digits = braked.key_by(|r| r.amount % 10).aggregate(count(), emit at_end, ttl 7d);
        let counts = digits.map(|(digit, count)| line(digit, count));

        let days = braked.key_by(|r| Timestamp::from_millis(r.at.millis() / 3_600_000 * 3_600_000))
            .aggregate(sum(|r| r.amount), emit at_end, unbounded("few hours"));
        let sums = days.map(|(day, sum)| line(day, sum));

        let cards: Line = braked.key_by(|r| r.card).process {
            in_order;
            state last: Value<Seen>, ttl 24h;
            state cities: Map<City, u32>, unbounded("few cities");
            state amounts: List<i64>, unbounded("emptied by the timer");
            state tag: Value<Serde<Tag>>, unbounded("one per card");
            timer quiet: event_time;
            on event(r, cx) {
                cities.update(&city(&r.city), |n| n + 1);
                amounts.push(r.amount);
                let old = tag.take().map_or(0.0, |tag| tag.weights.get(&7).copied().unwrap_or(0.0));
                let weights = BTreeMap::from([(7, old / 2.0 + r.amount as f64), (9, f64::INFINITY)]);
                tag.set(Serde(Tag { name: format!("t{}", r.amount % 5), weights, small: r.amount as f32 / 3.0 }));
                if last.get().is_some_and(|seen| seen.amount == Some(r.amount)) {
                    cx.emit(line(cx.key(), ("again", r.at)));
                }
                last.set(Seen { at: r.at, city: city(&r.city), amount: (r.amount % 2 == 0).then_some(r.amount) });
                cx.set(quiet, r.at + 20min);
            }
            on timer quiet(at, cx) {
                let seen: Vec<(City, u32)> = cities.iter().map(|(city, n)| (city.clone(), *n)).collect();
                let text = format!("{at} {seen:?} {:?} {:?} {:?}", amounts.iter().sum::<i64>(), tag.get(), last.get());
                cx.emit(line(cx.key(), text));
                amounts.clear();
            }
        };
        let texts: Line = union(hours, bests, counts, sums, cards);
        sink file(texts) = csv(out);
        drop hourly.late;
        drop cards.late;
    }
}

pelton::stream! {
    /// Another job.
    pub job Other<Memory> {
        param rows: PathBuf;
        param out: PathBuf;
        source all: Row = csv(rows), on_error fail;
        let sums = all.key_by(|r| r.card).aggregate(sum(|r| r.amount), emit at_end, unbounded("few"));
        let lines = sums.map(|(key, sum)| line(key, sum));
        sink file(lines) = csv(out);
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-state-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.text(name)
    }
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
    /// The lines of a result, sorted.
    fn lines(&self, name: &str) -> Vec<String> {
        let mut lines: Vec<String> = self.read(name).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Rows enough for some seconds at the brake.
fn rows(count: i64) -> String {
    let mut text = "card,at,city,amount\n".to_owned();
    for n in 0..count {
        let (at, amount) = (n * 10_000, n * n % 997);
        let city = ["oslo", "rome", "bonn", "köln \"am\" rhein"][(n % 7 % 4) as usize].replace('"', "\"\"");
        text += &format!("card {},{},\"{city}\",{amount}\n", n * 31 % 11, Timestamp::from_millis(at));
    }
    text
}

/// Runs a command of a binary: its exit code, and what it has written.
fn ask<J: pelton::job::Job>(words: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = main_with::<J>(["job"].iter().chain(words).map(Into::into), &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[track_caller]
fn well(words: &[&str]) -> String {
    let (code, out, err) = ask::<Cards>(words);
    assert_eq!(code, 0, "{words:?}: {err}");
    out
}

#[track_caller]
fn fails<J: pelton::job::Job>(words: &[&str], says: &[&str]) {
    let (code, _, err) = ask::<J>(words);
    assert_eq!(code, 1, "{words:?}: {err}");
    for text in says {
        assert!(err.contains(text), "{words:?}: no {text:?} in\n{err}");
    }
}

const ROWS: i64 = 20_000;

/// A run that has failed, with checkpoints in `ck`, and what an undisturbed one gives in `calm.csv`.
fn failed_run() -> Folder {
    failed_run_on::<Memory>()
}

fn failed_run_on<B: pelton::Backend>() -> Folder {
    let folder = Folder::new();
    folder.write("rows.csv", &rows(ROWS));
    let job = |out: &str, stop: Option<PathBuf>| Cards { rows: folder.path("rows.csv"), out: folder.path(out), stop };
    job("calm.csv", None).run(Config::default().workers(2)).unwrap();
    let config = Config::default()
        .workers(2)
        .checkpoints(folder.text("ck"))
        .checkpoint_every(Duration::from_millis(5))
        .state_dir(folder.path("files"))
        .restart(Restart::Never);
    let error = job("out.csv", Some(folder.path("ck"))).run_on::<B>(config).unwrap_err().to_string();
    assert!(error.contains("told to stop"), "{error}");
    assert!(!folder.path("out.csv").exists());
    // The parts of the result that checkpoints name, which a run that ends uses up.
    std::fs::create_dir(folder.path("parts")).unwrap();
    each_part(&folder.0, |part, name| {
        std::fs::copy(part, folder.path("parts").join(name)).unwrap();
    });
    folder
}

fn each_part(folder: &Path, each: impl Fn(&Path, &std::ffi::OsStr)) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with('.') {
            each(&entry.path(), &entry.file_name());
        }
    }
}

/// All entries of the newest checkpoint of a place, by operator.
fn stored(folder: &Folder, place: &str) -> BTreeMap<String, Vec<(u64, u16, i64, Vec<u8>, Vec<u8>)>> {
    let store: Arc<dyn Store> = open_existing(&folder.text(place)).unwrap();
    let history = History::read(&*store).unwrap();
    let manifest = history.checkpoint(history.valid()[0]).unwrap();
    let all = manifest.operators.iter().map(|operator| {
        let mut found = Vec::new();
        entries(
            &*store,
            operator,
            |_| true,
            |entry| {
                found.push((
                    entry.hash,
                    entry.state,
                    entry.namespace,
                    entry.key.to_vec(),
                    entry.value.unwrap().to_vec(),
                ));
                Ok(())
            },
        )
        .unwrap();
        (operator.id.clone(), found)
    });
    all.collect()
}

/// Runs the job to its end from a place, with three workers.
fn finish(folder: &Folder, place: &str) {
    finish_on::<Memory>(folder, place);
}

fn finish_on<B: pelton::Backend>(folder: &Folder, place: &str) {
    let out = folder.path("out.csv");
    let _ = std::fs::remove_file(&out);
    each_part(&folder.0, |part, _| std::fs::remove_file(part).unwrap());
    each_part(&folder.path("parts"), |part, name| {
        std::fs::copy(part, folder.0.join(name)).unwrap();
    });
    let config = Config::default()
        .workers(3)
        .checkpoints(folder.text(place))
        .state_dir(folder.path("files"))
        .restart(Restart::Never);
    Cards { rows: folder.path("rows.csv"), out, stop: None }.run_on::<B>(config).unwrap();
}

#[track_caller]
fn same_result(folder: &Folder) {
    let (found, expected) = (folder.lines("out.csv"), folder.lines("calm.csv"));
    let other = found.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!((other, found.len()), (None, expected.len()));
}

/// Takes so many bytes, and nothing more.
struct Pipe {
    room: usize,
    kind: ErrorKind,
}

impl std::io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        if taken == 0 { Err(self.kind.into()) } else { Ok(taken) }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_taken_out_is_put_in_again_bit_by_bit() {
    let folder = failed_run();
    let (ck, rows, out) = (folder.text("ck"), folder.text("rows.csv"), folder.text("out.csv"));
    well(&["state", "export", "--checkpoints", &ck, "--out", &folder.text("all.jsonl")]);
    let lines = folder.read("all.jsonl");
    assert_eq!(lines, well(&["state", "export", "--checkpoints", &ck]), "the same state gives the same lines");
    assert!(!folder.path("all.jsonl.part").exists());
    // Who reads only the first lines has what it wants; a full disk is told.
    let to = |room: usize, kind| Pipe { room, kind };
    let words = ["job", "state", "export", "--checkpoints", &ck];
    let mut err = Vec::new();
    let mut into = |mut pipe: Pipe| main_with::<Cards>(words.iter().map(Into::into), &mut pipe, &mut err);
    assert_eq!((into(to(10_000, ErrorKind::BrokenPipe)), into(to(10_000, ErrorKind::StorageFull))), (0, 1));
    assert!(String::from_utf8(err).unwrap().starts_with("error: the entries cannot be written"));
    let before = stored(&folder, "ck");
    assert_eq!(before.len(), 5);
    assert_eq!(lines.lines().count(), before.values().map(Vec::len).sum::<usize>());

    // Into a place of its own, in any order of lines.
    let mut shuffled: Vec<&str> = lines.lines().collect();
    shuffled.sort_by_key(|line| pelton::hash::bytes(line.as_bytes()));
    let file = folder.write("shuffled.jsonl", &shuffled.join("\n"));
    well(&["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &folder.text("new")]);
    assert!(stored(&folder, "new") == before);
    assert_eq!(well(&["state", "export", "--checkpoints", &folder.text("new")]), lines);

    // As a change of the checkpoint that changes nothing, of some operators.
    let some: Vec<&str> = shuffled.iter().filter(|line| !line.contains("\"operator\":\"days\"")).copied().collect();
    let file = folder.write("some.jsonl", &some.join("\r\n\r\n"));
    let mended = folder.text("mended");
    well(&["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &mended, "--base", &ck]);
    assert!(stored(&folder, "mended") == before);
    well(&["state", "copy", "--checkpoints", &ck, "--to", &folder.text("copied")]);
    assert!(stored(&folder, "copied") == before);
    for place in ["mended", "copied", "new"] {
        assert!(well(&["state", "verify", "--checkpoints", &folder.text(place)]).contains("all is as it was written"));
    }

    // Runs go on from each of them as they do from the original, which is not touched by any of that. Two that go on from the same
    // checkpoint publish the same, so what was published is taken away in between.
    for place in ["mended", "copied", "ck"] {
        finish(&folder, place);
        same_result(&folder);
    }
}

/// The state of `FileSystem` is in its own files, which hold what was replaced and windows that have closed.
#[test]
fn what_another_backend_keeps_in_files_is_shown_and_copied_too() {
    files_are_shown_and_copied::<FileSystem>();
}

#[cfg(feature = "rocksdb")]
#[test]
fn what_a_database_keeps_is_shown_and_copied_too() {
    files_are_shown_and_copied::<RocksDb>();
}

fn files_are_shown_and_copied<B: pelton::Backend>() {
    let folder = failed_run_on::<B>();
    let (ck, rows, out) = (folder.text("ck"), folder.text("rows.csv"), folder.text("out.csv"));
    let store = open_existing(&ck).unwrap();
    let history = History::read(&*store).unwrap();
    assert!(history.checkpoint(history.valid()[0]).unwrap().objects().any(|object| object.form == Form::Blob));
    let all = folder.text("all.jsonl");
    well(&["state", "export", "--checkpoints", &ck, "--out", &all]);
    let keys = |text: &str| {
        let key = |line: &str| line.split_once(",\"value\":").unwrap().0.to_owned();
        text.lines().map(key).collect::<Vec<_>>()
    };
    let lines = folder.read("all.jsonl");
    let mut once = keys(&lines);
    once.sort();
    once.dedup();
    assert_eq!(once.len(), lines.lines().count(), "each key is there once");
    let one = well(&["state", "key", "digits", "7", "--checkpoints", &ck]);
    assert!(one.lines().count() == 1 && lines.contains(&one), "{one}");
    assert!(well(&["state", "list", "--checkpoints", &ck]).contains("window firings: 0 entries"));

    let mended = folder.text("mended");
    well(&["state", "import", &all, "--rows", &rows, "--out", &out, "--checkpoints", &mended, "--base", &ck]);
    let part: Vec<&str> = lines.lines().filter(|line| line.contains("\"operator\":\"best\"")).collect();
    let part = folder.write("part.jsonl", &part.join("\n"));
    let mixed = folder.text("mixed");
    well(&["state", "import", &part, "--rows", &rows, "--out", &out, "--checkpoints", &mixed, "--base", &ck]);
    well(&["state", "copy", "--checkpoints", &ck, "--to", &folder.text("copied")]);
    for place in ["mended", "mixed", "copied"] {
        let text = well(&["state", "export", "--checkpoints", &folder.text(place)]);
        assert!(text == lines, "{place}");
        assert!(well(&["state", "verify", "--checkpoints", &folder.text(place)]).contains("all is as it was written"));
    }
    // On either backend.
    finish_on::<B>(&folder, "mended");
    same_result(&folder);
    finish_on::<Memory>(&folder, "copied");
    same_result(&folder);
    finish_on::<B>(&folder, "mixed");
    same_result(&folder);
    finish_on::<B>(&folder, "ck");
    same_result(&folder);
}

#[test]
fn a_job_begins_with_the_state_that_it_is_given() {
    let folder = Folder::new();
    let rows =
        folder.write("rows.csv", "card,at,city,amount\na,1970-01-01T00:00:00Z,oslo,5\nb,1970-01-01T00:00:00Z,oslo,7\n");
    let (new, out) = (folder.text("new"), folder.text("out.csv"));
    // The only operator and its only state need not be named; of two lines of a key the last one counts.
    let line = |sum: &str| format!("{{\"key\":\"a\",\"value\":{{\"value\":[{sum},false],\"since\":0}}}}\n");
    let file = folder.write("lines.jsonl", &(line("1") + &line("\"x\"")));
    fails::<Other>(
        &["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &new],
        &["line 2", "`value.value[0]`: `i64` is expected"],
    );
    assert!(open_existing(&new).is_ok_and(|store| store.list("").unwrap().is_empty()), "nothing is left behind");
    let file = folder.write("lines.jsonl", &(line("1") + &line("100")));
    let (code, _, err) =
        ask::<Other>(&["state", "import", &file, "--rows", "any", "--out", "any", "--checkpoints", &new]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("2 lines are checkpoint 2 (epoch 0)"), "{err}");
    // Whatever the params were.
    let (code, _, err) =
        ask::<Other>(&["run", "--rows", &rows, "--out", &out, "--checkpoints", &new, "--workers", "2"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(folder.lines("out.csv"), ["\"\"\"a\"\"\",105", "\"\"\"b\"\"\",7", "of,text"]);
}

#[test]
fn a_key_is_shown_with_all_that_is_kept_of_it() {
    let folder = failed_run();
    let ck = folder.text("ck");
    let all = well(&["state", "export", "cards", "--checkpoints", &ck]);
    for key in ["card 3", "\"card 3\""] {
        let shown = well(&["state", "key", "cards", key, "--checkpoints", &ck]);
        assert_eq!(shown.lines().count(), 1);
        assert!(all.contains(&shown), "{shown}");
        for text in [
            "\"state\":\"row\"",
            "\"namespace\":0",
            "\"key\":\"card 3\"",
            "\"cities\":",
            "\"quiet\":",
            "{\"$float\":\"inf\"}",
        ] {
            assert!(shown.contains(text), "no {text} in {shown}");
        }
    }
    for (operator, key) in
        [("hourly", "Oslo"), ("hourly", "{\"Other\":{\"name\":\"bonn\"}}"), ("best", "[\"card 3\",1]"), ("digits", "7")]
    {
        let shown = well(&["state", "key", operator, key, "--checkpoints", &ck]);
        assert!(shown.lines().count() >= 1 && shown.lines().all(|line| line.contains("\"key\":")), "{shown}");
    }
    let day = well(&["state", "key", "days", "1970-01-01T00:00:00Z", "--checkpoints", &ck]);
    assert!(day.contains("\"key\":\"1970-01-01T00:00:00Z\""), "{day}");
    fails::<Cards>(&["state", "key", "digits", "77", "--checkpoints", &ck], &["`digits` keeps nothing of the key 77"]);

    // What is asked for wrongly.
    fails::<Cards>(
        &["state", "key", "card", "x", "--checkpoints", &ck],
        &["no operator `card`", "`cards` is near it; there are `best`"],
    );
    fails::<Cards>(&["state", "export", "hours", "--checkpoints", &ck], &["no operator `hours`", "`hourly`"]);
    fails::<Cards>(
        &["state", "key", "hourly", "Olso", "--checkpoints", &ck],
        &["`Olso` is no key of type `City = Oslo | Rome | Other { name: str }`"],
    );
    fails::<Cards>(
        &["state", "key", "best", "[\"card 3\"]", "--checkpoints", &ck],
        &["has 2 parts, and 1 stand there"],
    );
    fails::<Cards>(
        &["state", "key", "digits", "7", "--checkpoints", &ck, "--checkpoint", "1"],
        &["no checkpoint 1", "there are"],
    );
    fails::<Cards>(&["state", "list", "--checkpoints", &folder.text("nowhere")], &["nowhere"]);
    assert_eq!(ask::<Cards>(&["state", "key", "digits", "--checkpoints", &ck]).0, 2);
}

#[test]
fn the_list_has_the_sizes_of_each_state() {
    let folder = failed_run();
    let list = well(&["state", "list", "--checkpoints", &folder.text("ck")]);
    let found = stored(&folder, "ck");
    for (operator, entries) in &found {
        let bytes: usize = entries.iter().map(|entry| entry.3.len() + entry.4.len()).sum();
        let states: std::collections::BTreeSet<u16> = entries.iter().map(|entry| entry.1).collect();
        assert!(list.contains(&format!("`{operator}`: {} entries", entries.len())), "{operator}:\n{list}");
        if states.len() == 1 {
            let size = format!("{} entries, {bytes} bytes, ", entries.len());
            assert!(list.contains(&size), "{operator}: no {size:?} in\n{list}");
        }
    }
    assert!(
        list.contains("window firings: 0 entries, 0 bytes, City = Oslo | Rome | Other { name: str } -> u32"),
        "{list}"
    );
}

#[test]
fn lines_that_mean_nothing_are_told_with_line_and_field() {
    let folder = failed_run();
    let (rows, out, ck) = (folder.text("rows.csv"), folder.text("out.csv"), folder.text("ck"));
    let new = folder.text("new");
    let good = "{\"operator\":\"digits\",\"state\":\"value\",\"namespace\":0,\"key\":1,\"value\":{\"value\":[1,false],\"since\":0}}";
    assert!(
        well(&["state", "key", "digits", "1", "--checkpoints", &ck])
            .starts_with("{\"operator\":\"digits\",\"state\":\"value\"")
    );
    let cases = [
        (good.replace("digits", "digit"), vec!["no state in an operator `digit`", "`digits` is near it"]),
        (good.replace("\"operator\":\"digits\",", ""), vec!["the field `operator` is missing", "`best`, `digits`"]),
        (good.replace("\"value\",", "\"valeu\","), vec!["operator `digits` has no state `valeu`", "there is `value`"]),
        (good.replace("\"key\":1", "\"key\":\"x\""), vec!["`key`: `i64` is expected, and a text `\"x\"` stands there"]),
        (good.replace("\"since\":0", "\"since\":1.5"), vec!["`value.since`: `i64` is expected, and a number `1.5`"]),
        (good.replace("\"since\":0", "\"sinze\":0"), vec!["`value`: there is no field `sinze`; `since` is near it"]),
        (good.replace("\"namespace\":0", "\"namespace\":\"now\""), vec!["`namespace`: `i64` is expected"]),
        (good.replace("\"key\"", "\"kye\""), vec!["no field `kye`; `key` is near it", "help: write {"]),
        (good.replace('}', ""), vec!["no JSON: `,` or `}` is expected", "(character "]),
        ("[1]".to_owned(), vec!["a line is an object, and this is a list"]),
        ("{\"operator\":\"hourly\",\"key\":\"Oslo\",\"value\":1}".to_owned(), vec!["the field `state` is missing", "`value`, `firings`"]),
        (
            "{\"operator\":\"cards\",\"key\":\"a\",\"value\":{\"last\":{\"value\":{\"at\":0,\"city\":{\"Other\":{}}}}}}".to_owned(),
            vec!["`value.last.value.city.Other`: the field `name` is missing"],
        ),
    ];
    for (wrong, says) in cases {
        let file = folder.write("lines.jsonl", &format!("{good}\n\n{wrong}\n"));
        let says: Vec<&str> = says.into_iter().chain(["lines.jsonl, line 3"]).collect();
        fails::<Cards>(&["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &new], &says);
    }
    let file = folder.write("lines.jsonl", good);
    let import = |more: &[&str]| {
        let words = ["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints"];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let fails_import = |more: &[&str], says: &[&str]| {
        let words = import(more);
        fails::<Cards>(&words.iter().map(|word| &**word).collect::<Vec<_>>(), says);
    };
    fails_import(&[&ck], &["is not empty"]);
    fails_import(&[&new, "--base", &folder.text("nowhere")], &["nowhere"]);
    fails_import(&[&new, "--base", &ck, "--base-checkpoint", "1"], &["there is no checkpoint 1"]);
    let nothing = folder.write("nothing.jsonl", "\n");
    fails::<Cards>(
        &["state", "import", &nothing, "--rows", &rows, "--out", &out, "--checkpoints", &new],
        &["there is no line to import"],
    );
    fails::<Other>(
        &["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &new, "--base", &ck],
        &["is of job `Cards`, and this is job `Other`"],
    );
    fails::<Cards>(&["state", "copy", "--checkpoints", &ck, "--to", &ck], &["is not empty"]);
    // A value that its type refuses, though its schema allows it.
    let foreign = well(&["state", "key", "cards", "card 1", "--checkpoints", &ck]).replace("\"small\":", "\"smell\":");
    let file = folder.write("foreign.jsonl", &foreign);
    fails::<Cards>(
        &["state", "import", &file, "--rows", &rows, "--out", &out, "--checkpoints", &new],
        &["`value` is none of its type's", "missing field `small`", "line 1"],
    );
    // Two runs of it that end: nothing is read any more by one that goes on from the last checkpoint.
    finish(&folder, "ck");
    fails_import(&[&new, "--base", &ck], &["was taken when the inputs had ended", "leave `--base` out"]);
    well(&["state", "copy", "--checkpoints", &ck, "--to", &folder.text("ended")]);
    let ended = describe(&*open_existing(&folder.text("ended")).unwrap()).unwrap();
    assert!(ended.finished && ended.checkpoints[0].standing != Standing::Abandoned);
}

#[test]
fn damage_is_not_carried_on() {
    let folder = failed_run();
    let ck = folder.text("ck");
    let store = open_existing(&ck).unwrap();
    let history = History::read(&*store).unwrap();
    let newest = history.checkpoint(history.valid()[0]).unwrap();
    let object = newest.operators.iter().find(|operator| operator.id == "cards").unwrap().objects[0].clone();
    let mut bytes = store.get(&object.name).unwrap().unwrap();
    bytes[40] ^= 1;
    store.put(&object.name, &bytes).unwrap();
    fails::<Cards>(&["state", "export", "cards", "--checkpoints", &ck], &["damaged", &object.name]);
    fails::<Cards>(
        &["state", "copy", "--checkpoints", &ck, "--to", &folder.text("to")],
        &["damaged", "choose another one"],
    );
    assert!(open_existing(&folder.text("to")).unwrap().list("").unwrap().is_empty());
    let out = folder.text("cards.jsonl");
    fails::<Cards>(&["state", "export", "--checkpoints", &ck, "--out", &out], &["damaged"]);
    assert!(!Path::new(&out).exists() && !Path::new(&(out + ".part")).exists());
    assert!(well(&["state", "list", "--checkpoints", &ck]).contains("the sizes of its states cannot be told: "));
}

#[test]
fn a_place_without_checkpoints_is_not_called_good() {
    let folder = Folder::new();
    let verify = |name: &str| ["state".to_owned(), "verify".into(), "--checkpoints".into(), folder.text(name)];
    for (name, says) in [("nowhere", "there is no such directory"), ("empty", "no run has kept checkpoints in")] {
        if name == "empty" {
            std::fs::create_dir(folder.text(name)).unwrap();
        }
        let asked = verify(name);
        fails::<Cards>(&asked.each_ref().map(String::as_str), &[says, name, "help: name the directory"]);
    }
    // A run has begun, and kept nothing.
    let store = open(&folder.text("begun")).unwrap();
    let attempt = Attempt { job: "Cards".into(), width: 1, plan: 7, params: Vec::new(), time: 1 };
    Log::begin(store, attempt).unwrap();
    let asked = verify("begun");
    assert!(well(&asked.each_ref().map(String::as_str)).contains("no checkpoint is complete yet"));
}
