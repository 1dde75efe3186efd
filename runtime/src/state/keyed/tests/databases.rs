//! What only a build with RocksDB can check.

use super::*;
use crate::state::RocksDb;

#[test]
fn a_database_says_what_a_map_says() {
    says_what_a_map_says::<RocksDb>("database");
}

#[test]
fn tables_are_told_apart_over_a_database() {
    tables_are_told_apart::<RocksDb>("database-panes");
}

const HALF: u64 = 1 << 63;

/// Restarts at other widths again and again, while keys change and go: what former workers knew is read from their databases until it was
/// brought over, and no older word comes back.
#[test]
fn widths_come_and_go() {
    let folder = Folder::new("widths");
    let at = <u64 as Key>::hash;
    let which = Which { state: 1, namespace: 5 };
    let widths: [&[RangeInclusive<u64>]; 6] =
        [&[ALL], &[0..=HALF - 1, HALF..=u64::MAX], &[ALL], &[0..=77 << 56, (77 << 56) + 1..=u64::MAX], &[ALL], &[ALL]];
    let mut map: BTreeMap<u64, u64> = BTreeMap::new();
    let mut listings: Vec<Listing> = Vec::new();
    for (generation, ranges) in widths.iter().enumerate() {
        let mut states = Vec::new();
        for (worker, hashes) in ranges.iter().enumerate() {
            let below = folder.of::<RocksDb>(&format!("{generation}-{worker}"), generation as u64 * 10, hashes.clone());
            let files = below.on_disk().unwrap();
            let parts = listings
                .iter()
                .enumerate()
                .flat_map(|(n, listing)| stored(listing, &files.folder().join(format!("from-{n}")), hashes.clone()));
            assert!(files.restore(&parts.collect::<Vec<_>>()).unwrap());
            let mut state = KeyedState::<u64, u64, RocksDb>::new(KeyRange::ALL, below, which);
            state.restored();
            states.push(state);
        }
        let of = |key: u64| ranges.iter().position(|range| range.contains(&at(key))).unwrap();
        listings.clear();
        for epoch in 0..2u64 {
            for n in 0..3_000 {
                let key = mix(n ^ (generation as u64) << 40 ^ epoch << 50) % 5_000;
                let state = &mut states[of(key)];
                if n % 3 == 0 {
                    let place = state.seek(at(key), key);
                    assert_eq!(place.map(|place| *state.pair(place).1), map.remove(&key), "{key} in {generation}");
                    place.into_iter().for_each(|place| state.remove(place));
                } else {
                    let value = state.value(at(key), key, || 0);
                    *value += n;
                    let expected = map.entry(key).or_default();
                    *expected += n;
                    assert_eq!(value, expected, "{key} in {generation}");
                }
            }
            for state in &mut states {
                save(&mut [state], generation as u64 * 10 + epoch, |_| ());
                while state.relieve(true) {}
            }
            // Two checkpoints: the first one lists former databases before all of them have been brought over.
            let lists = states.iter().map(|state| state.on_disk().unwrap().change(epoch).listing().unwrap());
            let lists: Vec<Listing> = lists.collect();
            if epoch == 0 {
                let mut found = BTreeMap::new();
                for state in &mut states {
                    let mut tour = Tour::default();
                    while state.tour(&mut tour, |key, value| {
                        assert_eq!(found.insert(*key, *value), None);
                        false
                    }) {}
                    assert!(state.take_fault().is_none());
                }
                assert_eq!(found, map, "generation {generation}");
            }
            listings = lists;
        }
        assert_eq!(listings.len(), ranges.len());
    }
    assert!(map.len() > 1_000, "{}", map.len());
    let folder = folder.0.join("read");
    let parts: Vec<_> = listings.iter().flat_map(|listing| stored(listing, &folder, ALL)).collect();
    let mut found = BTreeMap::new();
    crate::state::files::each_entry(&parts, ALL, |entry| {
        assert_eq!((entry.state, entry.namespace), (1, 5));
        let value = record::whole(entry.value.unwrap()).unwrap();
        assert_eq!(found.insert(record::whole::<u64>(entry.key).unwrap(), value), None);
        Ok(())
    })
    .unwrap();
    assert_eq!(found, map);
}
