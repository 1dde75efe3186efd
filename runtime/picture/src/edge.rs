//! How rows get from one chain to the next, and how that is said where there is little room.

/// How rows get from one chain to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// To the worker that owns the row's key group.
    ByKey,
    /// To the next chain on the same worker.
    Local,
    /// To each worker in turn.
    Rebalance,
    /// To any worker, by chance.
    Shuffle,
    /// To every worker.
    Broadcast,
    /// To one worker.
    Global,
    /// To the worker whose number the block says.
    Partition,
}

impl EdgeKind {
    /// In two or three words; `key` is the key's type, or empty.
    pub fn words(self, key: &str) -> String {
        match self {
            EdgeKind::ByKey if key.is_empty() => "by key",
            EdgeKind::ByKey => return format!("by key {key}"),
            EdgeKind::Local => "same worker",
            EdgeKind::Rebalance => "to each worker in turn",
            EdgeKind::Shuffle => "to any worker, by chance",
            EdgeKind::Broadcast => "to every worker",
            EdgeKind::Global => "to one worker",
            EdgeKind::Partition => "to a named worker",
        }
        .to_owned()
    }
}
