//! [`Json`]: a JSON value that keeps what others lose: numbers as they are written, members in their order.
//!
//! State is shown and taken back as JSON (`record/json`), and must come back bit by bit. The usual readers make a float of
//! each large number, and not always the nearest one. This file knows nothing of records.

use std::fmt;

/// How deep lists and objects may be nested.
const MAX_DEPTH: u32 = 256;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// Text, without its escapes.
    Text(String),
    /// `[..]`
    List(Vec<Json>),
    /// `{..}`, in the order in which the members stand; no name occurs twice.
    Object(Vec<(String, Json)>),
}

/// Why a text is no JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The character at which it was noticed, counted from 1.
    pub column: usize,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is no JSON: {} (character {})", self.what, self.column)
    }
}

impl std::error::Error for JsonError {}

impl Json {
    /// Text.
    pub fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// A whole number.
    pub fn number(number: impl fmt::Display) -> Json {
        Json::Number(number.to_string())
    }

    /// Reads one value, and nothing behind it but blanks.
    ///
    /// # Errors
    /// If it is none, with the place.
    pub fn parse(text: &str) -> Result<Json, JsonError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let value = parser.value()?;
        parser.blanks();
        if parser.at < text.len() { Err(parser.wrong("something stands behind the value")) } else { Ok(value) }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Json {
    /// On one line, without blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(bool) => bool.fmt(f),
            Json::Number(text) => f.write_str(text),
            Json::Text(text) => quoted(f, text),
            Json::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { '[' } else { ',' })?;
                }
                f.write_str(if values.is_empty() { "[]" } else { "]" })
            }
            Json::Object(members) => {
                for (i, (name, value)) in members.iter().enumerate() {
                    f.write_str(if i == 0 { "{" } else { "," })?;
                    quoted(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    let mut plain = text;
    while let Some(at) = plain.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (before, rest) = plain.split_at(at);
        f.write_str(before)?;
        let mut chars = rest.chars();
        match chars.next() {
            Some('\n') => f.write_str("\\n")?,
            Some('\t') => f.write_str("\\t")?,
            Some('\r') => f.write_str("\\r")?,
            Some(c @ ('"' | '\\')) => write!(f, "\\{c}")?,
            Some(c) => write!(f, "\\u{:04x}", u32::from(c))?,
            None => {}
        }
        plain = chars.as_str();
    }
    write!(f, "{plain}\"")
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn wrong(&self, what: impl Into<String>) -> JsonError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        JsonError { column: before.chars().count() + 1, what: what.into() }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self) -> Result<Json, JsonError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.deeper(Self::object),
            Some(b'[') => self.deeper(Self::list),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.wrong("a value is expected; a text stands in double quotes"))
            }
            None => Err(self.wrong("it ends where a value is expected")),
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<Json, JsonError>) -> Result<Json, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong(format!("values are nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        let mut values = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value()?);
            self.blanks();
            if self.take(b']') {
                return Ok(Json::List(values));
            }
            if !self.take(b',') {
                return Err(self.wrong("`,` or `]` is expected"));
            }
        }
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("the name of a member is expected, in double quotes"));
            }
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(self.wrong(format!("the member `{name}` is there twice")));
            }
            self.blanks();
            if !self.take(b':') {
                return Err(self.wrong(format!("`:` is expected behind `{name}`")));
            }
            members.push((name, self.value()?));
            self.blanks();
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("`,` or `}` is expected"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        digits
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.take(b'-');
        let zero = self.peek() == Some(b'0');
        let digits = self.digits();
        if digits == 0 || (zero && digits > 1) {
            return Err(self.wrong("a number has digits, and no zero in front"));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.wrong("digits are expected behind the point"));
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.wrong("digits are expected in the exponent"));
            }
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let plain = self.rest().bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            text += self.rest().get(..plain).unwrap_or_default();
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => {
                    return Err(self.wrong("a control character stands in a text; write it as `\\n` or `\\u0000`"));
                }
                None => return Err(self.wrong("a text does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let first = self.hex()?;
                let mut code = first;
                if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    // What is no second half stays half of a pair.
                    let second = self.hex()?.checked_sub(0xdc00).filter(|second| *second < 0x400);
                    code = second.map_or(first, |second| 0x10000 + ((first - 0xd800) << 10) + second);
                }
                return char::from_u32(code).ok_or_else(|| self.wrong("`\\u` with half of a surrogate pair"));
            }
            _ => return Err(self.wrong("`\\` stands before `\"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t` or `u` only")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.wrong("`\\u` stands before four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_stands_there_is_what_is_read() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "-0.0",
            "18446744073709551616",
            "1e300",
            "1.5E-7",
            "\"\"",
            "\"a\\\"\\\\b\"",
            "[]",
            "{}",
            "[1,[2,{\"b\":null,\"a\":\"x\"}],\"é水\"]",
            "\"\\u0000\\n\\t\\r\"",
        ] {
            assert_eq!(Json::parse(text).unwrap().to_string(), text);
        }
        let spaced = Json::parse(" { \"a\" : [ 1 , 2 ] , \"\\u00e9\\ud83d\\ude00\\/\" : \"\\b\\f\" }\r\n").unwrap();
        assert_eq!(spaced.to_string(), "{\"a\":[1,2],\"é😀/\":\"\\u0008\\u000c\"}");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, column, what) in [
            ("", 1, "it ends"),
            ("abc", 1, "double quotes"),
            ("[1 2]", 4, "`,` or `]`"),
            ("{\"a\":1,}", 8, "the name of a member"),
            ("{\"a\" 1}", 6, "`:` is expected behind `a`"),
            ("{\"a\":1,\"a\":2}", 11, "`a` is there twice"),
            ("\"é\u{1}\"", 3, "a control character"),
            ("\"abc", 5, "does not end"),
            ("01", 3, "no zero in front"),
            ("1.", 3, "behind the point"),
            ("1e+", 4, "in the exponent"),
            ("1 1", 3, "behind the value"),
            ("\"\\x\"", 3, "stands before"),
            ("\"\\ud800\"", 8, "half of a surrogate"),
            ("\"\\ud800\\u0041\"", 14, "half of a surrogate"),
            ("\"\\u00g0\"", 4, "four hexadecimal digits"),
        ] {
            let error = Json::parse(text).unwrap_err();
            assert!(error.what.contains(what) && error.column == column, "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(Json::parse(&deep).unwrap_err().what.contains("deeper than 256"));
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i128>().prop_map(Json::number),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| Json::Number(format!("{f:?}"))),
            any::<String>().prop_map(Json::Text),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
                proptest::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_others_read_it_too(value in any_json()) {
            let text = value.to_string();
            prop_assert_eq!(Json::parse(&text).unwrap(), value);
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn whatever_stands_there_is_a_value_or_a_mistake(text in "[\\[\\]{}\",:0-9eE.truefalsn \\\\-]{0,24}") {
            let ours = Json::parse(&text).is_ok();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            // Members that are there twice are what others let pass.
            prop_assert!(ours == theirs || text.contains('{'), "{}", text);
        }
    }
}
