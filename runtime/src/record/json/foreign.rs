//! What is in a `Serde<T>`: MessagePack, which says of itself what it holds.

use super::hex::{from_hex, to_hex};
use crate::codec::MAX_DEPTH;
use crate::json::Json;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Members of objects that stand for what JSON does not have.
const MAP: &str = "$map";
const FLOAT: &str = "$float";

/// MessagePack as JSON; the error is a sentence without a full stop.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Json, String> {
    let mut rest = bytes;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(MAX_DEPTH as usize);
    let Shown(json) =
        Shown::deserialize(&mut reader).map_err(|e| format!("a foreign value that cannot be shown: {e}"))?;
    if rest.is_empty() { Ok(json) } else { Err(format!("{} bytes behind a foreign value", rest.len())) }
}

/// JSON as MessagePack; the error is a sentence without a full stop.
pub(super) fn packed(json: &Json) -> Result<Vec<u8>, String> {
    rmp_serde::to_vec(&Given(json)).map_err(|e| e.to_string())
}

struct Shown(Json);

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any).map(Shown)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        from.deserialize_any(Any)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::number(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::number(value))
    }
    fn visit_f32<E>(self, value: f32) -> Result<Json, E> {
        Ok(float(value.is_finite(), value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(float(value.is_finite(), value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::text(value))
    }
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Json, E> {
        Ok(to_hex(value))
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Json, D::Error> {
        Err(D::Error::custom("it has an extension type of MessagePack"))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(Shown(value)) = from.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Shown(key), Shown(value))) = from.next_entry()? {
            pairs.push((key, value));
        }
        let mut names = std::collections::HashSet::new();
        let plain = |key: &Json| matches!(key, Json::Text(name) if !name.starts_with('$'));
        if pairs.iter().all(|(key, _)| plain(key) && names.insert(key.to_string())) {
            let member = |(key, value)| (if let Json::Text(key) = key { key } else { String::new() }, value);
            return Ok(Json::Object(pairs.into_iter().map(member).collect()));
        }
        let pairs = pairs.into_iter().map(|(key, value)| Json::List(vec![key, value])).collect();
        Ok(Json::Object(vec![(MAP.to_owned(), Json::List(pairs))]))
    }
}

fn float(finite: bool, float: impl fmt::Debug) -> Json {
    let text = format!("{float:?}");
    if finite { Json::Number(text) } else { Json::Object(vec![(FLOAT.to_owned(), Json::Text(text))]) }
}

struct Given<'a>(&'a Json);

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let wrong = |what: String| <S::Error as serde::ser::Error>::custom(what);
        match self.0 {
            Json::Null => to.serialize_unit(),
            Json::Bool(value) => to.serialize_bool(*value),
            Json::Text(text) => to.serialize_str(text),
            Json::Number(text) => {
                if text.contains(['.', 'e', 'E']) {
                    let number: f64 = text.parse().map_err(|_| wrong(format!("`{text}` is no number")))?;
                    return to.serialize_f64(number);
                }
                match (text.parse::<u64>(), text.parse::<i64>()) {
                    (Ok(number), _) => to.serialize_u64(number),
                    (_, Ok(number)) => to.serialize_i64(number),
                    _ => Err(wrong(format!("`{text}` has more than 64 bits"))),
                }
            }
            Json::List(values) => {
                let mut list = to.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(&Given(value)))?;
                list.end()
            }
            Json::Object(members) => {
                if let Some(bytes) = from_hex(self.0) {
                    return to.serialize_bytes(&bytes);
                }
                if let [(name, value)] = &members[..] {
                    match value {
                        Json::Text(text) if name == FLOAT => {
                            let number: f64 = text.parse().map_err(|_| wrong(format!("`{text}` is no float")))?;
                            return to.serialize_f64(number);
                        }
                        Json::List(pairs) if name == MAP => return pairs_of(pairs, to),
                        _ => {}
                    }
                }
                let mut map = to.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, &Given(value)))?;
                map.end()
            }
        }
    }
}

fn pairs_of<S: Serializer>(pairs: &[Json], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(pairs.len()))?;
    for pair in pairs {
        let Json::List(parts) = pair else {
            return Err(<S::Error as serde::ser::Error>::custom("`$map` is a list of [key, value]"));
        };
        let [key, value] = &parts[..] else {
            return Err(<S::Error as serde::ser::Error>::custom("`$map` is a list of [key, value]"));
        };
        map.serialize_entry(&Given(key), &Given(value))?;
    }
    map.end()
}
