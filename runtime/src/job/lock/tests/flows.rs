//! What is stored inside of flows is in the lock of the job that uses them, under the names of the uses.

use super::Folder;

mod first {
    use pelton::prelude::*;

    stream! {
        /// Sums of one type.
        pub flow sums(rows: Stream<(String, u32)>) -> (String, u64) {
            let totals = rows.key_by(|r| &r.0).aggregate(sum(|r| u64::from(r.1)), emit each, unbounded("few keys"));
            let out = totals.map(|(key, sum)| (key.to_owned(), sum));
            return out;
        }

        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]);
            let t = sums(all);
            let out: (String, u64) = t;
            sink rows_out(out) = collect();
        }
    }
}

/// The flow is used under another name, and its sums are of another type.
mod second {
    use pelton::prelude::*;

    stream! {
        /// Sums of another one.
        pub flow sums(rows: Stream<(String, u32)>) -> (String, i64) {
            let totals = rows.key_by(|r| &r.0).aggregate(sum(|r| r.1 as i32), emit each, unbounded("few keys"));
            let out = totals.map(|(key, sum)| (key.to_owned(), sum));
            return out;
        }

        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]);
            #[was(t)]
            let now = sums(all);
            let out: (String, i64) = now;
            sink rows_out(out) = collect();
        }
    }
}

/// It is used no more.
mod third {
    use pelton::prelude::*;

    stream! {
        #[dropped(t/totals)]
        pub job Board<Memory> {
            source all: (String, u32) = rows(vec![]);
            let out: (String, u32) = all.filter(|r| r.1 > 0);
            sink rows_out(out) = collect();
        }
    }
}

#[test]
fn states_inside_of_flows_are_in_the_lock_of_the_job() {
    let folder = Folder::new("flows");
    folder.accept(&first::Board {});
    assert!(
        folder.lock().contains("  state \"t/totals\".total {\n    key: str,\n    value: u64,"),
        "{}",
        folder.lock()
    );
    let report = folder.check(&first::Board {}).unwrap();
    assert_eq!((report.versions, report.states), (1, 1));

    let (text, open) = folder.show(&second::Board {});
    let why = "state `total` of `now/totals` cannot be restored: it was `u64` and is `i64` now";
    assert!(open && text.contains(why), "{text}");
    let error = folder.check(&second::Board {}).unwrap_err();
    assert!(
        error.contains("state t/totals.total: what was stored cannot be read: it was `u64` and is `i64` now"),
        "{error}"
    );

    let (text, open) = folder.show(&third::Board {});
    assert!(open && text.contains("t/totals.total is dropped: what is stored of it goes"), "{text}");
}
