//! The lock file at run time: read whole, and written as a person reads it in a diff, a field per line.

use super::StateMeta;
use crate::error::Fault;
use crate::schema::locked::{grammar, put_name};
use crate::schema::{LockedSchema, NotWritable, OwnedSchema};

/// Over every lock file.
const HEADER: &str = "\
# What is stored of this crate's jobs, as it was last accepted. `cargo check` holds the code against it, so that what is
# stored can always be read. Commit it; `lock` shows what has changed since, `lock --accept` writes it.
";

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// Its jobs, by name.
    pub jobs: Vec<JobLock>,
}

/// What is stored of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLock {
    /// The job.
    pub job: String,
    /// How often a change of it has been accepted.
    pub version: usize,
    /// Its states, by operator and name.
    pub states: Vec<StateLock>,
}

/// A state and its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateLock {
    /// The operator.
    pub operator: String,
    /// The state's own name.
    pub state: String,
    /// Which windows they are; empty if they are none, or if a param says it.
    pub of: String,
    /// What it is kept by.
    pub key: OwnedSchema,
    /// What is kept per key.
    pub value: OwnedSchema,
}

impl LockFile {
    /// Reads a lock file.
    ///
    /// # Errors
    /// If it is none; the fault names the line.
    pub fn parse(text: &[u8]) -> Result<LockFile, Fault> {
        let broken = |line: usize| {
            let fault = Fault::new("this is no lock file").at_line(line as u64);
            fault.help("take the file as it was committed, or as `lock --accept` writes it")
        };
        // Where text is no text, it is no lock.
        let text = str::from_utf8(text).map_err(|_| broken(1))?;
        let jobs = grammar::parse(text).map_err(broken)?.into_iter().map(|job| JobLock {
            job: job.job.to_owned(),
            version: job.version,
            states: job
                .states
                .iter()
                .map(|state| StateLock {
                    operator: state.operator.to_owned(),
                    state: state.state.to_owned(),
                    of: state.of.to_owned(),
                    key: LockedSchema::of(&state.key).to_owned(),
                    value: LockedSchema::of(&state.value).to_owned(),
                })
                .collect(),
        });
        Ok(LockFile { jobs: jobs.collect() })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// If a name cannot stand in it.
    pub fn to_text(&self) -> Result<String, NotWritable> {
        let mut out = format!("{HEADER}pelton lock 1\n");
        for JobLock { job, version, states } in &self.jobs {
            out.push_str("\njob ");
            put_name(job, &mut out)?;
            out.push_str(&format!(" version {version} {{\n"));
            for StateLock { operator, state, of, key, value } in states {
                out.push_str("  state ");
                put_name(operator, &mut out)?;
                out.push('.');
                put_name(state, &mut out)?;
                let (key, value) = (key.to_locked("    ")?, value.to_locked("    ")?);
                out.push_str(" {\n");
                if !of.is_empty() {
                    out.push_str("    of: ");
                    put_name(of, &mut out)?;
                    out.push_str(",\n");
                }
                out.push_str(&format!("    key: {key},\n    value: {value},\n  }}\n"));
            }
            out.push_str("}\n");
        }
        Ok(out)
    }

    /// The part of a job.
    pub fn job(&self, name: &str) -> Option<&JobLock> {
        self.jobs.iter().find(|job| job.job == name)
    }

    /// Puts a job's part in the place of the one it had.
    pub fn put(&mut self, job: JobLock) {
        self.jobs.retain(|old| old.job != job.job);
        self.jobs.push(job);
        self.jobs.sort_by(|a, b| a.job.cmp(&b.job));
    }
}

impl JobLock {
    /// What is stored of a job with these states.
    pub fn of(job: &str, version: usize, states: &[StateMeta]) -> JobLock {
        let mut states: Vec<StateLock> = states
            .iter()
            .map(|state| StateLock {
                operator: state.names.operator.to_owned(),
                state: state.names.state.to_owned(),
                of: state.names.of.to_owned(),
                key: plain(OwnedSchema::from(state.key)),
                value: plain(OwnedSchema::from(state.value)),
            })
            .collect();
        states.sort_by(|a, b| (&a.operator, &a.state).cmp(&(&b.operator, &b.state)));
        JobLock { job: job.to_owned(), version, states }
    }
}

/// A schema as the file has it: old names and outside forms are not in it.
fn plain(schema: OwnedSchema) -> OwnedSchema {
    LockedSchema::of(&schema.nodes()).to_owned()
}
