//! Which pairs of bytes a text has: what lacks a pair of a sign lacks the sign.

/// How many bits of each byte of a pair tell it apart.
const BITS: usize = 6;

/// The pairs of bytes that a text has, those that look alike in their lowest bits as one.
pub(super) struct Pairs([u64; 1 << BITS]);

impl Pairs {
    /// The pairs of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut pairs = Self([0; 1 << BITS]);
        for (word, bit) in places(text) {
            if let Some(word) = pairs.0.get_mut(word) {
                *word |= bit;
            }
        }
        pairs
    }

    /// Whether the text may hold a sign; where this says no, it does not.
    pub(super) fn may_hold(&self, sign: &str) -> bool {
        places(sign).all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }
}

/// Where each pair of a text is kept: the word, and the bit in it.
fn places(text: &str) -> impl Iterator<Item = (usize, u64)> {
    const MASK: usize = (1 << BITS) - 1;
    let bytes = text.bytes().map(usize::from);
    bytes
        .clone()
        .zip(bytes.skip(1))
        .map(|(first, second)| (first & MASK, 1 << (second & MASK)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds_it_may_hold_and_what_lacks_a_pair_it_does_not() {
        let pairs = Pairs::of("the secret's name");
        for sign in ["secret", "t's n", "e", ""] {
            assert!(pairs.may_hold(sign), "{sign}");
        }
        for sign in ["token", "secrets", "ee"] {
            assert!(!pairs.may_hold(sign), "{sign}");
        }
    }
}
