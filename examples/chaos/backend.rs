//! On which backend a job of chaos runs: what `PELTON_CHAOS_BACKEND` says, which the driver sets, or `memory`.
//!
//! A backend that is new goes into two places: an arm here, and a line of `BACKENDS` in `jobs.rs`.

/// The `main` of a job of chaos.
macro_rules! main_of {
    ($job:ident) => {
        fn main() -> ExitCode {
            match std::env::var("PELTON_CHAOS_BACKEND").as_deref() {
                Err(_) | Ok("memory") => $job::main(),
                Ok(other) => {
                    eprintln!("error: this job can be run on no backend `{other}`");
                    ExitCode::from(2)
                }
            }
        }
    };
}
