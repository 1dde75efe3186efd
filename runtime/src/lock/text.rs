//! Reads a lock file in constants: the part of one job is found once, and each state in it where its operator is checked.
//!
//! ```text
//! file  = pelton lock 1  job*
//! job   = job Name version N { state* }
//! state = state operator.name { key: schema, value: schema, }
//! ```
//! A `#` in front of one of these makes the rest of the line a comment.

use crate::schema::LockedSchema;
use crate::schema::locked::{byte, name, number, piece, same, skip_space, word_end};

/// The only version of the file's form.
pub(super) const FORM: usize = 1;

/// What a lock says of one job.
#[derive(Clone, Copy, Debug)]
pub struct LockedJob<'a> {
    text: &'a [u8],
    at: usize,
    /// How often a change of it has been accepted.
    pub version: usize,
}

/// What a lock says of one state.
#[derive(Clone, Copy, Debug)]
pub struct LockedState<'a> {
    /// The operator.
    pub operator: &'a str,
    /// The state's own name.
    pub state: &'a str,
    /// What it is kept by.
    pub key: LockedSchema<'a>,
    /// What is kept per key.
    pub value: LockedSchema<'a>,
}

/// The part of a job in a lock; `None` if it has none, or if nothing is to be checked.
///
/// # Panics
/// In constants, if the file is no lock: the message names the line.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn locked(text: &'static [u8], job: &str, accepting: bool) -> Option<LockedJob<'static>> {
    if accepting {
        return None;
    }
    match find(text, job) {
        Ok(found) => found,
        Err(at) => {
            let message = crate::schema::Message::new().put("line ").put_number(line(text, at));
            let message = message.put(
                " of the lock of this job cannot be read\nhelp: take the file as it was committed, or as `lock --accept` \
                 writes it",
            );
            panic!("{}", message.as_str())
        }
    }
}

/// The part of a job; an error is where the file cannot be read. The whole file is read, so that a mistake in it is found
/// wherever it is.
pub(crate) const fn find<'a>(text: &'a [u8], job: &str) -> Result<Option<LockedJob<'a>>, usize> {
    let mut at = match start(text) {
        Ok(at) => at,
        Err(at) => return Err(at),
    };
    let mut found = None;
    while let Some((name, part)) = match next_job(text, at) {
        Ok(next) => next,
        Err(at) => return Err(at),
    } {
        at = match end(part) {
            Ok(at) => at,
            Err(at) => return Err(at),
        };
        if same(name, job) {
            found = Some(part);
        }
    }
    Ok(found)
}

/// Behind the first words.
pub(super) const fn start(text: &[u8]) -> Result<usize, usize> {
    let at = skip_comments(text, 0);
    let Some(behind) = word(text, at, "pelton") else { return Err(at) };
    let Some(behind) = word(text, behind, "lock") else { return Err(at) };
    match number(text, skip_space(text, behind)) {
        Some((FORM, behind)) => Ok(behind),
        _ => Err(at),
    }
}

/// The job that begins there; `None` at the end of the text.
pub(super) const fn next_job(text: &[u8], at: usize) -> Result<Option<(&str, LockedJob<'_>)>, usize> {
    let at = skip_comments(text, at);
    if at >= text.len() {
        return Ok(None);
    }
    let Some(behind) = word(text, at, "job") else { return Err(at) };
    let Some((job, behind)) = name(text, skip_space(text, behind)) else { return Err(at) };
    let Some(behind) = word(text, behind, "version") else { return Err(at) };
    let Some((version, behind)) = number(text, skip_space(text, behind)) else { return Err(at) };
    match sign(text, behind, b'{') {
        Some(at) => Ok(Some((job, LockedJob { text, at: skip_comments(text, at), version }))),
        None => Err(at),
    }
}

/// Behind a job's part.
pub(super) const fn end(job: LockedJob<'_>) -> Result<usize, usize> {
    let mut rest = job;
    while let Some((_, behind)) = rest.next() {
        rest = behind;
    }
    match sign(rest.text, rest.at, b'}') {
        Some(at) => Ok(at),
        None => Err(rest.at),
    }
}

impl<'a> LockedJob<'a> {
    /// The next state, and those behind it.
    pub const fn next(self) -> Option<(LockedState<'a>, Self)> {
        let text = self.text;
        let Some(at) = word(text, self.at, "state") else { return None };
        let Some((operator, at)) = name(text, skip_space(text, at)) else { return None };
        if byte(text, at) != b'.' {
            return None;
        }
        let Some((state, at)) = name(text, at + 1) else { return None };
        let Some(at) = sign(text, at, b'{') else { return None };
        let Some((key, at)) = part(text, at, "key") else { return None };
        let Some((value, at)) = part(text, at, "value") else { return None };
        let Some(at) = sign(text, at, b'}') else { return None };
        let rest = LockedJob { at: skip_comments(text, at), ..self };
        Some((LockedState { operator, state, key, value }, rest))
    }
}

/// `word: schema,`
const fn part<'a>(text: &'a [u8], at: usize, wanted: &str) -> Option<(LockedSchema<'a>, usize)> {
    let Some(at) = word(text, at, wanted) else { return None };
    let Some(at) = sign(text, at, b':') else { return None };
    let Some((schema, at)) = LockedSchema::read(text, at) else { return None };
    match sign(text, at, b',') {
        Some(at) => Some((schema, at)),
        None => None,
    }
}

/// Behind white space and this word.
const fn word(text: &[u8], at: usize, wanted: &str) -> Option<usize> {
    let at = skip_space(text, at);
    let end = word_end(text, at);
    if same(piece(text, at, end), wanted) { Some(end) } else { None }
}

/// Behind white space and this sign.
const fn sign(text: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let at = skip_space(text, at);
    if byte(text, at) == wanted { Some(at + 1) } else { None }
}

const fn skip_comments(text: &[u8], at: usize) -> usize {
    let mut at = skip_space(text, at);
    while byte(text, at) == b'#' {
        while at < text.len() && text[at] != b'\n' {
            at += 1;
        }
        at = skip_space(text, at);
    }
    at
}

/// The line of a byte, counted from 1.
pub(super) const fn line(text: &[u8], at: usize) -> usize {
    let (mut line, mut i) = (1, 0);
    while i < at && i < text.len() {
        if text[i] == b'\n' {
            line += 1;
        }
        i += 1;
    }
    line
}
