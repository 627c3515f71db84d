//! The words and signs that a ruleset is made of.

use std::fmt;
use std::ops::Range;

/// A word or sign, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'s> {
    pub(crate) kind: TokenKind<'s>,
    pub(crate) span: Range<usize>,
}

/// What a word or sign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind<'s> {
    /// What stands between double quotes, as written.
    Text(&'s str),
    /// Quotes that open and never close.
    UnclosedText,
    Integer(&'s str),
    Decimal(&'s str),
    Identifier(&'s str),
    Keyword(Keyword),
    /// `now()`, which is one word of the language.
    Now,
    Symbol(char),
    /// A character that means nothing outside quotes.
    Unknown(char),
    /// The end of the ruleset.
    End,
}

impl fmt::Display for TokenKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                let start: String = text.chars().take(24).collect();
                let rest = if start.len() < text.len() { "…" } else { "" };
                write!(f, "`\"{start}{rest}\"`")
            }
            Self::UnclosedText => f.write_str("a text without closing quotes"),
            Self::Integer(word) | Self::Decimal(word) | Self::Identifier(word) => {
                write!(f, "`{word}`")
            }
            Self::Keyword(keyword) => write!(f, "`{}`", keyword.as_str()),
            Self::Now => f.write_str("`now()`"),
            Self::Symbol(sign) | Self::Unknown(sign) => write!(f, "`{}`", sign.escape_debug()),
            Self::End => f.write_str("the end"),
        }
    }
}

macro_rules! keywords {
    ($($variant:ident: $canonical:literal $(| $other:literal)*),+ $(,)?) => {
        /// A word that the language keeps for itself; a column of that name needs quotes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword {
            $($variant),+
        }

        impl Keyword {
            /// The keyword that a word is. Only those that the grammar lists twice may be in capitals.
            pub(crate) fn of(word: &str) -> Option<Self> {
                match word {
                    $($canonical $(| $other)* => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// How it is written.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $canonical),+
                }
            }
        }
    };
}

// Source: CommonLexerRules.g4 and the literals of DataQualityDefinitionLanguage.g4 (awslabs/dqdl).
keywords! {
    Metadata: "Metadata",
    DataSources: "DataSources",
    DefaultLabels: "DefaultLabels",
    Rules: "Rules",
    Analyzers: "Analyzers",
    And: "and" | "AND",
    Or: "or" | "OR",
    Of: "of" | "OF",
    Null: "NULL" | "null",
    Empty: "EMPTY" | "empty",
    WhitespacesOnly: "WHITESPACES_ONLY" | "whitespaces_only",
    Between: "between",
    In: "in",
    Not: "not",
    Matches: "matches",
    Where: "where",
    With: "with",
    Labels: "labels",
    Minutes: "minutes",
    Hours: "hours",
    Days: "days",
    Bytes: "B",
    Kilobytes: "KB",
    Megabytes: "MB",
    Gigabytes: "GB",
    Terabytes: "TB",
}
