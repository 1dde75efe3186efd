//! [`ConfigFile`]: settings of a run in a file, as TOML: a key for each flag. The only file that names toml.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::error::Fault;
use crate::json::Json;

/// What a file says.
pub(super) struct ConfigFile {
    path: PathBuf,
    entries: Vec<Entry>,
}

/// One key.
pub(super) struct Entry {
    /// As written.
    pub(super) key: String,
    /// The value, as the flag would say it.
    pub(super) text: String,
    /// Where it stands, counted from 1.
    pub(super) line: u64,
}

impl ConfigFile {
    /// Reads a file. Nothing is known here of which keys there may be.
    ///
    /// # Errors
    /// All that is wrong with it: it cannot be read, is no TOML, or has a value that no flag could have.
    pub(super) fn read(path: &Path) -> Result<ConfigFile, Vec<Fault>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![
                Fault::new("the config file cannot be read")
                    .in_file(path)
                    .because(error)
                    .help("name a file that is there, or leave `--config` out"),
            ]
        })?;
        ConfigFile::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<ConfigFile, Vec<Fault>> {
        let table = DeTable::parse(text).map_err(|error| {
            let fault = Fault::new("the config file is no TOML").because(error.message().to_owned()).in_file(path);
            let help = "write a line for each setting, such as `workers = 2` or `out = \"board.csv\"`";
            vec![match error.span() {
                Some(span) => {
                    let (line, column) = place(text, span.start);
                    fault.at_line(line).in_column(column.to_string()).help(help)
                }
                None => fault.help(help),
            }]
        })?;
        let (mut entries, mut wrong) = (Vec::new(), Vec::new());
        for (key, value) in table.get_ref() {
            let (line, _) = place(text, key.span().start);
            match said(value.get_ref()) {
                Some(text) => entries.push(Entry { key: key.get_ref().to_string(), text, line }),
                None => wrong.push(
                    Fault::new(format!(
                        "`{}` is a setting with one value, not {}",
                        key.get_ref(),
                        kind(value.get_ref())
                    ))
                    .in_file(path)
                    .at_line(line)
                    .help(format!("write `{} = \"..\"`, with the text that its flag takes", key.get_ref())),
                ),
            }
        }
        // They come in the order of their names.
        entries.sort_by_key(|entry| entry.line);
        if wrong.is_empty() { Ok(ConfigFile { path: path.to_owned(), entries }) } else { Err(wrong) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its keys, in the order in which they stand.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A value as a flag would say it.
fn said(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            let text = number.as_str();
            match i128::from_str_radix(text, number.radix()) {
                Ok(number) => Some(number.to_string()),
                Err(_) => Some(text.to_owned()),
            }
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(bool) => Some(bool.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    if value.is_array() { "a list" } else { "a table" }
}

/// Line and column of a byte, counted from 1.
fn place(text: &str, at: usize) -> (u64, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// A text as it is written in such a file.
pub(super) fn quoted(text: &str) -> String {
    // A basic string of TOML is a text of JSON, but for one character.
    Json::text(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String, u64)>, String> {
        match ConfigFile::parse(Path::new("c.toml"), text) {
            Ok(file) => Ok(file.entries.into_iter().map(|e| (e.key, e.text, e.line)).collect()),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    #[test]
    fn values_are_what_their_flags_would_say() {
        let text = "# settings\nworkers = 1_0\nout = 'a b.csv'\nleast = -5\nshare = 0.5\npin = true\nat = 2024-05-01T08:00:00Z\nmask = 0xff\n";
        let found = read(text).unwrap();
        let expected = [
            ("workers", "10", 2),
            ("out", "a b.csv", 3),
            ("least", "-5", 4),
            ("share", "0.5", 5),
            ("pin", "true", 6),
            ("at", "2024-05-01T08:00:00Z", 7),
            ("mask", "255", 8),
        ];
        assert_eq!(found, expected.map(|(k, v, line)| (k.to_owned(), v.to_owned(), line)));
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let wrong = read("workers = 2\nout = board.csv\n").unwrap_err();
        assert!(wrong.contains("no TOML") && wrong.contains("c.toml, line 2, column 7"), "{wrong}");
        let wrong = read("a = [1]\n[b]\nc = 1\n").unwrap_err();
        assert!(wrong.contains("`a` is a setting with one value, not a list\n  at c.toml, line 1"), "{wrong}");
        assert!(wrong.contains("`b` is a setting with one value, not a table\n  at c.toml, line 2"), "{wrong}");
        let wrong = read("a = 1\na = 2\n").unwrap_err();
        assert!(wrong.contains("line 2"), "{wrong}");
        let wrong = ConfigFile::read(Path::new("/nowhere/c.toml")).err().unwrap();
        assert!(wrong[0].to_string().contains("/nowhere/c.toml"), "{}", wrong[0]);
    }

    #[test]
    fn a_text_is_read_as_it_was_written() {
        for text in ["", "plain", "a \"b\" \\ c", "two\nlines\t", "\u{7f}\u{1}é水"] {
            let line = format!("x = {}", quoted(text));
            assert_eq!(read(&line).unwrap(), [("x".to_owned(), text.to_owned(), 1)], "{line}");
        }
    }
}
