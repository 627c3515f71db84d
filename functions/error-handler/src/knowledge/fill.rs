//! Fills the names of a run into actions and steps. Names come from outside: none may become a command that somebody pastes.

use super::vocabulary::{PLACEHOLDERS, Piece, pieces};
use pipewarden_shared::{mask, truncate};
use std::collections::BTreeMap;

/// The most characters of a name.
const LONGEST_NAME: usize = 200;

/// Programs whose command line an action or a step shows.
const PROGRAMS: &[&str] = &[
    "aws ",
    "dbt ",
    "terraform ",
    "psql ",
    "kubectl ",
    "snowsql ",
    "snow ",
    "docker ",
    "dig ",
    "nslookup ",
    "nc ",
    "curl ",
    "yarn ",
    "spark-submit ",
    "pip ",
    "git ",
    "sam ",
    "cdk ",
    "sf ",
    "sfdx ",
    "hdfs ",
    "hadoop ",
    "python ",
    "openssl ",
    "grep ",
    "jq ",
    "unzip ",
    "gunzip ",
    "zcat ",
    "head ",
];

/// Names that templates are filled in with, safe to show and to paste.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes names from a run; of one that is no placeholder, or of which nothing safe is left, nothing is kept.
    pub(crate) fn extend<'text>(
        &mut self,
        names: impl IntoIterator<Item = (&'text str, &'text str)>,
    ) {
        for (name, value) in names {
            let known = PLACEHOLDERS.iter().any(|(known, _)| *known == name);
            if let Some(value) = safe(value).filter(|_| known) {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    /// Fills a template in; what is not known is written as `<the job>`.
    pub(crate) fn fill(&self, template: &str) -> String {
        let mut filled = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Name(name) => match self.0.get(name) {
                    Some(value) => {
                        let value = argument(&filled, value);
                        filled.push_str(&value);
                    }
                    None => {
                        let words = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
                        filled.push_str(&format!("<{}>", words.map_or(name, |(_, words)| words)));
                    }
                },
            }
        }
        filled
    }
}

/// What of a name may be shown and pasted: letters, digits, `_./:@*+=,-` and spaces, never an option.
fn safe(value: &str) -> Option<String> {
    let masked = mask::secrets(&truncate::characters(value, 4 * LONGEST_NAME));
    if masked.contains(mask::MASK) {
        return None;
    }
    let kept: String = masked
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| letter.is_alphanumeric() || "_./:@*+=,- ".contains(*letter))
        .take(LONGEST_NAME)
        .collect();
    let kept = kept.trim().trim_start_matches('-').trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// A name as it stands behind a text: in a command and outside quotes, one with a space or a star is quoted.
fn argument(before: &str, value: &str) -> String {
    let command = PROGRAMS
        .iter()
        .filter_map(|program| {
            let at = before.rfind(program)?;
            let behind = before.get(..at).and_then(|text| text.chars().next_back());
            behind
                .is_none_or(|letter| !letter.is_alphanumeric())
                .then_some(at)
        })
        .min();
    let Some(command) = command.and_then(|at| before.get(at..)) else {
        return value.to_owned();
    };
    let open = |quote: char| command.matches(quote).count() % 2 == 1;
    if !value.contains([' ', '*']) || open('\'') || open('"') || open('`') {
        value.to_owned()
    } else {
        format!("'{value}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain(
        "aws glue get-job --job-name {job}",
        "load_users",
        "aws glue get-job --job-name load_users"
    )]
    #[case::prose("Mend {job} first", "load users", "Mend load users first")]
    #[case::space(
        "aws glue get-job --job-name {job}",
        "load users",
        "aws glue get-job --job-name 'load users'"
    )]
    #[case::star("aws s3 ls {job}", "s3://b/*", "aws s3 ls 's3://b/*'")]
    #[case::in_quotes(
        "aws x --query 'a {job}' --y {job}",
        "l u",
        "aws x --query 'a l u' --y 'l u'"
    )]
    #[case::second_command(
        "aws a --b {job}; aws c --d {job}",
        "l u",
        "aws a --b 'l u'; aws c --d 'l u'"
    )]
    #[case::separator(
        "aws glue get-job --job-name {job}",
        "x; rm -rf ~",
        "aws glue get-job --job-name 'x rm -rf'"
    )]
    #[case::substitution("aws x {job}", "$(curl evil)`id`", "aws x 'curl evilid'")]
    #[case::quote("aws x {job}", "a' | sh '", "aws x 'a  sh'")]
    #[case::lines("aws x {job}", "a\nrm", "aws x 'a rm'")]
    #[case::option(
        "aws x {job}",
        "--endpoint-url=http://evil",
        "aws x endpoint-url=http://evil"
    )]
    #[case::nothing_safe("aws x {job}", "$;|&", "aws x <the job>")]
    #[case::a_secret("aws x {job}", "AKIAIOSFODNN7EXAMPLE", "aws x <the job>")]
    #[case::braces("echo ${job} {{ job }} {a:b}", "x", "echo ${job} {{ job }} {a:b}")]
    fn fills(#[case] template: &str, #[case] job: &str, #[case] filled: &str) {
        let mut names = Names::default();
        names.extend([("job", job)]);
        assert_eq!(names.fill(template), filled);
    }

    #[test]
    fn names_are_cut_and_only_placeholders_are_kept() {
        let mut names = Names::default();
        let long = "x".repeat(10_000);
        names.extend([("job", long.as_str()), ("password", "hunter22")]);
        assert_eq!(names.fill("{job}").len(), LONGEST_NAME);
        assert_eq!(names.fill("{password} {table}"), "<password> <the table>");
    }
}
