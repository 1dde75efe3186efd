//! [`Gaps`]: how long frames take, as a worker sees it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Gaps between the ends of two frames' worth of results.
#[derive(Clone)]
pub struct Gaps {
    seen: Arc<Mutex<Vec<Duration>>>,
    long: Arc<Mutex<Vec<Gap>>>,
    begun: Instant,
    /// Results before this many are not looked at: the state is being filled.
    after: u64,
    /// Nor are those from then on: there may be nothing to do.
    until: Option<Instant>,
    count: Arc<AtomicU64>,
    first: Arc<OnceLock<Instant>>,
}

/// One that is told.
struct Gap {
    took: Duration,
    /// When it was over.
    at: Instant,
    /// What the worker did in it.
    scheduled: Scheduled,
}

/// Longer ones are told, if anybody asks.
const LONG: Duration = Duration::from_millis(10);

/// What the system says of a thread.
#[derive(Clone, Copy, Default)]
struct Scheduled {
    ran: Duration,
    /// It could have run, and others did.
    waited: Duration,
}

impl Scheduled {
    /// Of the calling thread so far.
    fn now() -> Scheduled {
        thread_local!(static ABOUT: RefCell<Option<File>> = RefCell::new(File::open("/proc/thread-self/schedstat").ok()));
        let mut text = [0; 64];
        #[cfg(unix)]
        let length = ABOUT.with_borrow(|file| {
            use std::os::unix::fs::FileExt;
            file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0)
        });
        #[cfg(not(unix))]
        let length = 0;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("");
        let mut numbers = text.split_whitespace().map(|number| Duration::from_nanos(number.parse().unwrap_or(0)));
        let mut next = || numbers.next().unwrap_or_default();
        Scheduled { ran: next(), waited: next() }
    }
}

/// So many are told.
const TOLD: usize = 10;

/// Rows of a frame.
const FRAME: u64 = 4096;

/// Rows since the last frame, and when and in which state it ended.
type Since = (u64, Option<(Instant, Scheduled)>);

thread_local! {
    static HERE: Cell<Since> = const { Cell::new((0, None)) };
}

static TRACE: AtomicBool = AtomicBool::new(false);

/// From now on the longest gaps of each run are told one by one.
pub fn trace() {
    TRACE.store(true, Ordering::Relaxed);
}

impl Default for Gaps {
    fn default() -> Self {
        Gaps {
            seen: Arc::default(),
            long: Arc::default(),
            begun: Instant::now(),
            after: 0,
            until: None,
            count: Arc::default(),
            first: Arc::default(),
        }
    }
}

impl Gaps {
    /// Of a run under full load for so long.
    pub fn new(after: u64, time: Duration) -> Self {
        Gaps { after, until: Some(Instant::now() + time), ..Gaps::default() }
    }

    /// A result has come out, and goes no further.
    #[inline(always)]
    pub fn pass(&self) -> Option<u64> {
        let (rows, last) = HERE.get();
        if rows + 1 < FRAME {
            HERE.set((rows + 1, last));
        } else {
            self.frame(last);
        }
        None
    }

    #[inline(never)]
    fn frame(&self, last: Option<(Instant, Scheduled)>) {
        let now = Instant::now();
        let scheduled = if TRACE.load(Ordering::Relaxed) { Scheduled::now() } else { Scheduled::default() };
        self.first.get_or_init(|| now);
        if self.count.fetch_add(FRAME, Ordering::Relaxed) >= self.after
            && let Some((last, before)) = last
            && self.until.is_none_or(|until| now < until)
            && let Ok(mut seen) = self.seen.lock()
        {
            let took = now - last;
            seen.push(took);
            if took > LONG
                && TRACE.load(Ordering::Relaxed)
                && let Ok(mut long) = self.long.lock()
            {
                let (ran, waited) = (scheduled.ran - before.ran, scheduled.waited - before.waited);
                long.push(Gap { took, at: now, scheduled: Scheduled { ran, waited } });
            }
        }
        HERE.set((0, Some((now, scheduled))));
    }

    /// When the first frame was through.
    pub fn first(&self) -> Option<Instant> {
        self.first.get().copied()
    }

    /// p50, p99, greatest, in ms.
    pub fn figures(&self) -> [f64; 3] {
        let mut seen = self.seen.lock().map(|mut seen| std::mem::take(&mut *seen)).unwrap_or_default();
        seen.sort_unstable();
        let mut long = self.long.lock().map(|mut long| std::mem::take(&mut *long)).unwrap_or_default();
        long.sort_unstable_by_key(|gap| std::cmp::Reverse(gap.took));
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        for Gap { took, at, scheduled: Scheduled { ran, waited } } in long.into_iter().take(TOLD) {
            let (at, slept) = ((at - self.begun).as_secs_f64(), took.saturating_sub(ran + waited));
            let [took, ran, waited, slept] = [took, ran, waited, slept].map(ms);
            eprintln!("    {at:.2} s: {took:.1} ms, ran {ran:.1}, waited for a core {waited:.1}, slept {slept:.1}");
        }
        let at = |share: f64| seen.get(((seen.len() as f64 - 1.0) * share) as usize).map_or(0.0, |took| ms(*took));
        [at(0.5), at(0.99), at(1.0)]
    }
}
