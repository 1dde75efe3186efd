//! `rebalance`, `shuffle`, `broadcast`, `global`, `partition_by`: what they take, where they stand, where the chain is cut.

use super::*;

#[test]
fn what_they_take() {
    for (op, expected) in [
        ("rebalance(3)", "3 | `rebalance` takes no argument | `.rebalance()`"),
        ("global(|r| r.x)", "|r| r.x | `global` takes no argument | `.global()`"),
        ("shuffle", "shuffle | `plain` has no output `shuffle` | write `.shuffle()` in a `let`"),
        (
            "partition_by()",
            "partition_by | expected a closure | `.partition_by(|r, n| r.shard % n)`, with the row and the number",
        ),
        ("partition_by(|r, n| 1, 5)", "5 | `partition_by` takes one closure | "),
        ("rebalence()", "rebalence | there is no operator `rebalence` | did you mean `rebalance`?"),
    ] {
        wrong_behind_sources(&format!("let a = plain.{op}; drop a;"), &[expected]);
    }
}

#[test]
fn where_they_stand() {
    for (chain, expected) in [
        (
            "rebalance().key_by(k).reduce(f, ttl 1h)",
            "rebalance | `rebalance` has no effect in front of `key_by` | remove `rebalance`",
        ),
        (
            "shuffle().rebalance()",
            "shuffle | `shuffle` has no effect in front of `rebalance`, which moves the rows again | remove `shuffle`",
        ),
        (
            "global().key_by(k).reduce(f, ttl 1h)",
            "key_by | `key_by` moves the rows away from the one worker | remove one of the two",
        ),
        ("key_by(k).rebalance()", "rebalance | `rebalance` cannot follow `key_by` | a keyed operator comes next"),
        (
            "rebalance().reduce(f, ttl 1h)",
            "reduce | `reduce` needs a key | `.key_by(|r| ..)` in front of it, or `.global()`",
        ),
    ] {
        wrong_behind_sources(&format!("let a = plain.{chain}; drop a;"), &[expected]);
    }
    right("source a: T = rows(d); let b = a.broadcast().key_by(k).reduce(f, ttl 1h); sink s(b) = stdout();");
}

#[test]
fn a_chain_is_cut_at_each() {
    let found = plan(
        "source a: T = rows(d), event_time f, late_by 1s;
         let b = a.filter(f).rebalance().map(g).partition_by(|r, n| n).map(h).key_by(k).window(tumbling 1h).aggregate(count());
         sink s(b) = stdout(); drop b.late;",
    );
    let expected = "\
edge b_rebalance1: Rebalance timed
edge b_partition_by3: Partition timed
edge b: combined timed
chain a: source
  0 event_time
  1 filter #0
  2 rebalance
    -> b_rebalance1.0
chain b: receive
  1 map
  2 partition_by
    -> b_partition_by3.0
chain b: receive
  1 map
  2 key_by
    -> b.0: count
chain b: window tumbling 1h
  -> s.0
";
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn global_is_a_key_for_operators_with_state() {
    let found = plan(
        "source a: T = rows(d), event_time f, late_by 1s; let g = a.filter(f).global();
         let n = g.window(tumbling 1h).aggregate(count()); let r = g.reduce(f, ttl 1h); let m = g.map(f);
         let w = a.global().aggregate(sum(f), emit at_end, unbounded(\"one\")); let o = a.rebalance().map(f);
         sink s(n, r, m, w, o) = stdout(); drop n.late;",
    );
    let expected = "\
edge g_global1: Global
edge n: combined timed
edge r: keyed timed
edge w: combined
edge o_rebalance0: Rebalance
chain a: source
  0 event_time
  for a looks
    3 global
      -> w.0: sum at 4
  for a takes
    1 filter #0
    2 global takes
      -> n.0: count
      -> r.0: row
    2 global takes
      -> g_global1.0
  for a takes
    5 rebalance
      -> o_rebalance0.0
chain g: receive
  1 map = m
  -> s.0
chain n: window tumbling 1h
  -> s.1
chain r: reduce, emit each, ttl 1h, by arrival
  -> s.2
chain w: aggregate sum, emit at_end
  -> s.3
chain o: receive
  1 map = o
  -> s.4
";
    assert_eq!(found, expected, "\n{found}");
}
