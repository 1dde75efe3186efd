//! The text of a lock file, taken apart. This file stands in two crates, word for word: the macro reads a lock while it
//! expands a block, and the runtime when it shows or accepts one. A test compares the two. A schema becomes a flat list of nodes
//! that constants can walk: reading text in constants takes microseconds a byte.
//!
//! ```text
//! file    = pelton lock 1  job*                    a `#` makes the rest of a line a comment
//! job     = job Name version N { state* }
//! state   = state operator.name { of: name, key: schema, value: schema, }     `of` where a window has a size of its own
//! schema  = bool | u8 | .. | str | bytes | Path | Timestamp | TimeSpan | Duration | ()
//!         | Option<schema> | [schema] | [schema; number] | {schema: schema} | (schema, ..)
//!         | struct Name { field: schema, .. } | enum Name { Variant, Variant { field: schema, .. }, .. } | foreign Name
//! ```
//! White space means nothing. A name that is no identifier stands in quotes.
#![allow(dead_code, reason = "each of the two crates uses its part")]

/// What a node stands for. Its parts are the nodes behind it, up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A schema without parts, by its name.
    Plain,
    /// `()`
    Unit,
    /// One part.
    Option,
    /// One part.
    List,
    /// One part; the number is its length.
    Array,
    /// Key and value.
    Map,
    /// As many parts as there are.
    Tuple,
    /// Fields, and a name.
    Struct,
    /// Variants, and a name.
    Enum,
    /// A name.
    Foreign,
    /// A field of a struct or variant: its name, and its schema as its part.
    Field,
    /// A variant of an enum: its name, and its fields as parts.
    Variant,
}

/// A part of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node<'a> {
    /// What it stands for.
    pub kind: NodeKind,
    /// Its name, if it has one.
    pub name: &'a str,
    /// The length of an array.
    pub number: usize,
    /// The place behind its last part.
    pub end: usize,
}

/// The part of a job in a lock file.
#[derive(Clone, Debug)]
pub struct JobText<'a> {
    /// The job.
    pub job: &'a str,
    /// How often a change of it has been accepted.
    pub version: usize,
    /// Its states.
    pub states: Vec<StateText<'a>>,
}

/// A state in a lock file.
#[derive(Clone, Debug)]
pub struct StateText<'a> {
    /// The operator.
    pub operator: &'a str,
    /// The state's own name.
    pub state: &'a str,
    /// Which windows they are, `tumbling 1h`; empty if they are none, or of a size that the block does not say.
    pub of: &'a str,
    /// What it is kept by.
    pub key: Vec<Node<'a>>,
    /// What is kept per key.
    pub value: Vec<Node<'a>>,
}

/// How deep schemas may be nested.
const MAX_DEPTH: u32 = 128;

/// Names of what has no parts, but for `()`.
pub const PLAIN: [&str; 20] = [
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

/// Reads a lock file. An error is the line that cannot be read, counted from 1.
pub fn parse(text: &str) -> Result<Vec<JobText<'_>>, usize> {
    let mut from = Cursor { text, at: 0 };
    let jobs = from.file();
    jobs.ok_or_else(|| 1 + text.as_bytes().iter().take(from.at).filter(|byte| **byte == b'\n').count())
}

/// Reads a schema, and nothing else.
pub fn parse_schema(text: &str) -> Option<Vec<Node<'_>>> {
    let (mut from, mut nodes) = (Cursor { text, at: 0 }, Vec::new());
    from.schema(&mut nodes, MAX_DEPTH)?;
    from.space();
    (from.at == text.len()).then_some(nodes)
}

