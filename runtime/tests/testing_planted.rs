//! The conformance kit over connectors that are wrong on purpose: each fault is found, by the check that is there for it.

#![cfg(feature = "testing")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::error::{Fault, Place};
use pelton::sink::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use pelton::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split, Waker};
use pelton::testing::{Owned, Report, SinkCheck, SourceCheck};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leak {
    Nothing,
    /// The position is that of the last row, which comes again.
    PositionBeforeTheRow,
    /// The position is one row further.
    PositionBehindTheNextRow,
    /// A position is not looked at.
    PositionForgotten,
    /// The position is only good in the reader that gave it.
    PositionOfThisReader,
    /// The enumerator's state holds one split too many: the one that is found next is forgotten.
    ForgetsASplit,
    /// The enumerator's state holds one too few.
    RepeatsASplit,
    /// After the end the enumerator begins again.
    EndsAndBeginsAgain,
    /// An endless source says that it is finished.
    Finishes,
    /// Splits are numbered by whoever asks.
    NumbersAnew,
    /// The reader goes on in the next split where it was in the last.
    KeepsItsPlace,
    /// The last row of a split comes only with a larger budget.
    LosesTheLastRow,
    /// Much more than it was asked for.
    IgnoresTheBudget,
    /// It says that there may be more when there is nothing.
    Spins,
    /// It never wakes anybody.
    NeverWakes,
    /// Only the reader that was made last wakes its worker.
    WakesTheLast,
    /// It does not say that its splits do not end.
    DoesNotSayEndless,
    /// Splits that come later are not found.
    LooksOnce,
    /// What it does not know makes it panic.
    PanicsOnForeignState,
}

#[derive(Default)]
struct Water {
    splits: Vec<Vec<u32>>,
    wakers: Vec<Waker>,
}

/// A source over splits in memory, to which rows and splits can be added.
#[derive(Clone)]
struct Pond {
    water: Arc<Mutex<Water>>,
    leak: Leak,
    ends: bool,
}

impl Pond {
    fn add(&self, split: usize, rows: &[u32]) {
        let mut water = self.water.lock().unwrap();
        let len = water.splits.len().max(split + 1);
        water.splits.resize(len, Vec::new());
        water.splits[split].extend(rows);
        let wakers = water.wakers.clone();
        drop(water);
        if self.leak != Leak::NeverWakes {
            wakers.iter().for_each(|waker| waker());
        }
    }
}

fn number(bytes: &[u8]) -> Result<u64, Fault> {
    bytes.try_into().map(u64::from_le_bytes).map_err(|_| Fault::new("no number"))
}

impl Source<Owned<u32>> for Pond {
    type Reader = PondReader;
    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let next = match from {
            Some(from) if self.leak == Leak::PanicsOnForeignState => number(from).unwrap(),
            from => from.map_or(Ok(0), number)?,
        };
        let seen = self.water.lock().unwrap().splits.len();
        Ok(Box::new(PondSplits { pond: self.clone(), next, found: 0, seen }))
    }
    fn reader(&mut self) -> Result<PondReader, Fault> {
        Ok(PondReader { pond: self.clone(), split: 0, at: 0, base: 0 })
    }
    fn describe(&self) -> String {
        format!("pond with {:?}", self.leak)
    }
    fn endless(&self) -> bool {
        !self.ends && self.leak != Leak::DoesNotSayEndless
    }
}

struct PondSplits {
    pond: Pond,
    next: u64,
    found: u64,
    seen: usize,
}

impl Enumerator for PondSplits {
    fn next(&mut self) -> Result<Found, Fault> {
        let splits = match self.pond.leak {
            Leak::LooksOnce => self.seen,
            _ => self.pond.water.lock().unwrap().splits.len(),
        };
        if self.next >= splits as u64 {
            if self.pond.leak == Leak::EndsAndBeginsAgain {
                self.next = 0;
            }
            let ends = self.pond.ends || self.pond.leak == Leak::Finishes;
            return Ok(if ends { Found::Finished } else { Found::Later });
        }
        self.next += 1;
        self.found += 1;
        let id = if self.pond.leak == Leak::NumbersAnew { self.found - 1 } else { self.next - 1 };
        Ok(Found::Split(Split { id, detail: (self.next - 1).to_le_bytes().to_vec(), bytes: None }))
    }
    fn state(&self) -> Vec<u8> {
        let next = match self.pond.leak {
            Leak::ForgetsASplit => self.next + 1,
            Leak::RepeatsASplit => self.next.saturating_sub(1),
            _ => self.next,
        };
        next.to_le_bytes().to_vec()
    }
}

