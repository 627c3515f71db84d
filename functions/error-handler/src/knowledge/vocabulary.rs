//! The closed sets of the knowledge base that nothing else knows. The build script reads this file as well.

use serde::Deserialize;

/// How much a match says; ordered, so that the one that says the most is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Something inside failed, and no more than that.
    Wrapper,
    /// The kind of failure, not what exactly failed.
    General,
    /// The very cause.
    #[default]
    Specific,
}

/// Where an entry moves the severity of the error type, one step at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shift {
    /// It matters more than the error type usually does.
    Raise,
    /// It matters less.
    Lower,
    /// It matters as much.
    #[default]
    Keep,
}

/// Every placeholder of actions and steps, with the words for what is not known.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("job", "the job"),
    ("job_run", "the job run"),
    ("log_group", "the log group"),
    ("execution", "the execution arn"),
    ("state", "the state"),
    ("state_machine", "the state machine"),
    ("function", "the function"),
    ("table", "the table"),
    ("database", "the database"),
    ("column", "the column"),
    ("bucket", "the bucket"),
    ("path", "the path"),
    ("role", "the role"),
    ("action", "the action"),
    ("query_id", "the query id"),
    ("work_group", "the work group"),
    ("cluster", "the cluster"),
    ("step", "the step"),
    ("task", "the task"),
    ("host", "the host"),
    ("key", "the key"),
    ("secret", "the secret"),
    ("model", "the model"),
    ("account", "the account"),
    ("region", "the region"),
    ("limit", "the limit"),
];

/// A part of a template: text, or the name of a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'template> {
    /// As it stands.
    Text(&'template str),
    /// To be filled in.
    Name(&'template str),
}

/// Takes a template apart. A name is `{lower_case}`; any other brace is text, as commands have them.
pub fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let name = after.split_once('}').filter(|(name, _)| is_name(name));
        // `${NAME}` and `{{name}}` belong to a shell or to Jinja.
        match name.filter(|_| !before.ends_with(['$', '{'])) {
            Some((name, behind)) => {
                pieces.push(Piece::Text(before));
                pieces.push(Piece::Name(name));
                rest = behind;
            }
            None => {
                let (text, behind) = rest.split_at(before.len() + 1);
                pieces.push(Piece::Text(text));
                rest = behind;
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_')
}
