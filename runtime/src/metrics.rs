//! Counters of a run. The owner of a cell counts in plain memory and publishes between two frames; anyone may read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A published number.
#[derive(Default, Debug)]
pub struct Cell(AtomicU64);

impl Cell {
    /// Publishes a value.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
    /// The value published last.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one chain of one worker has done.
#[derive(Default, Debug)]
pub struct ChainCells {
    /// The chain.
    pub chain: usize,
    /// Whether it begins at a source.
    pub is_source: bool,
    /// Rows that entered: read from a source, or received.
    pub rows_in: Cell,
    /// Rows that the stateful operator emitted; for a source chain the same as `rows_in`.
    pub emitted: Cell,
    /// Rows after each operator that changes their number.
    pub counted: Vec<Cell>,
    /// Rows that came too late.
    pub late: Cell,
    /// Bad records that were left out.
    pub skipped: Cell,
    /// Bytes of input read.
    pub bytes: Cell,
}

/// The cells of all chains of all workers of a process.
#[derive(Default, Debug)]
pub struct Metrics {
    cells: Mutex<Vec<Arc<ChainCells>>>,
}

impl Metrics {
    /// Adds a chain's cells.
    pub fn add(&self, cells: ChainCells) -> Arc<ChainCells> {
        let cells = Arc::new(cells);
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).push(cells.clone());
        cells
    }
    /// All of them.
    pub fn all(&self) -> Vec<Arc<ChainCells>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
