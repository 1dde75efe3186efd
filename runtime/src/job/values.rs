//! [`Values`]: the params of a job as the command line gave them, by name, until the job takes them. It knows what
//! was written and what type was asked for, and so can say both; how a text becomes a value is `flags`'.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Param;
use super::flags::{Parser, Refused};
use super::origin::Origin;
use crate::error::Fault;

/// What the flags of the command line said.
#[derive(Debug, Default)]
pub struct Values {
    types: BTreeMap<&'static str, &'static str>,
    given: BTreeMap<&'static str, (OsString, Origin)>,
}

impl Values {
    /// Of these params nothing is given yet.
    pub(crate) fn new(params: &[Param]) -> Values {
        Values { types: params.iter().map(|p| (p.name, p.ty)).collect(), given: BTreeMap::new() }
    }

    /// Somebody said `text` for `name`.
    pub(crate) fn give(&mut self, name: &'static str, text: OsString, origin: Origin) {
        self.given.insert(name, (text, origin));
    }

    /// Takes a param that must be given.
    ///
    /// # Errors
    /// If it is not, or if its text is no value of its type.
    pub fn required<T>(&mut self, name: &'static str, parser: Parser<T>) -> Result<T, Fault> {
        let missing = || Fault::new(format!("param `{name}` is missing")).help(format!("add `{}`", self.usage(name)));
        let Some((text, _)) = self.given.get(name) else { return Err(missing()) };
        parser(text).map_err(|why| self.refused(name, why))
    }

    /// Takes a param, or its default if it is not given.
    ///
    /// # Errors
    /// If its text is no value of its type.
    pub fn or<T>(&mut self, name: &'static str, parser: Parser<T>, default: impl FnOnce() -> T) -> Result<T, Fault> {
        Ok(self.optional(name, parser)?.unwrap_or_else(default))
    }

    /// Takes a param, or what this text says if it is not given.
    ///
    /// # Errors
    /// If its text is no value of its type.
    pub fn or_named<T>(&mut self, name: &'static str, parser: Parser<T>, text: &str) -> Result<T, Fault> {
        if !self.given.contains_key(name) {
            self.given.insert(name, (text.into(), Origin::Default));
        }
        self.required(name, parser)
    }

    /// Takes a param that may be left out.
    ///
    /// # Errors
    /// If its text is no value of its type.
    pub fn optional<T>(&mut self, name: &'static str, parser: Parser<T>) -> Result<Option<T>, Fault> {
        if self.given.contains_key(name) { self.required(name, parser).map(Some) } else { Ok(None) }
    }

    fn refused(&self, name: &str, why: Refused) -> Fault {
        let ty = self.types.get(name).copied().unwrap_or("its type");
        let flag = flag_name(name);
        let (text, origin) = match self.given.get(name) {
            Some((text, origin)) => (text.to_string_lossy(), origin.clone()),
            None => (Cow::default(), Origin::Flag),
        };
        let of = origin.of(&flag);
        let fault = match why {
            Refused::Text(why) => Fault::new(format!("{of} takes a value of type `{ty}`, not `{text}`")).because(why),
            Refused::Hidden(why) => {
                let help = match &origin {
                    Origin::Flag | Origin::Default => format!("write `--{flag} env:NAME` or `--{flag} file:PATH`"),
                    Origin::Environment(_) | Origin::File { .. } => {
                        "write `env:NAME` or `file:PATH`: where the secret is".to_owned()
                    }
                };
                Fault::new(format!("{of}: {why}")).help(help)
            }
            Refused::Type => Fault::new(format!("param `{name}` of type `{ty}` cannot be given as a flag"))
                .help("embed the job and set the field in code; a type with `FromStr` can be given as a flag"),
        };
        origin.at(fault)
    }

    fn usage(&self, name: &str) -> String {
        format!("--{} <{}>", flag_name(name), self.types.get(name).copied().unwrap_or("value"))
    }
}

/// `late_by` as it is written on a command line.
pub(crate) fn flag_name(param: &str) -> String {
    param.trim_start_matches("r#").trim_matches('_').replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    const PARAMS: [Param; 3] = [
        Param { name: "least", help: "", ty: "i32", default: Some("5"), value: Some("5"), optional: false },
        Param { name: "out_file", help: "", ty: "PathBuf", default: None, value: None, optional: false },
        Param { name: "rules", help: "", ty: "Rules", default: None, value: None, optional: false },
    ];

    fn number(text: &OsStr) -> Result<i32, Refused> {
        text.to_str().unwrap().parse().map_err(|e: std::num::ParseIntError| Refused::Text(e.to_string()))
    }

    fn given(name: &'static str, text: &str) -> Values {
        let mut values = Values::new(&PARAMS);
        values.give(name, text.into(), Origin::Flag);
        values
    }

    #[test]
    fn what_is_given_wins_over_the_default() {
        assert_eq!(given("least", "7").or("least", number, || 5).unwrap(), 7);
        assert_eq!(Values::new(&PARAMS).or("least", number, || 5).unwrap(), 5);
        assert_eq!(given("least", "7").optional("least", number).unwrap(), Some(7));
        assert_eq!(Values::new(&PARAMS).optional("least", number).unwrap(), None);
        assert_eq!(given("least", "7").required("least", number).unwrap(), 7);
    }

    #[test]
    fn errors_name_flag_text_and_type() {
        let wrong = given("least", "many").or("least", number, || 5).unwrap_err();
        let text = "flag `--least` takes a value of type `i32`, not `many`: invalid digit found in string";
        assert_eq!(wrong.to_string(), text);
        let missing = Values::new(&PARAMS).required("out_file", number).unwrap_err();
        assert_eq!(missing.to_string(), "param `out_file` is missing\n  help: add `--out-file <PathBuf>`");
        let never = given("rules", "x").required::<i32>("rules", |_| Err(Refused::Type)).unwrap_err().to_string();
        assert!(never.starts_with("param `rules` of type `Rules` cannot be given as a flag\n  help: embed"), "{never}");
    }
}