struct PondReader {
    pond: Pond,
    split: usize,
    at: usize,
    /// Where it was opened.
    base: usize,
}

impl Reader<Owned<u32>> for PondReader {
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        self.split = usize::try_from(number(&split.detail)?).map_err(|_| Fault::new("no split"))?;
        let Some(rows) = self.pond.water.lock().unwrap().splits.get(self.split).map(Vec::len) else {
            return Err(Fault::new("no such split"));
        };
        let from = from.map(number).transpose()?.unwrap_or(0) as usize;
        if from > rows + 1 {
            return Err(Fault::new("no such row"));
        }
        self.at = match self.pond.leak {
            Leak::KeepsItsPlace => from.max(self.at),
            Leak::PositionForgotten => 0,
            _ => from,
        };
        self.base = self.at;
        Ok(())
    }
    fn position(&self) -> Vec<u8> {
        let at = match self.pond.leak {
            Leak::PositionBeforeTheRow => self.at.saturating_sub(1),
            Leak::PositionBehindTheNextRow => self.at + 1,
            Leak::PositionOfThisReader => self.at - self.base,
            _ => self.at,
        };
        (at as u64).to_le_bytes().to_vec()
    }
    fn poll<E: Emit<Owned<u32>>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let rows = self.pond.water.lock().unwrap().splits[self.split].clone();
        let leak = self.pond.leak;
        if leak == Leak::LosesTheLastRow && budget == 1 && self.at + 1 == rows.len() {
            return Ok(Polled::SplitDone);
        }
        let most = if leak == Leak::IgnoresTheBudget { usize::MAX } else { budget };
        let before = self.at;
        for row in rows.iter().skip(before).take(most) {
            self.at += 1;
            out.row(*row);
        }
        Ok(match self.at < rows.len() {
            true => Polled::More,
            false if self.pond.ends => Polled::SplitDone,
            false if leak == Leak::Spins => Polled::More,
            false if self.at == before => Polled::Dry,
            false => Polled::More,
        })
    }
    fn place(&self) -> Place {
        Place::default()
    }
    fn wake_with(&mut self, waker: Waker) {
        let mut water = self.pond.water.lock().unwrap();
        if self.pond.leak == Leak::WakesTheLast {
            water.wakers.clear();
        }
        water.wakers.push(waker);
    }
}

fn check_pond(leak: Leak, ends: bool) -> Report {
    let pond = Pond { water: Arc::default(), leak, ends };
    for split in 0..4 {
        pond.add(split, &(0..25).map(|n| split as u32 * 100 + n).collect::<Vec<_>>());
    }
    // One that is large enough to see what a poll gives.
    pond.add(4, &(1000..1200).collect::<Vec<_>>());
    let rows: Vec<u32> = pond.water.lock().unwrap().splits.concat();
    let check = SourceCheck::<Owned<u32>, _>::new(|| pond.clone()).rows(&rows).patience(Duration::from_millis(40));
    if ends {
        return check.in_order().run();
    }
    let feed = || {
        pond.add(1, &[125, 126]);
        pond.add(5, &[501, 502]);
    };
    check.grows(feed, [125, 126, 501, 502]).run()
}

#[track_caller]
fn found(report: &Report, by: &[&str]) {
    println!("{report}");
    for check in by {
        assert!(report.broken().contains(check), "`{check}` has not found it:\n{report}");
    }
}

#[test]
fn a_good_source_passes() {
    for ends in [true, false] {
        check_pond(Leak::Nothing, ends).assert();
    }
}

#[test]
fn faults_of_sources_are_found() {
    use Leak::*;
    for (leak, by) in [
        (PositionBeforeTheRow, &["positions", "restart"][..]),
        (PositionBehindTheNextRow, &["positions", "restart"]),
        (PositionForgotten, &["positions", "restart"]),
        (PositionOfThisReader, &["positions", "restart"]),
        (ForgetsASplit, &["state", "restart"]),
        (RepeatsASplit, &["state", "restart"]),
        (EndsAndBeginsAgain, &["finished"]),
        (NumbersAnew, &["state"]),
        (KeepsItsPlace, &["rows"]),
        (LosesTheLastRow, &["budget"]),
        (IgnoresTheBudget, &["budget"]),
        (PanicsOnForeignState, &["foreign bytes"]),
    ] {
        found(&check_pond(leak, true), by);
    }
    for (leak, by) in [
        (Finishes, &["finished", "discovery"][..]),
        (Spins, &["rows", "idle"]),
        (NeverWakes, &["discovery"]),
        (WakesTheLast, &["discovery"]),
        (DoesNotSayEndless, &["rows", "readers", "idle"]),
        (LooksOnce, &["discovery"]),
        (PositionBeforeTheRow, &["positions", "restart"]),
        (ForgetsASplit, &["state", "restart"]),
    ] {
        found(&check_pond(leak, false), by);
    }
}

