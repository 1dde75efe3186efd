//! [`LockedSchema`]: a schema as it was when it was accepted or stored, in a form that constants can walk: a flat list of nodes,
//! each of which knows where the next one is.
//!
//! `grammar.rs` makes the list of the text of a lock file, the macro in constants and the runtime when it runs; here it is made of
//! an [`OwnedSchema`] too. `write.rs` writes the text.

pub(crate) mod grammar;
mod write;

pub use grammar::{Node, NodeKind};
pub use write::NotWritable;
pub(crate) use write::put_name;

use super::{Field, OwnedField, OwnedSchema, Schema};

/// A schema that was stored, or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct LockedSchema<'a> {
    nodes: &'a [Node<'a>],
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

/// Nodes side by side, from one on.
#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    nodes: &'a [Node<'a>],
    at: usize,
    end: usize,
}

/// Parts of a tuple, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedParts<'a>(Row<'a>);
/// Fields, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedFields<'a>(Row<'a>);
/// Variants, from one on.
#[derive(Clone, Copy, Debug)]
pub struct LockedVariants<'a>(Row<'a>);

impl<'a> LockedSchema<'a> {
    /// The schema whose nodes these are.
    pub const fn of(nodes: &'a [Node<'a>]) -> Self {
        LockedSchema { nodes, at: 0 }
    }

    /// What it is. Nodes that are none of a schema count as `()`.
    pub const fn kind(self) -> LockedKind<'a> {
        let LockedSchema { nodes, at } = self;
        if at >= nodes.len() {
            return LockedKind::Unit;
        }
        let Node { kind, name, number, end } = nodes[at];
        let inside = LockedSchema { nodes, at: at + 1 };
        let parts = Row { nodes, at: at + 1, end };
        match kind {
            NodeKind::Plain => LockedKind::Plain(name),
            NodeKind::Option => LockedKind::Option(inside),
            NodeKind::List => LockedKind::List(inside),
            NodeKind::Array => LockedKind::Array(inside, number),
            NodeKind::Map => {
                let second = if at + 1 < nodes.len() { nodes[at + 1].end } else { at + 1 };
                LockedKind::Map(inside, LockedSchema { nodes, at: second })
            }
            NodeKind::Tuple => LockedKind::Tuple(LockedParts(parts)),
            NodeKind::Struct => LockedKind::Struct(name, LockedFields(parts)),
            NodeKind::Enum => LockedKind::Enum(name, LockedVariants(parts)),
            NodeKind::Foreign => LockedKind::Foreign(name),
            NodeKind::Unit | NodeKind::Field | NodeKind::Variant => LockedKind::Unit,
        }
    }

    /// Whether it is this one, name by name and in the same order. That is the answer for what has not changed, which is most
    /// of it, and found with few steps.
    pub const fn is(self, new: &Schema) -> bool {
        let LockedSchema { nodes, at } = self;
        if at >= nodes.len() {
            return false;
        }
        let (node, inside) = (&nodes[at], LockedSchema { nodes, at: at + 1 });
        match (node.kind, new) {
            (_, Schema::Scalar(of) | Schema::Evolved(of, _)) => self.is(of),
            (NodeKind::Option, Schema::Option(of)) | (NodeKind::List, Schema::List(of)) => inside.is(of),
            (NodeKind::Array, Schema::Array(of, n)) => node.number == *n && inside.is(of),
            (NodeKind::Map, Schema::Map(key, value)) => {
                inside.is(key) && LockedSchema { nodes, at: nodes[at + 1].end }.is(value)
            }
            (NodeKind::Tuple, Schema::Tuple(parts)) => {
                let (mut i, mut part) = (0, at + 1);
                while i < parts.len() {
                    if part >= node.end || !(LockedSchema { nodes, at: part }).is(parts[i]) {
                        return false;
                    }
                    (i, part) = (i + 1, nodes[part].end);
                }
                part == node.end
            }
            (NodeKind::Struct, Schema::Struct { name, fields }) => {
                same(node.name, name) && are(nodes, at + 1, node.end, fields)
            }
            (NodeKind::Enum, Schema::Enum { name, variants }) => {
                let (mut i, mut part) = (0, at + 1);
                while i < variants.len() {
                    if part >= node.end
                        || !same(nodes[part].name, variants[i].name)
                        || !are(nodes, part + 1, nodes[part].end, variants[i].fields)
                    {
                        return false;
                    }
                    (i, part) = (i + 1, nodes[part].end);
                }
                part == node.end && same(node.name, name)
            }
            (NodeKind::Foreign, Schema::Foreign { name }) => same(node.name, name),
            (NodeKind::Unit, Schema::Unit) => true,
            (
                NodeKind::Plain,
                Schema::Option(_)
                | Schema::List(_)
                | Schema::Array(..)
                | Schema::Map(..)
                | Schema::Tuple(_)
                | Schema::Struct { .. }
                | Schema::Enum { .. }
                | Schema::Foreign { .. },
            ) => false,
            (NodeKind::Plain, plain) => same(node.name, plain.short_name()),
            _ => false,
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

impl<'a> Row<'a> {
    /// The first node, and those behind it. Each step leads on, whatever the nodes say.
    const fn next(self) -> Option<(Node<'a>, Self)> {
        if self.at >= self.end || self.at >= self.nodes.len() {
            return None;
        }
        let node = self.nodes[self.at];
        let behind = if node.end > self.at { node.end } else { self.at + 1 };
        Some((node, Row { at: behind, ..self }))
    }

    const fn count(self) -> usize {
        let (mut rest, mut count) = (self, 0);
        while let Some((_, behind)) = rest.next() {
            (rest, count) = (behind, count + 1);
        }
        count
    }
}

impl<'a> LockedParts<'a> {
    /// The next part, and those behind it.
    pub const fn next(self) -> Option<(LockedSchema<'a>, Self)> {
        match self.0.next() {
            Some((_, behind)) => Some((LockedSchema { nodes: self.0.nodes, at: self.0.at }, LockedParts(behind))),
            None => None,
        }
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        self.0.count()
    }
}

impl<'a> LockedFields<'a> {
    /// The next field with its name, and those behind it.
    pub const fn next(self) -> Option<(&'a str, LockedSchema<'a>, Self)> {
        match self.0.next() {
            Some((node, behind)) => {
                let schema = LockedSchema { nodes: self.0.nodes, at: self.0.at + 1 };
                Some((node.name, schema, LockedFields(behind)))
            }
            None => None,
        }
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        self.0.count()
    }
}

impl<'a> LockedVariants<'a> {
    /// The next variant with its name and its fields, and those behind it.
    pub const fn next(self) -> Option<(&'a str, LockedFields<'a>, Self)> {
        match self.0.next() {
            Some((node, behind)) => {
                let fields = LockedFields(Row { nodes: self.0.nodes, at: self.0.at + 1, end: node.end });
                Some((node.name, fields, LockedVariants(behind)))
            }
            None => None,
        }
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        self.0.count()
    }
}

/// Whether the nodes up to an end are these fields.
const fn are(nodes: &[Node<'_>], at: usize, end: usize, fields: &[Field]) -> bool {
    let (mut i, mut part) = (0, at);
    while i < fields.len() {
        if part >= end
            || !same(nodes[part].name, fields[i].name)
            || !(LockedSchema { nodes, at: part + 1 }).is(fields[i].schema)
        {
            return false;
        }
        (i, part) = (i + 1, nodes[part].end);
    }
    part == end
}

impl OwnedSchema {
    /// The nodes of a [`LockedSchema`], which borrow its names.
    pub fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes = Vec::new();
        put(self, &mut nodes);
        nodes
    }
}

fn put<'a>(schema: &'a OwnedSchema, nodes: &mut Vec<Node<'a>>) {
    let mut node = |kind, name, number, parts: &dyn Fn(&mut Vec<Node<'a>>)| {
        let at = nodes.len();
        nodes.push(Node { kind, name, number, end: 0 });
        parts(nodes);
        let end = nodes.len();
        nodes[at].end = end;
    };
    match schema {
        OwnedSchema::Scalar(of) => put(of, nodes),
        OwnedSchema::Option(of) => node(NodeKind::Option, "", 0, &|nodes| put(of, nodes)),
        OwnedSchema::List(of) => node(NodeKind::List, "", 0, &|nodes| put(of, nodes)),
        OwnedSchema::Array(of, n) => node(NodeKind::Array, "", *n, &|nodes| put(of, nodes)),
        OwnedSchema::Map(key, value) => node(NodeKind::Map, "", 0, &|nodes| {
            put(key, nodes);
            put(value, nodes);
        }),
        OwnedSchema::Tuple(parts) if parts.is_empty() => node(NodeKind::Unit, "", 0, &|_| ()),
        OwnedSchema::Tuple(parts) => {
            node(NodeKind::Tuple, "", 0, &|nodes| parts.iter().for_each(|part| put(part, nodes)))
        }
        OwnedSchema::Struct { name, fields } => node(NodeKind::Struct, name, 0, &|nodes| put_fields(fields, nodes)),
        OwnedSchema::Enum { name, variants } => node(NodeKind::Enum, name, 0, &|nodes| {
            for variant in variants {
                let at = nodes.len();
                nodes.push(Node { kind: NodeKind::Variant, name: &variant.name, number: 0, end: 0 });
                put_fields(&variant.fields, nodes);
                nodes[at].end = nodes.len();
            }
        }),
        OwnedSchema::Foreign { name } => node(NodeKind::Foreign, name, 0, &|_| ()),
        OwnedSchema::Unit => node(NodeKind::Unit, "", 0, &|_| ()),
        plain => node(NodeKind::Plain, plain.short_name(), 0, &|_| ()),
    }
}

fn put_fields<'a>(fields: &'a [OwnedField], nodes: &mut Vec<Node<'a>>) {
    for field in fields {
        let at = nodes.len();
        nodes.push(Node { kind: NodeKind::Field, name: &field.name, number: 0, end: 0 });
        put(&field.schema, nodes);
        nodes[at].end = nodes.len();
    }
}

