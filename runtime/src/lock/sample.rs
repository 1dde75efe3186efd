//! Makes up values: bytes that a schema allows, the same ones in every build. A type may refuse some of them (a set with an
//! element twice, a form of the user's own), so they are offered until it takes one.

use super::ReadBack;
use crate::codec::{put_bytes, put_length};
use crate::schema::{Field, Schema, fingerprint};

/// How often a value is offered before none is stored.
const TRIES: u64 = 64;

/// Values of a type, in its own byte form, at most this many: each variant and each option is met as long as there are turns.
pub(super) fn values(schema: &'static Schema, read: ReadBack, many: usize) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for turn in 0..many {
        let offers = (0..TRIES).filter_map(|attempt| {
            let seed = fingerprint(schema) ^ (turn as u64) << 32 ^ attempt;
            let mut maker = Maker { random: seed, turn, out: Vec::new() };
            maker.put(schema)?;
            read(&maker.out).ok()
        });
        values.extend(offers.take(1).next());
    }
    values.dedup();
    values
}

struct Maker {
    random: u64,
    turn: usize,
    out: Vec<u8>,
}

impl Maker {
    /// The numbers of splitmix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % (n.max(1) as u64)) as usize
    }

    /// Appends a value; `None` if nothing is known of the form of a part.
    fn put(&mut self, schema: &Schema) -> Option<()> {
        match schema.form() {
            Schema::Bool => {
                let bit = self.below(2);
                self.out.push(bit as u8);
            }
            Schema::Char => {
                let pick = ['a', 'Z', '0', 'é', '水', '\u{10ffff}'][self.below(6)];
                self.out.extend_from_slice(&u32::from(pick).to_le_bytes());
            }
            Schema::Str | Schema::Path => {
                let length = self.below(9);
                let text: String = (0..length).map(|_| ['a', 'b', 'Z', '7', ' ', 'ß', '水'][self.below(7)]).collect();
                put_bytes(&mut self.out, text.as_bytes());
            }
            Schema::Bytes => {
                let bytes: Vec<u8> = (0..self.below(9)).map(|_| self.next() as u8).collect();
                put_bytes(&mut self.out, &bytes);
            }
            Schema::Duration => {
                let (seconds, nanos) = (self.next() >> 20, self.next() % 1_000_000_000);
                self.out.extend_from_slice(&seconds.to_le_bytes());
                self.out.extend_from_slice(&(nanos as u32).to_le_bytes());
            }
            Schema::F32 => {
                let number = self.below(2_000_001) as f32 / 8.0 - 125_000.0;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            Schema::F64 => {
                let number = self.below(2_000_001) as f64 / 8.0 - 125_000.0;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            Schema::Unit => {}
            Schema::Option(of) => {
                let some = self.turn.is_multiple_of(2) || self.below(2) == 0;
                self.out.push(u8::from(some));
                if some {
                    self.put(of)?;
                }
            }
            Schema::List(of) => {
                let count = self.count();
                (0..count).try_for_each(|_| self.put(of))?;
                self.ends(count, of.least_bytes());
            }
            Schema::Map(key, value) => {
                let count = self.count();
                for _ in 0..count {
                    self.put(key)?;
                    self.put(value)?;
                }
                self.ends(count, key.least_bytes() + value.least_bytes());
            }
            Schema::Array(of, n) => (0..*n).try_for_each(|_| self.put(of))?,
            Schema::Tuple(parts) => parts.iter().try_for_each(|part| self.put(part))?,
            Schema::Struct { fields, .. } => self.fields(fields)?,
            Schema::Enum { variants, .. } => {
                let index = (self.turn + self.below(2)) % variants.len().max(1);
                if variants.len() > 256 {
                    self.out.extend_from_slice(&(index as u16).to_le_bytes());
                } else {
                    self.out.push(index as u8);
                }
                self.fields(variants.get(index)?.fields)?;
            }
            Schema::Foreign { .. } => return None,
            // Integers and times: small ones as often as any.
            fixed => {
                let (width, small) = (fixed.least_bytes(), self.below(2) == 0);
                let bytes: Vec<u8> = (0..width).map(|i| if small && i > 1 { 0 } else { self.next() as u8 }).collect();
                self.out.extend_from_slice(&bytes);
            }
        }
        Some(())
    }

    fn fields(&mut self, fields: &[Field]) -> Option<()> {
        fields.iter().try_for_each(|field| self.put(field.schema))
    }

    fn count(&mut self) -> usize {
        let count = self.below(3);
        put_length(&mut self.out, count);
        count
    }

    fn ends(&mut self, count: usize, least: usize) {
        if least == 0 {
            self.out.resize(self.out.len() + count, 0);
        }
    }
}
