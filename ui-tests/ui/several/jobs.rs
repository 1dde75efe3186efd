//! Two jobs with a mistake each; code that uses them is whole.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    pub job First<Memory> {
        param file: PathBuf;
        source all: Payment = csv(file);
        let cards: u64 = all.mpa(|p| p.card);
        sink out(cards) = collect();
    }

    pub job Second<Memory> {
        param file: PathBuf;
        param least: i64 = 5;
        source all: Payment = csv(file);
        let cards: u64 = all.filter(|p| p.amount > least).map(|p| p.crad);
        sink out(cards) = collect();
    }
}

pub fn both(file: PathBuf) -> Result<(Vec<u64>, Vec<u64>), pelton::Error> {
    let first = First { file: file.clone() }.run(Config::default())?;
    let second = Second { file, least: 1 }.run(Config::default())?;
    Ok((first.out, second.out))
}

fn main() {}
