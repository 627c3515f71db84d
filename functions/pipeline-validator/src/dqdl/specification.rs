//! The rule types, and what each of them takes: the one place that knows.

use super::condition::ConditionKind;
use std::fmt;

macro_rules! rule_types {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        /// What a rule checks or an analyzer computes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RuleType {
            $($(#[$doc])+ $name),+
        }

        impl RuleType {
            /// Every rule type.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in the language.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }
        }
    };
}

rule_types! {
    /// Rows of the dataset.
    RowCount,
    /// Rows against those of another dataset, as a ratio.
    RowCountMatch,
    /// Columns of the dataset.
    ColumnCount,
    /// The share of values that are not NULL.
    Completeness,
    /// No value is NULL.
    IsComplete,
    /// The type that the values have.
    ColumnDataType,
    /// Every column name matches a pattern.
    ColumnNamesMatchPattern,
    /// There is such a column.
    ColumnExists,
    /// How two columns correlate.
    ColumnCorrelation,
    /// The share of values, or of rows over several columns, that occur once.
    Uniqueness,
    /// Every value occurs once.
    IsUnique,
    /// The mean of a column.
    Mean,
    /// The sum of a column.
    Sum,
    /// The standard deviation of a column.
    StandardDeviation,
    /// The variance of a column.
    Variance,
    /// The entropy of a column.
    Entropy,
    /// How many distinct values there are.
    DistinctValuesCount,
    /// Values that occur once, among the distinct ones.
    UniqueValueRatio,
    /// The length of the values.
    ColumnLength,
    /// The columns are complete and unique together.
    IsPrimaryKey,
    /// The values themselves.
    ColumnValues,
    /// The age of a date column.
    DataFreshness,
    /// What a query answers.
    CustomSql,
    /// Values that occur in another dataset, as a ratio.
    ReferentialIntegrity,
    /// Rows equal to those of another dataset, as a ratio.
    DatasetMatch,
    /// Columns equal to those of another dataset, as a ratio.
    SchemaMatch,
    /// Two aggregates against each other, as a ratio.
    AggregateMatch,
    /// A statistic is not out of line with its history.
    DetectAnomalies,
    /// Every statistic of a column, or of all.
    AllStatistics,
    /// Files equal to other files or to checksums.
    FileMatch,
    /// The share of files whose content occurs once.
    FileUniqueness,
    /// The age of files.
    FileFreshness,
    /// The size of files.
    FileSize,
}

/// What a rule type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Specification {
    /// The numbers of parameters that it can have, and the conditions that go with each.
    pub forms: &'static [Form],
    /// Whether `where "…"` may follow.
    pub where_clause: bool,
    /// Whether `with threshold …` may follow.
    pub threshold: bool,
    /// Whether it may stand among the rules.
    pub rule: bool,
}

/// A number of parameters, and the conditions that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The fewest parameters.
    pub fewest: usize,
    /// The most; `None` for any number.
    pub most: Option<usize>,
    /// The kinds of condition that it takes, in the order in which Glue tries them.
    pub conditions: &'static [ConditionKind],
    /// Whether it means something without a condition.
    pub bare: bool,
}

impl Form {
    /// Whether so many parameters are right.
    pub fn takes(&self, parameters: usize) -> bool {
        parameters >= self.fewest && self.most.is_none_or(|most| parameters <= most)
    }

    /// Whether it may stand among the analyzers: Glue refuses what can only be true or false.
    pub fn analyzer(&self) -> bool {
        !self.conditions.is_empty()
    }
}

const fn form(fewest: usize, most: usize, conditions: &'static [ConditionKind]) -> Form {
    Form {
        fewest,
        most: Some(most),
        conditions,
        bare: conditions.is_empty(),
    }
}

const fn many(conditions: &'static [ConditionKind]) -> Form {
    Form {
        fewest: 1,
        most: None,
        conditions,
        bare: conditions.is_empty(),
    }
}

