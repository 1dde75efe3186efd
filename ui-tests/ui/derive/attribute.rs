//! An attribute that is not there.

use pelton::prelude::*;

#[derive(Record)]
#[record(scaler)]
pub struct Code(String);

fn main() {}
