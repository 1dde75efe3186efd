//! What must hold of every picture, whatever stands in it.

use proptest::prelude::*;

use super::*;
use crate::{Arrow, Chain, EdgeKind, Operator, Picture};

/// A plan of thirty operators: three sources, a split, a union, several exchanges, windows with late rows, five sinks.
pub(crate) fn thirty() -> Picture {
    let chain = |operators: &[(&str, &str, usize, &str)]| Chain {
        operators: operators
            .iter()
            .map(|&(name, what, input, marks)| Operator {
                name: name.into(),
                what: what.into(),
                input,
                stateful: marks.contains('s'),
                arrival_ordered: marks.contains('a'),
                sink: marks.contains('k'),
            })
            .collect(),
    };
    let arrow = |from, to, kind: EdgeKind, key: &str, because: &str, row: &str| Arrow {
        from,
        to,
        kind,
        label: vec![kind.words(key), format!("cut at {because}"), row.into(), "at most 4 MiB under way".into()],
        about: String::new(),
    };
    Picture {
        title: "FraudBoard".into(),
        subtitle: "State in RocksDb. At most 36 MiB under way between 4 workers.".into(),
        chains: vec![
            chain(&[
                ("cards", "csv cards-2013-*.csv.gz", 0, ""),
                ("", "filter", 0, ""),
                ("paid", "map", 1, ""),
                ("routes", "split", 2, ""),
                ("routes.home", "output", 3, ""),
                ("", "key_by", 4, ""),
                ("routes.abroad", "output", 3, ""),
            ]),
            chain(&[("wires", "json_lines wires.jsonl", 0, ""), ("sent", "filter_map", 0, "")]),
            chain(&[("rates", "tcp rates.example:4000", 0, ""), ("", "rebalance", 0, "")]),
            chain(&[("all", "union", 0, ""), ("", "inspect", 0, ""), ("", "key_by", 1, "")]),
            chain(&[
                ("hourly", "window tumbling 1h, allow_late 10min, aggregate (count, sum, max_by)", 0, "s"),
                ("rows", "map", 0, ""),
                ("board", "csv board.csv", 1, "k"),
                ("late", "csv late.csv", usize::MAX, "k"),
            ]),
            chain(&[("parsed", "receive", 0, ""), ("", "map", 0, ""), ("", "key_by", 1, "")]),
            chain(&[
                ("alerts", "process in_order, state last, timer quiet", 0, "sa"),
                ("", "flat_map", 0, ""),
                ("alerts.odd", "output", 0, ""),
                ("odd", "json_lines odd/", 2, "k"),
                ("", "global", 1, ""),
            ]),
            chain(&[
                ("newest", "reduce, emit each, ttl 24h", 0, "sa"),
                ("", "map", 0, ""),
                ("quotes", "channel", 1, "k"),
            ]),
            chain(&[("top", "aggregate (top 10), emit every 1min", 0, "s"), ("first", "stdout", 0, "k")]),
        ],
        arrows: vec![
            arrow(0, 3, EdgeKind::Local, "", "union", "Payment, 64 B, timed"),
            arrow(1, 3, EdgeKind::Local, "", "union", "Payment, 64 B, timed"),
            arrow(0, 4, EdgeKind::ByKey, "Card", "key_by", "(u64, i64), 16 B, timed, combined"),
            arrow(2, 5, EdgeKind::Rebalance, "", "rebalance", "Line, 24 B"),
            arrow(3, 6, EdgeKind::ByKey, "Account", "key_by", "Payment, 64 B, timed"),
            arrow(5, 7, EdgeKind::ByKey, "(Currency, Currency)", "key_by", "Quote, 40 B"),
            arrow(6, 8, EdgeKind::Global, "", "global", "Alert, 88 B"),
        ],
        notes: vec!["dropped: newest.late".into()],
    }
}

fn rect(at: Point, size: Size) -> Rect {
    Rect { at, size }
}

