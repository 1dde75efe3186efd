//! The plan as SVG and for Graphviz: well formed whatever stands in it, and nothing left out.

#[path = "plan/made_up.rs"]
mod made_up;

use pelton::plan::Plan;

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

/// Tags that close in order, attributes in quotes, no stray `<` or `&`: what any reader of XML insists on.
fn well_formed_xml(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut roots = 0;
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let Some(content) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            entities(&rest[..end])?;
            if open.is_empty() {
                return Err(format!("text outside of the root: {:?}", &rest[..end]));
            }
            rest = &rest[end..];
            continue;
        };
        let end = tag_end(content).ok_or_else(|| format!("a tag that does not end: {content:.40}"))?;
        let tag = &content[..end];
        rest = &content[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (body, empty) = tag.strip_suffix('/').map_or((tag, false), |body| (body, true));
        let name = body.split_whitespace().next().ok_or("a tag without a name")?;
        attributes(&body[name.len()..])?;
        if open.is_empty() {
            roots += 1;
        }
        if !empty {
            open.push(name);
        }
    }
    if roots == 1 && open.is_empty() { Ok(()) } else { Err(format!("{roots} roots, still open: {open:?}")) }
}

/// Where the `>` of a tag is, outside of quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn attributes(text: &str) -> Result<(), String> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("no attribute: {rest}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("no end of a value: {after}"))?;
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_'));
        if !is_name || names.contains(&name) || value.contains('<') {
            return Err(format!("attribute {name:?} = {value:?}"));
        }
        entities(value)?;
        names.push(name);
        rest = after.trim_start();
    }
    Ok(())
}

fn entities(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("control character {c:?}"));
    }
    let known = ["amp;", "lt;", "gt;", "quot;"];
    match text.split('&').skip(1).find(|after| !known.iter().any(|k| after.starts_with(k))) {
        Some(after) => Err(format!("stray & before {after:.20}")),
        None => Ok(()),
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