#[test]
fn a_report_of_a_wrong_source_says_where() {
    let text = check_pond(Leak::PositionBeforeTheRow, true).to_string();
    assert!(
        text.contains("split 0, opened behind row 1 of 25: 25 rows instead of 24\n          unexpected: 0\n"),
        "{text}"
    );
    let text = check_pond(Leak::ForgetsASplit, true).to_string();
    assert!(text.contains("with 0 of 5 splits given, it goes on with split 1 instead of split 0\n"), "{text}");
    let text = check_pond(Leak::DoesNotSayEndless, false).to_string();
    assert!(text.contains("split 0 is `Dry` and keeps its reader while other splits wait for one"), "{text}");
    let text = check_pond(Leak::NeverWakes, false).to_string();
    assert!(text.contains("a reader that was `Dry` has rows, and has not called its waker"), "{text}");
}

/// What is wrong with a sink.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Crack {
    Nothing,
    PublishesAtWrite,
    PublishesAtFlush,
    PublishesAtPrepare,
    CommitsTwice,
    /// Commits are only known by the committer that made them.
    CommitsAgainBehindARestart,
    /// What another attempt prepared is not found.
    LosesWhatWasPrepared,
    /// Writers are told apart by the number of the worker now.
    LosesOtherWorkers,
    /// What is left over is published with the next commit.
    PublishesWhatWasAbandoned,
    LosesCommittedOnAbort,
    PublishesOnAbort,
    ZombieCommits,
    /// Who prepares last is the one that counts.
    ZombieOverwrites,
    /// A new attempt removes what was committed before it.
    BeginsFromNothing,
    /// An epoch of one writer alone.
    CommitsTheFirstWriter,
    PanicsOnForeignBytes,
    PanicsWithoutRows,
    /// What was published behind an older checkpoint stays.
    TakesNothingBack,
    /// What was published before it goes, too.
    TakesAllBack,
}

type Key = (u64, u64, u64);

#[derive(Default)]
struct Vault {
    owner: u64,
    /// By attempt, worker and epoch.
    prepared: BTreeMap<Key, Vec<u32>>,
    committed: BTreeMap<Key, Vec<u32>>,
    /// What a wrong one has shown.
    leaked: Vec<u32>,
}

#[derive(Clone)]
struct Bank {
    vault: Arc<Mutex<Vault>>,
    crack: Crack,
}

impl Sink for Bank {
    type Writer = Teller;
    fn writer(&mut self, context: &SinkContext) -> Result<Teller, Fault> {
        Ok(Teller { bank: self.clone(), context: context.clone(), rows: Vec::new() })
    }
    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        let last = match from {
            None => None,
            Some(state) => Some(state.try_into().map(u64::from_le_bytes).map_err(|_| Fault::new("none of ours"))?),
        };
        let mut vault = self.vault.lock().unwrap();
        vault.owner = context.attempt;
        if self.crack == Crack::BeginsFromNothing {
            vault.committed.clear();
        }
        drop(vault);
        Ok(Box::new(Clerk { bank: self.clone(), context: context.clone(), done: Vec::new(), last }))
    }
    fn takes_back(&self) -> bool {
        true
    }
    fn describe(&self) -> String {
        format!("bank with {:?}", self.crack)
    }
}

struct Teller {
    bank: Bank,
    context: SinkContext,
    rows: Vec<u32>,
}

impl Writer for Teller {
    fn flush(&mut self) -> Result<(), Fault> {
        if self.bank.crack == Crack::PublishesAtFlush {
            self.bank.vault.lock().unwrap().leaked.append(&mut self.rows);
        }
        Ok(())
    }
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        if self.rows.is_empty() {
            assert!(self.bank.crack != Crack::PanicsWithoutRows, "there is always something");
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        let mut vault = self.bank.vault.lock().unwrap();
        if self.bank.crack == Crack::PublishesAtPrepare {
            vault.leaked.extend(rows);
            return Ok(None);
        }
        let attempt = if self.bank.crack == Crack::ZombieOverwrites { 0 } else { self.context.attempt };
        let key = (attempt, self.context.worker as u64, epoch);
        vault.prepared.insert(key, rows);
        Ok(Some(Prepared([key.0, key.1, key.2].map(u64::to_le_bytes).concat())))
    }
}

