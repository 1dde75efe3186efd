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

/// A byte of a table is not what was written: that is an error, or nobody sees a difference. (A catalog is believed only with its digest.)
#[test]
fn no_damage_gives_other_values() {
    let folder = Folder::new("database-damage");
    let at = <u64 as Key>::hash;
    let below = folder.below::<RocksDb>("0", 0);
    let mut state = KeyedState::<u64, u64, RocksDb>::new(KeyRange::ALL, below, Which::FIRST);
    (0..200).for_each(|key| *state.value(at(key), key, || 0) = key * 7);
    save(&mut [&mut state], 0, |_| ());
    let listing = state.on_disk().unwrap().change(1).listing().unwrap();
    let (mut told, mut silent) = (0, 0);
    let names = listing.files.iter().skip(1).map(|file| file.path.file_name().unwrap().to_owned());
    for name in names {
        for step in 0.. {
            let again = folder.below::<RocksDb>(&format!("again-{}-{step}", name.to_string_lossy()), 1);
            let files = again.on_disk().unwrap();
            let parts = stored(&listing, files.folder(), ALL);
            let path = files.folder().join("r0").join(&name);
            let mut bytes = std::fs::read(&path).unwrap();
            let place = step * 41;
            if place >= bytes.len() {
                break;
            }
            bytes[place] ^= 1 << (step % 8);
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let fault = match files.restore(&parts) {
                Err(fault) => Some(fault),
                Ok(_) => {
                    let mut state = KeyedState::<u64, u64, RocksDb>::new(KeyRange::ALL, again, Which::FIRST);
                    state.restored();
                    let wrong = (0..200).find(|key| *state.value(at(*key), *key, || 1) != key * 7);
                    let fault = state.take_fault();
                    assert!(fault.is_some() || wrong.is_none(), "{name:?} at {place}: {wrong:?}");
                    fault
                }
            };
            match fault {
                Some(fault) => {
                    assert!(fault.to_string().contains("r0"), "{fault}");
                    told += 1;
                }
                None => silent += 1,
            }
        }
    }
    assert!(told > 20, "{told} of {} told", told + silent);
}
