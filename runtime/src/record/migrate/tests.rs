//! Random types and what may become of them: a value is written in both forms at once, and reading the old one must give
//! the new one. What `cargo check` says of the two must be what the plan says.

use proptest::prelude::*;

use super::*;
use crate::codec::put_length;
use crate::schema::{Dropped, Field, Filled, Past, Variant, Verdict};

/// Numbers that a seed decides.
struct Random(u64);
impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A type before and after.
enum Change {
    Same(Schema),
    Widened(Schema, Schema),
    Option(Box<Change>),
    List(Box<Change>),
    Array(Box<Change>, usize),
    Map(Box<Change>, Box<Change>),
    Tuple(Vec<Change>),
    Struct {
        was: &'static str,
        name: &'static str,
        fields: Fields,
    },
    Enum {
        name: &'static str,
        variants: Vec<ChangedVariant>,
        order: Vec<usize>,
        added: usize,
    },
    /// What a function makes into a struct with a byte in front.
    Migrated(Box<Change>),
    /// What cannot be read.
    Broken(Schema, Schema),
}

struct Fields {
    all: Vec<ChangedField>,
    /// Of those that are there today, in today's order.
    order: Vec<usize>,
}

enum ChangedField {
    Kept { was: &'static str, name: &'static str, change: Change },
    Dropped { name: &'static str, change: Change, aloud: bool },
    Added { name: &'static str, number: bool, filled: bool },
}

struct ChangedVariant {
    was: &'static str,
    name: &'static str,
    fields: Fields,
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
fn leak_all<T>(values: Vec<T>) -> &'static [T] {
    values.leak()
}
fn name(kind: &str, n: usize) -> &'static str {
    format!("{kind}{n}").leak()
}

const PLAIN: [Schema; 16] = [
    Schema::Bool,
    Schema::U8,
    Schema::U16,
    Schema::U64,
    Schema::I32,
    Schema::I128,
    Schema::F32,
    Schema::F64,
    Schema::Char,
    Schema::Str,
    Schema::Bytes,
    Schema::Path,
    Schema::Timestamp,
    Schema::Duration,
    Schema::Unit,
    Schema::Foreign { name: "Serde<..>" },
];
const WIDENED: [(Schema, Schema); 9] = [
    (Schema::U8, Schema::U16),
    (Schema::U8, Schema::I16),
    (Schema::U16, Schema::U128),
    (Schema::U32, Schema::I64),
    (Schema::U64, Schema::I128),
    (Schema::I8, Schema::I64),
    (Schema::I32, Schema::I64),
    (Schema::I64, Schema::I128),
    (Schema::F32, Schema::F64),
];
const BROKEN: [(Schema, Schema); 10] = [
    (Schema::I64, Schema::I32),
    (Schema::U32, Schema::I32),
    (Schema::I8, Schema::U64),
    (Schema::F64, Schema::F32),
    (Schema::U8, Schema::Bool),
    (Schema::Str, Schema::Path),
    (Schema::I64, Schema::Timestamp),
    (Schema::U32, Schema::Option(&Schema::U32)),
    (Schema::Array(&Schema::U8, 2), Schema::Array(&Schema::U8, 3)),
    (Schema::Tuple(&[&Schema::U8]), Schema::Tuple(&[&Schema::U8, &Schema::U8])),
];

/// A random change; `broken` says whether it may be one that loses values.
fn change(random: &mut Random, depth: usize, broken: bool) -> Change {
    if broken && random.one_in(12) {
        let (old, new) = BROKEN[random.below(BROKEN.len())];
        return Change::Broken(old, new);
    }
    if depth > 0 && random.one_in(12) {
        // A migration begins with exactly what was stored.
        let mut former = change(random, depth - 1, broken);
        let was_exact = match &mut former {
            Change::Struct { fields, .. } => fields.all.len() == fields.order.len() && all_kept(fields),
            Change::Enum { variants, added, .. } => *added == 0 && variants.iter().all(|v| all_kept(&v.fields)),
            _ => true,
        };
        return if was_exact { Change::Migrated(Box::new(former)) } else { former };
    }
    let inside = |random: &mut Random| Box::new(change(random, depth - 1, broken));
    match if depth == 0 { random.below(4) } else { random.below(16) } {
        0..=2 => Change::Same(PLAIN[random.below(PLAIN.len())]),
        3 => {
            let (old, new) = WIDENED[random.below(WIDENED.len())];
            Change::Widened(old, new)
        }
        4 => Change::Option(inside(random)),
        5 | 6 => Change::List(inside(random)),
        7 => Change::Array(inside(random), random.below(4)),
        8 => Change::Map(inside(random), inside(random)),
        9 => Change::Tuple((0..1 + random.below(3)).map(|_| *inside(random)).collect()),
        10..=13 => {
            let n = random.below(3);
            let was = if random.one_in(4) { name("Old", n) } else { name("T", n) };
            Change::Struct { was, name: name("T", n), fields: fields(random, depth, broken) }
        }
        _ => {
            let variants: Vec<ChangedVariant> = (0..1 + random.below(4))
                .map(|n| ChangedVariant {
                    was: if random.one_in(4) { name("W", n) } else { name("V", n) },
                    name: name("V", n),
                    fields: fields(random, depth.min(2), broken),
                })
                .collect();
            let mut order: Vec<usize> = (0..variants.len()).collect();
            shuffle(random, &mut order);
            let added = if random.one_in(12) { 300 } else { random.below(2) };
            Change::Enum { name: name("E", random.below(3)), variants, order, added }
        }
    }
}

fn all_kept(fields: &Fields) -> bool {
    fields.all.iter().all(|field| matches!(field, ChangedField::Kept { .. }))
}

/// The migration of all `Change::Migrated`.
fn migrate(former: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    out.push(0xab);
    out.extend_from_slice(former);
    Ok(())
}

fn shuffle(random: &mut Random, order: &mut [usize]) {
    if random.one_in(3) {
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
    }
}

fn fields(random: &mut Random, depth: usize, broken: bool) -> Fields {
    let all: Vec<ChangedField> = (0..random.below(4))
        .map(|n| match random.below(8) {
            0 => ChangedField::Dropped {
                name: name("d", n),
                change: change(random, depth - 1, broken),
                aloud: !broken || !random.one_in(4),
            },
            1 => ChangedField::Added {
                name: name("a", n),
                number: random.one_in(2),
                filled: !broken || !random.one_in(4),
            },
            kind => ChangedField::Kept {
                was: if kind == 2 { name("w", n) } else { name("f", n) },
                name: name("f", n),
                change: change(random, depth - 1, broken),
            },
        })
        .collect();
    let mut order: Vec<usize> = (0..all.len()).filter(|i| !matches!(all[*i], ChangedField::Dropped { .. })).collect();
    shuffle(random, &mut order);
    Fields { all, order }
}

fn number(out: &mut Vec<u8>) {
    7u32.encode(out);
}
fn text(out: &mut Vec<u8>) {
    "new".to_owned().encode(out);
}

fn old_fields(fields: &Fields) -> &'static [Field] {
    let stored = fields.all.iter().filter_map(|field| match field {
        ChangedField::Kept { was, change, .. } => Some((*was, change)),
        ChangedField::Dropped { name, change, .. } => Some((*name, change)),
        ChangedField::Added { .. } => None,
    });
    leak_all(stored.map(|(name, change)| Field { name, schema: leak(old(change)), was: &[] }).collect())
}

