//! How often each word occurs in a text.
//!
//! ```text
//! cargo run --release --example word_count                                     the words that a well-known text uses most
//! cargo run --release --example word_count -- run --text README.md --least 5
//! ```

use pelton::prelude::*;

/// The words of a line in small letters, without the marks around them.
fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// A row of the table.
#[derive(Record, Serialize, Clone, Debug)]
struct Count {
    word: String,
    count: u64,
}

/// The text that comes with the examples, wherever the program is started.
fn bundled_text() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/gettysburg.txt").into()
}

stream! {
    /// How often each word occurs in a text.
    pub job WordCount<Memory> {
        /// The text: plain, or packed with gzip or zstd.
        param text: PathBuf = bundled_text();
        /// Words that occur less often are left out.
        param least: u64 = 3;
        /// A csv file for the counts, besides the terminal.
        param out: Option<PathBuf>;

        source all: &str = lines(text), on_error fail;

        let counts = all
            .flat_map(|line| words(line).map(plain))
            .filter(|word| !word.is_empty())
            .key_by(|word| word)
            .aggregate(count(), emit at_end, unbounded("one per word"))
            .filter(|(_, count)| *count >= least)
            .map(|(word, count)| Count { word: word.to_owned(), count });

        sink terminal(counts) = stdout();
        sink file(counts) = csv(out);
    }
}

fn main() -> ExitCode {
    WordCount::main()
}
