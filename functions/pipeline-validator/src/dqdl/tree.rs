//! What a ruleset says.

use super::condition::{Comparison, Condition, Expression, TextOperand};
use super::specification::RuleType;
use std::ops::Range;

/// A ruleset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// `Metadata = {"Version": "1.0"}`.
    pub metadata: Metadata,
    /// `DataSources = {"Primary": "…", "AdditionalDataSources": […]}`.
    pub sources: Sources,
    /// `name = "value"`, in order.
    pub variables: Vec<Variable>,
    /// `DefaultLabels=[…]`: every rule has them, unless it says otherwise.
    pub default_labels: Vec<Label>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// The analyzers, in order.
    pub analyzers: Vec<Analyzer>,
}

/// What a ruleset says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The version of the language.
    pub version: Option<Text>,
}

/// The datasets that a ruleset names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The dataset that is checked.
    pub primary: Option<Text>,
    /// Those that it is checked against.
    pub additional: Vec<Text>,
}

/// A name for a text or a list of texts; a rule writes `$name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub value: VariableValue,
    /// Where it is defined.
    pub span: Span,
}

/// What a variable stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// A text.
    Text(Text),
    /// A list of texts.
    List(Vec<Text>),
}

/// A label of a rule, in results and alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Text,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// One expectation.
    Single(Box<SingleRule>),
    /// Several, joined. Over the whole data set, not row by row, is the default.
    Composite(CompositeRule),
}

/// Rules that are joined; at least two. A chain of one operator is one composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeRule {
    /// How they are joined.
    pub operator: LogicalOperator,
    /// The rules, none of which has labels of its own.
    pub rules: Vec<Rule>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Where it is.
    pub span: Span,
}

/// How rules are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOperator {
    /// `AND`, which binds tighter.
    And,
    /// `OR`.
    Or,
}

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleRule {
    /// What it checks.
    pub rule_type: RuleType,
    /// On what; as many as [`RuleType::specification`] says.
    pub parameters: Vec<Parameter>,
    /// What it asks; of a kind that the specification lists.
    pub condition: Option<Condition>,
    /// `with threshold …`: what it asks of the share of rows that pass.
    pub threshold: Option<Comparison<Expression>>,
    /// `where "…"`: the rows that it looks at. Never blank.
    pub where_clause: Option<Text>,
    /// `with name = value`, in the order in which Glue prints them.
    pub tags: Vec<Tag>,
    /// Its own labels; [`Ruleset::labels_of`] adds the default ones.
    pub labels: Vec<Label>,
    /// Where it is.
    pub span: Span,
}

/// What a rule or analyzer looks at, such as a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The text; that of the variable, if it is one.
    pub text: Text,
    /// Whether it stands in quotes.
    pub quoted: bool,
    /// The variable that it came from.
    pub variable: Option<String>,
    /// `of` or `and` before it, as written.
    pub connector: Option<String>,
}

/// An option of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Which.
    pub name: String,
    /// Its value.
    pub value: TagValue,
}

/// The value of a [`Tag`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagValue {
    /// `= "MD5"`.
    Text(TextOperand),
    /// `= 1`.
    Number(Expression),
}

/// A statistic to compute without expecting anything of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyzer {
    /// Which.
    pub rule_type: RuleType,
    /// On what.
    pub parameters: Vec<Parameter>,
    /// Where it is.
    pub span: Span,
}

/// A text between quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(String);

impl Text {
    /// Takes what stands between the quotes, which is never checked again.
    pub(crate) fn from_raw(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    /// The text that means this value.
    pub fn of(value: &str) -> Self {
        Self(value.replace('\\', r"\\").replace('"', r#"\""#))
    }

    /// As written, escapes and all. Glue hands regular expressions on like this.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// What it means: `\"` is `"` and `\\` is `\`; any other backslash is itself.
    pub fn value(&self) -> String {
        let mut value = String::with_capacity(self.0.len());
        let mut rest = self.0.chars().peekable();
        while let Some(character) = rest.next() {
            let escaped = (character == '\\')
                .then(|| rest.next_if(|next| matches!(next, '"' | '\\')))
                .flatten();
            value.push(escaped.unwrap_or(character));
        }
        value
    }
}

/// Where something is, in bytes. Two things that differ only in their place are equal.
#[derive(Debug, Clone, Default)]
pub struct Span(pub Range<usize>);

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Rule {
    /// Its own labels.
    pub fn labels(&self) -> &[Label] {
        match self {
            Self::Single(rule) => &rule.labels,
            Self::Composite(rule) => &rule.labels,
        }
    }

    /// Where it is.
    pub fn span(&self) -> &Span {
        match self {
            Self::Single(rule) => &rule.span,
            Self::Composite(rule) => &rule.span,
        }
    }
}

impl Ruleset {
    /// The labels of a rule: the default ones, replaced by its own where the keys are equal.
    pub fn labels_of<'a>(&'a self, rule: &'a Rule) -> Vec<&'a Label> {
        let own = rule.labels();
        self.default_labels
            .iter()
            .filter(|default| own.iter().all(|label| label.key != default.key))
            .chain(own)
            .collect()
    }
}
