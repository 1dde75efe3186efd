//! Text without fonts: how wide it is at most, where it is broken, and how XML has it.

/// Width of a letter of the operators' font, which is as wide as any: 13 px, 0.602 em.
pub(crate) const MONO: f64 = 7.9;

/// How wide a text in the operators' font is.
pub(crate) fn mono(text: &str) -> f64 {
    text.chars().map(columns).sum::<f64>() * MONO
}

/// How wide a text in the labels' font is at most, at this size. The widths are those of DejaVu Sans, in steps: of the
/// fonts that a viewer may take it is the widest.
pub(crate) fn sans(text: &str, size: f64, bold: bool) -> f64 {
    let em: f64 = text.chars().map(|c| letter(c) * columns(c)).sum();
    em * size * if bold { 1.12 } else { 1.0 }
}

fn letter(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' | '/' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '"' | '-' => 0.42,
        'm' | 'M' | 'W' | '%' | '@' => 0.99,
        'w' | '<' | '>' | '&' | '+' | '=' | '~' => 0.84,
        'A'..='Z' => 0.78,
        _ => 0.64,
    }
}

/// Letters of the East, and whatever else is far back in the tables, count twice.
fn columns(c: char) -> f64 {
    if c >= '\u{1100}' { 2.0 } else { 1.0 }
}

/// Breaks a text into lines that are no wider than `most`, behind a space or a comma where there is one, else anywhere.
/// What does not go into `lines` of them ends in an ellipsis.
pub(crate) fn wrap(text: &str, most: f64, lines: usize, width: impl Fn(&str) -> f64) -> Vec<String> {
    let text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let mut rest = text.trim();
    let mut out: Vec<String> = Vec::new();
    while !rest.is_empty() {
        if width(rest) <= most {
            out.push(rest.to_owned());
            break;
        }
        let last = out.len() + 1 >= lines;
        let room = if last { most - width("…") } else { most };
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
        // One letter at least, so that it goes on.
        let fits = ends.take_while(|&end| width(&rest[..end]) <= room).last();
        let fits = fits.unwrap_or_else(|| rest.chars().next().map_or(rest.len(), char::len_utf8));
        if last {
            out.push(rest[..fits].trim_end().to_owned() + "…");
            break;
        }
        let gap = rest[..fits].rfind([' ', ',', '/']).map(|at| at + 1).filter(|&at| at * 3 > fits);
        let (line, after) = rest.split_at(gap.unwrap_or(fits));
        out.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    out
}

/// Text as XML has it. Control characters, which XML cannot hold at all, become a replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> f64 {
        text.chars().count() as f64
    }

    #[test]
    fn texts_are_broken_at_gaps() {
        let all = wrap("window tumbling 1h, aggregate (count, mean)", 20.0, 9, letters);
        assert_eq!(all, ["window tumbling 1h,", "aggregate (count,", "mean)"]);
        assert_eq!(wrap("short", 20.0, 3, letters), ["short"]);
        assert!(wrap(" ", 20.0, 3, letters).is_empty());
    }

    #[test]
    fn words_without_a_gap_are_broken_anywhere() {
        assert_eq!(wrap("abcdefgh", 3.0, 9, letters), ["abc", "def", "gh"]);
        assert_eq!(wrap("äöü", 0.5, 9, letters), ["ä", "ö", "ü"]);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(wrap("one two three four", 9.0, 2, letters), ["one two", "three fo…"]);
    }
}