/// Whether a letter may stand in a name without quotes.
pub fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Past white space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// Past this sign, if it is next.
    fn sign(&mut self, sign: char) -> Option<()> {
        self.space();
        self.rest().starts_with(sign).then(|| self.at += sign.len_utf8())
    }

    /// The word that is next; it may be empty.
    fn word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        let word = &rest[..rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// Past this word.
    fn the(&mut self, wanted: &str) -> Option<()> {
        let before = self.at;
        if self.word() == wanted {
            return Some(());
        }
        self.at = before;
        None
    }

    /// A name, bare or in quotes.
    fn name(&mut self) -> Option<&'a str> {
        if self.sign('"').is_none() {
            return Some(self.word()).filter(|name| !name.is_empty());
        }
        let name = self.rest().split(['"', '\n']).next()?;
        self.at += name.len();
        // a quotation mark right here: white space is part of a name
        self.rest().starts_with('"').then(|| self.at += 1)?;
        Some(name)
    }

    fn number(&mut self) -> Option<usize> {
        self.word().parse().ok()
    }

    fn file(&mut self) -> Option<Vec<JobText<'a>>> {
        self.the("pelton")?;
        self.the("lock")?;
        self.the("1")?;
        let mut jobs = Vec::new();
        loop {
            self.space();
            if self.rest().is_empty() {
                return Some(jobs);
            }
            jobs.push(self.job()?);
        }
    }

    fn job(&mut self) -> Option<JobText<'a>> {
        self.the("job")?;
        let job = self.name()?;
        self.the("version")?;
        let version = self.number()?;
        self.sign('{')?;
        let mut states = Vec::new();
        while self.sign('}').is_none() {
            states.push(self.state()?);
        }
        Some(JobText { job, version, states })
    }

    fn state(&mut self) -> Option<StateText<'a>> {
        self.the("state")?;
        let operator = self.name()?;
        self.sign('.')?;
        let state = self.name()?;
        self.sign('{')?;
        let of = self.of()?;
        let (key, value) = (self.part("key")?, self.part("value")?);
        self.sign('}')?;
        Some(StateText { operator, state, of, key, value })
    }

    /// `of: name,`, if it is next.
    fn of(&mut self) -> Option<&'a str> {
        if self.the("of").is_none() {
            return Some("");
        }
        self.sign(':')?;
        let name = self.name()?;
        self.sign(',')?;
        Some(name)
    }

    /// `word: schema,`
    fn part(&mut self, word: &str) -> Option<Vec<Node<'a>>> {
        self.the(word)?;
        self.sign(':')?;
        let mut nodes = Vec::new();
        self.schema(&mut nodes, MAX_DEPTH)?;
        self.sign(',')?;
        Some(nodes)
    }

    /// A node with what `parts` puts behind it.
    fn node(
        &mut self,
        kind: NodeKind,
        name: &'a str,
        nodes: &mut Vec<Node<'a>>,
        parts: impl FnOnce(&mut Self, &mut Vec<Node<'a>>) -> Option<usize>,
    ) -> Option<()> {
        let at = nodes.len();
        nodes.push(Node { kind, name, number: 0, end: 0 });
        let number = parts(self, nodes)?;
        let end = nodes.len();
        let node = nodes.get_mut(at)?;
        (node.number, node.end) = (number, end);
        Some(())
    }

    fn schema(&mut self, nodes: &mut Vec<Node<'a>>, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if self.sign('[').is_some() {
            let at = nodes.len();
            self.node(NodeKind::List, "", nodes, |from, nodes| {
                from.schema(nodes, depth)?;
                let number = if from.sign(';').is_some() { Some(from.number()?) } else { None };
                from.sign(']')?;
                if number.is_some()
                    && let Some(node) = nodes.get_mut(at)
                {
                    node.kind = NodeKind::Array;
                }
                Some(number.unwrap_or(0))
            })
        } else if self.sign('{').is_some() {
            self.node(NodeKind::Map, "", nodes, |from, nodes| {
                from.schema(nodes, depth)?;
                from.sign(':')?;
                from.schema(nodes, depth)?;
                from.sign('}').map(|()| 0)
            })
        } else if self.sign('(').is_some() {
            if self.sign(')').is_some() {
                return self.node(NodeKind::Unit, "", nodes, |_, _| Some(0));
            }
            self.node(NodeKind::Tuple, "", nodes, |from, nodes| {
                loop {
                    from.schema(nodes, depth)?;
                    let more = from.sign(',').is_some();
                    if from.sign(')').is_some() {
                        return Some(0);
                    }
                    more.then_some(())?;
                }
            })
        } else {
            self.worded(nodes, depth)
        }
    }

    fn worded(&mut self, nodes: &mut Vec<Node<'a>>, depth: u32) -> Option<()> {
        let before = self.at;
        match self.word() {
            "Option" => self.node(NodeKind::Option, "", nodes, |from, nodes| {
                from.sign('<')?;
                from.schema(nodes, depth)?;
                from.sign('>').map(|()| 0)
            }),
            "struct" => {
                let name = self.name()?;
                self.node(NodeKind::Struct, name, nodes, |from, nodes| from.fields(nodes, depth))
            }
            "enum" => {
                let name = self.name()?;
                self.node(NodeKind::Enum, name, nodes, |from, nodes| from.variants(nodes, depth))
            }
            "foreign" => {
                let name = self.name()?;
                self.node(NodeKind::Foreign, name, nodes, |_, _| Some(0))
            }
            word if PLAIN.contains(&word) => self.node(NodeKind::Plain, word, nodes, |_, _| Some(0)),
            _ => {
                self.at = before;
                None
            }
        }
    }

    fn fields(&mut self, nodes: &mut Vec<Node<'a>>, depth: u32) -> Option<usize> {
        self.sign('{')?;
        while self.sign('}').is_none() {
            let name = self.name()?;
            self.sign(':')?;
            self.node(NodeKind::Field, name, nodes, |from, nodes| from.schema(nodes, depth).map(|()| 0))?;
            self.sign(',')?;
        }
        Some(0)
    }

    fn variants(&mut self, nodes: &mut Vec<Node<'a>>, depth: u32) -> Option<usize> {
        self.sign('{')?;
        while self.sign('}').is_none() {
            let name = self.name()?;
            self.node(NodeKind::Variant, name, nodes, |from, nodes| {
                let before = from.at;
                if from.sign('{').is_none() {
                    return Some(0);
                }
                from.at = before;
                from.fields(nodes, depth)
            })?;
            self.sign(',')?;
        }
        Some(0)
    }
}
