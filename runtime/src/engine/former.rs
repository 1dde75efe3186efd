//! [`Former`]: which operator of today what is stored of an operator is for. One that has another name says which it had; of one that the
//! job has no more, its author says that it may go. Everything else is refused: an operator that begins empty though something is stored of
//! it gives wrong results and no error.

use super::graph::Notes;
use crate::checkpoint::manifest::{Manifest, OperatorState};
use crate::error::Fault;
use crate::window::WINDOW;

/// What the operators of a job are called, and were, and what the job has given up.
#[derive(Default)]
pub struct Former {
    operators: Vec<Known>,
    given_up: &'static [&'static str],
}

struct Known {
    name: &'static str,
    was: &'static [&'static str],
    /// The names of its states.
    states: Vec<&'static str>,
}

impl Former {
    /// Of a job as it was noted down.
    pub fn of(notes: &Notes, given_up: &'static [&'static str]) -> Former {
        let known = notes.stored.iter().map(|operator| {
            let names = notes.states.iter().map(|state| state.names).find(|names| names.operator == operator.name);
            Known {
                name: operator.name,
                was: names.map_or(&[], |names| names.was),
                states: operator.states.iter().map(|state| state.name).collect(),
            }
        });
        Former { operators: known.collect(), given_up }
    }

    /// A checkpoint with the names of today's operators, and without what was given up.
    ///
    /// # Errors
    /// If something is stored of an operator that the job has no more and has not given up; or if two are it, or it is two.
    pub fn today(&self, manifest: &Manifest) -> Result<Manifest, Fault> {
        let mut today = manifest.clone();
        today.operators.clear();
        let mut found = Vec::new();
        for stored in &manifest.operators {
            found.extend(self.name_of(stored, manifest)?.map(|name| (name, stored)));
        }
        for (name, stored) in &found {
            let mut others = found.iter().filter(|(of, other)| of == name && other.id != stored.id).peekable();
            // It was called so before, and what is called so now was called otherwise.
            if others.peek().is_some() && self.gives_up(stored) {
                continue;
            }
            if let Some((_, other)) = others.find(|(_, other)| !self.gives_up(other)) {
                return Err(both(name, stored, other));
            }
            today.operators.push(OperatorState { id: (*name).to_owned(), ..(*stored).clone() });
        }
        Ok(today)
    }

    /// Whether the job has given up what is stored of an operator.
    fn gives_up(&self, stored: &OperatorState) -> bool {
        self.given_up.iter().any(|text| match text.split_once('.') {
            None => *text == stored.id,
            Some((operator, state)) => operator == stored.id && state == whole(stored),
        })
    }

    /// What an operator is called now; `None` if nothing of it is to be restored.
    fn name_of(&self, stored: &OperatorState, manifest: &Manifest) -> Result<Option<&'static str>, Fault> {
        let id = &*stored.id;
        let mut those = self.operators.iter().filter(|known| known.name == id || known.was.contains(&id));
        let now = those.next();
        if let (Some(one), Some(other)) = (now, those.next()) {
            let what = format!("what is stored of `{id}` is claimed by both `{}` and `{}`", one.name, other.name);
            return Err(Fault::new(what).lasting().help(format!("take `{id}` out of one's `#[was(..)]`")));
        }
        let given_up = self.gives_up(stored);
        let Some(now) = now else {
            // Where nothing is stored but its name, nothing is lost.
            if given_up || stored.objects.is_empty() {
                return Ok(None);
            }
            return Err(self.lost(stored, manifest));
        };
        // It was another kind of operator, whose state the job has given up; else whoever restores it says what does not fit.
        let another = stored.states.iter().any(|state| !now.states.contains(&&*state.name));
        Ok((!another || !given_up).then_some(now.name))
    }

    fn lost(&self, stored: &OperatorState, manifest: &Manifest) -> Fault {
        let id = &stored.id;
        let known = |name: &str| manifest.operators.iter().any(|operator| operator.id == name);
        let alike = |known: &&Known| known.states.iter().eq(stored.states.iter().map(|state| &state.name));
        let new = self.operators.iter().filter(|operator| !known(operator.name)).find(alike);
        let what = format!("the checkpoint has state of `{id}`, and the job has no operator of this name");
        let or = format!("`#[dropped({id})]` in front of the job if its state may go");
        Fault::new(what).lasting().help(match new {
            Some(new) => {
                format!("write `#[was({id})]` in front of `let {}` if that is its name now, or {or}", new.name)
            }
            None => format!("put it back, or write {or}"),
        })
    }
}

