//! A name that was given on: something else is stored under it, and nobody says what becomes of that.

use pelton::prelude::*;

stream! {
    #[lock("given_on.lock")]
    pub job Board<Memory> {
        param trades: Vec<(String, u64)>;
        source all: (String, u64) = rows(trades);
        #[was(sums)]
        let totals = all.key_by(|t| t.0).aggregate(sum(|t| t.1), emit each, unbounded("few keys"));
        let out = totals.map(|_| 1);
        sink table(out) = csv("out.csv");
    }
}

fn main() {}
