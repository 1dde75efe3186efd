//! The words of the language, one row each: statements, operators, aggregates, options, backends. Data only: parser,
//! checks and hints read it, so that a word cannot be known to one and not to the other.

/// What an operator does to the stream, as far as the graph is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A row at a time, in the chain it stands in.
    Stateless,
    /// Says to which worker rows go: the chain is cut in front of what follows.
    Moves,
    /// Gives the stream a key.
    Keys,
    /// Keeps state per key: the chain is cut in front of it.
    Stateful,
}

/// An operator, as it is written behind a dot.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// How it is written, for hints.
    pub(crate) form: &'static str,
}

/// Every operator that works.
pub(crate) const OPERATORS: &[Operator] = &[
    Operator { name: "map", role: Role::Stateless, form: ".map(|r| ..)" },
    Operator { name: "filter", role: Role::Stateless, form: ".filter(|r| ..)" },
    Operator { name: "filter_map", role: Role::Stateless, form: ".filter_map(|r| ..)" },
    Operator { name: "flat_map", role: Role::Stateless, form: ".flat_map(|r| ..)" },
    Operator { name: "inspect", role: Role::Stateless, form: ".inspect(|r| ..)" },
    Operator { name: "split", role: Role::Stateless, form: ".split { a: Pattern(x) => x; b: |r| ..; rest: _; }" },
    Operator { name: "rebalance", role: Role::Moves, form: ".rebalance()" },
    Operator { name: "shuffle", role: Role::Moves, form: ".shuffle()" },
    Operator { name: "broadcast", role: Role::Moves, form: ".broadcast()" },
    Operator { name: "global", role: Role::Moves, form: ".global()" },
    Operator { name: "partition_by", role: Role::Moves, form: ".partition_by(|r, n| r.shard % n)" },
    Operator { name: "key_by", role: Role::Keys, form: ".key_by(|r| r.field)" },
    Operator { name: "reduce", role: Role::Stateful, form: ".reduce(|a, b| .., emit each, ttl 24h)" },
    Operator { name: "fold", role: Role::Stateful, form: ".fold(start, |so_far, r| .., emit each, ttl 24h)" },
    Operator {
        name: "aggregate",
        role: Role::Stateful,
        form: ".aggregate((count(), sum(|r| r.x)), emit each, ttl 24h)",
    },
    Operator { name: "window", role: Role::Stateful, form: ".window(tumbling 1h).aggregate(count())" },
    Operator { name: "process", role: Role::Stateful, form: ".process { on event(r, cx) { .. } }" },
];

/// Operators that the language will have. They are named, so that nobody takes a name that is not there for a typo.
pub(crate) const LATER: &[&str] = &[
    "dedup",
    "top",
    "lag",
    "over",
    "latest",
    "pattern",
    "join",
    "left_join",
    "right_join",
    "full_join",
    "semi_join",
    "anti_join",
    "lookup",
    "async_map",
];

/// Words from other libraries, and what they are called here.
pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    ("for_each", "`.inspect(|r| ..)` looks at each row, a `sink` writes it"),
    ("flatten", "write `.flat_map(|r| r)`"),
    ("group_by", "write `.key_by(|r| ..)`"),
    ("keyBy", "write `.key_by(|r| ..)`"),
    ("where", "write `.filter(|r| ..)`"),
    ("select", "write `.map(|r| ..)`"),
    ("union", "write `union(a, b)` at the start of a `let`"),
    ("late", "the late rows are a stream of their own: write `name.late`, without parentheses"),
];

/// The row of an operator.
pub(crate) fn operator(name: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|operator| operator.name == name)
}

/// What a ready-made aggregate needs of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// A value.
    Value,
    /// A value that may be lent: a single place is borrowed.
    Lent,
    /// A value, and the row itself for the case that it wins.
    ValueAndRow,
    /// A value, or the row itself, with its event time and what decides between equal times.
    InOrder,
}

/// A ready-made aggregate.
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    /// Its type in the runtime; where it takes something in front of its closure, the function that makes it.
    pub(crate) runtime: &'static str,
    /// The runtime's gate for its value.
    pub(crate) gate: &'static str,
    /// What it takes in front of its closure: "a number", or nothing.
    pub(crate) first: &'static str,
    /// Whether partial results of it are smaller than the rows that they are of.
    pub(crate) combines: bool,
    /// How it is written, for hints.
    pub(crate) form: &'static str,
}

impl Word {
    /// The type of what it takes in front, as tokens behind a `let`; none where the runtime's function finds it.
    pub(crate) fn of_first(&self, at: proc_macro2::Span) -> proc_macro2::TokenStream {
        match self.name {
            "top" => quote::quote_spanned!(at=> : ::core::primitive::usize),
            "quantile" => quote::quote_spanned!(at=> : ::core::primitive::f64),
            _ => proc_macro2::TokenStream::new(),
        }
    }
}

const fn word_of(
    name: &'static str,
    need: Need,
    runtime: &'static str,
    gate: &'static str,
    form: &'static str,
) -> Word {
    Word { name, need, runtime, gate, first: "", combines: true, form }
}

