//! On which backend a job of chaos runs: what `PELTON_CHAOS_BACKEND` says, which the driver sets, or `memory`.
//!
//! A backend that is new goes into two places: a line at the end of the macro, and one of `BACKENDS` in `jobs.rs`.

/// The `main` of a job of chaos.
macro_rules! main_of {
    ($job:ident) => {
        fn main() -> ExitCode {
            match std::env::var("PELTON_CHAOS_BACKEND").as_deref() {
                Err(_) | Ok("memory") => pelton::job::main::<On<Memory>>(),
                Ok("filesystem") => pelton::job::main::<On<FileSystem>>(),
                #[cfg(feature = "rocksdb")]
                Ok("rocksdb") => pelton::job::main::<On<RocksDb>>(),
                Ok(other) => {
                    eprintln!("error: this job can be run on no backend `{other}`");
                    ExitCode::from(2)
                }
            }
        }

        /// The job on another backend than that of its block.
        struct On<B>($job, std::marker::PhantomData<B>);

        impl<B: pelton::Backend> pelton::job::Job for On<B> {
            const NAME: &'static str = <$job as pelton::job::Job>::NAME;
            const ABOUT: &'static str = <$job as pelton::job::Job>::ABOUT;
            fn params() -> Vec<pelton::job::Param> {
                <$job as pelton::job::Job>::params()
            }
            fn from_values(values: &mut pelton::job::Values) -> Result<Self, pelton::error::Fault> {
                let job = <$job as pelton::job::Job>::from_values(values)?;
                Ok(On(job, std::marker::PhantomData))
            }
            fn run_job(self, config: pelton::Config) -> Result<Summary, pelton::Error> {
                // A little memory, so that what is on disk is read, too.
                Ok(self.0.run_on::<B>(config.state_memory(1 << 20))?.summary)
            }
            fn plan_job(&self, config: &pelton::Config) -> Result<pelton::Plan, pelton::Error> {
                self.0.plan(config)
            }
        }
    };
}