fn apart(a: Rect, b: Rect) -> bool {
    a.at.x + a.size.width <= b.at.x
        || b.at.x + b.size.width <= a.at.x
        || a.at.y + a.size.height <= b.at.y
        || b.at.y + b.size.height <= a.at.y
}

/// The way of an arrow as it is drawn, in small steps.
fn drawn(points: &[Point], direction: Direction) -> Vec<Point> {
    let mut way = Vec::new();
    for pair in points.windows(2) {
        let &[a, b] = pair else { continue };
        for step in 0..=24 {
            let t = f64::from(step) / 24.0;
            // A cubic whose handles lie on the middle between both: along the direction evenly but for the ends' pull.
            let along = |a: f64, b: f64| {
                let m = (a + b) / 2.0;
                let u = 1.0 - t;
                u * u * u * a + 3.0 * u * u * t * m + 3.0 * u * t * t * m + t * t * t * b
            };
            let aside = |a: f64, b: f64| a + (b - a) * t * t * (3.0 - 2.0 * t);
            way.push(match direction {
                Direction::Down => Point { x: aside(a.x, b.x), y: along(a.y, b.y) },
                Direction::Right => Point { x: along(a.x, b.x), y: aside(a.y, b.y) },
            });
        }
    }
    way
}

/// Nothing covers anything, nothing is outside of the page, no arrow goes through what is not its own.
fn sound(picture: &Picture) -> Result<Page, String> {
    let page = Page::of(picture);
    let whole = rect(Point::default(), page.size);
    let inside = |what: &str, it: Rect| {
        let fits = it.at.x >= 0.0
            && it.at.y >= 0.0
            && it.at.x + it.size.width <= whole.size.width
            && it.at.y + it.size.height <= whole.size.height;
        if fits { Ok(()) } else { Err(format!("{what} is outside of {whole:?}: {it:?}")) }
    };
    let boxes: Vec<Rect> =
        page.layout.boxes.iter().zip(&page.chains).map(|(&at, c)| rect(at.plus(page.shift), c.size)).collect();
    let there = |n: &usize| !page.layout.routes[*n].points.is_empty();
    let arrows: Vec<usize> = (0..picture.arrows.len()).filter(there).collect();
    let labels: Vec<Rect> =
        arrows.iter().map(|&n| rect(page.layout.routes[n].label.plus(page.shift), page.labels[n].size)).collect();
    let all: Vec<Rect> = boxes.iter().chain(&labels).copied().collect();
    for (i, a) in all.iter().enumerate() {
        inside("a box or label", *a)?;
        if let Some(j) = (i + 1..all.len()).find(|&j| !apart(*a, all[j])) {
            return Err(format!("{i} covers {j}: {a:?} {:?}", all[j]));
        }
    }
    for (&n, label) in arrows.iter().zip(&labels) {
        let Arrow { from, to, .. } = picture.arrows[n];
        let ends = &page.layout.routes[n].points;
        for (of, end) in [(from, ends[0]), (to, ends[ends.len() - 1])] {
            let (end, it) = (end.plus(page.shift), boxes[of]);
            let (along, room) = match page.layout.direction {
                Direction::Down => (end.x - it.at.x, it.size.width),
                Direction::Right => (end.y - it.at.y, it.size.height),
            };
            if along < 1.0 || along > room - 1.0 {
                return Err(format!("the arrow {from} -> {to} ends beside the box {of}: {along} of {room}"));
            }
        }
        for point in drawn(&page.layout.routes[n].points, page.layout.direction) {
            let point = rect(point.plus(page.shift), Size::default());
            inside("an arrow", point)?;
            let within = |it: &Rect| {
                let Rect { at, size } = *it;
                point.at.x > at.x + 0.1
                    && point.at.x < at.x + size.width - 0.1
                    && point.at.y > at.y + 0.1
                    && point.at.y < at.y + size.height - 0.1
            };
            if let Some(hit) = boxes.iter().position(within) {
                return Err(format!("the arrow {from} -> {to} goes through the box {hit} at {point:?}"));
            }
            if let Some(hit) = labels.iter().filter(|it| it.at != label.at).position(within) {
                return Err(format!("the arrow {from} -> {to} goes through the label {hit} at {point:?}"));
            }
        }
    }
    let head = page.shift.y;
    for (at, line) in &page.subtitle {
        inside(
            "the subtitle",
            rect(Point { x: at.x, y: at.y - 12.0 }, Size { width: sans(line, 13.0, false), height: 16.0 }),
        )?;
        if at.y + 4.0 > head {
            return Err("the subtitle stands in the picture".into());
        }
    }
    for (_, at, line) in &page.notes {
        inside(
            "a note",
            rect(Point { x: at.x, y: at.y - 12.0 }, Size { width: sans(line, 13.0, false), height: 16.0 }),
        )?;
        if at.y - 14.0 < head + page.layout.size.height {
            return Err("a note stands in the picture".into());
        }
    }
    for chain in &page.chains {
        lines_sound(chain)?;
    }
    Ok(page)
}