const NUMBER: &[ConditionKind] = &[ConditionKind::Number];
const NONE: &[ConditionKind] = &[];
const VALUES: &[ConditionKind] = &[
    ConditionKind::Text,
    ConditionKind::Number,
    ConditionKind::Date,
];

/// Forms that live as long as the program.
macro_rules! forms {
    ($($form:expr),+ $(,)?) => {
        const { &[$($form),+] }
    };
}

const PLAIN: Specification = Specification {
    forms: &[],
    where_clause: false,
    threshold: false,
    rule: true,
};

impl RuleType {
    /// The rule type of that name; names are case sensitive.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|rule_type| rule_type.name() == name)
    }

    /// What it takes.
    ///
    /// Source: configuration/rules/rules-config.json of awslabs/dqdl at c6c7515 (`parameters`, `return_type`,
    /// `is_where_clause_supported`, `is_threshold_supported`, `is_analyzer_only`); that `Variance` exists and that
    /// `Uniqueness` and `IsUnique` take several columns comes from its DQRuleTest.java at 031d843.
    pub const fn specification(self) -> Specification {
        match self {
            Self::RowCount => filtered(forms![form(0, 0, NUMBER)]),
            Self::ColumnCount => plain(forms![form(0, 0, NUMBER)]),
            Self::RowCountMatch | Self::SchemaMatch => plain(forms![form(1, 1, NUMBER)]),
            Self::ColumnCorrelation => filtered(forms![form(2, 2, NUMBER)]),
            Self::ReferentialIntegrity | Self::AggregateMatch => plain(forms![form(2, 2, NUMBER)]),
            Self::DatasetMatch => plain(forms![form(2, 3, NUMBER)]),
            Self::Uniqueness => filtered(forms![many(NUMBER)]),
            Self::IsUnique | Self::IsPrimaryKey => filtered(forms![many(NONE)]),
            Self::IsComplete => filtered(forms![form(1, 1, NONE)]),
            Self::ColumnNamesMatchPattern | Self::ColumnExists => plain(forms![form(1, 1, NONE)]),
            Self::DetectAnomalies => plain(forms![many(NONE)]),
            Self::AllStatistics => Specification {
                forms: forms![form(1, 1, NUMBER)],
                rule: false,
                ..PLAIN
            },
            Self::ColumnDataType => graded(filtered(forms![form(1, 1, &[ConditionKind::Text])])),
            Self::ColumnValues => graded(filtered(forms![form(1, 1, VALUES)])),
            Self::DataFreshness => filtered(forms![form(1, 1, &[ConditionKind::Duration])]),
            Self::CustomSql => graded(plain(forms![Form {
                fewest: 1,
                most: Some(1),
                conditions: NUMBER,
                bare: true,
            }])),
            Self::FileMatch => plain(forms![form(0, 1, &[ConditionKind::Text]), form(2, 2, NONE)]),
            Self::FileUniqueness => plain(forms![form(0, 1, NUMBER)]),
            Self::FileFreshness => graded(plain(forms![form(0, 1, &[ConditionKind::Date])])),
            Self::FileSize => graded(plain(forms![form(0, 1, &[ConditionKind::Size])])),
            Self::Completeness
            | Self::Mean
            | Self::Sum
            | Self::StandardDeviation
            | Self::Variance
            | Self::Entropy
            | Self::DistinctValuesCount
            | Self::UniqueValueRatio
            | Self::ColumnLength => filtered(forms![form(1, 1, NUMBER)]),
        }
    }

    /// The form that takes so many parameters.
    pub fn form(self, parameters: usize) -> Option<Form> {
        self.specification()
            .forms
            .iter()
            .copied()
            .find(|form| form.takes(parameters))
    }
}

const fn plain(forms: &'static [Form]) -> Specification {
    Specification { forms, ..PLAIN }
}

const fn filtered(forms: &'static [Form]) -> Specification {
    Specification {
        forms,
        where_clause: true,
        ..PLAIN
    }
}

const fn graded(specification: Specification) -> Specification {
    Specification {
        threshold: true,
        ..specification
    }
}

impl fmt::Display for RuleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
