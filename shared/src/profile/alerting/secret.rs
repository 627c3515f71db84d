//! Where the secret of a receiver is kept.

use crate::mask;

/// Where a secret is kept. The secret itself is never in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// Secrets Manager: a name or an ARN.
    SecretsManager(String),
    /// Parameter Store: a name or an ARN.
    Parameter(String),
}

impl Secret {
    /// Reads where a secret is kept; an error never repeats the text, which may be the secret itself.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_named = text.starts_with("arn:") || text.starts_with("ssm:");
        if text.contains("://") || (!is_named && mask::secrets(text) != text) {
            return Err("a secret has no place in a profile: put it into Secrets Manager or Parameter Store, \
                        and name its ARN or ssm:/its-name here"
                .to_owned());
        }
        // Names: Secrets Manager API reference, CreateSecret; Systems Manager API reference, PutParameter.
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@:-".contains(letter);
        if text.is_empty() || text.len() > 2048 || !text.chars().all(letter) {
            return Err(
                "expected the name or ARN of a secret, ssm:/a-parameter, or ${A_SETTING}"
                    .to_owned(),
            );
        }
        if let Some(name) = text.strip_prefix("ssm:") {
            return Ok(Self::Parameter(name.to_owned()));
        }
        match text.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "ssm", ..] => Ok(Self::Parameter(text.to_owned())),
            ["arn", _, "secretsmanager", ..] => Ok(Self::SecretsManager(text.to_owned())),
            ["arn", ..] => Err("the ARN is neither of a secret nor of a parameter".to_owned()),
            _ => Ok(Self::SecretsManager(text.to_owned())),
        }
    }
}
