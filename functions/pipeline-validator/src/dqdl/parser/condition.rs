//! Conditions: first any values, then the kind that all of them have.

use super::value::{self, Value};
use super::{Parsed, Parser};
use crate::dqdl::condition::{
    Comparison, Condition, ConditionKind, DateOperand, Duration, DurationUnit, Expression,
    Operator, Size, SizeUnit, Term, TextCondition, TextOperand,
};
use crate::dqdl::problem::Problem;
use crate::dqdl::specification::Form;
use crate::dqdl::token::{Keyword, TokenKind};
use crate::dqdl::tree::{Text, VariableValue};

impl<'s> Parser<'s> {
    /// A condition, if one starts here.
    pub(super) fn condition(&mut self) -> Parsed<Option<Condition>> {
        let start = self.place();
        let negated = self.eat_keyword(Keyword::Not);
        let variable = matches!(self.peek_at(1), TokenKind::Symbol('$'));
        let comparison = match self.peek() {
            TokenKind::Keyword(Keyword::Between) => self.between(negated)?,
            TokenKind::Keyword(Keyword::In) if variable => {
                return self.in_variable(negated).map(Some);
            }
            TokenKind::Keyword(Keyword::In) => {
                self.take();
                Comparison::In {
                    negated,
                    operands: self.values()?,
                }
            }
            TokenKind::Keyword(Keyword::Matches) => return self.matches(negated).map(Some),
            _ if negated => return Err(self.unexpected("`between`, `in` or `matches`")),
            _ => {
                let Some(operator) = self.operator()? else {
                    return Ok(None);
                };
                let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
                if equality && self.peek() == TokenKind::Symbol('$') {
                    return self
                        .equal_variable(operator == Operator::NotEqual)
                        .map(Some);
                }
                Comparison::With {
                    operator,
                    operand: self.value()?,
                }
            }
        };
        let place = self.since(&start);
        value::condition(comparison)
            .map(Some)
            .map_err(|problem| self.stop(place, problem))
    }

