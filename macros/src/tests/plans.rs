//! Plans as short text: where chains are cut, what crosses an edge, who gets the row.

use super::*;

#[track_caller]
fn lowers(statements: &str, expected: &str) {
    let found = plan(statements);
    let expected = expected.trim_start_matches('\n');
    let indent = expected.len() - expected.trim_start().len();
    let expected: String = expected.lines().map(|line| line.get(indent..).unwrap_or("").to_string() + "\n").collect();
    assert_eq!(found.trim_end(), expected.trim_end(), "\n{found}");
}

#[test]
fn one_chain() {
    lowers(
        "source a: T = rows(d); let b = a.filter(f).map(g); let c = b.flat_map(h).inspect(i); sink s(c) = stdout();",
        "
        chain a: source, no time
          1 filter #0
          2 map = b
          3 flat_map #1
          4 inspect = c
          -> s.0
        ",
    );
}

#[test]
fn a_window() {
    lowers(
        "source a: T = rows(d), event_time f, late_by 1h, ordered_splits;
         let b = a.filter(f); let c = b.key_by(k).window(tumbling 1h).aggregate((count(), sum(s)));
         let d: X = c.map(m); sink x(d) = stdout(); sink y(d) = collect(); drop c.late;",
        "
        edge c: combined timed
        chain a: source
          0 event_time
          1 filter #0 = b
          2 key_by
            -> c.0: (count, sum) at 3
        chain c: window tumbling 1h
          1 map = d
          -> x.0 takes
          -> y.0 takes
        ",
    );
}

#[test]
fn late_rows_make_whole_rows_cross() {
    lowers(
        "source a: T = rows(d), event_time f, late_by 1h;
         let c = a.key_by(k).window(tumbling 1h, allow_late 1min, no_refire).aggregate(sum(s));
         let own = a.key_by(k).window(tumbling 1h).aggregate(Own);
         let l = c.late.filter(g); sink x(c, own) = stdout(); sink y(l, own.late) = stdout();",
        "
        edge c: keyed timed
        edge own: keyed timed
        chain a: source
          0 event_time
          for a takes
            1 key_by
              -> c.0: row
          for a takes
            2 key_by
              -> own.0: Own
        chain c: window tumbling 1h, allow_late 1min, aggregate sum
          -> x.0
          late
            1 filter #0 = l
            -> y.0
        chain own: window tumbling 1h, aggregate Own
          -> x.1
          late
            -> y.1
        ",
    );
}

#[test]
fn lookers_first_then_takers() {
    lowers(
        "source a: T = rows(d); let m = a.map(f); let r = a.key_by(k).aggregate(count(), emit at_end, unbounded(\"few\"));
         let f = a.filter(g); let k = f.key_by(k); let t = k.reduce(x, unbounded(\"few\")); let u = k.aggregate(count(), unbounded(\"few\"));
         sink s(m, r, t, u) = stdout();",
        "
        edge r: combined
        edge t: keyed
        edge u: keyed
        chain a: source, no time
          for a looks
            2 key_by
              -> r.0: count
          for a takes
            1 map = m
            -> s.0
          for a takes
            3 filter #0 = f
            4 key_by
              -> u.0: count
              -> t.0: row
        chain r: aggregate count, emit at_end, no time
          -> s.1
        chain t: reduce, emit each, no time, by arrival
          -> s.2
        chain u: aggregate count, emit each, no time, by arrival
          -> s.3
        ",
    );
}

#[test]
fn time_goes_where_it_is_needed() {
    lowers(
        "source a: T = rows(d), event_time f, late_by 1h; source b: T = rows(d), event_time f, late_by 0s;
         let u = union(a, b); let t = u.key_by(k).reduce(g, emit each, unbounded(\"few\"));
         let w = t.key_by(k).window(tumbling 1d).aggregate(max_by(v)); let n = u.key_by(k).aggregate(count(), unbounded(\"few\"));
         sink s(w, n) = stdout(); drop w.late;",
        "
        edge u: local timed x2
        edge t: keyed timed
        edge w: combined timed
        edge n: keyed
        chain a: source
          0 event_time
          -> u.0
        chain b: source
          0 event_time
          -> u.1
        chain u: union
          for u looks
            2 key_by
              -> n.0: count
          for u takes
            1 key_by
              -> t.0: row
        chain t: reduce, emit each, by arrival
          1 key_by
            -> w.0: max_by at 2
        chain w: window tumbling 1d
          -> s.0
        chain n: aggregate count, emit each, by arrival
          -> s.1
        ",
    );
}

#[test]
fn a_union_and_a_keyed_operator_in_one_let() {
    lowers(
        "source a: T = rows(d); let f = a.filter(x); let g = a.filter(y);
         let u = union(f, g).map(m).key_by(k).fold(0, x, emit every 1s, unbounded(\"few\")).map(n); sink s(u) = stdout();",
        "
        edge u_union: local x2
        edge u: keyed
        chain a: source, no time
          for a takes
            1 filter #0 = f
            -> u_union.0
          for a takes
            2 filter #1 = g
            -> u_union.1
        chain u: union, no time
          1 map
          2 key_by
            -> u.0: row
        chain u: fold, emit every 1s, no time, by arrival
          1 map = u
          -> s.0
        ",
    );
}

#[test]
fn records_that_are_no_rows() {
    lowers(
        "source a: T = csv(d), event_time f, late_by 1h, on_error divert; let b = a.filter(f); sink s(b) = stdout();
         let c = a.errors.map(g); let n = a.errors.key_by(k).aggregate(count(), emit each, ttl 1h); sink t(c, n) = stdout();",
        "
        edge n: keyed
        chain a: source
          0 event_time
          1 filter #0 = b
          -> s.0
          errors #1
            for a looks
              4 key_by
                -> n.0: count
            for a takes
              3 map = c
              -> t.0
        chain n: aggregate count, emit each, ttl 1h, no time, by arrival
          -> t.1
        ",
    );
}
