//! Covering a part of stored output: which bytes, and what stands in their place.
//!
//! Output that was covered has its length, its lines and everything else as before; what was covered cannot be had back.

use serde::{Deserialize, Serialize};

/// More places than this in one redaction are not looked at by anybody.
pub const RANGES_LIMIT: usize = 1_000;

/// What stands in the place of a byte that is covered.
pub const MASK: u8 = b'*';

/// Bytes of an output, from one up to and without another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// The first byte, from 0.
    pub from: u64,
    /// The byte after the last one.
    pub to: u64,
}

impl ByteRange {
    /// How many bytes it has.
    pub const fn bytes(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// How many bytes some places have together.
pub fn covered_bytes(ranges: &[ByteRange]) -> u64 {
    ranges.iter().fold(0, |sum, range| sum.saturating_add(range.bytes()))
}

/// The places of several redactions as one list, in their order and apart from each other: covering them is covering each.
pub fn together(places: impl IntoIterator<Item = ByteRange>) -> Vec<ByteRange> {
    let mut all: Vec<ByteRange> = places.into_iter().collect();
    all.sort_by_key(|range| range.from);
    let mut joined: Vec<ByteRange> = Vec::with_capacity(all.len());
    for range in all {
        match joined.last_mut() {
            Some(last) if last.to >= range.from => last.to = last.to.max(range.to),
            _ => joined.push(range),
        }
    }
    joined
}

/// Whether places can be covered in an output of `length` bytes: sorted, apart from each other, none empty, at least one and at
/// most [`RANGES_LIMIT`], all inside.
///
/// # Errors
///
/// What is wrong, as the begin of a sentence.
pub fn fit(ranges: &[ByteRange], length: u64) -> Result<(), &'static str> {
    let apart = ranges.windows(2).all(|pair| pair[0].to <= pair[1].from);
    match ranges.last() {
        None => Err("There is nothing to cover"),
        _ if ranges.len() > RANGES_LIMIT => Err("These are more than 1,000 places"),
        _ if ranges.iter().any(|range| range.from >= range.to) => Err("A place to cover has no bytes"),
        _ if !apart => Err("The places to cover are not in their order, or overlap"),
        Some(last) if last.to > length => Err("The output does not have these bytes"),
        Some(_) => Ok(()),
    }
}

/// Covers what lies in a piece of output that begins at byte `at`. Line feeds stay, so that every line keeps its number. Done
/// twice it is done once.
pub fn cover(piece: &mut [u8], at: u64, ranges: &[ByteRange]) {
    let end = at + piece.len() as u64;
    let first = ranges.partition_point(|range| range.to <= at);
    for range in ranges[first..].iter().take_while(|range| range.from < end) {
        let within = |byte: u64| usize::try_from(byte.clamp(at, end) - at).unwrap_or(piece.len());
        let from = within(range.from);
        let to = within(range.to).max(from);
        piece[from..to].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = MASK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pairs: &[(u64, u64)]) -> Vec<ByteRange> {
        pairs.iter().map(|(from, to)| ByteRange { from: *from, to: *to }).collect()
    }

    #[test]
    fn only_places_in_order_inside_and_not_empty_can_be_covered() {
        let many: Vec<(u64, u64)> = (0..1_001).map(|place| (place, place + 1)).collect();

        assert_eq!(fit(&ranges(&[(0, 2), (2, 5)]), 5), Ok(()));
        assert_eq!(fit(&ranges(&many[..1_000]), 2_000), Ok(()));
        for (bad, length) in [
            (ranges(&[]), 5),
            (ranges(&[(3, 3)]), 5),
            (ranges(&[(4, 3)]), 5),
            (ranges(&[(0, 3), (2, 5)]), 5),
            (ranges(&[(3, 4), (0, 1)]), 5),
            (ranges(&[(0, 6)]), 5),
            (ranges(&many), 2_000),
        ] {
            assert!(fit(&bad, length).is_err(), "{bad:?}");
        }
        assert_eq!(covered_bytes(&ranges(&[(0, 2), (4, 5)])), 3);
    }

    #[test]
    fn places_of_several_redactions_are_covered_as_one_list() {
        let several = ranges(&[(14, 15), (4, 10), (2, 5), (10, 11), (17, 18), (17, 18)]);

        let joined = together(several.clone());

        assert_eq!(joined, ranges(&[(2, 11), (14, 15), (17, 18)]));
        let (mut at_once, mut one_by_one) = (*b"one two\nthree\nfour", *b"one two\nthree\nfour");
        cover(&mut at_once, 0, &joined);
        for range in &several {
            cover(&mut one_by_one, 0, &[*range]);
        }
        assert_eq!(at_once, one_by_one);
        assert!(together(Vec::new()).is_empty());
    }

    #[test]
    fn what_is_covered_is_the_same_in_whatever_pieces_and_keeps_its_lines() {
        let (text, places) = (b"one two\nthree\nfour", ranges(&[(4, 10), (14, 15), (17, 18)]));
        let mut whole = *text;
        cover(&mut whole, 0, &places);

        assert_eq!(&whole, b"one ***\n**ree\n*ou*");
        for size in 1..text.len() {
            let mut pieces = *text;
            for (number, piece) in pieces.chunks_mut(size).enumerate() {
                cover(piece, (number * size) as u64, &places);
                cover(piece, (number * size) as u64, &places);
            }
            assert_eq!(pieces, whole, "{size}");
        }
    }
}
