//! An entry as a line of JSON: operator, state, namespace, key and value.

use crate::checkpoint::manifest::OperatorState;
use crate::error::Fault;
use crate::json::Json;
use crate::names::near;
use crate::record::json::{Mismatch, to_json};
use crate::state::entry::Entry;

/// The members of a line.
pub(super) const MEMBERS: [&str; 5] = ["operator", "state", "namespace", "key", "value"];

/// The line of a stored entry.
pub(super) fn of_entry(operator: &OperatorState, entry: Entry<'_>) -> Result<String, Fault> {
    let [of, state, namespace, key, value] = MEMBERS.map(str::to_owned);
    let wrong = |what: &str| Fault::new(format!("an entry of `{}` {what}", operator.id));
    let info = operator.states.get(usize::from(entry.state));
    let info = info.ok_or_else(|| wrong("is of a state that the checkpoint does not name"))?;
    let shown = |schema, bytes| to_json(schema, bytes).map_err(|e| wrong("is not of its types").because(e));
    let line = Json::Object(vec![
        (of, Json::text(&*operator.id)),
        (state, Json::text(&*info.name)),
        (namespace, Json::number(entry.namespace)),
        (key, shown(&info.key, entry.key)?),
        (value, shown(&info.value, entry.value.unwrap_or_default())?),
    ]);
    Ok(line.to_string())
}

/// A line that somebody wrote.
pub(super) struct Line {
    pub(super) operator: Option<String>,
    pub(super) state: Option<String>,
    pub(super) namespace: i64,
    pub(super) key: Json,
    pub(super) value: Json,
}

impl Line {
    /// Takes a line apart.
    pub(super) fn parse(written: &str) -> Result<Line, Fault> {
        let json = Json::parse(written).map_err(|e| Fault::new(e.to_string()))?;
        let Json::Object(members) = json else {
            return Err(Fault::new(format!("a line is an object, and this is {}", json.kind())).help(FORM));
        };
        let [mut operator, mut state, mut namespace, mut key, mut value] = [None, None, None, None, None];
        for (name, member) in members {
            let slot = match &*name {
                "operator" => &mut operator,
                "state" => &mut state,
                "namespace" => &mut namespace,
                "key" => &mut key,
                "value" => &mut value,
                _ => {
                    return Err(Fault::new(format!("there is no field `{name}`; {}", near(&name, &MEMBERS))).help(FORM));
                }
            };
            *slot = Some(member);
        }
        let namespace = match namespace {
            None => 0,
            Some(Json::Number(text)) => text
                .parse()
                .map_err(|_| Fault::new(format!("`namespace`: `i64` is expected, and `{text}` stands there")))?,
            Some(other) => {
                return Err(Fault::new(format!("`namespace`: `i64` is expected, and {} stands there", other.kind())));
            }
        };
        let missing = |name: &str| Fault::new(format!("the field `{name}` is missing")).help(FORM);
        Ok(Line {
            operator: text("operator", operator)?,
            state: text("state", state)?,
            namespace,
            key: key.ok_or_else(|| missing("key"))?,
            value: value.ok_or_else(|| missing("value"))?,
        })
    }
}

const FORM: &str = "write {\"operator\": \"..\", \"state\": \"..\", \"namespace\": 0, \"key\": .., \"value\": ..}, as `state export` does";

fn text(name: &str, member: Option<Json>) -> Result<Option<String>, Fault> {
    match member {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(other) => Err(Fault::new(format!("`{name}`: a text is expected, and {} stands there", other.kind()))),
    }
}

/// A mismatch in one of the members.
pub(super) fn mismatch(member: &str, mismatch: Mismatch) -> Fault {
    Fault::new(mismatch.inside(member).to_string())
}
