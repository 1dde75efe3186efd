//! Files in, files out: whole jobs at one, two and three workers.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::Config;
use pelton::prelude::*;
use pelton::sink::stdout;
use source_kit::{Folder, gzip};

#[derive(Clone, Debug, Deserialize, Record)]
struct Sale {
    shop: String,
    #[serde(default)]
    note: Option<String>,
    cents: i64,
}

#[derive(Clone, Debug, PartialEq, Record, Serialize, Deserialize)]
struct Total {
    shop: String,
    sales: u64,
    cents: i64,
}

stream! {
    pub job Totals<Memory> {
        param input: PathBuf;
        param out: Option<PathBuf>;

        source sales: Sale = csv(input).na("NA"), on_error skip;
        let totals = sales.filter(|s| s.note.is_none()).key_by(|s| s.shop).aggregate((count(), sum(|s| s.cents)), emit at_end, unbounded("few keys"));
        let rows: Total = totals.map(|(shop, (sales, cents))| Total { shop: shop.to_owned(), sales, cents });
        sink file(rows) = csv(out);
        sink all(rows) = collect();
    }
}

fn text(rows: usize) -> String {
    let mut text = "cents,shop,note\r\n".to_owned();
    for i in 0..rows {
        let note = if i % 10 == 3 { "\"returned,\n\"\"late\"\"\"" } else { "NA" };
        text += &format!("{i},\"shop, {}\",{note}\r\n", i % 7);
        if i % 1000 == 0 {
            text += "many,shop,NA\r\n";
        }
    }
    text
}

#[test]
fn a_job_from_csv_to_csv() {
    let folder = Folder::new();
    let rows = 20_000;
    let mut expected: Vec<Total> = (0..7)
        .map(|shop| {
            let of = (0..rows).filter(|i| i % 7 == shop && i % 10 != 3);
            let (sales, cents) = of.fold((0, 0), |(n, sum), i| (n + 1, sum + i as i64));
            Total { shop: format!("shop, {shop}"), sales, cents }
        })
        .collect();
    expected.sort_by(|a, b| a.shop.cmp(&b.shop));
    let plain = folder.file("in.csv", text(rows));
    let packed = folder.file("in.gz", gzip(text(rows).as_bytes()));
    for input in [plain, packed] {
        for workers in 1..=3 {
            let out = folder.path().join(format!("out-{workers}.csv"));
            let job = Totals { input: input.clone(), out: Some(out.clone()) };
            let mut results = job.run(Config::default().workers(workers)).unwrap();
            results.all.sort_by(|a, b| a.shop.cmp(&b.shop));
            assert_eq!(results.all, expected, "{input:?} at {workers}");
            let mut written: Vec<Total> =
                ::csv::Reader::from_path(&out).unwrap().deserialize().map(Result::unwrap).collect();
            written.sort_by(|a, b| a.shop.cmp(&b.shop));
            assert_eq!(written, expected, "{input:?} at {workers}");
            assert_eq!(results.summary.skipped, 20);
        }
    }
    // Two inputs, three results, and nothing hidden.
    assert_eq!(folder.path().read_dir().unwrap().count(), 5);
}

#[test]
fn a_job_that_fails_leaves_no_file() {
    let folder = Folder::new();
    let mut broken = gzip(text(50_000).as_bytes());
    broken.truncate(broken.len() - 100);
    let input = folder.file("in.gz", broken);
    let out = folder.path().join("out.csv");
    for workers in 1..=2 {
        let job = Totals { input: input.clone(), out: Some(out.clone()) };
        let Err(error) = job.run(Config::default().workers(workers)) else { panic!("a cut file was read") };
        let error = error.to_string();
        assert!(error.contains("source `sales`") && error.contains("in.gz") && error.contains("cut off"), "{error}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "something was left behind");
    }
    let input = folder.file("in.csv", "cents,Shop\n1,x\n");
    let Err(error) = (Totals { input, out: None }).run(Config::default().workers(2)) else { panic!("no column") };
    assert!(
        error.to_string().contains("no column `shop`") && error.to_string().contains("did you mean `Shop`"),
        "{error}"
    );
}

stream! {
    job Printed<Memory> {
        param numbers: u64;

        source all: u64 = iter(move || 0..numbers);
        let rows: (u64, u64) = all.map(|n| (n, n * n));
        let few: (u64, u64) = rows.filter(|(n, _)| n % 1000 == 7);
        sink board(few) = stdout();
        sink kept(rows) = collect();
    }
}

#[test]
fn an_iterator_goes_through_whole_and_in_order() {
    for workers in 1..=3 {
        let results = Printed { numbers: 10_000 }.run(Config::default().workers(workers)).unwrap();
        assert_eq!(results.kept, (0..10_000).map(|n| (n, n * n)).collect::<Vec<_>>());
    }
}
