//! The flags for where a backend with files keeps them, and how much memory it may use: `--state` and `--state-memory`.

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgMatches};

use super::flags::HEADING;
use crate::config::Config;

/// The units of a size, with how many bytes each is.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1000 * 1000),
    ("GB", 1000 * 1000 * 1000),
    ("TB", 1000 * 1000 * 1000 * 1000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// The flags. Those of a job whose backend keeps no files are not in its help, and say why when they are given.
pub(super) fn flags(job: &str, keeps_files: bool) -> [Arg; 2] {
    let place = Arg::new("state").long("state").value_name("DIR").help_heading(HEADING).help(
        "Keeps the files of state in this directory while the job runs; on the disk of the checkpoints nothing is copied \
         [default: the system's folder for temporary files]",
    );
    let memory = Arg::new("state-memory").long("state-memory").value_name("SIZE").help_heading(HEADING).help(
        "About how much memory state in use may take, over all workers, like 512MB or 2GiB; what is beyond that is read \
         from its files [default: 2GiB]",
    );
    if keeps_files {
        return [place.value_parser(ValueParser::path_buf()), memory.value_parser(parse_size)];
    }
    let why = format!(
        "`{job}` keeps its state in memory alone; leave the flag out, or name a backend with files in the block"
    );
    let refuse = move |_: &str| Err::<String, _>(why.clone());
    [place.value_parser(refuse.clone()).hide(true), memory.value_parser(refuse).hide(true)]
}

/// The settings with what the flags say.
pub(super) fn settings(config: Config, matches: &ArgMatches, keeps_files: bool) -> Config {
    if !keeps_files {
        return config;
    }
    let config = match matches.get_one::<PathBuf>("state") {
        Some(folder) => config.state_dir(folder),
        None => config,
    };
    match matches.get_one::<u64>("state-memory") {
        Some(&bytes) => config.state_memory(bytes),
        None => config,
    }
}

/// A number of bytes of a text like `512MB`: a whole number or a decimal fraction, and a unit in any case. `kB` is 1,000 bytes and
/// `KiB` is 1,024.
fn parse_size(text: &str) -> Result<u64, String> {
    let expected = "expected a number and its unit, like 512MB or 2GiB (kB, MB, GB and TB are steps of 1000; KiB, MiB, GiB and TiB of 1024)";
    let wrong = || expected.to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let (_, bytes) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
    let too_much = || "that is more than a machine has".to_owned();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return Err(wrong());
    }
    let mut size = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(bytes)).ok_or_else(too_much)?;
    // A digit behind the point is a tenth of the place before it; what is less than a byte does not count.
    let mut place = bytes;
    for digit in fraction.unwrap_or_default().bytes() {
        size = size.checked_add(place * u64::from(digit - b'0') / 10).ok_or_else(too_much)?;
        place /= 10;
    }
    if size == 0 {
        return Err("expected a size above zero".to_owned());
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        let cases = [
            ("512MB", 512_000_000),
            ("2GiB", 2 << 30),
            ("2gib", 2 << 30),
            ("1.5 GiB", 3 << 29),
            ("0.25kB", 250),
            ("64KiB", 65_536),
            ("1B", 1),
            ("1.9B", 1),
            ("16TiB", 16 << 40),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_what_is_allowed() {
        for text in ["", "2", "GiB", "2 G", "-2GiB", "2,5GB", "1.GB", ".5GB", "1.2.3GB", "2GiB!", "1e9B", "٣MB"] {
            assert!(parse_size(text).is_err_and(|said| said.contains("like 512MB or 2GiB")), "{text}");
        }
        assert!(parse_size("0GB").is_err_and(|said| said.contains("above zero")));
        for text in ["99999999999TiB", "18446744073709551616B", "16777216TiB", "16777215.99999TiB"] {
            let refused = parse_size(text);
            assert!(text.starts_with("16777215.") || refused.is_err_and(|said| said.contains("machine")), "{text}");
        }
    }
}
