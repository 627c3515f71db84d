//! Matchers as Alertmanager writes them: `severity=~"HIGH|CRITICAL"`, `environment!="dev"`, `{pipeline=sf_user}`.

use super::label::{Label, Labels};
use regex_lite::Regex;
use std::fmt;

/// What one label of an alert has to be.
#[derive(Debug, Clone)]
pub struct Matcher {
    label: Label,
    operator: Operator,
    value: String,
    test: Test,
}

/// How a label is compared. Patterns match the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Like,
    NotLike,
}

#[derive(Debug, Clone)]
enum Test {
    OneOf(Vec<String>),
    Pattern(Regex),
}

impl Operator {
    const ALL: [Self; 4] = [Self::Like, Self::NotLike, Self::NotEqual, Self::Equal];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Like => "=~",
            Self::NotLike => "!~",
        }
    }

    const fn negates(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotLike)
    }
}

impl Matcher {
    fn new(label: Label, operator: Operator, value: String) -> Result<Self, String> {
        let test = match operator {
            Operator::Equal | Operator::NotEqual => Test::OneOf(vec![value.clone()]),
            Operator::Like | Operator::NotLike => Test::of_pattern(&value)?,
        };
        Ok(Self {
            label,
            operator,
            value,
            test,
        })
    }

    /// The label it looks at.
    pub const fn label(&self) -> Label {
        self.label
    }

    /// Whether an alert is so.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.takes(self.label.of(labels))
    }

    /// Whether it takes this value of its label.
    pub(super) fn takes(&self, value: &str) -> bool {
        let found = match &self.test {
            Test::OneOf(values) => values.iter().any(|one| one == value),
            Test::Pattern(pattern) => pattern.is_match(value),
        };
        found != self.operator.negates()
    }

    /// The only values it takes, where they can be listed.
    pub(super) fn only(&self) -> Option<&[String]> {
        match &self.test {
            Test::OneOf(values) if !self.operator.negates() => Some(values),
            _ => None,
        }
    }
}

impl Test {
    fn of_pattern(pattern: &str) -> Result<Self, String> {
        let bad =
            |error: regex_lite::Error| format!("{pattern:?} is no regular expression: {error}");
        // Alone first: `a)(b` is only whole between the parentheses below.
        Regex::new(pattern).map_err(bad)?;
        let plain = |text: &str| {
            let letter = |letter: char| letter.is_alphanumeric() || "_- /:@,".contains(letter);
            text.chars().all(letter)
        };
        if pattern.split('|').all(plain) {
            return Ok(Self::OneOf(pattern.split('|').map(str::to_owned).collect()));
        }
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(bad)?;
        Ok(Self::Pattern(whole))
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (self.label, self.operator, &self.value) == (other.label, other.operator, &other.value)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        let value = value.replace('\n', "\\n");
        write!(
            formatter,
            "{}{}\"{value}\"",
            self.label,
            self.operator.as_str()
        )
    }
}

/// Reads the matchers of one text: one, or several between commas, in braces or not.
///
/// # Errors
/// What is wrong with the first that cannot be read.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, String> {
    let mut rest = text.trim();
    if let Some(inner) = rest.strip_prefix('{') {
        let inner = inner.strip_suffix('}');
        rest = inner.ok_or("the brace is not closed")?.trim();
    }
    let mut matchers = Vec::new();
    while !rest.is_empty() {
        let (matcher, after) = one(rest)?;
        matchers.push(matcher);
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return Err(format!("expected a comma before {after:?}")),
        };
    }
    if matchers.is_empty() {
        return Err("a matcher is missing, such as severity=\"HIGH\"".to_owned());
    }
    Ok(matchers)
}

/// Reads a matcher, and returns what comes after it.
fn one(text: &str) -> Result<(Matcher, &str), String> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_text(quoted)?,
        None => {
            let end =
                text.find(|letter: char| letter.is_whitespace() || "{}!=~,\"'`".contains(letter));
            let (name, rest) = text
                .split_at_checked(end.unwrap_or(text.len()))
                .unwrap_or((text, ""));
            (name.to_owned(), rest)
        }
    };
    if name.is_empty() {
        return Err(format!("expected a label's name before {text:?}"));
    }
    let rest = rest.trim_start();
    let operator = Operator::ALL
        .into_iter()
        .find_map(|operator| Some((operator, rest.strip_prefix(operator.as_str())?)));
    let Some((operator, rest)) = operator.filter(|(_, rest)| !rest.starts_with(['=', '~', '!']))
    else {
        return Err(format!("expected =, !=, =~ or !~ after {name:?}"));
    };
    let rest = rest.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_text(quoted)?,
        None => bare_value(rest)?,
    };
    let matcher = Matcher::new(name.parse()?, operator, value)?;
    Ok((matcher, rest.trim_start()))
}

