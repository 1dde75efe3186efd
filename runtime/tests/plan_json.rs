//! The plan for programs: its field names are a promise.

#[path = "plan/made_up.rs"]
mod made_up;

use serde_json::{Value, json};

#[test]
fn the_fields_are_as_documented() {
    let plan: Value = serde_json::from_str(&made_up::board().to_json()).unwrap();
    let head = ["version", "job", "backend", "workers", "bound_bytes"].map(|field| plan[field].clone());
    assert_eq!(head, [json!(1), json!("DelayBoard"), json!("Memory"), json!(2), json!(9 << 20)]);
    assert_eq!(plan["chains"][4]["index"], 4);
    let newest = json!({ "what": "reduce emit each", "name": "newest", "stateful": true, "arrival_ordered": true });
    assert_eq!(plan["chains"][4]["operators"][0], newest);
    let to_hourly = json!({
        "from": 2, "to": 3, "kind": "by_key", "because": "key_by", "key": "Airport", "row": "(u64, i64)",
        "row_bytes": 16, "timed": true, "combined": true, "bound_bytes": 4 << 20,
    });
    assert_eq!(plan["edges"][2], to_hourly);
    assert_eq!((&plan["edges"][0]["kind"], &plan["edges"][0]["key"]), (&json!("local"), &Value::Null));
    assert_eq!(plan["dropped"], json!(["hourly.late"]));
}

#[test]
fn texts_are_escaped() {
    let plan: Value = serde_json::from_str(&made_up::ten_chains().to_json()).unwrap();
    assert_eq!(plan["chains"][1]["operators"][0]["what"], "csv \"weather & <wind>\".csv");
    assert_eq!(plan["chains"][9]["operators"][1]["what"], "csv out\\board.csv");
}
