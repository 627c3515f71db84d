//! The order in which Glue prints the options of a rule: that of Java's `HashMap` of their names.

use super::tree::Tag;

/// Puts options into that order. Of two in one bucket, the one written first comes first.
pub(crate) fn sort(tags: &mut [Tag]) {
    // A HashMap doubles its 16 buckets when three quarters of them could be taken.
    let mut buckets: u32 = 16;
    while u32::try_from(tags.len()).is_ok_and(|tags| tags > buckets / 4 * 3) {
        buckets = buckets.saturating_mul(2);
    }
    tags.sort_by_key(|tag| {
        let hash = hash(&tag.name);
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

/// `String.hashCode` of Java.
fn hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| {
        hash.wrapping_mul(31).wrapping_add(unit.into())
    })
}
