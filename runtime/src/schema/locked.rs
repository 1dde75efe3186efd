//! [`LockedSchema`]: a schema as it stands in a lock file. A person reads it in a diff, and a constant reads it in `cargo
//! check`, where nothing can be allocated: so it is no tree, but a place in the text, and its parts are found by reading on.
//!
//! ```text
//! schema  = bool | u8 | .. | str | bytes | Path | Timestamp | TimeSpan | Duration | ()
//!         | Option<schema> | [schema] | [schema; number] | {schema: schema} | (schema, schema)
//!         | struct Name { field: schema, .. } | enum Name { Variant, Variant { field: schema, .. }, .. } | foreign Name
//! ```
//!
//! White space means nothing. A name that is no identifier stands in quotes. `write.rs` writes what is read here.

mod write;

pub use write::NotWritable;
pub(crate) use write::put_name;

/// How deep schemas may be nested in a lock file.
const MAX_DEPTH: u32 = 96;

/// A schema in the text of a lock file.
#[derive(Clone, Copy, Debug)]
pub struct LockedSchema<'a> {
    text: &'a [u8],
    at: usize,
}

/// What kind of schema it is, and where its parts are.
#[derive(Clone, Copy, Debug)]
pub enum LockedKind<'a> {
    /// One without parts, by its name.
    Plain(&'a str),
    /// `()`
    Unit,
    /// `Option<..>`
    Option(LockedSchema<'a>),
    /// `[..]`
    List(LockedSchema<'a>),
    /// `[..; n]`
    Array(LockedSchema<'a>, usize),
    /// `{..: ..}`
    Map(LockedSchema<'a>, LockedSchema<'a>),
    /// `(.., ..)`
    Tuple(LockedParts<'a>),
    /// `struct Name { .. }`
    Struct(&'a str, LockedFields<'a>),
    /// `enum Name { .. }`
    Enum(&'a str, LockedVariants<'a>),
    /// `foreign Name`
    Foreign(&'a str),
}

/// Parts of a tuple, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedParts<'a>(LockedSchema<'a>);
/// Fields, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedFields<'a>(LockedSchema<'a>);
/// Variants, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedVariants<'a>(LockedSchema<'a>);

impl<'a> LockedSchema<'a> {
    /// The schema that begins at this byte of a text, and where it ends; `None` if there is none.
    pub const fn read(text: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let at = skip_space(text, at);
        match end(text, at, MAX_DEPTH) {
            Some(end) => Some((LockedSchema { text, at }, end)),
            None => None,
        }
    }

    /// What it is. The text has been read once from here, so it is a schema.
    pub const fn kind(self) -> LockedKind<'a> {
        let LockedSchema { text, at } = self;
        let inside = LockedSchema { text, at: skip_space(text, at + 1) };
        match byte(text, at) {
            b'[' => {
                let behind = skip_space(text, skip(inside));
                if byte(text, behind) != b';' {
                    return LockedKind::List(inside);
                }
                let count = match number(text, skip_space(text, behind + 1)) {
                    Some((count, _)) => count,
                    None => 0,
                };
                LockedKind::Array(inside, count)
            }
            b'{' => {
                let colon = skip_space(text, skip(inside));
                LockedKind::Map(inside, LockedSchema { text, at: skip_space(text, colon + 1) })
            }
            b'(' if byte(text, inside.at) == b')' => LockedKind::Unit,
            b'(' => LockedKind::Tuple(LockedParts(inside)),
            _ => self.worded(),
        }
    }

    const fn worded(self) -> LockedKind<'a> {
        let LockedSchema { text, at } = self;
        let behind = word_end(text, at);
        let word = piece(text, at, behind);
        let next = skip_space(text, behind);
        if same(word, "Option") {
            return LockedKind::Option(LockedSchema { text, at: skip_space(text, next + 1) });
        }
        let (is_struct, is_enum) = (same(word, "struct"), same(word, "enum"));
        if !is_struct && !is_enum && !same(word, "foreign") {
            return LockedKind::Plain(word);
        }
        let Some((name, behind)) = name(text, next) else { return LockedKind::Unit };
        let brace = skip_space(text, behind);
        let inside = LockedSchema { text, at: skip_space(text, brace + 1) };
        if is_struct {
            LockedKind::Struct(name, LockedFields(inside))
        } else if is_enum {
            LockedKind::Enum(name, LockedVariants(inside))
        } else {
            LockedKind::Foreign(name)
        }
    }

    /// The type's name or, without one, what it is: as [`Schema::short_name`](super::Schema::short_name).
    pub const fn short_name(self) -> &'a str {
        match self.kind() {
            LockedKind::Plain(name)
            | LockedKind::Struct(name, _)
            | LockedKind::Enum(name, _)
            | LockedKind::Foreign(name) => name,
            LockedKind::Unit => "()",
            LockedKind::Option(_) => "Option<..>",
            LockedKind::List(_) => "[..]",
            LockedKind::Array(..) => "[..; n]",
            LockedKind::Map(..) => "{..: ..}",
            LockedKind::Tuple(_) => "(..)",
        }
    }
}

impl<'a> LockedParts<'a> {
    /// The next part, and those behind it.
    pub const fn next(self) -> Option<(LockedSchema<'a>, Self)> {
        let LockedSchema { text, at } = self.0;
        if at >= text.len() || byte(text, at) == b')' {
            return None;
        }
        Some((self.0, LockedParts(LockedSchema { text, at: skip_comma(text, skip(self.0)) })))
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        let (mut rest, mut count) = (self, 0);
        while let Some((_, behind)) = rest.next() {
            (rest, count) = (behind, count + 1);
        }
        count
    }
}

impl<'a> LockedFields<'a> {
    /// The next field with its name, and those behind it.
    pub const fn next(self) -> Option<(&'a str, LockedSchema<'a>, Self)> {
        let LockedSchema { text, at } = self.0;
        let Some((name, behind)) = name(text, at) else { return None };
        let schema = LockedSchema { text, at: skip_space(text, skip_space(text, behind) + 1) };
        Some((name, schema, LockedFields(LockedSchema { text, at: skip_comma(text, skip(schema)) })))
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        let (mut rest, mut count) = (self, 0);
        while let Some((_, _, behind)) = rest.next() {
            (rest, count) = (behind, count + 1);
        }
        count
    }

    /// The field of this name.
    pub const fn named(self, wanted: &str) -> Option<LockedSchema<'a>> {
        let mut rest = self;
        while let Some((name, schema, behind)) = rest.next() {
            if same(name, wanted) {
                return Some(schema);
            }
            rest = behind;
        }
        None
    }
}

impl<'a> LockedVariants<'a> {
    /// The next variant with its name and its fields, and those behind it.
    pub const fn next(self) -> Option<(&'a str, LockedFields<'a>, Self)> {
        let LockedSchema { text, at } = self.0;
        let Some((name, behind)) = name(text, at) else { return None };
        let brace = skip_space(text, behind);
        if byte(text, brace) != b'{' {
            let none = LockedFields(LockedSchema { text: &[], at: 0 });
            return Some((name, none, LockedVariants(LockedSchema { text, at: skip_comma(text, behind) })));
        }
        let fields = LockedFields(LockedSchema { text, at: skip_space(text, brace + 1) });
        let mut rest = fields;
        while let Some((_, _, behind)) = rest.next() {
            rest = behind;
        }
        // past the brace that closes them
        let behind = skip_comma(text, rest.0.at + 1);
        Some((name, fields, LockedVariants(LockedSchema { text, at: behind })))
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        let (mut rest, mut count) = (self, 0);
        while let Some((_, _, behind)) = rest.next() {
            (rest, count) = (behind, count + 1);
        }
        count
    }
}

/// Whether two names are one.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether a list of names has this one.
pub(crate) const fn has(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if same(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

/// The byte there; 0 behind the end.
pub(crate) const fn byte(text: &[u8], at: usize) -> u8 {
    if at < text.len() { text[at] } else { 0 }
}

pub(crate) const fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(byte(text, at), b' ' | b'\n' | b'\t' | b'\r') {
        at += 1;
    }
    at
}

/// Past white space, a comma if there is one, and white space.
const fn skip_comma(text: &[u8], at: usize) -> usize {
    let at = skip_space(text, at);
    if byte(text, at) == b',' { skip_space(text, at + 1) } else { at }
}

/// Part of a text; nothing where it is cut in a character.
pub(crate) const fn piece(text: &[u8], from: usize, to: usize) -> &str {
    match std::str::from_utf8(text.split_at(to).0.split_at(from).1) {
        Ok(text) => text,
        Err(_) => "",
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(crate) const fn word_end(text: &[u8], mut at: usize) -> usize {
    while is_word(byte(text, at)) {
        at += 1;
    }
    at
}

/// A name, bare or in quotes, and where it ends.
pub(crate) const fn name(text: &[u8], at: usize) -> Option<(&str, usize)> {
    if byte(text, at) != b'"' {
        let end = word_end(text, at);
        let name = piece(text, at, end);
        return if name.is_empty() { None } else { Some((name, end)) };
    }
    let (start, mut end) = (at + 1, at + 1);
    while end < text.len() && text[end] != b'"' && text[end] != b'\n' {
        end += 1;
    }
    if byte(text, end) != b'"' {
        return None;
    }
    Some((piece(text, start, end), end + 1))
}

/// A number, and where it ends.
pub(crate) const fn number(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let (mut value, mut end) = (0usize, at);
    while byte(text, end).is_ascii_digit() {
        let digit = (text[end] - b'0') as usize;
        value = match value.checked_mul(10) {
            Some(tens) => match tens.checked_add(digit) {
                Some(value) => value,
                None => return None,
            },
            None => return None,
        };
        end += 1;
    }
    if end == at { None } else { Some((value, end)) }
}

/// Behind a schema that has been read before.
const fn skip(schema: LockedSchema<'_>) -> usize {
    match end(schema.text, schema.at, MAX_DEPTH) {
        Some(end) => end,
        None => schema.text.len(),
    }
}

/// Behind white space and this byte.
const fn past(text: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let at = skip_space(text, at);
    if byte(text, at) == wanted { Some(at + 1) } else { None }
}

/// Where the schema that begins here ends; `None` if it is none.
const fn end(text: &[u8], at: usize, depth: u32) -> Option<usize> {
    if depth == 0 {
        return None;
    }
    let at = skip_space(text, at);
    match byte(text, at) {
        b'[' => {
            let Some(behind) = end(text, at + 1, depth - 1) else { return None };
            let Some(behind) = past(text, behind, b';') else { return past(text, behind, b']') };
            match number(text, skip_space(text, behind)) {
                Some((_, behind)) => past(text, behind, b']'),
                None => None,
            }
        }
        b'{' => {
            let Some(behind) = end(text, at + 1, depth - 1) else { return None };
            let Some(behind) = past(text, behind, b':') else { return None };
            match end(text, behind, depth - 1) {
                Some(behind) => past(text, behind, b'}'),
                None => None,
            }
        }
        b'(' => {
            let mut at = at + 1;
            loop {
                if let Some(behind) = past(text, at, b')') {
                    return Some(behind);
                }
                let Some(behind) = end(text, at, depth - 1) else { return None };
                match past(text, behind, b',') {
                    Some(behind) => at = behind,
                    None => return past(text, behind, b')'),
                }
            }
        }
        _ => end_of_word(text, at, depth),
    }
}

const fn end_of_word(text: &[u8], at: usize, depth: u32) -> Option<usize> {
    let behind = word_end(text, at);
    let word = piece(text, at, behind);
    if same(word, "Option") {
        let Some(behind) = past(text, behind, b'<') else { return None };
        return match end(text, behind, depth - 1) {
            Some(behind) => past(text, behind, b'>'),
            None => None,
        };
    }
    let (is_struct, is_enum) = (same(word, "struct"), same(word, "enum"));
    if !is_struct && !is_enum && !same(word, "foreign") {
        return if has(PLAIN, word) { Some(behind) } else { None };
    }
    let Some((_, behind)) = name(text, skip_space(text, behind)) else { return None };
    if is_struct {
        return end_of_fields(text, behind, depth);
    }
    if !is_enum {
        return Some(behind);
    }
    let Some(mut at) = past(text, behind, b'{') else { return None };
    loop {
        if let Some(behind) = past(text, at, b'}') {
            return Some(behind);
        }
        let Some((_, mut behind)) = name(text, skip_space(text, at)) else { return None };
        if past(text, behind, b'{').is_some() {
            behind = match end_of_fields(text, behind, depth) {
                Some(behind) => behind,
                None => return None,
            };
        }
        at = match past(text, behind, b',') {
            Some(at) => at,
            None => return None,
        };
    }
}

/// `{ name: schema, .. }`
const fn end_of_fields(text: &[u8], at: usize, depth: u32) -> Option<usize> {
    let Some(mut at) = past(text, at, b'{') else { return None };
    loop {
        if let Some(behind) = past(text, at, b'}') {
            return Some(behind);
        }
        let Some((_, behind)) = name(text, skip_space(text, at)) else { return None };
        let Some(behind) = past(text, behind, b':') else { return None };
        let Some(behind) = end(text, behind, depth - 1) else { return None };
        at = match past(text, behind, b',') {
            Some(at) => at,
            None => return None,
        };
    }
}

/// Names of what has no parts, but for `()`.
const PLAIN: &[&str] = &[
    "bool",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "f32",
    "f64",
    "char",
    "str",
    "bytes",
    "Path",
    "Timestamp",
    "TimeSpan",
    "Duration",
];

#[cfg(test)]
mod tests {
    use super::super::OwnedSchema;
    use super::super::owned::ALL_KINDS;
    use super::*;

    #[track_caller]
    fn read(text: &str) -> Option<OwnedSchema> {
        let (schema, end) = LockedSchema::read(text.as_bytes(), 0)?;
        assert_eq!(end, text.len(), "{text}");
        Some(schema.to_owned())
    }

    /// What is written of fields and variants: their old names are not.
    fn without_past(schema: OwnedSchema) -> OwnedSchema {
        match schema {
            OwnedSchema::Option(of) => OwnedSchema::Option(Box::new(without_past(*of))),
            OwnedSchema::List(of) => OwnedSchema::List(Box::new(without_past(*of))),
            OwnedSchema::Array(of, n) => OwnedSchema::Array(Box::new(without_past(*of)), n),
            OwnedSchema::Map(k, v) => OwnedSchema::Map(Box::new(without_past(*k)), Box::new(without_past(*v))),
            OwnedSchema::Tuple(parts) => OwnedSchema::Tuple(parts.into_iter().map(without_past).collect()),
            OwnedSchema::Scalar(of) => without_past(*of),
            OwnedSchema::Struct { name, fields } => {
                OwnedSchema::Struct { name, fields: fields.into_iter().map(field_without_past).collect() }
            }
            OwnedSchema::Enum { name, mut variants } => {
                for variant in &mut variants {
                    variant.was.clear();
                    variant.fields = std::mem::take(&mut variant.fields).into_iter().map(field_without_past).collect();
                }
                OwnedSchema::Enum { name, variants }
            }
            plain => plain,
        }
    }

    fn field_without_past(field: super::super::OwnedField) -> super::super::OwnedField {
        super::super::OwnedField { name: field.name, schema: without_past(field.schema), was: vec![] }
    }

    #[test]
    fn every_kind_is_written_and_read() {
        let schema = OwnedSchema::from(&ALL_KINDS);
        let text = schema.to_locked("").unwrap();
        assert_eq!(read(&text), Some(without_past(schema)));
        // `str` is one.
        for cut in (0..text.len()).filter(|cut| *cut != 3) {
            assert!(LockedSchema::read(&text.as_bytes()[..cut], 0).is_none(), "{cut}");
        }
    }

    #[test]
    fn a_schema_reads_well() {
        let text = OwnedSchema::from(&super::super::Schema::Tuple(&[
            &super::super::Schema::U64,
            &super::super::Schema::Option(&super::super::Schema::Struct {
                name: "Leg",
                fields: &[
                    super::super::Field { name: "to", schema: &super::super::Schema::Str, was: &[] },
                    super::super::Field { name: "at", schema: &super::super::Schema::Timestamp, was: &[] },
                ],
            }),
        ]))
        .to_locked("  ")
        .unwrap();
        assert_eq!(text, "(u64, Option<struct Leg {\n    to: str,\n    at: Timestamp,\n  }>)");
    }

    #[test]
    fn names_that_are_no_identifiers_are_quoted_or_refused() {
        let named = |name: &str| OwnedSchema::Foreign { name: name.to_owned() }.to_locked("");
        assert_eq!(named("Serde<..>").unwrap(), "foreign \"Serde<..>\"");
        assert_eq!(named("größe").unwrap(), "foreign größe");
        assert_eq!(named("").unwrap(), "foreign \"\"");
        for name in ["a\"b", "a\nb", "\r"] {
            assert!(named(name).is_err(), "{name:?}");
        }
        assert_eq!(read("foreign \"a b\""), Some(OwnedSchema::Foreign { name: "a b".to_owned() }));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in [
            "",
            "x",
            "[u8",
            "[u8;]",
            "[u8; 99999999999999999999999]",
            "{u8}",
            "(u8",
            "Option<>",
            "struct",
            "struct A",
            "struct A { a u8, }",
            "struct A { a: u8 }",
            "enum A { B",
            "enum A { B { }",
            "foreign",
            "foreign \"a",
            ")",
        ] {
            assert!(LockedSchema::read(text.as_bytes(), 0).is_none(), "{text}");
        }
        assert!(LockedSchema::read("[".repeat(100_000).as_bytes(), 0).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in r#"(struct|enum|foreign|Option|u8|str|[A-Za-z"<>{}()\[\]:;,. 0-9\n]){0,40}"#) {
            if let Some((schema, end)) = LockedSchema::read(text.as_bytes(), 0) {
                let owned = schema.to_owned();
                let again = owned.to_locked("").unwrap();
                proptest::prop_assert!(end <= text.len());
                proptest::prop_assert_eq!(read(&again).unwrap(), owned);
            }
        }
    }
}