/// Two stored operators are one of today.
fn both(name: &str, one: &OperatorState, other: &OperatorState) -> Fault {
    let (goes, stays) = if other.id == name { (other, one) } else { (one, other) };
    let (goes, stays) = (&goes.id, &stays.id);
    let what = format!("the checkpoint has state of `{goes}` and of `{stays}`, and `{name}` of the job would be both");
    Fault::new(what).lasting().help(format!(
        "write `#[dropped({goes})]` in front of the job if what is stored of `{goes}` may go, or take `{stays}` out of `#[was(..)]`"
    ))
}

/// What all of an operator's state is called in the lock.
fn whole(stored: &OperatorState) -> &'static str {
    match stored.states.first() {
        Some(state) if state.kind == WINDOW => "windows",
        Some(state) if state.name == "row" => "row",
        _ => "total",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::manifest::{Form, ObjectRef, StateInfo};
    use crate::schema::OwnedSchema;

    fn stored(id: &str, states: &[&str], full: bool) -> OperatorState {
        let object = ObjectRef {
            name: "data/x".into(),
            form: Form::Entries,
            length: 1,
            digest: 0,
            first_group: 0,
            last_group: 1,
            entries: 1,
        };
        OperatorState {
            id: id.into(),
            states: states
                .iter()
                .map(|name| {
                    StateInfo::new(
                        *name,
                        if states.len() == 2 { WINDOW } else { "keyed" },
                        OwnedSchema::U64,
                        OwnedSchema::U64,
                    )
                })
                .collect(),
            heads: vec![Vec::new()],
            objects: if full { vec![object] } else { Vec::new() },
        }
    }

    fn known(name: &'static str, was: &'static [&'static str], states: &[&'static str]) -> Known {
        Known { name, was, states: states.to_vec() }
    }

    fn today(operators: Vec<Known>, given_up: &'static [&'static str], stored: Vec<OperatorState>) -> String {
        let manifest = Manifest { operators: stored, ..Manifest::new("J", 1, 3) };
        match (Former { operators, given_up }).today(&manifest) {
            Ok(today) => today.operators.iter().map(|operator| format!("{} ", operator.id)).collect(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn operators_have_their_names_of_today() {
        let of = |id| stored(id, &["value"], true);
        let all = || vec![known("totals", &["sums", "all"], &["value"]), known("best", &[], &["value"])];
        assert_eq!(today(all(), &[], vec![of("totals"), of("best")]), "totals best ");
        assert_eq!(today(all(), &[], vec![of("best"), of("all")]), "best totals ");
        assert_eq!(today(all(), &["gone"], vec![of("gone"), of("sums")]), "totals ");
        assert_eq!(today(all(), &[], vec![stored("gone", &["value"], false), of("sums")]), "totals ");
        // A name that was given on.
        assert_eq!(today(all(), &["totals"], vec![of("totals"), of("sums")]), "totals ");
        assert_eq!(today(all(), &["totals"], vec![of("totals")]), "totals ");
        let said = today(all(), &[], vec![of("totals"), of("sums")]);
        assert!(
            said.contains("has state of `totals` and of `sums`") && said.contains("`#[dropped(totals)]`"),
            "{said}"
        );
        let said = today(vec![known("a", &["x"], &[]), known("x", &[], &[])], &[], vec![of("x")]);
        assert!(said.contains("`x` is claimed by both `a` and `x`"), "{said}");
    }

    #[test]
    fn what_would_be_lost_is_refused_with_what_to_write() {
        let all = || vec![known("totals", &[], &["value"]), known("hours", &[], &["value", "firings"])];
        let said = today(all(), &[], vec![stored("sums", &["value"], true)]);
        assert!(
            said.contains("has state of `sums`") && said.contains("`#[was(sums)]` in front of `let totals`"),
            "{said}"
        );
        let said = today(all(), &[], vec![stored("sums", &["row"], true)]);
        assert!(said.contains("put it back, or write `#[dropped(sums)]`"), "{said}");
    }

    #[test]
    fn an_operator_that_has_become_another_begins_empty_if_that_is_said() {
        let windows = || vec![stored("totals", &["value", "firings"], true)];
        let all = || vec![known("totals", &[], &["value"])];
        assert_eq!(today(all(), &["totals.windows"], windows()), "");
        assert_eq!(today(all(), &["totals.row"], windows()), "totals ", "it is another state that is given up");
        assert_eq!(today(all(), &[], windows()), "totals ", "whoever restores it says what does not fit");
        // What is given up is the state that it had, not the one that it has.
        assert_eq!(today(all(), &["totals.windows"], vec![stored("totals", &["value"], true)]), "totals ");
    }
}
