//! One pass over a text that finds the patterns that may match it.
//!
//! Each literal is filed under its least common four bytes. A window of four bytes moves over the folded text; where
//! its bytes are filed, the whole literal is compared. The table is static: nothing is built when the function starts.

use super::table::{BITS, GRAMS, LITERALS, NEEDED_BY, STARTS};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most places that are remembered of one pattern.
const MOST_PLACES: usize = 32;

/// A text in lower case, each run of white space as one space.
struct Folded {
    bytes: Vec<u8>,
    /// Where each byte stood.
    origin: Vec<u32>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded = Self {
            bytes: Vec::with_capacity(text.len()),
            origin: Vec::with_capacity(text.len()),
        };
        let mut after_space = false;
        for (at, byte) in (0u32..).zip(text.bytes()) {
            let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
            if !(is_space && after_space) {
                folded.bytes.push(if is_space {
                    b' '
                } else {
                    byte.to_ascii_lowercase()
                });
                folded.origin.push(at);
            }
            after_space = is_space;
        }
        folded
    }

    /// Where in the text a literal stands that begins at a place of the folded one.
    fn place(&self, from: usize, len: usize) -> Option<Range<usize>> {
        let start = *self.origin.get(from)? as usize;
        let last = *self.origin.get(from + len.checked_sub(1)?)? as usize;
        Some(start..last + 1)
    }
}

/// The patterns that may match, each with the places of its literals.
pub(crate) type Candidates = BTreeMap<u16, Vec<Range<usize>>>;

/// Finds the patterns that may match a text.
pub(crate) fn candidates(text: &str) -> Candidates {
    let folded = Folded::of(text);
    let mut candidates = Candidates::new();
    let mut gram = 0u32;
    for (end, byte) in folded.bytes.iter().enumerate() {
        gram = gram >> 8 | u32::from(*byte) << 24;
        // The window is full from its fourth byte on.
        let Some(at) = end.checked_sub(3) else {
            continue;
        };
        for (filed, literal) in filed_under(gram) {
            let Some(literal) = (*filed == gram)
                .then(|| LITERALS.get(usize::from(*literal)))
                .flatten()
            else {
                continue;
            };
            let Some(from) = at.checked_sub(usize::from(literal.gram_at)) else {
                continue;
            };
            let wanted = literal.text.as_str().as_bytes();
            if folded.bytes.get(from..from + wanted.len()) != Some(wanted) {
                continue;
            }
            let Some(place) = folded.place(from, wanted.len()) else {
                continue;
            };
            for part in literal.parts.of(&NEEDED_BY) {
                let places = candidates.entry(*part).or_default();
                if places.len() < MOST_PLACES {
                    places.push(place.clone());
                }
            }
        }
    }
    for places in candidates.values_mut() {
        places.sort_unstable_by_key(|place| place.start);
    }
    candidates
}

fn filed_under(gram: u32) -> &'static [(u32, u16)] {
    let slot = (gram.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize;
    match STARTS.get(slot..slot + 2) {
        Some([from, to]) => GRAMS
            .get(usize::from(*from)..usize::from(*to))
            .unwrap_or_default(),
        _ => &[],
    }
}
