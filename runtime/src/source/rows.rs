//! stub
#![allow(missing_docs)]
use super::*;
use std::sync::Arc;
pub trait Lend<'a, T> { fn lend(t: &'a T) -> Self; }
impl<'a, T: Clone> Lend<'a, T> for T { #[inline(always)] fn lend(t: &'a T) -> T { t.clone() } }
impl<'a, T> Lend<'a, T> for &'a T { #[inline(always)] fn lend(t: &'a T) -> &'a T { t } }
pub struct InMemory<T>(Arc<[T]>);
pub fn rows<T>(d: impl Into<Arc<[T]>>) -> InMemory<T> { InMemory(d.into()) }
pub struct RowsReader<T> { data: Arc<[T]>, at: usize, end: usize }
struct En { n: usize, at: usize }
const SPLIT: usize = 1 << 16;
impl Enumerator for En { fn next(&mut self) -> Result<Found, Fault> { if self.at >= self.n { return Ok(Found::Finished) } let s = self.at; self.at += SPLIT; Ok(Found::Split(Split { id: (s / SPLIT) as u64, detail: vec![], bytes: None })) } }
impl<R: RowType, T: Send + Sync + 'static> Source<R> for InMemory<T> where for<'a> R::Row<'a>: Lend<'a, T> { type Reader = RowsReader<T>;
 fn enumerator(&mut self) -> Result<Box<dyn Enumerator>, Fault> { Ok(Box::new(En { n: self.0.len(), at: 0 })) } fn reader(&mut self) -> Result<RowsReader<T>, Fault> { Ok(RowsReader { data: self.0.clone(), at: 0, end: 0 }) } fn describe(&self) -> String { "rows".into() } }
impl<R: RowType, T: Send + Sync + 'static> Reader<R> for RowsReader<T> where for<'a> R::Row<'a>: Lend<'a, T> {
 fn open(&mut self, s: Split) -> Result<(), Fault> { self.at = s.id as usize * SPLIT; self.end = (self.at + SPLIT).min(self.data.len()); Ok(()) }
 #[inline] fn poll<E: Emit<R>>(&mut self, b: usize, out: &mut E) -> Result<Polled, Fault> { let to = (self.at + b).min(self.end); let s = &self.data[self.at..to]; self.at = to; out.rows(s.iter().map(Lend::lend)); Ok(if to == self.end { Polled::SplitDone } else { Polled::More }) }
 fn place(&self) -> Place { Place::default() } }
