//! The columns of a table, as the Glue catalog has them.

use super::error::refused;
use super::{Athena, AthenaError};
use crate::catalog::{ColumnType, Schema, TableName};
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::operation::get_table_metadata::GetTableMetadataError;
use aws_sdk_athena::types::Column;

/// The catalog of Glue, by the name that Athena has for it.
const CATALOG: &str = "AwsDataCatalog";

impl Athena {
    /// The columns of a table; nothing where there is no such table.
    pub(super) async fn schema(&self, table: &TableName) -> Result<Option<Schema>, AthenaError> {
        let found = self
            .client
            .get_table_metadata()
            .catalog_name(CATALOG)
            .database_name(&self.database)
            .table_name(table.as_str())
            .work_group(&self.work_group)
            .send()
            .await;
        match found {
            Ok(found) => Ok(found.table_metadata().map(|table| Schema {
                columns: table
                    .columns()
                    .iter()
                    .chain(table.partition_keys())
                    .map(column)
                    .collect(),
            })),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => {
                let doing = format!("read the columns of {}.{}", self.database, table.as_str());
                Err(match refused(&doing, &error) {
                    // What the catalog refuses comes inside Athena's own error.
                    AthenaError::Unavailable { doing, reason } if is_denied(&reason) => {
                        AthenaError::AccessDenied { doing, reason }
                    }
                    other => other,
                })
            }
        }
    }
}

fn column(column: &Column) -> ColumnType {
    ColumnType {
        name: column.name().to_owned(),
        data_type: column.r#type().unwrap_or_default().to_lowercase(),
    }
}

/// Glue's EntityNotFoundException arrives inside a MetadataException.
fn is_missing(error: &SdkError<GetTableMetadataError>) -> bool {
    error
        .as_service_error()
        .filter(|error| error.is_metadata_exception())
        .and_then(ProvideErrorMetadata::message)
        .is_some_and(|message| message.contains("EntityNotFound") || message.contains("not found"))
}

fn is_denied(reason: &str) -> bool {
    reason.contains("AccessDenied") || reason.contains("not authorized")
}
