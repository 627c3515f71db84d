//! Rules as Glue prints them, from `toString` of awslabs/dqdl: spaces, quotes, parentheses and order are a contract.

use super::condition::{
    Arithmetic, Comparison, Condition, DateOperand, Duration, DurationUnit, Expression, Operator,
    Size, SizeUnit, Term, TextCondition, TextOperand,
};
use super::tree::{
    Analyzer, CompositeRule, Label, LogicalOperator, Parameter, Rule, Ruleset, SingleRule, Tag,
    TagValue, Text, Variable, VariableValue,
};
use std::fmt::{self, Display, Formatter};

/// The items with a separator between them.
struct Joined<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { self.1 };
            write!(f, "{separator}{item}")?;
        }
        Ok(())
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.raw())
    }
}

impl Display for Ruleset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut sections = Vec::new();
        if let Some(version) = &self.metadata.version {
            sections.push(format!("Metadata = {{\n    \"Version\": {version}\n}}"));
        }
        sections.extend(self.print_sources());
        if !self.variables.is_empty() {
            sections.push(Joined(&self.variables, "\n").to_string());
        }
        if !self.default_labels.is_empty() {
            sections.push(format!(
                "DefaultLabels=[{}]",
                Joined(&self.default_labels, ", ")
            ));
        }
        if !self.rules.is_empty() {
            sections.push(format!(
                "Rules = [\n    {}\n]",
                Joined(&self.rules, ",\n    ")
            ));
        }
        if !self.analyzers.is_empty() {
            sections.push(format!(
                "Analyzers = [\n    {}\n]",
                Joined(&self.analyzers, ",\n    ")
            ));
        }
        Joined(&sections, "\n\n").fmt(f)
    }
}

impl Ruleset {
    fn print_sources(&self) -> Option<String> {
        let primary = self
            .sources
            .primary
            .as_ref()
            .map(|name| format!("    \"Primary\": {name}"));
        let additional = (!self.sources.additional.is_empty()).then(|| {
            let names = Joined(&self.sources.additional, ", ");
            format!("    \"AdditionalDataSources\": [ {names} ]")
        });
        let lines: Vec<String> = primary.into_iter().chain(additional).collect();
        (!lines.is_empty()).then(|| format!("DataSources = {{\n{}\n}}", lines.join(",\n")))
    }
}

impl Display for Variable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            VariableValue::Text(text) => write!(f, "{} = {text}", self.name),
            VariableValue::List(texts) => write!(f, "{} = [{}]", self.name, Joined(texts, ",")),
        }
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(rule) => rule.fmt(f),
            Self::Composite(rule) => rule.fmt(f),
        }
    }
}

impl Display for CompositeRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("({rule})")).collect();
        let rules = rules.join(&format!(" {} ", self.operator));
        if self.labels.is_empty() {
            return f.write_str(&rules);
        }
        write!(f, "({rules}) labels=[{}]", Joined(&self.labels, ", "))
    }
}

impl Display for LogicalOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::And => "AND",
            Self::Or => "OR",
        })
    }
}

impl Display for SingleRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule_type)?;
        self.parameters
            .iter()
            .try_for_each(|parameter| write!(f, " {parameter}"))?;
        if let Some(condition) = &self.condition {
            write!(f, " {condition}")?;
        }
        if let Some(filter) = &self.where_clause {
            write!(f, " where {filter}")?;
        }
        if let Some(threshold) = &self.threshold {
            write!(f, " with threshold ")?;
            print_comparison(threshold, ",", f)?;
        }
        self.tags.iter().try_for_each(|tag| write!(f, " {tag}"))?;
        if !self.labels.is_empty() {
            write!(f, " labels=[{}]", Joined(&self.labels, ", "))?;
        }
        Ok(())
    }
}

impl Display for Analyzer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule_type)?;
        self.parameters
            .iter()
            .try_for_each(|parameter| write!(f, " {parameter}"))
    }
}

impl Display for Parameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(connector) = &self.connector {
            write!(f, "{connector} ")?;
        }
        match &self.variable {
            Some(name) => write!(f, "${name}"),
            None if self.quoted => self.text.fmt(f),
            None => f.write_str(self.text.raw()),
        }
    }
}

impl Display for Tag {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            TagValue::Text(operand) => write!(f, "with {} = {operand}", self.name),
            TagValue::Number(operand) => write!(f, "with {} = {operand}", self.name),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(comparison) => print_comparison(comparison, ",", f),
            Self::Text(condition) => condition.fmt(f),
            Self::Date(comparison) => print_comparison(comparison, ",", f),
            // DurationBasedCondition.java alone puts a space after the comma.
            Self::Duration(comparison) => print_comparison(comparison, ", ", f),
            Self::Size(comparison) => print_comparison(comparison, ",", f),
        }
    }
}

fn print_comparison<T: Display>(
    comparison: &Comparison<T>,
    separator: &'static str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    match comparison {
        Comparison::With { operator, operand } => write!(f, "{operator} {operand}"),
        Comparison::Between { negated, low, high } => {
            write!(f, "{}between {low} and {high}", not(*negated))
        }
        Comparison::In { negated, operands } => {
            write!(f, "{}in [{}]", not(*negated), Joined(operands, separator))
        }
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        })
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.rest
            .iter()
            .try_for_each(|(operator, term)| write!(f, " {operator} {term}"))
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        })
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) => f.write_str(text),
            Self::Null => f.write_str("NULL"),
            Self::Call { name, arguments } => write!(f, "{name}({})", Joined(arguments, ",")),
            Self::Group(expression) => write!(f, "({expression})"),
        }
    }
}

impl Display for TextCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal {
                negated,
                operand,
                variable,
            } => {
                f.write_str(if *negated { "!= " } else { "= " })?;
                match variable {
                    Some(name) => write!(f, "${name}"),
                    None => operand.fmt(f),
                }
            }
            Self::In {
                negated,
                operands,
                variable,
            } => match variable {
                Some(name) => write!(f, "{}in ${name}", not(*negated)),
                None => write!(f, "{}in [{}]", not(*negated), Joined(operands, ",")),
            },
            Self::Matches { negated, pattern } => write!(f, "{}matches {pattern}", not(*negated)),
        }
    }
}

impl Display for TextOperand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Null => f.write_str("NULL"),
            Self::Empty => f.write_str("EMPTY"),
            Self::WhitespacesOnly => f.write_str("WHITESPACES_ONLY"),
        }
    }
}

impl Display for DateOperand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "\"{date}\""),
            Self::Time { written, .. } => write!(f, "\"{written}\""),
            Self::Now => f.write_str("now()"),
            Self::Relative { before, duration } => {
                write!(f, "(now() {} {duration})", if *before { '-' } else { '+' })
            }
            Self::Null => f.write_str("NULL"),
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            DurationUnit::Minutes => "minutes",
            DurationUnit::Hours => "hours",
            DurationUnit::Days => "days",
        };
        write!(f, "{} {unit}", self.amount)
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            SizeUnit::B => "B",
            SizeUnit::KB => "KB",
            SizeUnit::MB => "MB",
            SizeUnit::GB => "GB",
            SizeUnit::TB => "TB",
        };
        write!(f, "{} {unit}", self.amount)
    }
}
