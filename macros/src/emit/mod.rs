//! The plan as Rust: one straight-line body per chain, one thin call per stateful operator. `docs/expansion.md` shows the
//! whole. It reads the plan and reports nothing; every path begins with `__rt::` or `::core::`, every local is hygienic.

mod arms;
mod asked;
mod body;
mod chain;
mod code;
mod connector;
mod edge;
mod exchange;
mod flow;
mod ident;
mod job;
mod keyed;
mod lock;
mod meta;
mod picture;
mod process;
mod resource;
mod row;
mod sink;
mod timing;
mod uses;
mod words;

pub(crate) use flow::flow;
pub(crate) use job::job;
