//! stub
#![allow(missing_docs)]
pub mod flags { pub struct Flag<T>(std::marker::PhantomData<T>); pub trait NoFlag {} pub trait ParseFlag {} }
pub mod values { pub struct Values; }
pub mod progress { #[derive(Default)] pub struct Snapshot { pub records_in: u64, pub records_out: u64, pub late: u64, pub skipped: u64, pub bytes_read: u64, pub bytes_total: Option<u64> } pub struct Progress; impl Progress { pub fn start(_: bool, _: &str) -> Self { Progress } pub fn update(&self, _: &Snapshot) {} pub fn finish(&self) {} } }
pub mod summary { use std::time::Duration; #[derive(Debug)] pub struct Summary { pub job: String, pub workers: usize, pub elapsed: Duration, pub records_in: u64, pub records_out: u64, pub late: u64, pub skipped: u64, pub operators: Vec<OperatorSummary> } #[derive(Debug)] pub struct OperatorSummary { pub chain: usize, pub name: String, pub what: String, pub rows_in: u64, pub rows_out: u64 } }
pub trait Job {}
pub struct Param;
pub fn main<J: Job>() -> std::process::ExitCode { std::process::ExitCode::SUCCESS }
