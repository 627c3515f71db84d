//! The columns of tables, as a catalog has them.

use std::collections::BTreeMap;

/// A table's name, as the engine compares names: without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(String);

impl TableName {
    /// A name as it is written.
    pub fn of(name: impl AsRef<str>) -> Self {
        Self(name.as_ref().to_lowercase())
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnType {
    /// Its name, as the catalog writes it.
    pub name: String,
    /// Its type, such as `decimal(10,2)`, in lower case.
    pub data_type: String,
}

/// The columns of a table, those that partition it among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// The columns, in order.
    pub columns: Vec<ColumnType>,
}

/// The columns of tables; one that is not there is in no entry.
pub type Schemas = BTreeMap<TableName, Schema>;

impl Schema {
    /// The column of that name, without regard to case.
    pub fn column(&self, name: &str) -> Option<&ColumnType> {
        self.columns
            .iter()
            .find(|column| column.name.to_lowercase() == name.to_lowercase())
    }

    /// The share of columns that another schema has too, with the same type; 0 where they differ in number.
    ///
    /// As awslabs/deequ computes SchemaMatch (`comparison/SchemaMatch.scala`).
    pub fn share_in(&self, other: &Self) -> f64 {
        if self.columns.is_empty() || self.columns.len() != other.columns.len() {
            return 0.0;
        }
        let same = self.columns.iter().filter(|column| {
            other
                .column(&column.name)
                .is_some_and(|theirs| theirs.data_type == column.data_type)
        });
        same.count() as f64 / self.columns.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn schema(columns: &[(&str, &str)]) -> Schema {
        Schema {
            columns: columns
                .iter()
                .map(|(name, data_type)| ColumnType {
                    name: (*name).to_owned(),
                    data_type: (*data_type).to_owned(),
                })
                .collect(),
        }
    }

    #[rstest]
    #[case::same(&[("a", "int"), ("b", "string")], &[("B", "string"), ("A", "int")], 1.0)]
    #[case::one_type(&[("a", "int"), ("b", "string")], &[("a", "int"), ("b", "int")], 0.5)]
    #[case::one_name(&[("a", "int"), ("b", "string")], &[("a", "int"), ("c", "string")], 0.5)]
    #[case::more(&[("a", "int")], &[("a", "int"), ("c", "string")], 0.0)]
    #[case::nothing(&[], &[], 0.0)]
    fn schemas_match(
        #[case] ours: &[(&str, &str)],
        #[case] theirs: &[(&str, &str)],
        #[case] share: f64,
    ) {
        assert_eq!(schema(ours).share_in(&schema(theirs)), share);
    }
}
