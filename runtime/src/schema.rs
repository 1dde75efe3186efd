//! stub
#![allow(missing_docs)]
pub enum Schema { Scalar(&'static str), Struct { name: &'static str, fields: &'static [Field] } }
pub struct Field { pub name: &'static str, pub schema: &'static Schema, pub was: &'static [&'static str] }
