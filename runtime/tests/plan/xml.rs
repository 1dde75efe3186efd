//! Whether a text is XML, so far as pictures are.

/// Tags that close in order, attributes in quotes, no stray `<` or `&`: what any reader of XML insists on.
pub(crate) fn well_formed_xml(text: &str) -> Result<(), String> {
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