/// Texts of a box stand inside of it and beside each other.
fn lines_sound(chain: &Lines) -> Result<(), String> {
    let of = |t: &crate::lines::Text| {
        rect(Point { x: t.at.x, y: t.at.y - 11.0 }, Size { width: crate::text::mono(&t.shown), height: 14.0 })
    };
    let mark = |&(_, at): &(Mark, Point)| rect(Point { x: at.x, y: at.y - 11.0 }, Size { width: 13.0, height: 13.0 });
    let all: Vec<Rect> = chain.names.iter().chain(&chain.whats).map(of).chain(chain.marks.iter().map(mark)).collect();
    for (i, a) in all.iter().enumerate() {
        if a.at.x < 4.0
            || a.at.y < 2.0
            || a.at.x + a.size.width > chain.size.width - 4.0
            || a.at.y + a.size.height > chain.size.height - 2.0
        {
            return Err(format!("a text leaves its box {:?}: {a:?}", chain.size));
        }
        let crossed = |[from, turn, to]: &&[Point; 3]| {
            let down = rect(Point { x: from.x, y: from.y }, Size { width: 0.1, height: turn.y - from.y });
            let aside = rect(*turn, Size { width: to.x - turn.x, height: 0.1 });
            !apart(*a, down) || !apart(*a, aside)
        };
        if let Some(branch) = chain.branches.iter().find(crossed) {
            return Err(format!("a branch goes through a text: {a:?} {branch:?}"));
        }
        if let Some(b) = all[i + 1..].iter().find(|b| !apart(*a, **b)) {
            return Err(format!("a text covers another: {a:?} {b:?}"));
        }
    }
    Ok(())
}

#[test]
fn thirty_operators_are_readable() {
    let picture = thirty();
    assert!(picture.chains.iter().map(|c| c.operators.len()).sum::<usize>() >= 30);
    let page = sound(&picture).unwrap();
    assert_eq!(page.layout.crossings, 0);
    // On a slide of 1920 × 1080 the letters of the operators, 13 px, are no smaller than 9.
    let shown = (1920.0 / page.size.width).min(1080.0 / page.size.height);
    assert!(shown * 13.0 >= 9.0, "{:?}", page.size);
}

/// To look at: `PICTURES=overwrite cargo test -p pelton-picture` draws it anew.
#[test]
fn the_picture_of_thirty_operators_is_that_of_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/thirty_operators.svg");
    let drawn = thirty().to_svg();
    if std::env::var_os("PICTURES").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == drawn,
        "draw it anew: PICTURES=overwrite cargo test -p pelton-picture"
    );
}

#[test]
fn a_long_line_goes_to_the_right_if_it_is_larger_there() {
    let one = |_| Chain { operators: vec![Operator { what: "filter_map".into(), ..Operator::default() }; 6] };
    let picture = |chains: usize, from: fn(usize) -> usize| Picture {
        chains: (0..chains).map(one).collect(),
        arrows: (1..chains).map(|to| arrow_between(from(to), to, vec!["by chance".into()])).collect(),
        ..Picture::default()
    };
    let line = picture(8, |to| to - 1);
    assert_eq!(sound(&line).unwrap().layout.direction, Direction::Right);
    let fan = picture(8, |_| 0);
    assert_eq!(sound(&fan).unwrap().layout.direction, Direction::Down);
}

