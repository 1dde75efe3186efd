//! Names for messages: which there are, and which of them may be meant.

/// The names, as "`a`, `b`"; "none" if there are none.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// What to say to somebody who wrote a name that is not there: the near one, and all that there are.
pub fn near<S: AsRef<str>>(written: &str, names: &[S]) -> String {
    let far = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    let nearest = names.iter().map(AsRef::as_ref).min_by_key(|name| far(name));
    let there = format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, listed(names));
    match nearest.filter(|name| far(name) <= 1 + written.len() / 4) {
        Some(name) if names.len() > 1 => format!("`{name}` is near it; {there}"),
        _ => there,
    }
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
}
