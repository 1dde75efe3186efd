//! [`CloudStore`]: objects in S3, Google Cloud Storage or Azure, through the crate `object_store`. The only file that
//! names it, or tokio.
//!
//! Calls block, and the crate is asynchronous: its futures run on threads of a runtime that belongs to the process, and the
//! caller waits on a channel. So a job may be run from inside of somebody else's runtime, where blocking on one panics.

use super::{Listed, Put, Store, check_name};
use crate::error::Fault;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use std::ops::Range;
use std::sync::{Arc, OnceLock, mpsc};
use tokio::runtime::{Builder, Runtime};

/// A prefix of a bucket.
pub struct CloudStore {
    url: String,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// Never dropped: that would block, which the caller's thread may not be allowed to do.
static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();

fn runtime() -> Result<&'static Runtime, Fault> {
    let make = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("pelton-store").enable_all().build().map_err(|e| e.to_string())
    };
    match RUNTIME.get_or_init(make) {
        Ok(runtime) => Ok(runtime),
        Err(why) => Err(Fault::new("cannot start the threads that talk to the object store").because(why.clone())),
    }
}

impl CloudStore {
    /// The store of this URL. Credentials and the like come from the environment, by the names that the vendors' own tools use
    /// (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, ..).
    ///
    /// # Errors
    /// If the URL is none, or something that is needed is missing. Whether the bucket is there shows at the first call.
    pub fn open(url: &str) -> Result<Self, Fault> {
        let parsed = url.parse().map_err(|e| {
            Fault::new(format!("`{url}` is no URL")).because(Box::<dyn std::error::Error + Send + Sync>::from(e))
        })?;
        // Names that are no text are not ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?.to_ascii_lowercase(), value.into_string().ok()?))
        });
        let (store, prefix) = object_store::parse_url_opts(&parsed, environment)
            .map_err(|e| Fault::new(format!("`{url}` cannot be opened")).because(e))?;
        Ok(CloudStore { url: url.to_owned(), store: store.into(), prefix })
    }

    fn path(&self, name: &str) -> Result<Path, Fault> {
        check_name(name)?;
        let path = if self.prefix.is_root() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        Path::parse(path).map_err(|e| Fault::new(format!("`{name}` cannot be a name in {}", self.url)).because(e))
    }

    /// Runs a future on the runtime, and waits for it.
    fn wait<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
        &self,
        future: impl FnOnce(Arc<dyn ObjectStore>) -> F,
    ) -> Result<Result<T, Error>, Fault> {
        let (answer, answered) = mpsc::sync_channel(1);
        let future = future(Arc::clone(&self.store));
        runtime()?.spawn(async move {
            // Nobody waits any more if the caller's thread has died.
            let _ = answer.send(future.await);
        });
        answered.recv().map_err(|_| Fault::new(format!("a call to {} was given up", self.url)))
    }

    fn cannot(&self, what: &str, name: &str, error: Error) -> Fault {
        let help = match &error {
            Error::PermissionDenied { .. } => "let these credentials read, write, list and delete in the bucket",
            Error::Unauthenticated { .. } => "set the credentials in the environment",
            Error::NotFound { .. } => "the bucket must be there before the job",
            _ => "",
        };
        let fault = Fault::new(format!("cannot {what} `{name}` in {}", self.url)).because(error);
        if help.is_empty() { fault } else { fault.help(help) }
    }

    fn get_with(&self, name: &str, options: GetOptions) -> Result<Result<Vec<u8>, Error>, Fault> {
        let path = self.path(name)?;
        self.wait(|store| async move { Ok(store.get_opts(&path, options).await?.bytes().await?.to_vec()) })
    }

    /// The size of an object that is there.
    fn size(&self, name: &str) -> Result<Option<u64>, Fault> {
        let path = self.path(name)?;
        match self.wait(|store| async move { Ok(store.head(&path).await?.size) })? {
            Ok(size) => Ok(Some(size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.cannot("look at", name, e)),
        }
    }
}

impl Store for CloudStore {
    fn place(&self) -> String {
        self.url.clone()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault> {
        let (path, payload) = (self.path(name)?, PutPayload::from(bytes.to_vec()));
        match self.wait(|store| async move { store.put_opts(&path, payload, PutMode::Create.into()).await })? {
            Ok(_) => Ok(Put::Created),
            Err(Error::AlreadyExists { .. }) => Ok(Put::Exists),
            Err(e) => Err(self.cannot("write", name, e)),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let (path, payload) = (self.path(name)?, PutPayload::from(bytes.to_vec()));
        let put = self.wait(|store| async move { store.put(&path, payload).await })?;
        put.map(drop).map_err(|e| self.cannot("write", name, e))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self.get_with(name, GetOptions::default())? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.cannot("read", name, e)),
        }
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault> {
        if range.is_empty() {
            return Ok(self.size(name)?.map(|_| Vec::new()));
        }
        let options = GetOptions::default().with_range(Some(GetRange::Bounded(range.clone())));
        match self.get_with(name, options)? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            // A range that begins behind the end is an error there, and an empty one here.
            Err(e) => match self.size(name)? {
                Some(size) if size > range.start => Err(self.cannot("read", name, e)),
                size => Ok(size.map(|_| Vec::new())),
            },
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        // The vendors list by whole parts of a name.
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        let directory = if below.is_empty() { self.prefix.clone() } else { self.path(below)? };
        let found = self.wait(|store| async move {
            let found = store.list(Some(&directory));
            found.map_ok(|about| (String::from(about.location), about.size)).try_collect::<Vec<_>>().await
        })?;
        let found = found.map_err(|e| self.cannot("list", prefix, e))?;
        let above = if self.prefix.is_root() { String::new() } else { format!("{}/", self.prefix) };
        let mut listed: Vec<Listed> = found
            .into_iter()
            .filter_map(|(name, bytes)| Some(Listed { name: name.strip_prefix(&above)?.to_owned(), bytes }))
            .filter(|listed| listed.name.starts_with(prefix) && check_name(&listed.name).is_ok())
            .collect();
        listed.sort();
        Ok(listed)
    }

    fn delete(&self, name: &str) -> Result<(), Fault> {
        let path = self.path(name)?;
        match self.wait(|store| async move { store.delete(&path).await })? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.cannot("remove", name, e)),
        }
    }
}