impl Accepts<u32> for Teller {
    fn write(&mut self, row: u32) -> Result<(), Fault> {
        match self.bank.crack {
            Crack::PublishesAtWrite => self.bank.vault.lock().unwrap().leaked.push(row),
            _ => self.rows.push(row),
        }
        Ok(())
    }
}

struct Clerk {
    bank: Bank,
    context: SinkContext,
    done: Vec<Key>,
    /// How many epochs are committed, of a run that goes on from a checkpoint.
    last: Option<u64>,
}

impl Committer for Clerk {
    fn state(&self) -> Vec<u8> {
        self.last.unwrap_or(0).to_le_bytes().to_vec()
    }
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        let crack = self.bank.crack;
        let mut keys = Vec::new();
        for (_, Prepared(bytes)) in &prepared {
            let key = match bytes.as_chunks::<8>() {
                ([a, b, c], []) => [*a, *b, *c].map(u64::from_le_bytes),
                _ if crack == Crack::PanicsOnForeignBytes => panic!("{} bytes", bytes.len()),
                _ => return Err(Fault::new("none of ours")),
            };
            keys.push((key[0], key[1], key[2]));
        }
        let mut vault = self.bank.vault.lock().unwrap();
        if vault.owner != self.context.attempt && crack != Crack::ZombieCommits {
            return Err(Fault::new("another attempt has taken over"));
        }
        self.last = self.last.max(Some(epoch.saturating_add(1)));
        if crack == Crack::CommitsTheFirstWriter {
            keys.truncate(1);
        }
        if crack == Crack::PublishesWhatWasAbandoned {
            keys = vault.prepared.keys().copied().collect();
        }
        for key in keys {
            let lost = match crack {
                Crack::LosesWhatWasPrepared => key.0 != self.context.attempt,
                Crack::LosesOtherWorkers => key.1 as usize >= self.context.workers,
                _ => false,
            };
            if lost {
                continue;
            }
            let keeps = matches!(crack, Crack::CommitsTwice | Crack::CommitsAgainBehindARestart);
            let rows = if keeps { vault.prepared.get(&key).cloned() } else { vault.prepared.remove(&key) };
            let Some(rows) = rows else { continue };
            match crack {
                Crack::CommitsTwice => vault.leaked.extend(rows),
                Crack::CommitsAgainBehindARestart if self.done.contains(&key) => {}
                Crack::CommitsAgainBehindARestart => vault.leaked.extend(rows),
                _ => drop(vault.committed.insert(key, rows)),
            }
            self.done.push(key);
        }
        Ok(())
    }
    fn begin(&mut self) -> Result<(), Fault> {
        let attempt = self.context.attempt;
        let keeps = matches!(self.bank.crack, Crack::PublishesWhatWasAbandoned | Crack::CommitsAgainBehindARestart);
        let mut vault = self.bank.vault.lock().unwrap();
        match (self.last, self.bank.crack) {
            (None, _) | (_, Crack::TakesNothingBack | Crack::PublishesWhatWasAbandoned) => {}
            (Some(_), Crack::TakesAllBack) => vault.committed.retain(|key, _| key.0 >= attempt),
            (Some(last), _) => vault.committed.retain(|key, _| key.2 < last),
        }
        drop(vault);
        if !keeps {
            self.bank.vault.lock().unwrap().prepared.retain(|key, _| key.0 >= attempt);
        }
        Ok(())
    }
    fn abort(&mut self) {
        let mut vault = self.bank.vault.lock().unwrap();
        let left = std::mem::take(&mut vault.prepared);
        match self.bank.crack {
            Crack::LosesCommittedOnAbort => vault.committed.clear(),
            Crack::PublishesOnAbort => vault.leaked.extend(left.into_values().flatten()),
            _ => {}
        }
    }
}

fn check_bank(crack: Crack) -> Report {
    let visible = |vault: &Arc<Mutex<Vault>>| {
        let vault = vault.lock().unwrap();
        vault.committed.values().chain([&vault.leaked]).flatten().copied().collect::<Vec<u32>>()
    };
    let sink = |vault: &Arc<Mutex<Vault>>| Bank { vault: vault.clone(), crack };
    SinkCheck::new(Arc::default, sink, visible, 0..40u32).run()
}

#[test]
fn a_good_sink_passes() {
    check_bank(Crack::Nothing).assert();
}

