//! The plan as SVG and for Graphviz: well formed whatever stands in it, and nothing left out.

#[path = "plan/made_up.rs"]
mod made_up;
#[path = "plan/xml.rs"]
mod xml;

use pelton::plan::Plan;
use xml::well_formed_xml;

fn plans() -> [Plan; 3] {
    let mut hostile = made_up::board();
    hostile.job = "a\"b<c>&'\\ \u{7} -->".to_owned();
    hostile.chains[0].operators[0].name = "x\n\\\"; } </text>".to_owned();
    hostile.edges[2].key = "Cow<'static, str>\\".to_owned();
    [made_up::board(), made_up::ten_chains(), hostile]
}

#[test]
fn svg_is_well_formed() {
    for plan in plans() {
        let svg = plan.to_svg();
        if let Err(at) = well_formed_xml(&svg) {
            panic!("{at}\n{svg}");
        }
    }
}

#[test]
fn svg_shows_every_chain_operator_and_edge() {
    let svg = made_up::ten_chains().to_svg();
    let count = |what: &str| svg.matches(what).count();
    assert_eq!(count("<rect class=\"pelton-box"), 10);
    assert_eq!(count("<path class=\"pelton-edge"), 12);
    assert_eq!(count("<path class=\"pelton-edge pelton-local\""), 2);
    assert_eq!(count("<rect class=\"pelton-label\""), 12);
    let texts = [
        ">flights<",
        ">csv &quot;weather &amp; &lt;wind&gt;&quot;.csv<",
        ">by key (Airport, Hour)<",
        ">at most 4 MiB under way<",
        ">Departure&lt;'static, Tail&gt;, 96 B,<",
        ">keeps state<",
        ">dropped: hourly.late, rolling.late<",
        ">State in RocksDb. At most 41 MiB under way between 16 workers.<",
    ];
    for text in texts {
        assert!(svg.contains(text), "no {text} in\n{svg}");
    }
    for broken in [">window sliding 6h by 1h, allow_late<", ">10min, refire, aggregate (count,<", ">mean, max_by)<"] {
        assert!(svg.contains(broken), "what is long is broken: no {broken} in\n{svg}");
    }
}

#[test]
fn svg_needs_nothing_from_outside() {
    for plan in plans() {
        let svg = plan.to_svg();
        for link in ["href", "url(", "@import", "<script", "<image"] {
            assert!(!svg.contains(link), "{link}");
        }
    }
}

#[test]
fn dot_is_what_graphviz_reads() {
    for plan in plans() {
        let dot = plan.to_dot();
        match read_dot(&dot) {
            Ok((nodes, edges)) => assert_eq!((nodes, edges), (plan.chains.len() + 1, plan.edges.len()), "{dot}"),
            Err(at) => panic!("{at}\n{dot}"),
        }
    }
}

#[test]
fn dot_shows_operators_and_edges() {
    let dot = made_up::board().to_dot();
    let chain = "c3 [label=\"chain 3\\lall   union\\llate  filter\\l\"];";
    let edge = "c3 -> c4 [style=solid, label=\"by key Airport\\lcut at key_by\\l(u64, i64), 16 B, timed, combined\\lat most 4 MiB under way\\l\"];";
    let union = "c1 -> c3 [style=dashed, label=\"same worker\\lcut at union\\l";
    for text in [chain, edge, union, "reduce emit each ■≈\\l", "dropped: hourly.late"] {
        assert!(dot.contains(text), "no {text} in\n{dot}");
    }
}

/// Reads `digraph "name" { (id | id -> id) [key=value, ..]; .. }` and gives the numbers of own nodes and of edges.
fn read_dot(text: &str) -> Result<(usize, usize), String> {
    let tokens = tokens(text)?;
    let [keyword, name, brace, statements @ .., end] = tokens.as_slice() else { return Err("too short".to_owned()) };
    if keyword != "digraph" || !name.starts_with('"') || brace != "{" || end != "}" {
        return Err(format!("not a graph: {keyword} {name} {brace} .. {end}"));
    }
    let (mut nodes, mut edges) = (0, 0);
    for statement in statements.split(|t| t == ";").filter(|s| !s.is_empty()) {
        let head = statement.iter().position(|t| t == "[").ok_or_else(|| format!("no attributes: {statement:?}"))?;
        match &statement[..head] {
            [id] if matches!(&**id, "graph" | "node" | "edge") => {}
            [id] if is_id(id) => nodes += 1,
            [from, arrow, to] if is_id(from) && arrow == "->" && is_id(to) => edges += 1,
            other => return Err(format!("{other:?}")),
        }
        let [inner @ .., close] = &statement[head + 1..] else { return Err(format!("{statement:?}")) };
        let pairs = inner.split(|t| t == ",").all(|pair| matches!(pair, [key, eq, _value] if is_id(key) && eq == "="));
        if close != "]" || !pairs {
            return Err(format!("{statement:?}"));
        }
    }
    Ok((nodes, edges))
}

fn is_id(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut token = String::from(c);
        match c {
            c if c.is_whitespace() => continue,
            '"' => loop {
                let c = chars.next().ok_or("a string that does not end")?;
                token.push(c);
                match c {
                    '\\' => token.extend(chars.next()),
                    '"' => break,
                    _ => {}
                }
            },
            '-' if chars.next_if_eq(&'>').is_some() => token.push('>'),
            c if c.is_ascii_alphanumeric() => {
                while let Some(c) = chars.next_if(char::is_ascii_alphanumeric) {
                    token.push(c);
                }
            }
            '{' | '}' | '[' | ']' | '=' | ',' | ';' => {}
            other => return Err(format!("unexpected {other:?}")),
        }
        tokens.push(token);
    }
    Ok(tokens)
}

#[test]
fn the_checkers_themselves_see_mistakes() {
    for bad in ["<a>", "<a></b>", "<a x=1/>", "<a>&</a>", "<a/><b/>", "<a x=\"1\" x=\"2\"/>", "<a>x<</a>", "x<a/>"] {
        assert!(well_formed_xml(bad).is_err(), "{bad}");
    }
    for bad in ["digraph \"x\" { a [b=\"] }", "digraph \"x\" { a }", "digraph \"x\" { a -> [b=c]; }", "graph \"x\" {}"]
    {
        assert!(read_dot(bad).is_err(), "{bad}");
    }
}
