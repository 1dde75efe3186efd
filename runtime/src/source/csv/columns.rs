//! [`Columns`]: the header of a file, and how the declared type reads a record of it. Worked out once per reader.
//!
//! A struct whose fields all have a column is read field by field in its own order, without names. Where a column is
//! missing, or the struct reads fields under several names, each field's name is said as serde expects it.

use super::problem::Kind;
use crate::error::Fault;
use std::path::Path;

/// The columns of a file.
pub(super) struct Columns {
    /// `None` if the file has no header.
    pub(super) names: Option<Vec<String>>,
    /// How many fields a record must have.
    pub(super) count: usize,
    /// Where the records begin, behind byte order mark and header.
    pub(super) start: usize,
}

impl Columns {
    /// A column as messages name it.
    pub(super) fn name(&self, column: usize) -> String {
        match self.names.as_ref().and_then(|names| names.get(column)) {
            Some(name) => name.clone(),
            None => (column + 1).to_string(),
        }
    }

    /// What to say when the header does not fit the struct; `None` for any other problem.
    pub(super) fn mismatch(&self, kind: &Kind, separator: u8, path: &Path) -> Option<Fault> {
        let names = self.names.as_deref().unwrap_or_default();
        let (what, help) = match kind {
            Kind::Missing(field) => (format!("no column `{field}`"), near(field, names, separator)),
            Kind::Twice(field) => {
                let help = "leave one of them out, or rename it in the file's header".to_owned();
                (format!("the header has two columns for `{field}`"), help)
            }
            _ => return None,
        };
        let (Kind::Missing(field) | Kind::Twice(field)) = kind else { return None };
        Some(Fault::new(what).in_file(path).at_line(1).in_column(*field).lasting().help(help))
    }
}

/// What the header has instead of a column, and what to do.
fn near(field: &str, names: &[String], separator: u8) -> String {
    if let [only] = names {
        let other = [b',', b';', b'\t', b'|'].into_iter().find(|&b| b != separator && only.as_bytes().contains(&b));
        if let Some(other) = other {
            let other = char::from(other).escape_default();
            return format!("the header looks separated by `{other}`: write `.separator(b'{other}')` behind `csv(..)`");
        }
    }
    let mut close: Vec<(f64, &String)> = names.iter().map(|name| (likeness(field, name), name)).collect();
    close.retain(|(likeness, _)| *likeness > 0.75);
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match close.first() {
        Some((_, name)) => format!(
            "did you mean `{name}`? Then rename the field, or write `#[serde(rename = \"{name}\")]` on it. The header has {all}"
        ),
        None => format!("the header has {all}; a field that may be missing is an `Option`, or has `#[serde(default)]`"),
    }
}

fn likeness(field: &str, name: &str) -> f64 {
    let plain = |s: &str| s.to_lowercase().replace([' ', '-', '.'], "_");
    strsim::jaro_winkler(&plain(field), &plain(name))
}

/// How a struct's fields are found in a record.
#[derive(Default)]
pub(super) struct Plan {
    /// The struct's fields, as its `Deserialize` names them.
    fields: &'static [&'static str],
    /// For each field its column, where it has one.
    columns: Vec<Option<u32>>,
    /// The columns in the order of the fields, if each has one.
    order: Option<Vec<u32>>,
    twice: Option<&'static str>,
    made: bool,
    pub(super) how: How,
    /// Whether the last record that was read in order had more columns than the struct took.
    pub(super) left_over: bool,
}

/// Whether a struct is read in order or by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum How {
    /// Not known yet: by name, which is always right.
    #[default]
    Undecided,
    /// By name, which is always right.
    ByName,
    /// In the order of the fields: no names are compared.
    InOrder,
}

impl Plan {
    /// Makes the plan for a struct of these fields, if it is not made yet.
    #[inline]
    pub(super) fn make(&mut self, fields: &'static [&'static str], header: &Columns) {
        if !self.made {
            self.make_now(fields, header);
        }
    }

    #[cold]
    fn make_now(&mut self, fields: &'static [&'static str], header: &Columns) {
        self.made = true;
        self.fields = fields;
        match &header.names {
            None => {
                self.order = Some((0..header.count as u32).collect());
                self.columns = Vec::new();
            }
            Some(names) => {
                let places = |field: &str| {
                    let found: Vec<u32> =
                        names.iter().enumerate().filter(|(_, name)| *name == field).map(|(i, _)| i as u32).collect();
                    found
                };
                self.twice = fields.iter().copied().find(|field| places(field).len() > 1);
                self.columns = fields.iter().map(|field| places(field).first().copied()).collect();
                self.order = self.columns.iter().copied().collect();
            }
        }
        if self.order.is_none() {
            self.how = How::ByName;
        }
    }

    /// A field that the header has two columns for.
    pub(super) fn twice(&self) -> Option<&'static str> {
        self.twice
    }

    /// Whether the struct was asked for its fields and still has to be tried in order.
    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.how == How::Undecided && self.made && self.order.is_some() && self.twice.is_none()
    }

    #[inline(always)]
    pub(super) fn order(&self) -> &[u32] {
        self.order.as_deref().unwrap_or_default()
    }

    /// The fields that have a column, with it.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.fields.iter().zip(&self.columns).filter_map(|(field, column)| Some((*field, (*column)? as usize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(field: &'static str, header: &str) -> String {
        let names: Vec<String> = header.split(',').map(str::to_owned).collect();
        let columns = Columns { count: names.len(), names: Some(names), start: 0 };
        columns.mismatch(&Kind::Missing(field), b',', Path::new("in.csv")).unwrap().help.unwrap()
    }

    #[test]
    fn a_missing_column_is_told_with_what_is_like_it() {
        assert!(help("dep_delay", "origin,Dep Delay,dest").contains("did you mean `Dep Delay`?"));
        assert!(help("delay", "origin,dest").contains("the header has `origin`, `dest`"));
        assert!(help("delay", "origin;delay").contains(r"`.separator(b';')`"));
        assert!(help("delay", "origin\tdelay").contains(r"`.separator(b'\t')`"));
    }
}
