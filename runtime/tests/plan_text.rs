//! The plan as a person reads it on the terminal.

#[path = "plan/made_up.rs"]
mod made_up;

use pelton::plan::{Chain, Operator, Plan};

#[test]
fn chains_edges_marks_and_bounds() {
    let expected = "\
DelayBoard<Memory> on 2 workers: 5 chains, 4 edges
At most 9 MiB under way between 2 workers

┌─ 1 ──────────────────────────────────────────────────────┐
│ january   csv data/2013-01.csv                           │
│           filter                                         │
│ flown     map                                            │
└──────────────────────────────────────────────────────────┘
  └─▶ 3  to the same worker; cut because of union
         rows: Departure, 96 B, with event time; at most 512 KiB under way

┌─ 2 ──────────────────────────────────────────────────────┐
│ february  csv data/2013-02.csv                           │
└──────────────────────────────────────────────────────────┘
  └─▶ 3  to the same worker; cut because of union
         rows: Departure, 96 B, with event time; at most 512 KiB under way

┌─ 3 ──────────────────────────────────────────────────────┐
│ all       union                                          │
│ late      filter                                         │
└──────────────────────────────────────────────────────────┘
  ├─▶ 4  by key Airport, to the worker that owns it; cut because of key_by
  │      rows: (u64, i64), 16 B, with event time, combined first; at most 4 MiB under way
  └─▶ 5  by key Option<Tail>, to the worker that owns it; cut because of key_by
         rows: Departure, 96 B, without event time; at most 4 MiB under way

┌─ 4 ──────────────────────────────────────────────────────┐
│ hourly    window tumbling 1h, aggregate (count, sum)  ■  │
│ rows      map                                            │
│ board     stdout                                         │
└──────────────────────────────────────────────────────────┘

┌─ 5 ──────────────────────────────────────────────────────┐
│ newest    reduce emit each                            ■≈ │
│ file      csv board.csv                                  │
└──────────────────────────────────────────────────────────┘

■ keeps state
≈ result depends on the order in which rows of different workers arrive
dropped: hourly.late
";
    assert_eq!(made_up::board().to_string(), expected);
}

#[test]
fn one_chain_alone_says_that_nothing_is_under_way() {
    let operator = Operator {
        what: "lines in.txt".to_owned(),
        name: String::new(),
        arrival_ordered: false,
        stateful: false,
        sink: false,
        input: 0,
        counted: None,
    };
    let plan = Plan {
        job: "Copy".to_owned(),
        backend: "Memory".to_owned(),
        workers: 1,
        chains: vec![Chain { operators: vec![operator] }],
        edges: Vec::new(),
        dropped: Vec::new(),
    };
    let expected = "\
Copy<Memory> on 1 worker: 1 chain, 0 edges
Nothing is under way between chains: there are no edges

┌─ 1 ────────────┐
│   lines in.txt │
└────────────────┘
";
    assert_eq!(plan.to_string(), expected);
}

#[test]
fn every_line_of_a_box_has_the_same_width() {
    let text = made_up::ten_chains().to_string();
    let widths: Vec<usize> =
        text.lines().filter(|l| l.starts_with(['┌', '│', '└'])).map(|l| l.chars().count()).collect();
    assert!(widths.len() > 30 && widths.iter().all(|w| *w == widths[0]), "{widths:?}\n{text}");
}
