//! [`Secret`]: a text that is given from outside and shown to nobody.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Fault;

/// A password, a token, a key: from the environment or a file, and never printed.
///
/// As a param, `param password: Secret;`, it is named on the command line by where it is, `--password env:NAME` or
/// `--password file:PATH`, since what stands on a command line is seen by others. The same may be its default,
/// `param password: Secret = "env:NAME";`. It has no `Display`, its `Debug` hides it, and it is neither a `Record` nor can serde write it; so it
/// gets into no plan, no message, no state and no sink unless somebody takes it out with [`expose`](Secret::expose).
///
/// ```
/// use pelton::Secret;
///
/// let password = Secret::new("hunter2");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret {
    text: Arc<str>,
}

impl Secret {
    /// This text.
    pub fn new(text: &str) -> Secret {
        Secret { text: text.into() }
    }

    /// What an environment variable holds.
    ///
    /// # Errors
    /// If it is not set, or holds no text.
    pub fn env(name: &str) -> Result<Secret, Fault> {
        match std::env::var(name) {
            Ok(text) => Ok(Secret { text: text.into() }),
            Err(std::env::VarError::NotPresent) => {
                Err(Fault::new(format!("the environment variable `{name}` is not set")).lasting())
            }
            // what it holds is in the error
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Fault::new(format!("the environment variable `{name}` is not UTF-8")).lasting())
            }
        }
    }

    /// What a file holds, without the end of its last line.
    ///
    /// # Errors
    /// If it cannot be read, or holds no text.
    pub fn file(path: impl AsRef<Path>) -> Result<Secret, Fault> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Fault::new("the file of a secret cannot be read").in_file(path).because(error))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Secret { text: line.strip_suffix('\r').unwrap_or(line).into() })
    }

    /// From where a text says: `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// If it says neither, or if there is nothing. The text itself is not in the error: it may be the secret.
    pub fn at(place: &str) -> Result<Secret, Fault> {
        match place.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Secret::env(name),
            Some(("file", path)) if !path.is_empty() => Secret::file(path),
            _ => Err(Fault::new("a secret is named by where it is, and never written out").lasting()),
        }
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_environment_and_from_files() {
        assert_eq!(Secret::at("env:CARGO_PKG_NAME").unwrap().expose(), "pelton");
        let missing = Secret::at("env:PELTON_NO_SUCH").unwrap_err().to_string();
        assert_eq!(missing, "the environment variable `PELTON_NO_SUCH` is not set");
        let file = std::env::temp_dir().join(format!("pelton-secret-{}", std::process::id()));
        for (text, secret) in [("word", "word"), ("word\n", "word"), ("two\r\n", "two"), ("a\n\n", "a\n"), ("", "")] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(Secret::at(&format!("file:{}", file.display())).unwrap().expose(), secret);
        }
        std::fs::remove_file(&file).unwrap();
        assert!(Secret::file(&file).unwrap_err().to_string().contains("pelton-secret-"));
    }

    #[test]
    fn a_secret_that_is_written_out_is_not_in_the_error() {
        for text in ["hunter2", "hunter2:env", "env:", "file:", ""] {
            let error = Secret::at(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"));
        }
    }
}
