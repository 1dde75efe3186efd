//! stub
#![allow(missing_docs)]
use super::*;
use std::sync::{Arc, Mutex};
use crate::record::{Record, Row};
pub struct Collected<T>(Arc<Mutex<Vec<T>>>);
impl<T> Clone for Collected<T> { fn clone(&self) -> Self { Collected(self.0.clone()) } }
impl<T> Collected<T> { pub fn new() -> Self { Collected(Arc::default()) } pub fn take(&self) -> Vec<T> { std::mem::take(&mut *self.0.lock().unwrap()) } }
pub struct C<T>(Collected<T>);
pub struct W<T>(Collected<T>, Vec<T>);
pub fn collect<T: Record>(c: &Collected<T>) -> C<T> { C(c.clone()) }
impl<T: Record> Sink for C<T> { type Writer = W<T>; fn writer(&mut self, _: &SinkContext) -> Result<W<T>, Fault> { Ok(W(self.0.clone(), vec![])) } fn committer(&mut self, _: &SinkContext) -> Result<Box<dyn Committer>, Fault> { Ok(Box::new(N)) } fn describe(&self) -> String { "collect".into() } }
struct N; impl Committer for N { fn commit(&mut self, _: u64, _: Vec<(usize, Prepared)>) -> Result<(), Fault> { Ok(()) } }
impl<T: Record> Writer for W<T> { fn prepare(&mut self, _: u64) -> Result<Option<Prepared>, Fault> { self.0.0.lock().unwrap().append(&mut self.1); Ok(None) } }
impl<T: Record, X: Row<Stored = T>> Accepts<X> for W<T> { fn write(&mut self, x: X) -> Result<(), Fault> { self.1.push(x.store()); Ok(()) } }
