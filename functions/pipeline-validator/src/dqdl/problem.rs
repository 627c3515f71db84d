//! What can be wrong with a ruleset.

use super::condition::ConditionKind;
use super::parser::DEPTH;
use super::specification::{Form, RuleType};

/// What is wrong, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What should.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// There may be more, behind this place.
    #[error("there are too many problems; what comes behind this place was not read")]
    NotRead,
    /// Quotes that open and never close.
    #[error("expected `\"` at the end of the text")]
    UnclosedText,
    /// A word of the language where a name should stand.
    #[error("expected a name, found `{0}`, a word of the language: as a name it needs quotes")]
    ReservedWord(&'static str),
    /// There is no such rule type.
    #[error("`{name}` is no rule type")]
    UnknownRuleType {
        /// The name.
        name: String,
        /// One that was perhaps meant.
        similar: Option<RuleType>,
    },
    /// The rule type takes another number of parameters.
    #[error("{rule_type} takes {}, found {found}", counts(*.rule_type))]
    ParameterCount {
        /// The rule type.
        rule_type: RuleType,
        /// How many there are.
        found: usize,
        /// A parameter that is itself a rule type.
        swallowed: Option<RuleType>,
        /// The word of the language that a parameter would be in lower case.
        miscased: Option<&'static str>,
    },
    /// There is no condition.
    #[error("expected {}: {rule_type} needs one, found {found}", conditions(*.form))]
    ConditionMissing {
        /// The rule type.
        rule_type: RuleType,
        /// What it takes.
        form: Form,
        /// What stands there.
        found: String,
    },
    /// The rule type does not take such a condition.
    #[error("{rule_type} takes {}, found a comparison of {}", conditions(*.form), .found.of())]
    ConditionKind {
        /// The rule type.
        rule_type: RuleType,
        /// What it takes.
        form: Form,
        /// What there is.
        found: ConditionKind,
    },
    /// An analyzer has a condition.
    #[error("expected `,` or `]`, found a condition: an analyzer has none")]
    AnalyzerCondition,
    /// The values of a condition are of different kinds.
    #[error(
        "expected values of one kind: all numbers, all texts, all dates, all durations or all sizes"
    )]
    MixedValues,
    /// Texts are put in order.
    #[error(
        "expected a number or a date: a text can only be compared with `=`, `!=`, `in` and `matches`"
    )]
    TextOrder,
    /// A date or time that does not exist.
    #[error("`{0}` is no date or time of day")]
    NoSuchDate(String),
    /// A number of days or bytes that is too large.
    #[error("`{0}` is too large: at most 2147483647")]
    TooLarge(String),
    /// A size that is not a whole number of bytes.
    #[error("expected a whole number of bytes, or a unit such as `5 MB`")]
    WholeBytes,
    /// The rule type allows no where clause.
    #[error("{0} takes no `where` clause")]
    WhereNotAllowed(RuleType),
    /// The where clause is blank.
    #[error("expected a condition in SQL after `where`, found an empty text")]
    WhereEmpty,
    /// The rule type allows no threshold.
    #[error("{0} takes no `with threshold`")]
    ThresholdNotAllowed(RuleType),
    /// The threshold does not compare numbers.
    #[error("expected a comparison with a number after `with threshold`, such as `> 0.9`")]
    ThresholdKind,
    /// An option is given twice.
    #[error("`with {0}` is given twice")]
    TagTwice(String),
    /// Something that only an analyzer can be.
    #[error("{0} is an analyzer only: it belongs in `Analyzers = […]`")]
    AnalyzerOnly(RuleType),
    /// Something that no analyzer can be.
    #[error("{0} is true or false: it cannot be an analyzer")]
    NoAnalyzer(RuleType),
    /// A variable that is not defined.
    #[error("variable `${0}` is not defined")]
    UndefinedVariable(String),
    /// A variable that is defined twice.
    #[error("variable `{0}` is already defined")]
    RedefinedVariable(String),
    /// A list where one text is needed.
    #[error("expected one text, but variable `${0}` is a list")]
    VariableIsList(String),
    /// A name that no variable can have.
    #[error("a variable's name cannot start with `.` or `_`: `{0}`")]
    VariableName(String),
    /// A variable within a variable.
    #[error("variable `{0}` refers to a variable: its value must be plain text")]
    NestedVariable(String),
    /// A section that is given twice or too late.
    #[error(
        "`{0}` is given twice, or too late: the order is Metadata, DataSources, variables and DefaultLabels, Rules, Analyzers"
    )]
    SectionOrder(&'static str),
    /// A key that a section does not have.
    #[error("expected {expected}, found the key {found}")]
    Key {
        /// The keys that it has.
        expected: &'static str,
        /// The key.
        found: String,
    },
    /// A key that is given twice.
    #[error("the key {0} is given twice")]
    KeyTwice(String),
    /// Labels without a label.
    #[error("expected at least one label, such as `\"team\"=\"finance\"`")]
    NoLabels,
    /// Too many labels.
    #[error("{0} labels, default ones included: at most 10 for each rule")]
    TooManyLabels(usize),
    /// A label without a key or value.
    #[error("a label's key and value cannot be empty")]
    EmptyLabel,
    /// A label that is too long.
    #[error("a label's {part} has {length} characters: at most {most}")]
    LongLabel {
        /// Key or value.
        part: &'static str,
        /// Its length in UTF-16, as Glue counts.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// Labels twice on one rule.
    #[error("the rule has labels already")]
    LabelsTwice,
    /// Labels on a part of a composite rule.
    #[error("labels belong to a whole rule: `((…) and (…)) labels=[…]`")]
    LabelsInside,
    /// Too many parentheses in each other.
    #[error("nested more than {DEPTH} deep")]
    TooDeep,
    /// Nothing to do.
    #[error("no rules or analyzers: expected `Rules = […]` with at least one rule")]
    Nothing,
}

impl Problem {
    /// What to do about it, where that is not plain from the message.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownRuleType { similar, .. } => Some(similar.map_or_else(
                || "rule types are case sensitive, such as `IsComplete` or `RowCount`".to_owned(),
                |similar| format!("did you mean `{similar}`?"),
            )),
            Self::ParameterCount {
                swallowed: Some(rule_type),
                ..
            } => Some(format!(
                "`{rule_type}` is read as a parameter: is a comma missing, or are parentheses around the rules?"
            )),
            Self::ParameterCount {
                miscased: Some(word),
                ..
            } => Some(format!(
                "did you mean `{word}`? It is written in lower case"
            )),
            Self::Unexpected { found, .. } if found == "`where`" => {
                Some("`where` comes before `with` and `labels`".to_owned())
            }
            Self::Unexpected { found, .. } if found == "`/`" => {
                Some("a comment starts with `#`".to_owned())
            }
            _ => None,
        }
    }
}

