//! What a validation's queries read, and about what that costs.

use serde::Serialize;

/// Dollars for each terabyte that Athena reads (list price of most regions, 2026).
const USD_PER_TERABYTE: f64 = 5.0;

/// The least that Athena bills a query for (Athena pricing page).
const LEAST_BILLED_BYTES: u64 = 10_000_000;

/// What a validation read, and about what that costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Queries.
    pub queries: usize,
    /// Bytes that they read.
    pub bytes_scanned: u64,
    /// Dollars by the list price.
    pub estimated_usd: f64,
}

impl Cost {
    /// The cost of queries that read so many bytes each.
    pub fn of(bytes_scanned: &[u64]) -> Self {
        let billed: u64 = bytes_scanned
            .iter()
            .map(|bytes| (*bytes).max(LEAST_BILLED_BYTES))
            .sum();
        Self {
            queries: bytes_scanned.len(),
            bytes_scanned: bytes_scanned.iter().sum(),
            estimated_usd: billed as f64 / 1e12 * USD_PER_TERABYTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_billed_for_ten_megabytes_at_least() {
        let cost = Cost::of(&[1, 2_000_000_000_000]);
        assert_eq!(cost.queries, 2);
        assert_eq!(cost.bytes_scanned, 2_000_000_000_001);
        assert!(
            (cost.estimated_usd - 10.000_05).abs() < 1e-9,
            "{}",
            cost.estimated_usd
        );
    }
}
