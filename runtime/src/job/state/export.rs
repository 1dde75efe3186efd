//! `state key` and `state export`: what is stored, as JSON, through the schemas that are stored with it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{At, Opened, kept, line};
use crate::checkpoint::entries::entries;
use crate::checkpoint::manifest::{OperatorState, StateInfo};
use crate::error::Fault;
use crate::json::Json;
use crate::record::json::from_json;

/// Writes what an operator keeps of a key, a line per state and namespace. `false` if it keeps nothing.
pub fn key(at: At<'_>, operator: &str, key: &str, out: &mut dyn Write) -> Result<bool, Fault> {
    let opened = at.open()?;
    let operator = opened.operator(operator)?;
    let keys: Vec<Vec<u8>> = operator.states.iter().map(|state| key_of(state, key)).collect::<Result<_, _>>()?;
    let kept = kept(operator)?;
    let wanted = |state: u16, key: &[u8]| keys.get(usize::from(state)).is_some_and(|wanted| *wanted == key);
    let mut found = 0u64;
    let each = entries(
        &*opened.store,
        operator,
        |entry| wanted(entry.state, entry.key) && kept(entry.state, entry.namespace),
        |entry| {
            found += 1;
            write_line(out, &line::of_entry(operator, entry)?)
        },
    );
    each.map_err(|fault| opened.failed(fault))?;
    Ok(found > 0)
}

/// The byte form of a key that somebody wrote. A text may stand without its quotes.
fn key_of(state: &StateInfo, written: &str) -> Result<Vec<u8>, Fault> {
    let wrong = |what: String| {
        let help = "a key is written as JSON: 7, '\"JFK\"', '[\"JFK\",7]', '{\"day\":3}'";
        Fault::new(format!("`{written}` is no key of type `{}`: {what}", state.key)).help(help)
    };
    let bytes = |json: &Json| {
        let mut bytes = Vec::new();
        from_json(&state.key, json, &mut bytes).map(|()| bytes).map_err(|e| e.to_string())
    };
    let read = Json::parse(written).map_err(|e| e.to_string()).and_then(|json| bytes(&json));
    match read {
        Ok(key) => Ok(key),
        Err(why) => bytes(&Json::text(written)).map_err(|_| wrong(why)),
    }
}

/// Writes the entries of one operator or of all of them, a line each; says how many.
pub fn export(at: At<'_>, operator: Option<&str>, file: Option<&Path>, out: &mut dyn Write) -> Result<String, Fault> {
    let opened = at.open()?;
    let operators: Vec<&OperatorState> = match operator {
        Some(name) => vec![opened.operator(name)?],
        None => opened.manifest()?.operators.iter().collect(),
    };
    let entries = match file {
        // Standard output alone would be asked for each line.
        None => lines(&opened, &operators, &mut BufWriter::new(out))?,
        Some(file) => {
            let wrong = |error: io::Error| Fault::new("the file cannot be written").in_file(file).because(error);
            // Whole or not at all: half of an export looks like one.
            let mut part = file.as_os_str().to_owned();
            part.push(".part");
            let mut to = BufWriter::new(File::create(&part).map_err(wrong)?);
            let written = lines(&opened, &operators, &mut to).and_then(|entries| {
                to.into_inner().map_err(|e| wrong(e.into_error()))?.sync_all().map_err(wrong)?;
                std::fs::rename(&part, file).map_err(wrong)?;
                Ok(entries)
            });
            if written.is_err() {
                let _ = std::fs::remove_file(&part);
            }
            written?
        }
    };
    Ok(format!("{entries} entries of checkpoint {} in {}", opened.number, opened.store.place()))
}

fn lines(opened: &Opened, operators: &[&OperatorState], out: &mut dyn Write) -> Result<u64, Fault> {
    let mut count = 0;
    for operator in operators {
        let kept = kept(operator)?;
        let each = entries(
            &*opened.store,
            operator,
            |entry| kept(entry.state, entry.namespace),
            |entry| {
                count += 1;
                write_line(out, &line::of_entry(operator, entry)?)
            },
        );
        each.map_err(|fault| opened.failed(fault))?;
    }
    out.flush().map_err(unwritten)?;
    Ok(count)
}

fn write_line(out: &mut dyn Write, line: &str) -> Result<(), Fault> {
    writeln!(out, "{line}").map_err(unwritten)
}

fn unwritten(error: io::Error) -> Fault {
    Fault::new("the entries cannot be written").because(error)
}