/// Every ready-made aggregate.
pub(crate) const WORDS: &[Word] = &[
    word_of("count", Need::Nothing, "Count", "", "count()"),
    word_of("sum", Need::Value, "Sum", "CanSum::checked", "sum(|r| r.x)"),
    word_of("min", Need::Value, "Min", "CanCompare::checked", "min(|r| r.x)"),
    word_of("max", Need::Value, "Max", "CanCompare::checked", "max(|r| r.x)"),
    word_of("mean", Need::Value, "Mean", "CanMean::checked", "mean(|r| r.x)"),
    word_of("variance", Need::Value, "Variance", "CanMeasure::checked", "variance(|r| r.x)"),
    word_of("min_by", Need::ValueAndRow, "MinBy", "CanCompare::checked", "min_by(|r| r.x)"),
    word_of("max_by", Need::ValueAndRow, "MaxBy", "CanCompare::checked", "max_by(|r| r.x)"),
    Word { first: "a number", ..word_of("top", Need::ValueAndRow, "top", "CanCompare::checked", "top(3, by |r| r.x)") },
    word_of("first", Need::InOrder, "First", "", "first(|r| r.x)"),
    word_of("last", Need::InOrder, "Last", "", "last(|r| r.x)"),
    Word { combines: false, ..word_of("collect", Need::InOrder, "Collect", "", "collect(|r| r.x)") },
    word_of("count_distinct", Need::Lent, "CountDistinct", "CanTell::checked", "count_distinct(|r| r.x)"),
    word_of(
        "approx_count_distinct",
        Need::Lent,
        "ApproxCountDistinct",
        "CanHash::checked",
        "approx_count_distinct(|r| r.x)",
    ),
    Word {
        first: "a number",
        ..word_of("quantile", Need::Value, "quantile", "CanMeasure::checked", "quantile(0.99, |r| r.x)")
    },
    Word {
        first: "an array of numbers",
        ..word_of("quantiles", Need::Value, "quantiles", "CanMeasure::checked", "quantiles([0.5, 0.99], |r| r.x)")
    },
];

/// The row of a ready-made aggregate.
pub(crate) fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// What starts a statement.
pub(crate) const STATEMENTS: &[&str] = &["param", "resource", "checkpoint", "restart", "source", "let", "sink", "drop"];
/// What will start one.
pub(crate) const LATER_STATEMENTS: &[&str] = &["align", "dataset"];
/// What starts a statement of a flow.
pub(crate) const FLOW_STATEMENTS: &[&str] = &["resource", "let", "drop", "return"];

/// Options of `checkpoint`.
pub(crate) const CHECKPOINT_OPTIONS: &[&str] =
    &["every", "exactly_once", "at_least_once", "timeout", "pause", "keep", "tolerate"];
/// Ways to restart, as they are written.
pub(crate) const RESTARTS: &[(&str, &str)] = &[
    ("exponential", "exponential 1s..=1min"),
    ("fixed", "fixed 5s, at_most 10"),
    ("failure_rate", "failure_rate 3 per 10min"),
    ("none", "none"),
];

/// Options of a source.
pub(crate) const SOURCE_OPTIONS: &[&str] =
    &["event_time", "late_by", "ordered_splits", "idle_after", "never_idle", "on_error", "rate"];
/// Options that a source will have.
pub(crate) const LATER_SOURCE_OPTIONS: &[&str] = &["watermark"];
/// Options of a sink.
pub(crate) const SINK_OPTIONS: &[&str] = &["roll"];
/// Options of a window.
pub(crate) const WINDOW_OPTIONS: &[&str] = &["allow_late", "refire", "no_refire"];
/// Options that a window will have.
pub(crate) const LATER_WINDOW_OPTIONS: &[&str] =
    &["early", "accumulating", "purging", "trigger", "evict", "processing_time", "ttl", "unbounded"];
/// Kinds of windows to come.
pub(crate) const LATER_WINDOWS: &[&str] = &["sliding", "session", "count", "global", "assign"];
/// Options of `reduce`, `fold` and `aggregate`.
pub(crate) const STATE_OPTIONS: &[&str] = &["emit", "ttl", "unbounded", "as"];
/// Options of `reduce`, `fold` and `aggregate` to come.
pub(crate) const LATER_STATE_OPTIONS: &[&str] = &[];

/// What starts an item of a `process`.
pub(crate) const PROCESS_ITEMS: &[&str] = &["in_order", "state", "timer", "output", "on", "as"];
/// What will start one.
pub(crate) const LATER_PROCESS_ITEMS: &[&str] = &["shared"];
/// Kinds of states, as they are written.
pub(crate) const STATES: &[(&str, &str)] = &[
    ("Value", "Value<T>"),
    ("List", "List<T>"),
    ("Map", "Map<K, V>"),
    ("Reducing", "Reducing<T> = |a, b| .."),
    ("Aggregating", "Aggregating<T> = (count(), sum(|r| r.x))"),
];
/// What a timer goes by.
pub(crate) const TIMERS: &[&str] = &["event_time", "processing_time"];
/// What a handler is called for.
pub(crate) const HANDLERS: &[&str] = &["event", "timer", "end"];
/// Outputs that are named by the language.
pub(crate) const OUTPUTS: &[&str] = &["late", "errors", "timed_out"];

/// State backends that a job can name.
pub(crate) const BACKENDS: &[&str] = &["Memory", "FileSystem", "RocksDb"];

/// Flags that every binary has, which no param can take.
pub(crate) const FLAGS: &[&str] = &[
    "workers",
    "pin",
    "quiet",
    "log",
    "summary",
    "config",
    "print-config",
    "format",
    "help",
    "checkpoints",
    "checkpoint-every",
    "fresh",
    "from",
    "fork",
    "control",
    "accept",
    "base",
    "base-checkpoint",
    "state",
    "state-memory",
];
