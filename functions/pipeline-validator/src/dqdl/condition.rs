//! What a rule asks of its result.

use super::tree::Text;
use jiff::civil;

/// What a rule asks of its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Of a number.
    Number(Comparison<Expression>),
    /// Of a text.
    Text(TextCondition),
    /// Of a date or time.
    Date(Comparison<DateOperand>),
    /// Of an age.
    Duration(Comparison<Duration>),
    /// Of a file's size.
    Size(Comparison<Size>),
}

/// Which [`Condition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKind {
    /// [`Condition::Number`].
    Number,
    /// [`Condition::Text`].
    Text,
    /// [`Condition::Date`].
    Date,
    /// [`Condition::Duration`].
    Duration,
    /// [`Condition::Size`].
    Size,
}

impl Condition {
    /// Which one it is.
    pub fn kind(&self) -> ConditionKind {
        match self {
            Self::Number(_) => ConditionKind::Number,
            Self::Text(_) => ConditionKind::Text,
            Self::Date(_) => ConditionKind::Date,
            Self::Duration(_) => ConditionKind::Duration,
            Self::Size(_) => ConditionKind::Size,
        }
    }
}

/// A comparison of what has an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison<T> {
    /// `> 5`.
    With {
        /// How.
        operator: Operator,
        /// With what.
        operand: T,
    },
    /// `between 1 and 3`: both ends are excluded. `not between 1 and 3`: both ends are included.
    Between {
        /// Whether `not` stands before it.
        negated: bool,
        /// The lower end.
        low: T,
        /// The upper end.
        high: T,
    },
    /// `in [1,2]`; never empty.
    In {
        /// Whether `not` stands before it.
        negated: bool,
        /// The values.
        operands: Vec<T>,
    },
}

impl<T> Comparison<T> {
    /// The operands, in the order in which they are written.
    pub fn operands(&self) -> Vec<&T> {
        match self {
            Self::With { operand, .. } => vec![operand],
            Self::Between { low, high, .. } => vec![low, high],
            Self::In { operands, .. } => operands.iter().collect(),
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
}

/// Arithmetic. There is no precedence: `5 + 2 * x` is `(5 + 2) * x`, so fold [`Expression::rest`] from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The first term.
    pub first: Term,
    /// What is done with it, in order.
    pub rest: Vec<(Arithmetic, Term)>,
}

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
}

/// A part of an [`Expression`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A number, exactly as written, without space after its sign.
    Number(String),
    /// `NULL`.
    Null,
    /// `avg(last(10))`. The language allows any name.
    Call {
        /// The function.
        name: String,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// Arithmetic in parentheses; around a lone term they are dropped.
    Group(Box<Expression>),
}

/// What a rule asks of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextCondition {
    /// `= "a"`, `!= NULL`.
    Equal {
        /// Whether it is `!=`.
        negated: bool,
        /// The value.
        operand: TextOperand,
        /// The variable that the value came from.
        variable: Option<String>,
    },
    /// `in ["a",NULL]`; never empty.
    In {
        /// Whether `not` stands before it.
        negated: bool,
        /// The values.
        operands: Vec<TextOperand>,
        /// The variable that the values came from.
        variable: Option<String>,
    },
    /// `matches "[a-z]*"`: for a pattern, take [`Text::raw`].
    Matches {
        /// Whether `not` stands before it.
        negated: bool,
        /// The regular expression.
        pattern: Text,
    },
}

/// What a text is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOperand {
    /// A text.
    Text(Text),
    /// `NULL`.
    Null,
    /// `EMPTY`: no characters.
    Empty,
    /// `WHITESPACES_ONLY`.
    WhitespacesOnly,
}

/// What a date is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateOperand {
    /// `"2024-01-31"`: its first instant.
    Date(civil::Date),
    /// `"9:30 AM"` or `"21:45"`: today, in UTC or in the zone that the tag `timeZone` names.
    Time {
        /// The time.
        time: civil::Time,
        /// How it is written.
        written: String,
    },
    /// `now()`.
    Now,
    /// `(now() - 3 days)`.
    Relative {
        /// Whether it lies before now.
        before: bool,
        /// How far away.
        duration: Duration,
    },
    /// `NULL`.
    Null,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// How many.
    pub amount: u32,
    /// Of what.
    pub unit: DurationUnit,
}

/// What a [`Duration`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationUnit {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

impl Duration {
    /// The same in minutes.
    pub fn minutes(self) -> u64 {
        let each: u64 = match self.unit {
            DurationUnit::Minutes => 1,
            DurationUnit::Hours => 60,
            DurationUnit::Days => 24 * 60,
        };
        u64::from(self.amount).saturating_mul(each)
    }
}

/// The size of a file. A bare number counts bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many.
    pub amount: u32,
    /// Of what.
    pub unit: SizeUnit,
}

/// What a [`Size`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// Bytes.
    B,
    /// Kilobytes.
    KB,
    /// Megabytes.
    MB,
    /// Gigabytes.
    GB,
    /// Terabytes.
    TB,
}