/// Whether two names are one. A step takes a constant half a microsecond and a call some: so four bytes at once, and the last
/// one first, since names that begin alike are common.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    if let ([.., last], [.., last_b]) = (a, b)
        && *last != *last_b
    {
        return false;
    }
    loop {
        match (a, b) {
            ([a0, a1, a2, a3, rest @ ..], [b0, b1, b2, b3, rest_b @ ..]) => {
                if *a0 != *b0 || *a1 != *b1 || *a2 != *b2 || *a3 != *b3 {
                    return false;
                }
                (a, b) = (rest, rest_b);
            }
            ([a0, rest @ ..], [b0, rest_b @ ..]) => {
                if *a0 != *b0 {
                    return false;
                }
                (a, b) = (rest, rest_b);
            }
            _ => return true,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::super::owned::ALL_KINDS;
    use super::*;
    use OwnedSchema;

    fn read(text: &str) -> Option<OwnedSchema> {
        Some(LockedSchema::of(&grammar::parse_schema(text)?).to_owned())
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

    fn field_without_past(field: OwnedField) -> OwnedField {
        OwnedField { name: field.name, schema: without_past(field.schema), was: vec![] }
    }

    #[test]
    fn every_kind_is_written_and_read() {
        let schema = OwnedSchema::from(&ALL_KINDS);
        let text = schema.to_locked("").unwrap();
        assert_eq!(grammar::parse_schema(&text), Some(schema.nodes()));
        assert_eq!(LockedSchema::of(&schema.nodes()).to_owned(), without_past(schema));
        // `str` is one.
        for cut in (0..text.len()).filter(|cut| *cut != 3) {
            assert!(read(&text[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn a_schema_reads_well() {
        let text = OwnedSchema::from(&Schema::Tuple(&[
            &Schema::U64,
            &Schema::Option(&Schema::Struct {
                name: "Leg",
                fields: &[
                    Field { name: "to", schema: &Schema::Str, was: &[] },
                    Field { name: "at", schema: &Schema::Timestamp, was: &[] },
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
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in r#"(struct|enum|foreign|Option|u8|str|[A-Za-z"<>{}()\[\]:;,. 0-9\n]){0,40}"#) {
            if let Some(owned) = read(&text) {
                proptest::prop_assert_eq!(read(&owned.to_locked("").unwrap()).unwrap(), owned);
            }
        }
    }
}
