//! One line on the terminal that says how far a run is, redrawn in place and gone at the end. It is told numbers and
//! decides when to show them; it knows nothing of workers. In a log of JSON it is a line now and then.

use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use super::event::{Event, Level};
use super::log::EventLog;
use crate::plan::units::{bytes, grouped, seconds, short};

/// Between two drawings: five times a second is as often as a person can read.
const EVERY: Duration = Duration::from_millis(200);
/// The rate is smoothed over about so many seconds.
const SMOOTHING: f64 = 2.0;
/// Before so much time has passed an estimate of the rest would be a guess.
const ESTIMATE_AFTER: Duration = Duration::from_secs(1);
/// Back to the start of the line, and empty it.
const ERASE: &str = "\r\x1b[2K";

/// How far a run is, summed over all workers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Snapshot {
    /// Records that sources have read.
    pub(crate) records_in: u64,
    /// Records that sinks have taken.
    pub(crate) records_out: u64,
    /// Records that came after their window had closed.
    pub(crate) late: u64,
    /// Records that could not be read and were skipped.
    pub(crate) skipped: u64,
    /// Bytes of the inputs that have been read.
    pub(crate) bytes_read: u64,
    /// Bytes of all inputs, if they are known.
    pub(crate) bytes_total: Option<u64>,
}

/// In a log of JSON it is told after so much time, and then each time so much more has passed.
const FIRST_EVENT: Duration = Duration::from_secs(1);
const EVENT_EVERY: Duration = Duration::from_secs(10);

/// The line. It is erased by [`finish`](Progress::finish), or when it is dropped.
pub(crate) struct Progress {
    begun: Instant,
    shown: Shown,
}

/// How it is shown.
enum Shown {
    Not,
    Line(Line<io::Stderr>),
    Events(EventLog, Pace),
}

/// When the next event is due.
struct Pace {
    next: Duration,
}

impl Pace {
    fn begin() -> Pace {
        Pace { next: FIRST_EVENT }
    }

    /// Whether it is due at this time after the start.
    fn is_due(&mut self, elapsed: Duration) -> bool {
        let due = elapsed >= self.next;
        if due {
            self.next = elapsed + EVENT_EVERY;
        }
        due
    }
}

impl Progress {
    /// Begins, and draws nothing yet. Nothing is ever drawn if standard error is no terminal that can move its cursor.
    pub(crate) fn start(enabled: bool, job: &str, log: &EventLog) -> Progress {
        let dumb = || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let shown = match enabled {
            true if log.is_json() => Shown::Events(log.clone(), Pace::begin()),
            true if !dumb() && io::stderr().is_terminal() => Shown::Line(Line::new(job, io::stderr())),
            _ => Shown::Not,
        };
        Progress { begun: Instant::now(), shown }
    }

    /// Redraws the line if it is time. It costs a look at the clock otherwise, and may be called as often as one likes.
    pub(crate) fn update(&mut self, now: &Snapshot) {
        match &mut self.shown {
            Shown::Not => {}
            Shown::Line(line) => line.update(self.begun.elapsed(), now),
            Shown::Events(log, pace) => {
                let elapsed = self.begun.elapsed();
                if pace.is_due(elapsed) {
                    log.tell(event(elapsed, now));
                }
            }
        }
    }

