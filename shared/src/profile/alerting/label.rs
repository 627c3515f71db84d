//! What alerts are told apart by.

use crate::alert::Status;
use crate::failure::{ErrorType, RootCause, Severity};
use std::collections::BTreeMap;
use std::fmt;

/// The labels of an alert, by the names of [`Label`]. One that is not there counts as empty.
pub type Labels = BTreeMap<&'static str, String>;

/// What an alert can be matched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// How much it matters.
    Severity,
    /// What failed.
    ErrorType,
    /// Why.
    RootCause,
    /// The pipeline's name.
    Pipeline,
    /// The environment.
    Environment,
    /// Whether the problem is there or gone.
    Status,
    /// Who noticed it.
    Source,
    /// The CloudWatch alarm's name.
    Alarm,
}

/// Who notices problems: the values of [`Label::Source`].
pub mod source {
    /// Pipewarden itself.
    pub const PIPEWARDEN: &str = "pipewarden";
    /// An alarm of CloudWatch.
    pub const CLOUDWATCH: &str = "cloudwatch";
    /// A rule of EventBridge.
    pub const EVENTBRIDGE: &str = "eventbridge";
    /// Anybody with a text.
    pub const TEXT: &str = "text";

    /// All of them.
    pub const ALL: [&str; 4] = [PIPEWARDEN, CLOUDWATCH, EVENTBRIDGE, TEXT];
}

impl Label {
    /// Every label, in order.
    pub const ALL: [Self; 8] = [
        Self::Severity,
        Self::ErrorType,
        Self::RootCause,
        Self::Pipeline,
        Self::Environment,
        Self::Status,
        Self::Source,
        Self::Alarm,
    ];

    /// The name in matchers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::ErrorType => "error_type",
            Self::RootCause => "root_cause",
            Self::Pipeline => "pipeline",
            Self::Environment => "environment",
            Self::Status => "status",
            Self::Source => "source",
            Self::Alarm => "alarm",
        }
    }

    /// The label of an alert, empty where it has none.
    pub fn of(self, labels: &Labels) -> &str {
        labels.get(self.as_str()).map_or("", String::as_str)
    }

    /// Everything that the label can be, where that is known. Whatever it is, an alert has a severity; an alarm or a
    /// text may have neither error type nor cause.
    pub(super) fn values(self) -> Option<Vec<&'static str>> {
        fn or_none<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
            let names = all.iter().map(|member| name(*member));
            names.chain([""]).collect()
        }
        match self {
            Self::Severity => Some(Severity::ALL.iter().map(|one| one.as_str()).collect()),
            Self::ErrorType => Some(or_none(ErrorType::ALL, ErrorType::as_str)),
            Self::RootCause => Some(or_none(RootCause::ALL, RootCause::as_str)),
            Self::Status => Some(
                [Status::Firing, Status::Resolved]
                    .map(Status::as_str)
                    .into(),
            ),
            Self::Source => Some(source::ALL.into()),
            Self::Pipeline | Self::Environment | Self::Alarm => None,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl std::str::FromStr for Label {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|label| label.as_str() == name);
        known.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("there is no label {name:?}; known are {known}")
        })
    }
}
