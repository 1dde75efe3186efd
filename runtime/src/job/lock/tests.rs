//! A job's state changes from version to version, is shown, accepted and checked, in a folder of its own.

mod flows;

use std::fs;

use super::*;

/// The job as it was accepted first.
mod first {
    use pelton::prelude::*;

    #[derive(Record, Clone, Default)]
    pub struct Best {
        pub price: f64,
        pub size: u32,
        pub side: Side,
    }
    #[derive(Record, Clone, Default)]
    pub enum Side {
        #[default]
        Buy,
        Sell {
            short: Option<bool>,
        },
    }
    stream! {
        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]), event_time |_| Timestamp::from_millis(0), late_by 0s;
            let best = all.key_by(|t| t.0).fold(Best::default(), |best, t| best.size += t.1, emit each, unbounded("few keys"));
            let counts = all.key_by(|t| t.1).window(tumbling 1h).aggregate(count());
            let out: u8 = best.map(|_| 1);
            sink rows_out(out) = collect();
            let hours = counts.map(|w| (w.key, w.value));
            sink counted(hours) = csv("out.csv");
            drop counts.late;
        }
    }
}

/// A field more, a field less, another name, and a new operator.
mod second {
    use pelton::prelude::*;

    #[derive(Record, Clone, Default)]
    #[dropped(price)]
    pub struct Best {
        #[added(3)]
        pub lots: u8,
        pub size: u64,
        pub side: super::first::Side,
    }
    stream! {
        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]), event_time |_| Timestamp::from_millis(0), late_by 0s;
            #[was(best)]
            let top = all.key_by(|t| t.0).fold(Best::default(), |best, t| best.lots += t.1 as u8, emit each, unbounded("few keys"));
            let counts = all.key_by(|t| t.1).window(tumbling 1h).aggregate(count());
            let sums = all.key_by(|t| t.0).aggregate(sum(|t| t.1), emit at_end, unbounded("few keys"));
            let out: u8 = top.map(|_| 1);
            sink rows_out(out) = collect();
            let hours = counts.map(|w| (w.key, w.value));
            sink counted(hours) = csv("out.csv");
            sink summed(sums) = csv("out.csv");
            drop counts.late;
        }
    }
}

/// Reads what the second one stored, and forgets what it needs for the first; an operator is given up.
mod third {
    use pelton::prelude::*;

    #[derive(Record, Clone, Default)]
    pub struct Best {
        pub lots: u8,
        pub size: u64,
        pub side: super::first::Side,
    }
    stream! {
        #[dropped(sums)]
        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]), event_time |_| Timestamp::from_millis(0), late_by 0s;
            #[was(best)]
            let top = all.key_by(|t| t.0).fold(Best::default(), |best, t| best.lots += t.1 as u8, emit each, unbounded("few keys"));
            let counts = all.key_by(|t| t.1).window(tumbling 1h).aggregate(count());
            let out: u8 = top.map(|_| 1);
            sink rows_out(out) = collect();
            let hours = counts.map(|w| (w.key, w.value));
            sink counted(hours) = csv("out.csv");
            drop counts.late;
        }
    }
}

/// Another job with the same lock.
mod other {
    use pelton::prelude::*;
    use std::collections::{BTreeSet, HashMap};

    #[derive(Clone)]
    pub struct Seen;
    impl Aggregator<u32> for Seen {
        type Acc = (BTreeSet<u8>, HashMap<String, char>, Serde<Vec<u8>>);
        type Out = usize;
        fn add(&self, acc: &mut Self::Acc, row: &u32) {
            acc.0.insert(*row as u8);
        }
        fn merge(&self, acc: &mut Self::Acc, other: Self::Acc) {
            acc.0.extend(other.0);
        }
        fn finish(&self, acc: &Self::Acc) -> usize {
            acc.0.len()
        }
    }
    use pelton::record::Serde;

    stream! {
        pub job Another<Memory> {
            source all: u32 = rows(vec![]);
            let seen = all.key_by(|n| n).aggregate(Seen, emit at_end, unbounded("few keys"));
            let out: u64 = seen.map(|s| s.1 as u64);
            sink rows_out(out) = collect();
        }
    }
}

