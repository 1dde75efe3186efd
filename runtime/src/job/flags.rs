//! How the text of a flag becomes the value of a param, for whatever type the param has: `PathBuf` and `OsString` as
//! they are, what has `FromStr` through it, and everything else not at all. The choice is made by method lookup (the
//! most specific one that applies), because `stream!` sees tokens and cannot ask for a type's traits.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use crate::secret::Secret;

/// Makes the value of a param from the text of its flag.
pub type Parser<T> = fn(&OsStr) -> Result<T, Refused>;

/// Why a text did not become a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The text is no value of the type; why not.
    Text(String),
    /// The same of a text that may not be shown.
    Hidden(String),
    /// There is no way from a text to the type.
    Type,
}

/// Looks up the parser of a type. `stream!` writes, for a param (or the inside of an `Option` param) of type `T`:
///
/// ```text
/// {
///     #[allow(unused_imports)]
///     use __rt::{ParseFlag as _, NoFlag as _};
///     (&__rt::Flag::<T>::new()).parser()
/// }
/// ```
pub struct Flag<T>(PhantomData<fn() -> T>);

impl<T> Flag<T> {
    /// A question for `T`.
    #[expect(clippy::new_without_default, reason = "a question, not a value; only generated code asks it")]
    pub const fn new() -> Self {
        Flag(PhantomData)
    }
}

// An own method comes before any trait's: a path keeps bytes that are no UTF-8, which `FromStr` would refuse.
impl Flag<PathBuf> {
    /// A path is any text.
    pub fn parser(&self) -> Parser<PathBuf> {
        |text| Ok(PathBuf::from(text))
    }
}

impl Flag<OsString> {
    /// Any text.
    pub fn parser(&self) -> Parser<OsString> {
        |text| Ok(text.to_owned())
    }
}

impl Flag<Secret> {
    /// Where it is.
    pub fn parser(&self) -> Parser<Secret> {
        |text| {
            let place = text.to_str().ok_or_else(|| Refused::Hidden("the text is not UTF-8".to_owned()))?;
            Secret::at(place).map_err(|fault| Refused::Hidden(fault.to_string()))
        }
    }
}

/// The parser of a type with `FromStr`: found before [`NoFlag`], since it needs one reference less.
pub trait ParseFlag {
    /// What is parsed.
    type Value;
    /// The parser.
    fn parser(&self) -> Parser<Self::Value>;
}

impl<T: FromStr<Err: fmt::Display>> ParseFlag for Flag<T> {
    type Value = T;
    fn parser(&self) -> Parser<T> {
        |text| {
            let text = text.to_str().ok_or_else(|| Refused::Text("the text is not UTF-8".to_owned()))?;
            text.parse().map_err(|error: T::Err| Refused::Text(error.to_string()))
        }
    }
}

/// The parser of any other type, which refuses every text: such a param is set in code.
pub trait NoFlag {
    /// What would be parsed.
    type Value;
    /// The parser.
    fn parser(&self) -> Parser<Self::Value>;
}

impl<T> NoFlag for &Flag<T> {
    type Value = T;
    fn parser(&self) -> Parser<T> {
        |_| Err(Refused::Type)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flag, Parser, Refused};
    use std::ffi::{OsStr, OsString};
    use std::path::PathBuf;

    /// As `stream!` writes it.
    macro_rules! parser {
        ($type:ty) => {{
            #[allow(unused_imports)]
            use super::{NoFlag as _, ParseFlag as _};
            (&Flag::<$type>::new()).parser()
        }};
    }

    #[derive(Debug, PartialEq)]
    struct Opaque;

    #[derive(Debug, PartialEq)]
    struct Mute(u8);
    #[derive(Debug)]
    struct Silent;
    impl std::str::FromStr for Mute {
        type Err = Silent; // no Display: nothing could be said about a wrong text
        fn from_str(_: &str) -> Result<Self, Silent> {
            Ok(Mute(1))
        }
    }

    fn generic<T>() -> Parser<T> {
        parser!(T)
    }

    #[test]
    fn from_str_is_used_where_it_is() {
        assert_eq!(parser!(i32)(OsStr::new("-7")), Ok(-7));
        assert_eq!(parser!(String)(OsStr::new("")), Ok(String::new()));
        assert_eq!(parser!(i32)(OsStr::new("x")), Err(Refused::Text("invalid digit found in string".to_owned())));
    }

    #[test]
    fn other_types_are_refused() {
        assert_eq!(parser!(Opaque)(OsStr::new("x")), Err(Refused::Type));
        assert_eq!(parser!(Mute)(OsStr::new("x")), Err(Refused::Type));
        assert_eq!(parser!(Vec<i32>)(OsStr::new("1")), Err(Refused::Type));
        assert_eq!(generic::<i32>()(OsStr::new("1")), Err(Refused::Type), "nothing is known of a type parameter");
    }

    #[cfg(unix)]
    #[test]
    fn paths_keep_every_byte() {
        use std::os::unix::ffi::OsStrExt as _;
        let text = OsStr::from_bytes(b"f\xff.csv");
        assert_eq!(parser!(PathBuf)(text), Ok(PathBuf::from(text)));
        assert_eq!(parser!(OsString)(text), Ok(text.to_owned()));
        assert_eq!(parser!(String)(text), Err(Refused::Text("the text is not UTF-8".to_owned())));
    }
}