#[test]
fn faults_of_sinks_are_found() {
    use Crack::*;
    for (crack, by) in [
        (PublishesAtWrite, &["pre-commit"][..]),
        (PublishesAtFlush, &["pre-commit"]),
        (PublishesAtPrepare, &["pre-commit", "abandoned"]),
        (CommitsTwice, &["commit twice", "restart"]),
        (CommitsAgainBehindARestart, &["restart"]),
        (LosesWhatWasPrepared, &["restart", "rescale"]),
        (LosesOtherWorkers, &["rescale"]),
        (PublishesWhatWasAbandoned, &["abandoned"]),
        (LosesCommittedOnAbort, &["abort"]),
        (PublishesOnAbort, &["abort"]),
        (ZombieCommits, &["zombie commit"]),
        (ZombieOverwrites, &["zombie writer"]),
        (BeginsFromNothing, &["restart"]),
        (CommitsTheFirstWriter, &["rows"]),
        (PanicsOnForeignBytes, &["foreign bytes"]),
        (PanicsWithoutRows, &["empty"]),
        (TakesNothingBack, &["fall back"]),
        (TakesAllBack, &["restart", "fall back"]),
    ] {
        found(&check_bank(crack), by);
    }
}

#[test]
fn a_fault_is_told_apart_from_others() {
    // What is wrong in one place alone is broken in one place alone.
    assert_eq!(check_bank(Crack::ZombieCommits).broken(), ["zombie commit"]);
    assert_eq!(check_bank(Crack::TakesNothingBack).broken(), ["fall back"]);
    assert_eq!(check_bank(Crack::LosesOtherWorkers).broken(), ["rescale"]);
    assert_eq!(check_bank(Crack::LosesCommittedOnAbort).broken(), ["abort", "next run"]);
    assert_eq!(check_bank(Crack::PanicsOnForeignBytes).broken(), ["foreign bytes"]);
    assert_eq!(check_pond(Leak::LosesTheLastRow, true).broken(), ["budget"]);
    assert_eq!(check_pond(Leak::PositionOfThisReader, true).broken(), ["positions", "restart"]);
    assert_eq!(check_pond(Leak::LooksOnce, false).broken(), ["discovery"]);
    let text = check_bank(Crack::ZombieCommits).to_string();
    assert!(text.contains("with all of the zombie's: 30 rows instead of 10\n          unexpected: "), "{text}");
}

#[test]
fn who_promises_more_than_it_keeps_is_found() {
    let pond = || Pond { water: Arc::default(), leak: Leak::Nothing, ends: true };
    pond().add(0, &[1]);
    let check = SourceCheck::<Owned<u32>, _>::new(pond).without_replay("it is a river");
    assert_eq!(check.run().broken(), ["guarantee"]);
    let sink = |vault: &Arc<Mutex<Vault>>| Bank { vault: vault.clone(), crack: Crack::Nothing };
    let visible =
        |vault: &Arc<Mutex<Vault>>| vault.lock().unwrap().committed.values().flatten().copied().collect::<Vec<u32>>();
    let check = SinkCheck::new(Arc::default, sink, visible, 0..40u32).at_once("it is a till");
    assert_eq!(check.run().broken(), ["guarantee"]);
}

#[test]
fn who_shows_what_it_should_not_is_found() {
    let check = |crack, visible: fn(&Arc<Mutex<Vault>>) -> Vec<u32>| {
        let sink = move |vault: &Arc<Mutex<Vault>>| Bank { vault: vault.clone(), crack };
        SinkCheck::new(Arc::default, sink, visible, 0..40u32).shows_nothing("it is a hole").run()
    };
    assert_eq!(check(Crack::Nothing, |_| Vec::new()).broken(), [""; 0]);
    let seen = |vault: &Arc<Mutex<Vault>>| vault.lock().unwrap().committed.values().flatten().copied().collect();
    found(&check(Crack::Nothing, seen), &["nothing", "commit twice", "restart", "empty"]);
    // What it shows is not all that is looked at.
    found(&check(Crack::PanicsWithoutRows, |_| Vec::new()), &["empty"]);
    assert_eq!(check(Crack::PanicsOnForeignBytes, |_| Vec::new()).broken(), ["foreign bytes"]);
}

#[test]
fn too_few_rows_are_no_check() {
    let visible = |_: &()| Vec::<u32>::new();
    let sink = |_: &()| Bank { vault: Arc::default(), crack: Crack::Nothing };
    let report = SinkCheck::new(|| (), sink, visible, 0..3u32).run();
    assert!(report.to_string().contains("the check was given 3 rows, and needs 8"), "{report}");
}

// What the kit is generic over can be named.
#[allow(dead_code, reason = "it is compiled")]
fn nameable<R: RowType>(_: &SourceCheck<'_, R, Pond>) {}
