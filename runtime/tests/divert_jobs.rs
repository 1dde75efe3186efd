//! `on_error divert`: the records that are no rows in a stream of their own, at every number of workers, natively and as bytes.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::prelude::*;
use source_kit::Folder;

#[derive(Record, Deserialize, Clone, Debug, PartialEq)]
struct Trade {
    at: Timestamp,
    symbol: String,
    price: f64,
}

stream! {
    job OfCsv<Memory> {
        param file: PathBuf;
        param bad: PathBuf;
        param split: usize;
        param prefix: String = "!";
        source trades: Trade = csv(file).split_bytes(split), event_time |t| t.at, late_by 0s, ordered_splits, on_error divert;
        let dearest = trades.key_by(|t| t.symbol).window(tumbling 1min).aggregate(max(|t| t.price));
        let rows: (String, f64) = dearest.map(|w| (w.key, w.value));
        let errors: BadRecord = trades.errors;
        let per_reason: (String, u64) = trades.errors
            .key_by(|e| e.reason)
            .aggregate(count(), emit at_end, unbounded("few reasons"))
            .map(|(reason, n)| (format!("{prefix}{reason}"), n));
        sink out(rows) = collect();
        sink all(errors) = collect();
        sink reasons(per_reason) = collect();
        sink board(trades.errors) = json(bad);
        drop dearest.late;
    }
    job OfJson<Memory> {
        param file: PathBuf;
        param bad: PathBuf;
        source numbers: (u64, u64) = json(file).split_bytes(100), on_error divert;
        let even = numbers.filter(|n| n.0 % 2 == 0);
        let sums: (u64, u64) = even.key_by(|n| n.1).aggregate(sum(|n| n.0), emit at_end, unbounded("seven")).map(|(k, n)| (k, n));
        let errors: BadRecord = numbers.errors;
        sink out(sums) = collect();
        sink all(errors) = collect();
        sink board(errors) = csv(bad);
    }
    job OfLines<Memory> {
        param file: PathBuf;
        source text: &str = lines(file).split_bytes(20), on_error divert;
        let sizes: usize = text.map(|line| line.len());
        let errors: BadRecord = text.errors;
        sink out(sizes) = collect();
        sink all(errors) = collect();
    }
}

fn configs() -> impl Iterator<Item = Config> {
    [(1, false), (2, false), (3, false), (1, true), (3, true)]
        .into_iter()
        .map(|(workers, wire)| Config::default().workers(workers).wire(wire))
}

#[test]
fn of_csv() {
    let folder = Folder::new();
    let text: String = (0..300)
        .map(|n| match n % 50 {
            7 => "2024-05-01T08:00:00Z,XY\n".to_owned(),
            9 => "2024-05-01T08:00:00Z,\"a,\nb\",much\r\n".to_owned(),
            _ => format!("2024-05-01T08:{:02}:00Z,XY,{n}\n", n / 10),
        })
        .collect();
    let file = folder.file("in.csv", format!("at,symbol,price\n{text}"));
    for config in configs() {
        for split in [50, 700, 1 << 20] {
            let bad = folder.path().join("bad.json");
            let job = OfCsv { file: file.clone(), bad: bad.clone(), split, prefix: "!".into() };
            let mut results = job.run(config.clone()).unwrap();
            assert_eq!(results.out.len(), 30);
            assert_eq!(results.summary.skipped, 0);
            results.all.sort_by(|a, b| a.position.len().cmp(&b.position.len()).then(a.position.cmp(&b.position)));
            assert_eq!(results.all.len(), 12);
            assert_eq!(&results.all[0].bytes[..], b"2024-05-01T08:00:00Z,XY");
            assert_eq!(results.all[0].reason, "2 columns where the header has 3");
            assert_eq!(results.all[0].position, format!("{}, line 9", file.display()));
            let wide = results.all.iter().find(|e| e.reason.contains("much")).unwrap();
            assert_eq!(&wide.bytes[..], b"2024-05-01T08:00:00Z,\"a,\nb\",much");
            assert_eq!(wide.reason, "`much` is no number (f64)");
            assert_eq!(wide.position, format!("{}, line 12, column price", file.display()));
            results.reasons.sort();
            let expected =
                [("!2 columns where the header has 3".to_owned(), 6), ("!`much` is no number (f64)".to_owned(), 6)];
            assert_eq!(results.reasons, expected);
            let written = std::fs::read_to_string(bad).unwrap();
            let mut read: Vec<BadRecord> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            read.sort_by(|a, b| a.position.len().cmp(&b.position.len()).then(a.position.cmp(&b.position)));
            assert_eq!(read, results.all);
        }
    }
}

#[test]
fn of_json_behind_a_filter_in_front_of_an_exchange() {
    let folder = Folder::new();
    let line = |n: u64| if n % 100 == 5 { format!("[{n}]\n") } else { format!("[{n},{}]\n", n % 7) };
    let text: String = (0..1000).map(line).collect();
    let file = folder.file("in.json", text);
    let mut expected = vec![(0, 0); 7];
    for n in (0..1000u64).filter(|n| n % 2 == 0) {
        expected[n as usize % 7].0 = n % 7;
        expected[n as usize % 7].1 += n;
    }
    for config in configs() {
        let bad = folder.path().join("bad.csv");
        let mut results = OfJson { file: file.clone(), bad: bad.clone() }.run(config).unwrap();
        results.out.sort();
        assert_eq!(results.out, expected);
        results.all.sort_by_key(|e| e.bytes.len());
        assert_eq!((results.all.len(), &results.all[0].bytes[..]), (10, &b"[5]"[..]));
        assert!(results.all[0].reason.starts_with("invalid length 1"), "{}", results.all[0].reason);
        assert_eq!(results.all[0].position, format!("{}, line 6, column 3", file.display()));
        let written: Vec<BadRecord> =
            ::csv::Reader::from_path(&bad).unwrap().deserialize().map(Result::unwrap).collect();
        assert_eq!(written.len(), 10);
    }
}

#[test]
fn of_lines() {
    let folder = Folder::new();
    let file = folder.file("in", b"one\ntwo\xff\r\n\nlast\xc3");
    for config in configs() {
        let mut results = OfLines { file: file.clone() }.run(config).unwrap();
        results.out.sort();
        assert_eq!(results.out, [0, 3]);
        results.all.sort_by(|a, b| a.position.cmp(&b.position));
        let told: Vec<_> = results.all.iter().map(|e| (e.bytes.to_vec(), &*e.reason)).collect();
        assert_eq!(told[0], (b"two\xff".to_vec(), "the line is not UTF-8 from its byte 4 on"));
        assert_eq!(told[1], (b"last\xc3".to_vec(), "the line is not UTF-8 from its byte 5 on"));
        assert_eq!(results.all[1].position, format!("{}, line 4", file.display()));
    }
}