    fn between(&mut self, negated: bool) -> Parsed<Comparison<Value<'s>>> {
        self.take();
        let low = self.value()?;
        if !self.eat_keyword(Keyword::And) {
            return Err(self.unexpected("`and` between the two ends"));
        }
        Ok(Comparison::Between {
            negated,
            low,
            high: self.value()?,
        })
    }

    fn matches(&mut self, negated: bool) -> Parsed<Condition> {
        self.take();
        let pattern = self.quoted("a regular expression in quotes")?;
        Ok(Condition::Text(TextCondition::Matches { negated, pattern }))
    }

    fn operator(&mut self) -> Parsed<Option<Operator>> {
        let (plain, with_equals) = match self.peek() {
            TokenKind::Symbol('=') => {
                self.take();
                return Ok(Some(Operator::Equal));
            }
            TokenKind::Symbol('!') => {
                self.take();
                self.expect('=', "`!=`")?;
                return Ok(Some(Operator::NotEqual));
            }
            TokenKind::Symbol('>') => (Operator::Greater, Operator::GreaterOrEqual),
            TokenKind::Symbol('<') => (Operator::Less, Operator::LessOrEqual),
            _ => return Ok(None),
        };
        let end = self.place().end;
        self.take();
        // `>=` is one word: no space within it.
        if self.place().start == end && self.eat('=') {
            return Ok(Some(with_equals));
        }
        Ok(Some(plain))
    }

    fn equal_variable(&mut self, negated: bool) -> Parsed<Condition> {
        let (name, text) = self.dereference_text()?;
        let operand = TextOperand::Text(text);
        Ok(Condition::Text(TextCondition::Equal {
            negated,
            operand,
            variable: Some(name),
        }))
    }

    fn in_variable(&mut self, negated: bool) -> Parsed<Condition> {
        self.take();
        let (name, value) = self.dereference()?;
        let texts = match value {
            VariableValue::Text(text) => vec![text],
            VariableValue::List(texts) => texts,
        };
        let operands = texts.into_iter().map(TextOperand::Text).collect();
        Ok(Condition::Text(TextCondition::In {
            negated,
            operands,
            variable: Some(name),
        }))
    }

    fn values(&mut self) -> Parsed<Vec<Value<'s>>> {
        self.expect('[', "`[` and values, or a variable such as `$names`")?;
        let mut values = vec![self.value()?];
        while self.eat(',') {
            values.push(self.value()?);
        }
        self.expect(']', "`,` or `]`")?;
        Ok(values)
    }

    fn value(&mut self) -> Parsed<Value<'s>> {
        match (self.peek(), self.peek_at(1)) {
            (TokenKind::Text(raw), _) => {
                self.take();
                Ok(Value::Text(raw))
            }
            (TokenKind::Keyword(Keyword::Empty | Keyword::WhitespacesOnly), _) => self
                .word_operand()
                .map(Value::Keyword)
                .ok_or_else(|| self.unexpected("a value")),
            (TokenKind::Now, _) => {
                self.take();
                Ok(Value::Date(DateOperand::Now))
            }
            (TokenKind::Symbol('('), TokenKind::Now) => self.relative_date().map(Value::Date),
            (TokenKind::Integer(_), TokenKind::Keyword(unit)) if duration_unit(unit).is_some() => {
                self.duration().map(Value::Duration)
            }
            (TokenKind::Integer(_), TokenKind::Keyword(unit)) => match size_unit(unit) {
                Some(unit) => {
                    let amount = self.amount()?;
                    self.take();
                    Ok(Value::Size(Size { amount, unit }))
                }
                None => self.expression().map(Value::Number),
            },
            (TokenKind::Symbol('$'), _) => {
                Err(self.unexpected("a value; a variable stands alone, as in `in $names`"))
            }
            _ => self.expression().map(Value::Number),
        }
    }

    /// A text, `EMPTY` or `WHITESPACES_ONLY`, if one is next.
    pub(super) fn word_operand(&mut self) -> Option<TextOperand> {
        let operand = match self.peek() {
            TokenKind::Text(raw) => TextOperand::Text(Text::from_raw(raw)),
            TokenKind::Keyword(Keyword::Empty) => TextOperand::Empty,
            TokenKind::Keyword(Keyword::WhitespacesOnly) => TextOperand::WhitespacesOnly,
            _ => return None,
        };
        self.take();
        Some(operand)
    }

    fn relative_date(&mut self) -> Parsed<DateOperand> {
        self.take();
        self.take();
        let before = self.eat('-');
        if !before {
            self.expect('+', "`-` or `+` and a duration such as `3 days`")?;
        }
        let duration = self.duration()?;
        self.expect(')', "`)`")?;
        Ok(DateOperand::Relative { before, duration })
    }

    fn duration(&mut self) -> Parsed<Duration> {
        let amount = self.amount()?;
        let unit = match self.peek() {
            TokenKind::Keyword(keyword) => duration_unit(keyword),
            _ => None,
        };
        let Some(unit) = unit else {
            return Err(self.unexpected("`minutes`, `hours` or `days`"));
        };
        self.take();
        Ok(Duration { amount, unit })
    }

    fn amount(&mut self) -> Parsed<u32> {
        let TokenKind::Integer(digits) = self.peek() else {
            return Err(self.unexpected("a whole number and a unit, such as `3 days`"));
        };
        let amount = amount(digits).map_err(|problem| self.stop(self.place(), problem))?;
        self.take();
        Ok(amount)
    }

    /// The condition as the rule type reads it: for a size, a bare number counts bytes.
    pub(super) fn fit(form: Form, condition: Condition) -> Result<Condition, Problem> {
        match condition {
            Condition::Number(numbers) if form.conditions == [ConditionKind::Size] => {
                value::each(numbers, |number| bytes(&number)).map(Condition::Size)
            }
            other => Ok(other),
        }
    }
}

/// The amount that digits are. Glue keeps it in a Java `int`.
fn amount(digits: &str) -> Result<u32, Problem> {
    let amount = digits
        .parse::<i32>()
        .ok()
        .and_then(|amount| u32::try_from(amount).ok());
    amount.ok_or_else(|| Problem::TooLarge(digits.to_owned()))
}

fn bytes(number: &Expression) -> Result<Size, Problem> {
    match (&number.first, number.rest.is_empty()) {
        (Term::Number(digits), true) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Ok(Size {
                amount: amount(digits)?,
                unit: SizeUnit::B,
            })
        }
        _ => Err(Problem::WholeBytes),
    }
}

fn duration_unit(keyword: Keyword) -> Option<DurationUnit> {
    match keyword {
        Keyword::Minutes => Some(DurationUnit::Minutes),
        Keyword::Hours => Some(DurationUnit::Hours),
        Keyword::Days => Some(DurationUnit::Days),
        _ => None,
    }
}

fn size_unit(keyword: Keyword) -> Option<SizeUnit> {
    match keyword {
        Keyword::Bytes => Some(SizeUnit::B),
        Keyword::Kilobytes => Some(SizeUnit::KB),
        Keyword::Megabytes => Some(SizeUnit::MB),
        Keyword::Gigabytes => Some(SizeUnit::GB),
        Keyword::Terabytes => Some(SizeUnit::TB),
        _ => None,
    }
}
