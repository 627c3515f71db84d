//! Earlier results of a dataset's measures, and what rules compute from them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most runs that are kept: `last(k)` sees no further back.
pub const MOST_RUNS: usize = 100;

/// Runs under which nothing is called an anomaly.
pub const FEWEST_RUNS: usize = 5;

/// How many deviations from the median are usual. With normal values 1 of 370 lies beyond.
const USUAL_DEVIATIONS: f64 = 3.0;

/// A deviation of normal values, for each median absolute deviation of theirs (1 / the 0.75 quantile).
const DEVIATION_BY_MEDIAN: f64 = 1.4826;

/// What is usual at least, by the median: values that hardly ever move would make any move an anomaly.
const USUAL_AT_LEAST: f64 = 0.05;

/// One run's results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The execution.
    pub execution_id: String,
    /// When it was validated.
    pub at: jiff::Timestamp,
    /// What was measured, by the measure's name.
    pub measures: BTreeMap<String, f64>,
}

/// Earlier results of a dataset, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    runs: Vec<Run>,
}

/// Bounds that a measure usually keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
    /// How many runs say so.
    pub runs: usize,
}

impl Past {
    /// Earlier values of a measure, newest first.
    pub fn values(&self, measure: &str) -> Vec<f64> {
        self.runs
            .iter()
            .filter_map(|run| run.measures.get(measure).copied())
            .collect()
    }

    /// The same without the results of a run: a validation that is tried again does not see itself.
    pub fn without(mut self, execution_id: &str) -> Self {
        self.runs.retain(|run| run.execution_id != execution_id);
        self
    }

    /// The same with a run's results, those over the most that are kept left out.
    pub fn with(self, run: Run) -> Self {
        let mut runs = self.without(&run.execution_id).runs;
        runs.push(run);
        runs.sort_by_key(|run| std::cmp::Reverse(run.at));
        runs.truncate(MOST_RUNS);
        Self { runs }
    }

    /// What is usual for a measure; nothing where too few runs tell.
    ///
    /// The median and the median absolute deviation: one bad run among the earlier ones does not widen the bounds.
    pub fn usual(&self, measure: &str) -> Option<Usual> {
        let values = self.values(measure);
        if values.len() < FEWEST_RUNS {
            return None;
        }
        let middle = median(&values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let spread = USUAL_DEVIATIONS * DEVIATION_BY_MEDIAN * median(&distances)?;
        let spread = spread.max(USUAL_AT_LEAST * middle.abs());
        Some(Usual {
            low: middle - spread,
            high: middle + spread,
            runs: values.len(),
        })
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some((sorted.get(low)? + sorted.get(high)?) / 2.0)
}

/// The value below which so many percent of the values lie, between two of them in proportion.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().checked_sub(1)? as f64) * (percent / 100.0).clamp(0.0, 1.0);
    let (low, high) = (
        sorted.get(place.floor() as usize)?,
        sorted.get(place.ceil() as usize)?,
    );
    Some(low + (high - low) * place.fract())
}

/// The deviation of a sample; nothing for less than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn past(values: &[f64]) -> Past {
        values
            .iter()
            .enumerate()
            .fold(Past::default(), |past, (index, value)| {
                past.with(Run {
                    execution_id: index.to_string(),
                    at: jiff::Timestamp::from_second(index as i64).unwrap(),
                    measures: BTreeMap::from([("RowCount".to_owned(), *value)]),
                })
            })
    }

    #[test]
    fn the_newest_comes_first_and_the_oldest_is_forgotten() {
        let values: Vec<f64> = (0..150).map(f64::from).collect();
        let kept = past(&values).values("RowCount");
        assert_eq!((kept.len(), kept[0], kept[99]), (100, 149.0, 50.0));
        assert!(past(&values).values("Completeness \"x\"").is_empty());
    }

    #[test]
    fn a_run_that_is_tried_again_replaces_itself() {
        let once = past(&[1.0, 2.0]);
        let again = once.clone().with(Run {
            execution_id: "1".to_owned(),
            at: jiff::Timestamp::from_second(9).unwrap(),
            measures: BTreeMap::from([("RowCount".to_owned(), 3.0)]),
        });
        assert_eq!(again.values("RowCount"), [3.0, 1.0]);
        assert_eq!(once.without("1").values("RowCount"), [1.0]);
    }

    #[rstest]
    #[case::too_few(&[100.0; 4], None)]
    #[case::constant(&[100.0; 5], Some((95.0, 105.0)))]
    #[case::one_outlier(&[100.0, 102.0, 98.0, 101.0, 99.0, 5000.0], Some((93.8, 107.2)))]
    fn what_is_usual(#[case] values: &[f64], #[case] bounds: Option<(f64, f64)>) {
        let usual = past(values).usual("RowCount").map(|usual| {
            let round = |number: f64| (number * 10.0).round() / 10.0;
            (round(usual.low), round(usual.high))
        });
        assert_eq!(usual, bounds);
    }

    #[test]
    fn statistics() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0, 5.0], 75.0), Some(4.0));
        assert_eq!(percentile(&[1.0, 2.0], 50.0), Some(1.5));
        assert_eq!(deviation(&[2.0, 4.0]), Some(2.0_f64.sqrt()));
        assert_eq!(
            (median(&[]), percentile(&[], 5.0), deviation(&[1.0])),
            (None, None, None)
        );
    }
}
