//! How much SQL a rule may need: Athena takes no longer query, and no other scan could carry it.

use super::across::Across;
use super::compile::{Measure, Test};
use crate::sql::Sql;

/// The most bytes of one rule's own SQL: what Athena takes (262,144, "Service quotas") less what is around it.
const LARGEST_RULE: usize = 200_000;

/// Whether a query can hold each part of a rule.
///
/// # Errors
/// How large it is.
pub(super) fn fits(test: &Test) -> Result<(), String> {
    let mut largest = 0;
    test.visit(&mut |expectation| {
        let filter = expectation.filter.as_ref().map_or(0, Sql::bytes);
        largest = largest.max(bytes(&expectation.measure) + filter * times(&expectation.measure));
    });
    if largest > LARGEST_RULE {
        return Err(format!(
            "it needs {largest} bytes of SQL, and a query on Athena holds {LARGEST_RULE} of a rule: put a long list into \
             a table and use ReferentialIntegrity"
        ));
    }
    Ok(())
}

fn bytes(measure: &Measure) -> usize {
    match measure {
        Measure::Share(_, passes) => passes.bytes() * times(measure),
        Measure::Aggregate(_, aggregate) => aggregate.bytes(),
        Measure::Across(Across::Custom { sql, .. }) => sql.len(),
        _ => 0,
    }
}

/// How often its conditions are written: those who pass are counted, and those who fail are told.
const fn times(measure: &Measure) -> usize {
    match measure {
        Measure::Share(..) | Measure::Total(..) => 3,
        _ => 1,
    }
}
