//! What a validation's queries read, and about what that costs.

use crate::ask::Ran;
use serde::Serialize;

/// Dollars for each terabyte that Athena reads (list price of most regions, 2026).
const USD_PER_TERABYTE: f64 = 5.0;

/// The least that Athena bills a query for (Athena pricing page).
const LEAST_BILLED_BYTES: u64 = 10_000_000;

/// The most queries that are listed one by one.
const MOST_LISTED: usize = 50;

/// What a validation read, and about what that costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Queries.
    pub queries: usize,
    /// Bytes that they read.
    pub bytes_scanned: u64,
    /// Dollars by the list price.
    pub estimated_usd: f64,
    /// The queries one by one, up to fifty.
    pub by_query: Vec<CostOfQuery>,
}

/// What a query read, and about what that costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostOfQuery {
    /// The dataset.
    pub dataset: String,
    /// Athena's id of the query.
    pub query_id: String,
    /// Bytes that it read.
    pub bytes_scanned: u64,
    /// Dollars by the list price.
    pub estimated_usd: f64,
    /// Whether it gave an answer.
    pub answered: bool,
}

impl Cost {
    /// The cost of queries.
    pub fn of(queries: &[Ran]) -> Self {
        let listed = queries.iter().take(MOST_LISTED).map(|query| CostOfQuery {
            dataset: query.dataset.clone(),
            query_id: query.query_id.clone(),
            bytes_scanned: query.bytes_scanned,
            estimated_usd: usd(query.bytes_scanned),
            answered: query.answered,
        });
        Self {
            queries: queries.len(),
            bytes_scanned: queries.iter().map(|query| query.bytes_scanned).sum(),
            estimated_usd: queries.iter().map(|query| usd(query.bytes_scanned)).sum(),
            by_query: listed.collect(),
        }
    }
}

fn usd(bytes: u64) -> f64 {
    bytes.max(LEAST_BILLED_BYTES) as f64 / 1e12 * USD_PER_TERABYTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_billed_for_ten_megabytes_at_least() {
        let queries = [1, 2_000_000_000_000].map(|bytes_scanned| Ran {
            dataset: "t".to_owned(),
            query_id: "q".to_owned(),
            bytes_scanned,
            answered: true,
        });
        let cost = Cost::of(&queries);
        assert_eq!(cost.queries, 2);
        assert_eq!(cost.bytes_scanned, 2_000_000_000_001);
        assert!(
            (cost.estimated_usd - 10.000_05).abs() < 1e-9,
            "{}",
            cost.estimated_usd
        );
        assert!((cost.by_query[0].estimated_usd - 0.000_05).abs() < 1e-9);
    }
}