fn new_fields(fields: &Fields, variant: &'static str, past: &mut (Vec<Dropped>, Vec<Filled>)) -> &'static [Field] {
    for field in &fields.all {
        if let ChangedField::Dropped { name, aloud: true, .. } = field {
            past.0.push(Dropped { variant, name });
        }
    }
    let today = fields.order.iter().map(|i| match &fields.all[*i] {
        ChangedField::Kept { was, name, change } => {
            let was = if was == name { vec![] } else { vec!["older", *was] };
            Field { name, schema: leak(new(change)), was: was.leak() }
        }
        ChangedField::Added { name, number: is_number, filled } => {
            if *filled {
                past.1.push(Filled { variant, field: name, fill: if *is_number { number } else { text } });
            }
            Field { name, schema: if *is_number { &Schema::U32 } else { &Schema::Str }, was: &[] }
        }
        ChangedField::Dropped { .. } => unreachable!("it has no place in the order"),
    });
    leak_all(today.collect())
}

fn old(change: &Change) -> Schema {
    match change {
        Change::Same(schema) | Change::Widened(schema, _) | Change::Broken(schema, _) => *schema,
        Change::Migrated(of) => old(of),
        Change::Option(of) => Schema::Option(leak(old(of))),
        Change::List(of) => Schema::List(leak(old(of))),
        Change::Array(of, n) => Schema::Array(leak(old(of)), *n),
        Change::Map(key, value) => Schema::Map(leak(old(key)), leak(old(value))),
        Change::Tuple(parts) => Schema::Tuple(leak_all(parts.iter().map(|part| leak(old(part))).collect())),
        Change::Struct { was, fields, .. } => Schema::Struct { name: was, fields: old_fields(fields) },
        Change::Enum { name, variants, .. } => {
            let variants = variants.iter().map(|v| Variant { name: v.was, fields: old_fields(&v.fields), was: &[] });
            Schema::Enum { name, variants: leak_all(variants.collect()) }
        }
    }
}

fn new(change: &Change) -> Schema {
    let mut past = (vec![], vec![]);
    let (was, of) = match change {
        Change::Same(schema) | Change::Widened(_, schema) | Change::Broken(_, schema) => return *schema,
        Change::Migrated(of) => {
            let former = leak(new(of));
            let fields = vec![
                Field { name: "mark", schema: &Schema::U8, was: &[] },
                Field { name: "of", schema: former, was: &[] },
            ];
            let today = leak(Schema::Struct { name: "Migrated", fields: leak_all(fields) });
            let migrations = leak_all(vec![crate::schema::Former { schema: former, convert: migrate }]);
            return Schema::Evolved(today, leak(Past { migrations, ..*Past::NONE }));
        }
        Change::Option(of) => return Schema::Option(leak(new(of))),
        Change::List(of) => return Schema::List(leak(new(of))),
        Change::Array(of, n) => return Schema::Array(leak(new(of)), *n),
        Change::Map(key, value) => return Schema::Map(leak(new(key)), leak(new(value))),
        Change::Tuple(parts) => return Schema::Tuple(leak_all(parts.iter().map(|part| leak(new(part))).collect())),
        Change::Struct { was, name, fields } => {
            let was = if was == name { vec![] } else { vec![*was] };
            (was, Schema::Struct { name, fields: new_fields(fields, "", &mut past) })
        }
        Change::Enum { name, variants, order, added } => {
            let mut today: Vec<Variant> = order
                .iter()
                .map(|i| {
                    let it = &variants[*i];
                    let was = if it.was == it.name { vec![] } else { vec![it.was] };
                    Variant { name: it.name, fields: new_fields(&it.fields, it.name, &mut past), was: was.leak() }
                })
                .collect();
            today.extend((0..*added).map(|n| Variant { name: self::name("New", n), fields: &[], was: &[] }));
            (vec![], Schema::Enum { name, variants: leak_all(today) })
        }
    };
    let past = Past { was: was.leak(), dropped: past.0.leak(), defaults: past.1.leak(), ..*Past::NONE };
    if past == *Past::NONE { of } else { Schema::Evolved(leak(of), leak(past)) }
}

/// Bytes of a plain value.
fn plain(schema: &Schema, random: &mut Random, out: &mut Vec<u8>) {
    match schema {
        Schema::Bool => out.push(random.below(2) as u8),
        Schema::Char => ['a', 'é', '\u{10ffff}'][random.below(3)].encode(out),
        Schema::Str | Schema::Path => ["", "x", "größer"][random.below(3)].to_owned().encode(out),
        Schema::Bytes | Schema::Foreign { .. } => vec![7u8; random.below(200)].encode(out),
        Schema::Duration => std::time::Duration::new(random.next(), 999).encode(out),
        fixed => out.extend((0..fixed.least_bytes()).map(|_| random.next() as u8)),
    }
}

fn widened(old: &Schema, today: &Schema, random: &mut Random, to: &mut (Vec<u8>, Vec<u8>)) {
    let start = to.0.len();
    plain(old, random, &mut to.0);
    let bytes = &to.0[start..];
    if let (Schema::F32, Schema::F64) = (old, today) {
        f64::from(f32::from_le_bytes(bytes.try_into().unwrap())).encode(&mut to.1);
        return;
    }
    let negative = matches!(old, Schema::I8 | Schema::I32 | Schema::I64) && *bytes.last().unwrap() >= 0x80;
    to.1.extend_from_slice(bytes);
    let more = today.least_bytes() - bytes.len();
    to.1.extend(std::iter::repeat_n(if negative { 0xff } else { 0 }, more));
}

/// Writes one value in both forms.
fn value(change: &Change, random: &mut Random, to: &mut (Vec<u8>, Vec<u8>)) {
    match change {
        Change::Same(schema) => {
            let start = to.0.len();
            plain(schema, random, &mut to.0);
            to.1.extend_from_slice(&to.0[start..]);
        }
        Change::Widened(old, new) => widened(old, new, random, to),
        Change::Broken(..) => unreachable!("values are made of what can be read"),
        Change::Migrated(of) => {
            to.1.push(0xab);
            value(of, random, to);
        }
        Change::Option(of) => {
            let some = random.below(2) as u8;
            to.0.push(some);
            to.1.push(some);
            if some == 1 {
                value(of, random, to);
            }
        }
        Change::List(of) => {
            let count = many(random, to);
            (0..count).for_each(|_| value(of, random, to));
            ends(count, old(of).least_bytes(), new(of).least_bytes(), to);
        }
        Change::Map(key, of) => {
            let count = many(random, to);
            for _ in 0..count {
                value(key, random, to);
                value(of, random, to);
            }
            let least = |key: Schema, of: Schema| key.least_bytes() + of.least_bytes();
            ends(count, least(old(key), old(of)), least(new(key), new(of)), to);
        }
        Change::Array(of, n) => (0..*n).for_each(|_| value(of, random, to)),
        Change::Tuple(parts) => parts.iter().for_each(|part| value(part, random, to)),
        Change::Struct { fields, .. } => both_fields(fields, random, to),
        Change::Enum { variants, order, added, .. } => {
            let stored = random.below(variants.len());
            let today = order.iter().position(|i| *i == stored).unwrap();
            to.0.push(stored as u8);
            if variants.len() + added > 256 {
                to.1.extend_from_slice(&(today as u16).to_le_bytes());
            } else {
                to.1.push(today as u8);
            }
            both_fields(&variants[stored].fields, random, to);
        }
    }
}

fn many(random: &mut Random, to: &mut (Vec<u8>, Vec<u8>)) -> usize {
    let count = random.below(4);
    put_length(&mut to.0, count);
    put_length(&mut to.1, count);
    count
}

fn ends(count: usize, least: usize, least_today: usize, to: &mut (Vec<u8>, Vec<u8>)) {
    to.0.extend(std::iter::repeat_n(0, if least == 0 { count } else { 0 }));
    to.1.extend(std::iter::repeat_n(0, if least_today == 0 { count } else { 0 }));
}

fn both_fields(fields: &Fields, random: &mut Random, to: &mut (Vec<u8>, Vec<u8>)) {
    let mut made: Vec<Vec<u8>> = Vec::new();
    for field in &fields.all {
        let mut both = (Vec::new(), Vec::new());
        match field {
            ChangedField::Kept { change, .. } => value(change, random, &mut both),
            ChangedField::Dropped { change, .. } => {
                value(change, random, &mut both);
                both.1.clear();
            }
            ChangedField::Added { number: true, .. } => number(&mut both.1),
            ChangedField::Added { .. } => text(&mut both.1),
        }
        to.0.extend_from_slice(&both.0);
        made.push(both.1);
    }
    fields.order.iter().for_each(|i| to.1.extend_from_slice(&made[*i]));
}

/// What `cargo check` says.
fn checked(old: &OwnedSchema, new: &'static Schema) -> Verdict {
    can_restore(&LockedSchema::of(&old.nodes()), new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn old_bytes_are_read_as_new_values(seed: u64) {
        let mut random = Random(seed);
        let change = change(&mut random, 4, false);
        let (before, today) = (OwnedSchema::from(&old(&change)), leak(new(&change)));
        let verdict = checked(&before, today);
        prop_assert!(verdict.refusal().is_none(), "{:?}\n{before}\n{today}", verdict.refusal());
        let migration = Migration::between(&before, today).unwrap();
        prop_assert_eq!(migration.is_identity(), matches!(verdict, Verdict::Same), "{}\n{}", before, today);
        for _ in 0..4 {
            let mut both = (Vec::new(), Vec::new());
            value(&change, &mut random, &mut both);
            if migration.is_identity() {
                prop_assert_eq!(both.0, both.1);
                continue;
            }
            // What stands behind a value is not touched.
            let end = both.0.len();
            both.0.extend_from_slice(b"more");
            let (mut from, mut to) = (Reader::new(&both.0), Vec::new());
            migration.convert(&mut from, &mut to).unwrap();
            prop_assert_eq!(from.at(), end);
            prop_assert_eq!(to, both.1, "{}\n{}", before, today);
            // Damaged bytes are read as something or refused.
            for cut in 0..end {
                let mut to = Vec::new();
                prop_assert!(migration.convert(&mut Reader::new(&both.0[..cut]), &mut to).is_err());
                let mut flipped = both.0[..end].to_vec();
                flipped[cut] ^= 1 << random.below(8);
                let _ = migration.convert(&mut Reader::new(&flipped), &mut to);
            }
        }
    }

    #[test]
    fn check_and_plan_agree_on_what_cannot_be_read(seed: u64) {
        let mut random = Random(seed);
        let (a, b) = (change(&mut random, 3, true), change(&mut random, 2, true));
        for (before, today) in [(&a, &a), (&a, &b), (&b, &a)] {
            let (before, today) = (OwnedSchema::from(&old(before)), leak(new(today)));
            let verdict = checked(&before, today);
            let migration = Migration::between(&before, today);
            prop_assert_eq!(verdict.refusal().is_none(), migration.is_ok(), "{:?}\n{}\n{}", verdict.refusal(), before, today);
            if let Err(fault) = migration {
                prop_assert!(fault.help.is_some() && !fault.what.contains("its parts differ"), "{fault}");
            }
        }
    }

    #[test]
    fn keys_keep_their_hash_or_are_refused(seed: u64) {
        let mut random = Random(seed);
        let change = change(&mut random, 3, true);
        let (before, today) = (OwnedSchema::from(&old(&change)), leak(new(&change)));
        if Migration::between_keys(&before, today).is_ok() {
            prop_assert!(Migration::between(&before, today).is_ok());
            prop_assert!(leaves_hashes(&change), "{before}\n{today}");
        }
    }
}

/// Whether values hash as before: fields are the same ones in their order, variants have their names.
fn leaves_hashes(change: &Change) -> bool {
    let fields = |fields: &Fields| {
        fields.order.iter().enumerate().all(|(i, at)| i == *at)
            && fields
                .all
                .iter()
                .all(|field| matches!(field, ChangedField::Kept { change, .. } if leaves_hashes(change)))
    };
    match change {
        Change::Broken(..) | Change::Migrated(_) => false,
        Change::Same(_) | Change::Widened(..) => true,
        Change::Option(of) | Change::List(of) | Change::Array(of, _) => leaves_hashes(of),
        Change::Map(key, value) => leaves_hashes(key) && leaves_hashes(value),
        Change::Tuple(parts) => parts.iter().all(leaves_hashes),
        Change::Struct { fields: of, .. } => fields(of),
        Change::Enum { variants, .. } => variants.iter().all(|v| v.was == v.name && fields(&v.fields)),
    }
}