    /// Erases the line.
    pub(crate) fn finish(&mut self) {
        if let Shown::Line(mut line) = std::mem::replace(&mut self.shown, Shown::Not) {
            line.erase();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How far it is, for programs.
fn event(elapsed: Duration, now: &Snapshot) -> Event {
    let event = Event::new(Level::Info, "progress")
        .number("elapsed_ms", elapsed.as_millis())
        .number("records_in", now.records_in)
        .number("records_out", now.records_out)
        .number("late", now.late)
        .number("skipped", now.skipped)
        .number("bytes_read", now.bytes_read);
    match now.bytes_total {
        Some(total) => event.number("bytes_total", total),
        None => event,
    }
}

/// The line with its time given from outside.
struct Line<W> {
    job: String,
    out: W,
    drawn: Option<Drawn>,
}

/// When it was drawn last, and what was shown then.
struct Drawn {
    at: Duration,
    records: u64,
    rate: f64,
}

impl<W: Write> Line<W> {
    fn new(job: &str, out: W) -> Line<W> {
        Line { job: job.to_owned(), out, drawn: None }
    }

    fn update(&mut self, elapsed: Duration, now: &Snapshot) {
        let (since, records, rate) =
            self.drawn.as_ref().map_or((Duration::ZERO, 0, None), |d| (d.at, d.records, Some(d.rate)));
        let passed = elapsed.saturating_sub(since);
        if passed < EVERY {
            return;
        }
        let latest = now.records_in.saturating_sub(records) as f64 / passed.as_secs_f64();
        let weight = 1.0 - (-passed.as_secs_f64() / SMOOTHING).exp();
        let rate = rate.map_or(latest, |rate| rate + weight * (latest - rate));
        self.drawn = Some(Drawn { at: elapsed, records: now.records_in, rate });
        // In one write, so that nothing comes between; a line longer than the terminal is cut instead of wrapped,
        // since only one line can be erased. A terminal that is gone is no reason to end the run.
        let text = describe(&self.job, elapsed, rate, now);
        let _ = self.out.write_all(format!("{ERASE}\x1b[?7l{text}\x1b[?7h").as_bytes());
        let _ = self.out.flush();
    }

    fn erase(&mut self) {
        if self.drawn.take().is_some() {
            let _ = self.out.write_all(ERASE.as_bytes());
            let _ = self.out.flush();
        }
    }
}

/// `DelayBoard  12 s  3,400,000 in, 283 k/s  41 % of 1.2 GiB, about 17 s left  16,303 late`.
fn describe(job: &str, elapsed: Duration, rate: f64, now: &Snapshot) -> String {
    let whole = Duration::from_secs(elapsed.as_secs());
    let mut parts = vec![job.to_owned(), seconds(whole)];
    parts.push(format!("{} in, {}/s", grouped(now.records_in), short(rate)));
    if now.records_out > 0 {
        parts.push(format!("{} out", grouped(now.records_out)));
    }
    match now.bytes_total {
        Some(total) if total > 0 => parts.push(share(elapsed, now.bytes_read, total)),
        _ if now.bytes_read > 0 => parts.push(format!("{} read", bytes(now.bytes_read))),
        _ => {}
    }
    for (n, what) in [(now.late, "late"), (now.skipped, "skipped")] {
        if n > 0 {
            parts.push(format!("{} {what}", grouped(n)));
        }
    }
    parts.join("  ")
}

/// `41 % of 1.2 GiB, about 17 s left`.
fn share(elapsed: Duration, read: u64, total: u64) -> String {
    // A file may grow while it is read.
    let part = (read as f64 / total as f64).min(1.0);
    let mut text = format!("{:.0} % of {}", (part * 100.0).floor(), bytes(total));
    if part > 0.0 && part < 1.0 && elapsed >= ESTIMATE_AFTER {
        let left = elapsed.as_secs_f64() * (1.0 - part) / part;
        // Some centuries are as good as for ever; from_secs_f64 would panic far above.
        let left = Duration::from_secs(left.clamp(1.0, 1e10).round() as u64);
        text += &format!(", about {} left", seconds(left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<Vec<u8>> {
        Line::new("Board", Vec::new())
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn it_is_drawn_five_times_a_second_at_most() {
        let mut line = line();
        for ms in 0..=1000 {
            line.update(at(ms), &Snapshot { records_in: ms, ..Snapshot::default() });
        }
        let text = String::from_utf8(line.out).unwrap();
        assert_eq!(text.matches(ERASE).count(), 5, "{text:?}");
    }

    #[test]
    fn it_is_erased_at_the_end_if_it_was_drawn() {
        let mut drawn = line();
        drawn.update(at(250), &Snapshot::default());
        drawn.erase();
        assert!(drawn.out.ends_with(ERASE.as_bytes()));
        let mut untouched = line();
        untouched.update(at(50), &Snapshot::default());
        untouched.erase();
        assert!(untouched.out.is_empty(), "a run that is over at once leaves no trace");
    }

    #[test]
    fn all_that_is_known() {
        let now = Snapshot {
            records_in: 3_400_000,
            records_out: 1_200,
            late: 16_303,
            skipped: 2,
            bytes_read: 41 << 20,
            bytes_total: Some(100 << 20),
        };
        let expected =
            "Board  12 s  3,400,000 in, 283 k/s  1,200 out  41 % of 100 MiB, about 17 s left  16,303 late  2 skipped";
        assert_eq!(describe("Board", at(12_000), 283_000.0, &now), expected);
    }

    #[test]
    fn a_log_has_it_after_a_second_and_then_each_ten() {
        let mut pace = Pace::begin();
        let told: Vec<u64> = (0..300).filter(|tenths| pace.is_due(at(tenths * 100))).collect();
        assert_eq!(told, [10, 110, 210]);
        let now = Snapshot { records_in: 5, bytes_read: 7, bytes_total: Some(9), ..Snapshot::default() };
        let line = super::super::log::json(event(at(1500), &now), "Board", 0);
        let fields = r#""event":"progress","job":"Board","elapsed_ms":1500,"records_in":5,"records_out":0,"late":0,"skipped":0,"bytes_read":7,"bytes_total":9}"#;
        assert!(line.trim_end().ends_with(fields), "{line}");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let now = Snapshot { records_in: 5, bytes_read: 2048, ..Snapshot::default() };
        assert_eq!(describe("Board", at(400), 12.0, &now), "Board  0 s  5 in, 12/s  2 KiB read");
    }

    #[test]
    fn estimates_hold_at_the_edges() {
        assert_eq!(share(at(900), 10, 100), "10 % of 100 B", "too early");
        assert_eq!(share(at(5000), 0, 100), "0 % of 100 B");
        assert_eq!(share(at(5000), 100, 100), "100 % of 100 B");
        assert_eq!(share(at(5000), 120, 100), "100 % of 100 B", "the file has grown");
        assert_eq!(share(at(5000), 999, 1000), "99 % of 1000 B, about 1 s left");
    }

    #[test]
    fn the_rate_follows_the_last_seconds() {
        let mut line = line();
        let mut records = 0;
        for step in 1..=100 {
            // Ten seconds at 1,000 records per second, then ten at 100.
            records += if step <= 50 { 200 } else { 20 };
            line.update(at(step * 200), &Snapshot { records_in: records, ..Snapshot::default() });
        }
        let rate = line.drawn.unwrap().rate;
        assert!((100.0..110.0).contains(&rate), "{rate}");
    }
}
