//! Methods that states, outputs and the context do not have, under names that other libraries give to those that they have. They are private, so
//! that nobody can call them and a trait of the user's may have methods of these names: rustc says that one is private, and shows its line
//! here, which says what to write.

use super::{Aggregating, Cx, List, Map, Output, Reducing, Value};
use crate::aggregate::Aggregator;
use crate::key::Key;

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<T, A> Value<'_, T, A> {
    fn put(&self) {} // a `Value` has no `put`: write `set(value)`
    fn insert(&self) {} // a `Value` has no `insert`: write `set(value)`
    fn store(&self) {} // a `Value` has no `store`: write `set(value)`
    fn write(&self) {} // a `Value` has no `write`: write `set(value)`
    fn replace(&self) {} // a `Value` has no `replace`: write `take()`, then `set(value)`
    fn add(&self) {} // a `Value` has no `add`: write `update(|value| value + 1)`
    fn modify(&self) {} // a `Value` has no `modify`: write `update(|value| ..)`
    fn get_or_default(&self) {} // a `Value` has no `get_or_default`: write `get().copied().unwrap_or_default()`
    fn value(&self) {} // a `Value` has no `value`: write `get()`, which gives an `Option`
    fn remove(&self) {} // a `Value` has no `remove`: write `clear()`, or `take()` to have what was there
    fn delete(&self) {} // a `Value` has no `delete`: write `clear()`
    fn reset(&self) {} // a `Value` has no `reset`: write `clear()`
    fn is_some(&self) {} // a `Value` has no `is_some`: write `get().is_some()`
    fn is_none(&self) {} // a `Value` has no `is_none`: write `get().is_none()`
    fn is_empty(&self) {} // a `Value` has no `is_empty`: write `get().is_none()`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<T, A> List<'_, T, A> {
    fn add(&self) {} // a `List` has no `add`: write `push(value)`
    fn append(&self) {} // a `List` has no `append`: write `push(value)`
    fn insert(&self) {} // a `List` has no `insert`: write `push(value)`
    fn push_back(&self) {} // a `List` has no `push_back`: write `push(value)`
    fn put(&self) {} // a `List` has no `put`: write `push(value)`
    fn extend(&self) {} // a `List` has no `extend`: write `push(value)` for each
    fn remove(&self) {} // a `List` has no `remove`: write `retain(|value| ..)`, or `pop_front()` for the first
    fn pop(&self) {} // a `List` has no `pop`: write `pop_front()` for the first
    fn delete(&self) {} // a `List` has no `delete`: write `retain(|value| ..)`, or `clear()` for all
    fn back(&self) {} // a `List` has no `back`: write `last()`
    fn front(&self) {} // a `List` has no `front`: write `first()`
    fn size(&self) {} // a `List` has no `size`: write `len()`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<K, V, A> Map<'_, K, V, A> {
    fn put(&self) {} // a `Map` has no `put`: write `insert(key, value)`
    fn set(&self) {} // a `Map` has no `set`: write `insert(key, value)`
    fn add(&self) {} // a `Map` has no `add`: write `insert(key, value)`, or `update(&key, |value| value + 1)`
    fn entry(&self) {} // a `Map` has no `entry`: write `update(&key, |value| ..)`, which begins with the default
    fn contains_key(&self) {} // a `Map` has no `contains_key`: write `contains(&key)`
    fn has(&self) {} // a `Map` has no `has`: write `contains(&key)`
    fn delete(&self) {} // a `Map` has no `delete`: write `remove(&key)`
    fn size(&self) {} // a `Map` has no `size`: write `len()`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<T, A, F> Reducing<'_, T, A, F> {
    fn push(&self) {} // a `Reducing` has no `push`: write `add(value)`
    fn put(&self) {} // a `Reducing` has no `put`: write `add(value)`
    fn insert(&self) {} // a `Reducing` has no `insert`: write `add(value)`
    fn set(&self) {} // a `Reducing` has no `set`: write `add(value)`, behind `clear()` to begin anew
    fn update(&self) {} // a `Reducing` has no `update`: write `add(value)`
    fn value(&self) {} // a `Reducing` has no `value`: write `get()`
    fn reset(&self) {} // a `Reducing` has no `reset`: write `clear()`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<T, A, G: Aggregator<T>> Aggregating<'_, T, A, G> {
    fn push(&self) {} // an `Aggregating` has no `push`: write `add(&row)`
    fn put(&self) {} // an `Aggregating` has no `put`: write `add(&row)`
    fn insert(&self) {} // an `Aggregating` has no `insert`: write `add(&row)`
    fn set(&self) {} // an `Aggregating` has no `set`: write `add(&row)`, behind `clear()` to begin anew
    fn update(&self) {} // an `Aggregating` has no `update`: write `add(&row)`
    fn value(&self) {} // an `Aggregating` has no `value`: write `get()`
    fn result(&self) {} // an `Aggregating` has no `result`: write `get()`
    fn reset(&self) {} // an `Aggregating` has no `reset`: write `clear()`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<R> Output<'_, R> {
    fn send(&self) {} // an output has no `send`: write `emit(row)`
    fn push(&self) {} // an output has no `push`: write `emit(row)`
    fn collect(&self) {} // an output has no `collect`: write `emit(row)`
    fn output(&self) {} // an output has no `output`: write `emit(row)`
}

#[expect(dead_code, reason = "for rustc to show")]
#[rustfmt::skip]
impl<K: Key, O, T> Cx<'_, K, O, T> {
    fn send(&self) {} // the context has no `send`: write `emit(row)`
    fn push(&self) {} // the context has no `push`: write `emit(row)`
    fn collect(&self) {} // the context has no `collect`: write `emit(row)`
    fn output(&self) {} // the context has no `output`: write `emit(row)`
    fn side_output(&self) {} // the context has no `side_output`: declare `output name: Row;`
    fn timestamp(&self) {} // the context has no `timestamp`: write `time()`
    fn event_time(&self) {} // the context has no `event_time`: write `time()`
    fn processing_time(&self) {} // the context has no `processing_time`: write `now()`
    fn current_key(&self) {} // the context has no `current_key`: write `key()`
    fn timer(&self) {} // the context has no `timer`: declare `timer name: event_time;`
    fn set_timer(&self) {} // the context has no `set_timer`: write `set(name, at)`
    fn register_timer(&self) {} // the context has no `register_timer`: write `set(name, at)`
    fn schedule(&self) {} // the context has no `schedule`: write `set(name, at)`
    fn delete_timer(&self) {} // the context has no `delete_timer`: write `cancel(name)`
    fn clear_timer(&self) {} // the context has no `clear_timer`: write `cancel(name)`
    fn unset(&self) {} // the context has no `unset`: write `cancel(name)`
}
