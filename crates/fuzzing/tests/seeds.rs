//! The committed seeds, their beginnings, and what chance makes of them.

use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// So many changed copies of each seed are tried.
const COPIES: u64 = 60;

fn seeds(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let there = std::fs::read_dir(folder).expect("each of them has seeds");
    let mut seeds: Vec<PathBuf> = there.map(|entry| entry.expect("a folder can be read").path()).collect();
    seeds.sort();
    seeds
}

/// A copy in which some bytes are others, gone, or there twice.
fn changed(seed: &[u8], chance: &mut StdRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..chance.random_range(1..8) {
        if bytes.is_empty() {
            break;
        }
        let place = chance.random_range(0..bytes.len());
        match chance.random_range(0..3) {
            0 => bytes[place] = chance.random(),
            1 => drop(bytes.remove(place)),
            _ => bytes.insert(place, bytes[place]),
        }
    }
    bytes
}

#[test]
fn what_must_hold_for_any_bytes_holds_for_the_seeds_and_what_is_like_them() {
    for (name, holds) in fuzzing::ALL {
        let seeds = seeds(name);
        assert!(seeds.len() > 2, "{name} has seeds");
        for (number, path) in seeds.iter().enumerate() {
            let seed = std::fs::read(path).unwrap();
            holds(&seed);
            for cut in 0..16 {
                holds(&seed[..seed.len() * cut / 16]);
            }
            let mut chance = StdRng::seed_from_u64(u64::try_from(number).unwrap());
            for _ in 0..COPIES {
                holds(&changed(&seed, &mut chance));
            }
        }
    }
}
