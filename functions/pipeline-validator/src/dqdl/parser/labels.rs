//! Labels.

use super::{Parsed, Parser};
use crate::dqdl::problem::Problem;
use crate::dqdl::token::TokenKind;
use crate::dqdl::tree::{Label, Text};
use std::ops::Range;

// Source: Labels.java of awslabs/dqdl. The AWS documentation says that a value may be empty; the code refuses it.
const KEY: usize = 128;
const VALUE: usize = 256;
const LABELS: usize = 10;

impl Parser<'_> {
    /// `labels=["key"="value", …]` or `DefaultLabels=[…]`.
    pub(super) fn labels(&mut self) -> Parsed<Vec<Label>> {
        let start = self.place();
        self.take();
        self.expect('=', "`=[` and labels")?;
        self.expect('[', "`[` and labels")?;
        if self.eat(']') {
            return Err(self.stop(self.since(&start), Problem::NoLabels));
        }
        let mut labels: Vec<Label> = Vec::new();
        loop {
            let place = self.place();
            let label = self.label()?;
            let place = self.since(&place);
            if labels.iter().any(|other| other.key == label.key) {
                self.note(place, Problem::KeyTwice(label.key.to_string()));
            } else {
                self.check_label(&label, place);
            }
            labels.push(label);
            if !self.eat(',') {
                break;
            }
        }
        self.expect(']', "`,` or `]`")?;
        let all = self
            .ruleset
            .default_labels
            .len()
            .saturating_add(labels.len());
        if all > LABELS {
            self.note(self.since(&start), Problem::TooManyLabels(all));
        }
        Ok(labels)
    }

    fn label(&mut self) -> Parsed<Label> {
        let key = self.quoted("a label, such as `\"team\"=\"finance\"`")?;
        self.expect('=', "`=` and the label's value in quotes")?;
        let value = self.quoted("the label's value in quotes")?;
        Ok(Label { key, value })
    }

    fn check_label(&mut self, label: &Label, place: Range<usize>) {
        let length = |text: &Text| text.raw().encode_utf16().count();
        let (key, value) = (length(&label.key), length(&label.value));
        let problem = if key == 0 || value == 0 {
            Problem::EmptyLabel
        } else if key > KEY {
            Problem::LongLabel {
                part: "key",
                length: key,
                most: KEY,
            }
        } else if value > VALUE {
            Problem::LongLabel {
                part: "value",
                length: value,
                most: VALUE,
            }
        } else {
            return;
        };
        self.note(place, problem);
    }

    /// A text in quotes that must be there.
    pub(super) fn quoted(&mut self, expected: &'static str) -> Parsed<Text> {
        match self.peek() {
            TokenKind::Text(raw) => {
                self.take();
                Ok(Text::from_raw(raw))
            }
            _ => Err(self.unexpected(expected)),
        }
    }
}