/// A folder that goes with it.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("pelton-lock-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
    fn place<J: Job>(&self) -> LockPlace {
        let manifest = self.0.to_str().unwrap().to_owned().leak();
        LockPlace { manifest, source: "", path: None, ..J::LOCK.unwrap() }
    }
    fn accept<J: Job>(&self, job: &J) -> String {
        let answer = accept(job, self.place::<J>()).unwrap();
        assert!(!answer.open);
        answer.text
    }
    fn show<J: Job>(&self, job: &J) -> (String, bool) {
        let answer = show(job, self.place::<J>()).unwrap();
        (answer.text, answer.open)
    }
    fn check<J: Job>(&self, job: &J) -> Result<LockReport, String> {
        check(job, self.place::<J>()).map_err(|error| error.to_string())
    }
    fn lock(&self) -> String {
        fs::read_to_string(self.0.join("pelton.lock")).unwrap()
    }
    fn sample(&self, version: usize) -> PathBuf {
        self.0.join("pelton.samples").join(format!("Board.{version}.sample"))
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_lock_is_written_to_be_read() {
    let folder = Folder::new("text");
    let (text, open) = folder.show(&first::Board {});
    assert!(
        open && text.starts_with("best.total is new\ncounts.windows is new\n\nAll of it can be restored."),
        "{text}"
    );
    assert!(folder.check(&first::Board {}).unwrap_err().contains("`Board` has no lock"));
    let text = folder.accept(&first::Board {});
    assert!(text.contains("Board is accepted as version 1: "), "{text}");
    let (_, behind) = HEADER_END
        .iter()
        .find_map(|end| folder.lock().split_once(end).map(|(a, b)| (a.to_owned(), b.to_owned())))
        .unwrap();
    assert_eq!(
        behind,
        "
job Board version 1 {
  state best.total {
    key: str,
    value: struct Best {
      price: f64,
      size: u32,
      side: enum Side {
        Buy,
        Sell {
          short: Option<bool>,
        },
      },
    },
  }
  state counts.windows {
    of: \"tumbling 1h\",
    key: u32,
    value: u64,
  }
}
"
    );
    assert_eq!(folder.show(&first::Board {}), ("Board is as it was accepted, version 1.\n".to_owned(), false));
    let report = folder.check(&first::Board {}).unwrap();
    assert_eq!((report.versions, report.states), (1, 2));
    assert!(report.values > 20, "{report:?}");
}

const HEADER_END: [&str; 1] = ["pelton lock 1\n"];

#[test]
fn every_accepted_version_is_read() {
    let folder = Folder::new("versions");
    folder.accept(&first::Board {});
    let (text, open) = folder.show(&second::Board {});
    assert!(open);
    for said in [
        "top.total has changed, and what is stored can be read\n  it was called best.total\n  value stored: Best { price: f64, \
         size: u32, side: (Side = Buy | Sell { short: Option<bool> }) }\n        today:  Best { lots: u8, size: u64, ",
        "sums.total is new\n",
    ] {
        assert!(text.contains(said), "{text}");
    }
    let error = folder.check(&second::Board {}).unwrap_err();
    assert!(error.contains("the stored state of `Board` has changed since it was accepted\ntop.total has"), "{error}");
    folder.accept(&second::Board {});
    assert_eq!(folder.check(&second::Board {}).unwrap().versions, 2);

    // What the newest stored can be read, so it is accepted; but a checkpoint of the first version could not be.
    let text = folder.accept(&third::Board {});
    assert!(text.contains("sums.total is dropped: what is stored of it goes\n"), "{text}");
    let error = folder.check(&third::Board {}).unwrap_err();
    assert!(
        error.contains(
            "version 1 of `Board`, state best.total: what was stored cannot be read: field `price` of `Best`"
        ) && error.contains("help: if it is the same under another name, write `#[was(price)]` on `lots`"),
        "{error}"
    );
    // It is given up by deleting its file.
    fs::remove_file(folder.sample(1)).unwrap();
    assert_eq!(folder.check(&third::Board {}).unwrap().versions, 2);
    fs::remove_file(folder.sample(3)).unwrap();
    assert!(folder.check(&third::Board {}).unwrap_err().contains("there are no samples of version 3"));
    // They can be made again.
    folder.accept(&third::Board {});
    assert_eq!(folder.check(&third::Board {}).unwrap().versions, 2);
}

#[test]
fn what_is_lost_is_lost_aloud() {
    let folder = Folder::new("lost");
    folder.accept(&second::Board {});
    let (text, open) = folder.show(&first::Board {});
    assert!(open && text.ends_with("2 cannot be restored; `lock --accept` gives up what is stored.\n"), "{text}");
    for said in [
        "state `total` of `top` is stored, and the job does not have it any more; `best` is new\n",
        "state `total` of `sums` is stored, and the job does not have it any more",
    ] {
        assert!(text.contains(said), "{text}");
    }
    let text = folder.accept(&first::Board {});
    assert!(text.contains("version 1 is given up, and its samples are deleted\n"), "{text}");
    assert!(!folder.sample(1).exists() && folder.sample(2).exists());
    assert_eq!(folder.check(&first::Board {}).unwrap().versions, 1);
}

#[test]
fn jobs_share_a_lock_and_leave_each_other_alone() {
    let folder = Folder::new("shared");
    folder.accept(&first::Board {});
    let before = folder.lock();
    let text = folder.accept(&other::Another {});
    assert!(text.contains("no values of seen.total can be made up: nothing checks that they are read\n"), "{text}");
    let after = folder.lock();
    let (_, board) = before.split_once("job Board").unwrap();
    assert!(after.ends_with(&format!("job Board{board}")) && after.contains("job Another version 1 {\n"), "{after}");
    assert!(after.contains("    value: ([u8], {str: char}, foreign \"Serde<..>\"),\n"), "{after}");
    assert!(!folder.show(&first::Board {}).1);
    assert_eq!(folder.check(&other::Another {}).unwrap().states, 1);
}

#[test]
fn damaged_files_are_refused() {
    let folder = Folder::new("damaged");
    folder.accept(&first::Board {});
    let (lock, sample) = (folder.0.join("pelton.lock"), folder.sample(1));
    let (text, bytes) = (folder.lock(), fs::read(&sample).unwrap());
    for (from, to) in [("version 1", "version x"), ("u32,", "u33,"), ("pelton lock 1", "pelton lock 2"), ("}\n", "")] {
        fs::write(&lock, text.replacen(from, to, 1)).unwrap();
        let place = folder.place::<first::Board>();
        for error in [accept(&first::Board {}, place).err().unwrap(), show(&first::Board {}, place).err().unwrap()] {
            let error = error.to_string();
            assert!(error.contains("this is no lock file") && error.contains("line "), "{from}: {error}");
        }
    }
    fs::write(&lock, &text).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        fs::write(&sample, &flipped).unwrap();
        let error = folder.check(&first::Board {}).unwrap_err();
        assert!(error.contains("this is no file of samples"), "{at}: {error}");
    }
    fs::write(&sample, &bytes).unwrap();
    fs::copy(&sample, folder.sample(2)).unwrap();
    let error = folder.check(&first::Board {}).unwrap_err();
    assert!(error.contains("these are samples of `Board`, version 1, under another name"), "{error}");
}