#[test]
fn arrows_pass_boxes_that_are_longer_than_their_own() {
    let operators = |n: usize| Chain { operators: vec![Operator { what: "map".into(), ..Operator::default() }; n] };
    let arrow =
        |(from, to)| Arrow { from, to, kind: EdgeKind::ByKey, label: vec!["by key".into()], about: String::new() };
    // One short box between two long ones, with receivers far aside.
    let picture = Picture {
        chains: vec![operators(9), operators(1), operators(9), operators(1), operators(1), operators(1)],
        arrows: [(0, 3), (1, 3), (1, 4), (1, 5), (2, 5), (0, 5), (2, 3)].map(arrow).into(),
        ..Picture::default()
    };
    sound(&picture).unwrap();
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z_]{0,12}", 1 => "[a-z, ]{0,90}", 1 => "\\PC{0,40}"]
}

fn chains(most: usize) -> impl Strategy<Value = Vec<Chain>> {
    let operator = (word(), word(), any::<(bool, bool, bool)>(), 0..6_usize).prop_map(|(name, what, marks, input)| {
        Operator { name, what, stateful: marks.0, arrival_ordered: marks.1, sink: marks.2, input }
    });
    let chain = prop::collection::vec(operator, 1..8).prop_map(|operators| Chain { operators });
    prop::collection::vec(chain, 1..most)
}

fn arrow_between(from: usize, to: usize, label: Vec<String>) -> Arrow {
    Arrow { from, to, kind: EdgeKind::ByKey, label, about: String::new() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_picture_covers_anything(
        chains in chains(14),
        arrows in prop::collection::vec((0..14_usize, 0..14_usize, prop::collection::vec(word(), 1..5)), 0..24),
        (title, subtitle, note) in (word(), "\\PC{0,120}", word()),
    ) {
        // Most go forward, as data does; some lead nowhere or back.
        let arrows = arrows.into_iter().map(|(a, b, label)| match (a + b) % 5 {
            0 => arrow_between(a, b, label),
            _ => arrow_between(a.min(b), a.max(b), label),
        });
        let picture = Picture { title, subtitle, chains, arrows: arrows.collect(), notes: vec![note] };
        if let Err(problem) = sound(&picture) {
            return Err(TestCaseError::fail(problem));
        }
    }

    /// Where every chain has one sender, arrows need not cross.
    #[test]
    fn trees_have_no_crossings(senders in prop::collection::vec(0..100_usize, 1..20)) {
        let chains = vec![Chain { operators: vec![Operator { what: "map".into(), ..Operator::default() }] }; senders.len() + 1];
        let arrows = senders.iter().enumerate().map(|(n, from)| arrow_between(from % (n + 1), n + 1, vec!["by key".into()]));
        let picture = Picture { chains, arrows: arrows.collect(), ..Picture::default() };
        let page = sound(&picture).map_err(TestCaseError::fail)?;
        prop_assert_eq!(page.layout.crossings, 0);
    }

    /// What few crossings are: of twice as many arrows as chains, no more than half a crossing for each pair that could.
    #[test]
    fn crossings_are_few(picks in prop::collection::vec((0..12_usize, 0..12_usize), 0..16)) {
        let chains = vec![Chain { operators: vec![Operator { what: "map".into(), ..Operator::default() }] }; 12];
        let arrows: Vec<Arrow> = picks.iter().filter(|(a, b)| a != b)
            .map(|&(a, b)| arrow_between(a.min(b), a.max(b), vec!["by key".into()])).collect();
        let count = arrows.len();
        let picture = Picture { chains, arrows, ..Picture::default() };
        let page = sound(&picture).map_err(TestCaseError::fail)?;
        prop_assert!(page.layout.crossings <= count, "{} crossings of {count} arrows", page.layout.crossings);
    }
}
