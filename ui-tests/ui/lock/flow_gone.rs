//! A flow that the job uses no more: what is stored inside of it would be lost. What is stored inside of one that it uses is not.

use pelton::prelude::*;

stream! {
    flow counted(rows: Stream<String>) -> u64 {
        let totals = rows.key_by(|r| r).aggregate(count(), emit each, unbounded("few"));
        let out = totals.map(|t| t.1);
        return out;
    }

    #[lock("flows.lock")]
    pub job Counts<Memory> {
        param data: Vec<String>;
        source all: String = rows(data);
        let t = counted(all);
        sink table(t) = stdout();
    }
}

fn main() {}
