//! Names of tables and columns.

use serde::Deserialize;
use std::fmt;

/// A column or table name as the catalog knows it; SQL quotes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Identifier(String);

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        // 255 characters: Glue API reference, NameString.
        if name.trim().is_empty() || name.chars().nth(255).is_some() {
            return Err("expected a name of 1 to 255 characters".to_owned());
        }
        if name.chars().any(char::is_control) {
            return Err(format!(
                "expected a name without control characters, got {name:?}"
            ));
        }
        Ok(Self(name))
    }
}

impl Identifier {
    /// The name, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
