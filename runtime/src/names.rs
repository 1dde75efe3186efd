//! Names for messages: which there are, and which of them may be meant. And names that are made where a job is built.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The names, as "`a`, `b`"; "none" if there are none.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// What to say to somebody who wrote a name that is not there: the near one, and all that there are.
pub fn near<S: AsRef<str>>(written: &str, names: &[S]) -> String {
    let there = format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, listed(names));
    match nearest(written, names) {
        Some(name) if names.len() > 1 => format!("`{name}` is near it; {there}"),
        _ => there,
    }
}

/// The one of these names that may have been meant.
pub fn nearest<'n, S: AsRef<str>>(written: &str, names: &'n [S]) -> Option<&'n str> {
    let far = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    let nearest = names.iter().map(AsRef::as_ref).min_by_key(|name| far(name));
    nearest.filter(|name| far(name) <= 1 + written.len() / 4)
}

/// `t/sums` of `t/` and `sums`: what is called `sums` where it is written, inside of a flow, and is known by where that flow is
/// used. Each such name is made once and kept for good: a program has as many as its blocks have uses of flows, whatever runs.
pub fn within(place: &str, name: &'static str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    if place.is_empty() || name.is_empty() {
        return name;
    }
    let whole = format!("{place}{name}");
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(whole.as_str()) {
        return known;
    }
    let whole: &'static str = Box::leak(whole.into_boxed_str());
    names.insert(whole);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_comes_first() {
        assert_eq!(near("hourl", &["totals", "hourly"]), "`hourly` is near it; there are `totals`, `hourly`");
        assert_eq!(near("x", &["totals", "hourly"]), "there are `totals`, `hourly`");
        assert_eq!(near("total", &["totals"]), "there is `totals`");
        assert_eq!(near("x", &[""; 0]), "there are none");
    }

    #[test]
    fn a_name_inside_of_a_flow_is_made_once() {
        let name = within("t/", "sums");
        assert_eq!(name, "t/sums");
        assert!(std::ptr::eq(name, within("t/", "sums")));
        assert_eq!((within("", "sums"), within("t/", "")), ("sums", ""));
    }
}