/// Reads up to the closing quote. `\"`, `\\` and `\n` are escapes; before other letters a backslash is itself.
fn quoted_text(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok((value, letters.as_str())),
            '\\' => match letters.next() {
                Some('n') => value.push('\n'),
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("the quote is not closed".to_owned())
}

/// Reads a value without quotes, up to a comma.
fn bare_value(text: &str) -> Result<(String, &str), String> {
    let (value, rest) = match text.find(',') {
        Some(comma) => text.split_at_checked(comma).unwrap_or((text, "")),
        None => (text, ""),
    };
    let value = value.trim_end();
    if value.is_empty() {
        return Err("expected a value; \"\" stands for none".to_owned());
    }
    if value.contains('"') {
        return Err(format!(
            "a quote inside of {value}: write the whole value in quotes"
        ));
    }
    Ok((value.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn shown(text: &str) -> String {
        let matchers = parse(text).unwrap();
        matchers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[rstest]
    #[case("severity=HIGH", r#"severity="HIGH""#)]
    #[case(r#" severity = "HIGH" "#, r#"severity="HIGH""#)]
    #[case(r#""severity"="HIGH""#, r#"severity="HIGH""#)]
    #[case(
        r#"{severity=~"HIGH|CRITICAL", environment!=dev,}"#,
        r#"severity=~"HIGH|CRITICAL" environment!="dev""#
    )]
    #[case("pipeline!~sf_.*", r#"pipeline!~"sf_.*""#)]
    #[case(r#"alarm="a, \"b\"""#, r#"alarm="a, \"b\"""#)]
    #[case(r#"pipeline=~"sf\.user""#, r#"pipeline=~"sf\\.user""#)]
    #[case(r#"pipeline=~"sf\\.user""#, r#"pipeline=~"sf\\.user""#)]
    #[case("alarm=größe 🚀", r#"alarm="größe 🚀""#)]
    #[case(r#"alarm="""#, r#"alarm="""#)]
    #[case("{pipeline=~[a-z]{2}}", r#"pipeline=~"[a-z]{2}""#)]
    fn reads_what_alertmanager_reads(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(text), expected);
        assert_eq!(shown(&shown(text).replace("\" ", "\", ")), expected);
    }

    #[rstest]
    #[case("", "a matcher is missing")]
    #[case("{}", "a matcher is missing")]
    #[case("{severity=HIGH", "the brace is not closed")]
    #[case("severty=HIGH", "there is no label \"severty\"; known are severity, ")]
    #[case("severity", "expected =, !=, =~ or !~ after \"severity\"")]
    #[case("severity==HIGH", "expected =, !=, =~ or !~")]
    #[case("=HIGH", "expected a label's name")]
    #[case("severity=", "expected a value")]
    #[case("severity=\"HIGH", "the quote is not closed")]
    #[case("severity=\"HIGH\" \"LOW\"", "expected a comma before")]
    #[case("severity=HI\"GH", "a quote inside")]
    #[case("severity=~\"(HIGH\"", "is no regular expression")]
    #[case("severity=~\"a)(b\"", "is no regular expression")]
    #[case("severity=HIGH,,environment=prod", "expected a label's name")]
    fn says_what_it_cannot_read(#[case] text: &str, #[case] expected: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case("pipeline=sf_user", "sf_user", true)]
    #[case("pipeline=sf_user", "sf_users", false)]
    #[case("pipeline!=sf_user", "sf_users", true)]
    #[case("pipeline=~\"sf_.*\"", "sf_user", true)]
    #[case::whole("pipeline=~\"user\"", "sf_user", false)]
    #[case::each_alternative_whole("pipeline=~\"sf|user.*\"", "sf_x", false)]
    #[case::flags_stay_inside("pipeline=~\"(?m)a$\"", "a\nb", false)]
    #[case("pipeline=~\"a|b\"", "b", true)]
    #[case("pipeline=~\"a|\"", "", true)]
    #[case("pipeline!~\"a|b\"", "c", true)]
    #[case("pipeline!~\"a.*\"", "abc", false)]
    #[case::absent_is_empty("alarm=\"\"", "sf_user", true)]
    #[case::absent_is_not("alarm!=\"x\"", "sf_user", true)]
    fn matches_the_whole_label(#[case] text: &str, #[case] pipeline: &str, #[case] expected: bool) {
        let labels = Labels::from([("pipeline", pipeline.to_owned())]);
        let matched = parse(text).unwrap().iter().all(|one| one.matches(&labels));
        assert_eq!(matched, expected);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn a_plain_alternation_is_what_its_pattern_is(names in proptest::collection::vec("[a-c_]{0,3}", 1..4), value in "[a-c_]{0,3}") {
            let pattern = names.join("|");
            let matcher = Matcher::new(Label::Pipeline, Operator::Like, pattern.clone()).unwrap();
            let regex = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            proptest::prop_assert_eq!(matcher.takes(&value), regex.is_match(&value));
        }
    }
}
