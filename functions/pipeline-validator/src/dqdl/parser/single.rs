//! One rule or analyzer: its type, parameters and clauses, checked against what the type takes.

use super::{Parsed, Parser};
use crate::dqdl::condition::{Comparison, Condition, Expression};
use crate::dqdl::order;
use crate::dqdl::problem::Problem;
use crate::dqdl::specification::{Form, RuleType};
use crate::dqdl::token::{Keyword, TokenKind};
use crate::dqdl::tree::{Analyzer, Label, Parameter, SingleRule, Tag, TagValue, Text};
use std::ops::Range;

/// What comes after the condition and the where clause, in any order.
#[derive(Default)]
struct Tail {
    threshold: Option<Comparison<Expression>>,
    tags: Vec<Tag>,
    labels: Vec<Label>,
}

impl Parser<'_> {
    /// A rule that is not joined.
    pub(super) fn single(&mut self) -> Parsed<SingleRule> {
        let start = self.place();
        let rule_type = self.rule_type("a rule, such as `IsComplete \"id\"`")?;
        let parameters = self.parameters(rule_type)?;
        let form = self.check_parameters(rule_type, &parameters, &start);
        if !rule_type.specification().rule {
            self.note(start.clone(), Problem::AnalyzerOnly(rule_type));
        }
        let place = self.place();
        let found = self.peek();
        let condition = self.condition()?;
        let condition = match (form, condition) {
            (Some(form), Some(condition)) => {
                let place = self.since(&place);
                self.check_condition(rule_type, form, condition, place)
            }
            (Some(form), None) if !form.bare => {
                let found = found.to_string();
                self.note(
                    place,
                    Problem::ConditionMissing {
                        rule_type,
                        form,
                        found,
                    },
                );
                None
            }
            (_, condition) => condition,
        };
        let where_clause = self.where_clause(rule_type)?;
        let mut tail = self.tail(rule_type)?;
        order::sort(&mut tail.tags);
        Ok(SingleRule {
            rule_type,
            parameters,
            condition,
            threshold: tail.threshold,
            where_clause,
            tags: tail.tags,
            labels: tail.labels,
            span: self.span_since(&start),
        })
    }

    /// An analyzer of the list.
    pub(super) fn analyzer(&mut self) -> Parsed<Analyzer> {
        let start = self.place();
        let rule_type = self.rule_type("an analyzer, such as `Completeness \"id\"`")?;
        let parameters = self.parameters(rule_type)?;
        let form = self.check_parameters(rule_type, &parameters, &start);
        if form.is_some_and(|form| !form.analyzer()) {
            self.note(start.clone(), Problem::NoAnalyzer(rule_type));
        }
        let span = self.span_since(&start);
        let place = self.place();
        if self.condition()?.is_some() {
            self.note(self.since(&place), Problem::AnalyzerCondition);
        }
        Ok(Analyzer {
            rule_type,
            parameters,
            span,
        })
    }

    fn rule_type(&mut self, expected: &'static str) -> Parsed<RuleType> {
        let TokenKind::Identifier(name) = self.peek() else {
            return Err(self.unexpected(expected));
        };
        RuleType::named(name)
            .ok_or_else(|| {
                let problem = Problem::UnknownRuleType {
                    name: name.to_owned(),
                    similar: similar(name),
                };
                self.stop(self.place(), problem)
            })
            .inspect(|_| {
                self.take();
            })
    }

    fn parameters(&mut self, rule_type: RuleType) -> Parsed<Vec<Parameter>> {
        let mut parameters = Vec::new();
        loop {
            let connector = match self.peek() {
                TokenKind::Keyword(Keyword::Of | Keyword::And) => {
                    // `and` before anything else joins rules.
                    if !begins_parameter(self.peek_at(1)) || self.joins(rule_type, parameters.len())
                    {
                        return Ok(parameters);
                    }
                    let place = self.place();
                    self.take();
                    self.source.get(place).map(str::to_owned)
                }
                _ => None,
            };
            let (text, quoted, variable) = match self.peek() {
                TokenKind::Text(raw) => (Text::from_raw(raw), true, None),
                TokenKind::Identifier(name) => (Text::from_raw(name), false, None),
                TokenKind::Symbol('$') => {
                    let (name, text) = self.dereference_text()?;
                    parameters.push(Parameter {
                        text,
                        quoted: true,
                        variable: Some(name),
                        connector,
                    });
                    continue;
                }
                TokenKind::UnclosedText => return Err(self.unexpected("a name")),
                TokenKind::Keyword(word) if !clause(word) => {
                    return Err(self.stop(self.place(), Problem::ReservedWord(word.as_str())));
                }
                _ => return Ok(parameters),
            };
            self.take();
            parameters.push(Parameter {
                text,
                quoted,
                variable,
                connector,
            });
        }
    }

    /// Whether `and` joins rules though a parameter could follow: `IsComplete "id" and RowCount > 0`. Glue reads a
    /// second parameter here, and refuses what its documentation shows.
    fn joins(&self, rule_type: RuleType, parameters: usize) -> bool {
        let rule = matches!(
            (self.peek(), self.peek_at(1)),
            (TokenKind::Keyword(Keyword::And), TokenKind::Identifier(name))
                if RuleType::named(name).is_some()
        );
        rule && rule_type.form(parameters).is_some()
            && rule_type.form(parameters.saturating_add(1)).is_none()
    }

    fn check_parameters(
        &mut self,
        rule_type: RuleType,
        parameters: &[Parameter],
        start: &Range<usize>,
    ) -> Option<Form> {
        let form = rule_type.form(parameters.len());
        if form.is_none() {
            let bare = || {
                let bare = parameters.iter().filter(|parameter| !parameter.quoted);
                bare.map(|parameter| parameter.text.raw())
            };
            let swallowed = bare().find_map(RuleType::named);
            let miscased = bare().find_map(|name| Keyword::of(&name.to_lowercase()));
            let miscased = miscased.filter(|word| clause(*word)).map(Keyword::as_str);
            let found = parameters.len();
            let problem = Problem::ParameterCount {
                rule_type,
                found,
                swallowed,
                miscased,
            };
            self.note(self.since(start), problem);
        }
        form
    }

    /// The condition, if the rule type takes one of its kind.
    fn check_condition(
        &mut self,
        rule_type: RuleType,
        form: Form,
        condition: Condition,
        place: Range<usize>,
    ) -> Option<Condition> {
        let condition = match Self::fit(form, condition) {
            Ok(condition) => condition,
            Err(problem) => {
                self.note(place, problem);
                return None;
            }
        };
        let found = condition.kind();
        if form.conditions.contains(&found) {
            return Some(condition);
        }
        self.note(
            place,
            Problem::ConditionKind {
                rule_type,
                form,
                found,
            },
        );
        None
    }

    fn where_clause(&mut self, rule_type: RuleType) -> Parsed<Option<Text>> {
        let start = self.place();
        if !self.eat_keyword(Keyword::Where) {
            return Ok(None);
        }
        let filter = self.quoted("a condition in SQL, in quotes")?;
        let place = self.since(&start);
        if !rule_type.specification().where_clause {
            self.note(place, Problem::WhereNotAllowed(rule_type));
        } else if filter.raw().trim().is_empty() {
            self.note(place, Problem::WhereEmpty);
        }
        Ok(Some(filter))
    }

    fn tail(&mut self, rule_type: RuleType) -> Parsed<Tail> {
        let mut tail = Tail::default();
        loop {
            let start = self.place();
            if self.peek() == TokenKind::Keyword(Keyword::Labels) {
                let labels = self.labels()?;
                if !tail.labels.is_empty() {
                    self.note(start, Problem::LabelsTwice);
                }
                tail.labels = labels;
            } else if self.eat_keyword(Keyword::With) {
                let TokenKind::Identifier(name) = self.peek() else {
                    return Err(self.unexpected("`threshold` or the name of an option"));
                };
                self.take();
                if name.eq_ignore_ascii_case("threshold") {
                    self.threshold(rule_type, &start, &mut tail)?;
                } else {
                    self.tag(name, &start, &mut tail)?;
                }
            } else {
                return Ok(tail);
            }
        }
    }

    fn threshold(
        &mut self,
        rule_type: RuleType,
        start: &Range<usize>,
        tail: &mut Tail,
    ) -> Parsed<()> {
        let condition = self.condition()?;
        let place = self.since(start);
        if !rule_type.specification().threshold {
            self.note(place, Problem::ThresholdNotAllowed(rule_type));
            return Ok(());
        }
        match condition {
            Some(Condition::Number(comparison)) => {
                if tail.threshold.replace(comparison).is_some() {
                    self.note(place, Problem::TagTwice("threshold".to_owned()));
                }
                Ok(())
            }
            Some(_) => Err(self.stop(place, Problem::ThresholdKind)),
            None => Err(self.stop(self.place(), Problem::ThresholdKind)),
        }
    }

    fn tag(&mut self, name: &str, start: &Range<usize>, tail: &mut Tail) -> Parsed<()> {
        self.expect('=', "`=` and the option's value")?;
        let value = match self.word_operand() {
            Some(operand) => TagValue::Text(operand),
            None => TagValue::Number(self.expression()?),
        };
        if tail.tags.iter().any(|tag| tag.name == name) {
            self.note(self.since(start), Problem::TagTwice(name.to_owned()));
        }
        tail.tags.push(Tag {
            name: name.to_owned(),
            value,
        });
        Ok(())
    }
}

fn begins_parameter(kind: TokenKind<'_>) -> bool {
    matches!(
        kind,
        TokenKind::Text(_) | TokenKind::Identifier(_) | TokenKind::Symbol('$')
    )
}

/// Whether a keyword may follow the parameters.
fn clause(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::And
            | Keyword::Or
            | Keyword::Not
            | Keyword::Between
            | Keyword::In
            | Keyword::Matches
            | Keyword::Where
            | Keyword::With
            | Keyword::Labels
            // A section: the list before it was not closed.
            | Keyword::Rules
            | Keyword::Analyzers
    )
}

/// The rule type whose name is at most two edits away.
fn similar(name: &str) -> Option<RuleType> {
    if name.len() > 40 {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let distance = |rule_type: &RuleType| edits(&name, &rule_type.name().to_ascii_lowercase());
    let nearest = RuleType::ALL.iter().copied().min_by_key(distance)?;
    (distance(&nearest) <= 2).then_some(nearest)
}

/// How many characters to insert, remove or replace.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, old) in from.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index.saturating_add(1);
        let mut next = vec![left];
        for (new, above) in to.chars().zip(row.iter().skip(1).copied()) {
            let replaced = diagonal.saturating_add(usize::from(old != new));
            left = replaced
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