impl ConditionKind {
    fn of(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Text => "texts",
            Self::Date => "dates",
            Self::Duration => "durations",
            Self::Size => "sizes",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Number => "> 0.9",
            Self::Text => "in [\"a\",\"b\"]",
            Self::Date => "> (now() - 3 days)",
            Self::Duration => "<= 24 hours",
            Self::Size => "> 5 MB",
        }
    }
}

fn counts(rule_type: RuleType) -> String {
    let counts: Vec<String> = rule_type
        .specification()
        .forms
        .iter()
        .map(|form| match (form.fewest, form.most) {
            (0, Some(0)) => "no parameters".to_owned(),
            (1, Some(1)) => "1 parameter".to_owned(),
            (few, Some(most)) if few == most => format!("{few} parameters"),
            (few, Some(most)) => format!("{few} to {most} parameters"),
            (few, None) => format!("at least {few} parameter"),
        })
        .collect();
    counts.join(" or ")
}

fn conditions(form: Form) -> String {
    if form.conditions.is_empty() {
        return "no condition".to_owned();
    }
    let kinds: Vec<&str> = form.conditions.iter().map(|kind| kind.of()).collect();
    let examples: Vec<String> = form
        .conditions
        .iter()
        .map(|kind| format!("`{}`", kind.example()))
        .collect();
    format!(
        "a comparison of {}, such as {}",
        kinds.join(" or "),
        examples.join(" or ")
    )
}
