//! Histories as pipelines write them, and what can go wrong with them.

use crate::reference::{Change, Key, Values, Version};
use pipewarden_shared::profile::{Interval, Keeps, Scd2};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;

/// How a pipeline writes a deletion into its dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// The last version ends, with the flag.
    Ends,
    /// The last version ends, and one with the flag begins.
    Begins,
    /// The last version gets the flag and goes on.
    Marks,
    /// It does not.
    Unknown,
}

/// What comes to pass.
#[derive(Debug, Clone)]
struct Event {
    /// Minutes after the one before.
    after: i64,
    what: What,
    /// What the source says besides, at the same instant.
    besides: Option<What>,
}

#[derive(Debug, Clone)]
enum What {
    /// The key has these values from now on, whether it lived before or not.
    Has(Values),
    /// The source has a row again that says nothing new.
    Again,
    Deleted,
}

fn value() -> impl Strategy<Value = Option<String>> {
    let texts = [None, Some(""), Some("a"), Some("b"), Some("1:a")];
    prop::sample::select(texts.map(|text| text.map(str::to_owned)).to_vec())
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        5 => [value(), value()].prop_map(What::Has),
        2 => Just(What::Again),
        2 => Just(What::Deleted),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let besides = prop_oneof![9 => Just(None), 1 => what().prop_map(Some)];
    (1..5i64, what(), besides).prop_map(|(after, what, besides)| Event {
        after,
        what,
        besides,
    })
}

/// A history that is as it should be, and the log that it follows from, whose rows arrived in any order.
pub(crate) fn healthy(scd2: &Scd2, deletion: Deletion, now: i64) -> impl Strategy<Value = Key> {
    let scd2 = scd2.clone();
    let rows = prop::collection::vec(any::<bool>(), 40);
    (prop::collection::vec(event(), 0..10), rows)
        .prop_map(move |(events, lost)| happened(&events, &lost, &scd2, deletion, now))
        .prop_flat_map(|key| {
            let versions = Just(key.versions).prop_shuffle();
            let changes = Just(key.changes).prop_shuffle();
            (versions, changes).prop_map(|(versions, changes)| Key { versions, changes })
        })
}

/// The same with a few faults.
pub(crate) fn spoilt(scd2: &Scd2, deletion: Deletion, now: i64) -> impl Strategy<Value = Key> {
    let faults = prop::collection::vec((any::<Index>(), 0..13u8, value()), 0..4);
    (healthy(scd2, deletion, now), faults).prop_map(|(mut key, faults)| {
        for (index, fault, value) in faults {
            spoil(&mut key, index, fault, value);
        }
        // Two versions of one interval have no order of their own.
        let mut seen = BTreeSet::new();
        key.versions
            .retain(|version| seen.insert((version.from, version.to)));
        key
    })
}

fn happened(events: &[Event], lost: &[bool], scd2: &Scd2, deletion: Deletion, now: i64) -> Key {
    let step = match scd2.interval {
        Interval::HalfOpen => 0,
        Interval::Closed(step) => step.as_mins(),
    };
    let source = scd2.source.as_ref().unwrap();
    let mut dimension = Dimension {
        deletion,
        step,
        upper: !source.derived.is_empty(),
        versions: Vec::new(),
    };
    let mut changes = Vec::new();
    let (mut at, mut lives, mut values) = (0, false, Values::default());
    let told = source.deleted.is_some() && scd2.deleted.is_some();
    for event in events {
        at += event.after;
        // Beside a deletion that is not told a row would speak alone.
        let ambiguous = told || matches!(event.what, What::Has(_));
        let besides = event.besides.as_ref().filter(|_| ambiguous);
        let said = [Some(&event.what), besides];
        changes.extend(said.into_iter().flatten().map(|what| {
            let (deleted, values) = match what {
                What::Has(values) => (false, values.clone()),
                What::Again => (!lives, values.clone()),
                What::Deleted => (true, Values::default()),
            };
            Change {
                at,
                deleted,
                values,
            }
        }));
        match &event.what {
            What::Has(new) if !lives || *new != values => {
                (lives, values) = (true, new.clone());
                dimension.has(at, &values);
            }
            What::Deleted if lives => {
                lives = false;
                dimension.lost(at);
            }
            What::Has(_) | What::Again | What::Deleted => {}
        }
    }
    let begins = source.keeps.map(|Keeps(keeps)| now - keeps.as_mins());
    let mut lost = lost.iter().cycle();
    // Of what it does not keep the source may still have some; one without a flag has no rows of deletions.
    changes.retain(|change| {
        begins.is_none_or(|begins| change.at >= begins) || lost.next() == Some(&true)
    });
    changes.retain(|change| source.deleted.is_some() || !change.deleted);
    Key {
        versions: dimension.versions,
        changes,
    }
}

/// A dimension that is being written.
struct Dimension {
    deletion: Deletion,
    step: i64,
    /// Whether it writes the second value in capitals.
    upper: bool,
    versions: Vec<Version>,
}

impl Dimension {
    fn has(&mut self, at: i64, values: &Values) {
        let [first, second] = values.clone();
        let second = second.map(|text| {
            if self.upper {
                text.to_uppercase()
            } else {
                text
            }
        });
        let values = [first, second];
        if self.deletion == Deletion::Unknown {
            // It never learned that the key was gone.
            let last = self.versions.last();
            if last.is_some_and(|last| last.values == values) {
                return;
            }
        }
        self.end(at, None);
        self.begin(at, false, values);
    }

    fn lost(&mut self, at: i64) {
        match self.deletion {
            Deletion::Ends => self.end(at, Some(true)),
            Deletion::Begins => {
                self.end(at, None);
                let values = self.versions.last().unwrap().values.clone();
                self.begin(at, true, values);
            }
            Deletion::Marks => self.versions.last_mut().unwrap().deleted = true,
            Deletion::Unknown => {}
        }
    }

    fn begin(&mut self, from: i64, deleted: bool, values: Values) {
        self.versions.push(Version {
            from,
            to: None,
            current: true,
            deleted,
            values,
        });
    }

    fn end(&mut self, at: i64, deleted: Option<bool>) {
        if let Some(last) = self.versions.last_mut().filter(|last| last.to.is_none()) {
            last.to = Some(at - self.step);
            last.current = false;
            last.deleted = deleted.unwrap_or(last.deleted);
        }
    }
}

fn spoil(key: &mut Key, index: Index, fault: u8, value: Option<String>) {
    let Key { versions, changes } = key;
    if versions.is_empty() || changes.is_empty() {
        return;
    }
    let place = index.index(changes.len());
    let change = &mut changes[place];
    let at = index.index(versions.len());
    let version = &mut versions[at];
    match fault {
        0 => version.to = version.to.map(|to| to + 2),
        1 => version.to = version.to.map(|to| to - 1),
        2 => version.current = !version.current,
        3 => version.deleted = !version.deleted,
        4 => version.from += 1,
        5 => version.values[0] = value,
        6 => version.values[1] = value,
        7 => {
            versions.remove(at);
        }
        8 => {
            changes.remove(place);
        }
        9 => change.deleted = !change.deleted,
        10 => change.at += 1,
        11 => (version.to, version.current, version.deleted) = (None, true, false),
        _ => changes.push(Change {
            at: 17,
            deleted: false,
            values: [value, None],
        }),
    }
}
