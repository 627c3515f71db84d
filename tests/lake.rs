//! A second engine, for tests of the rules: CSV files, and Athena's SQL through the local cloud's engine without the cloud.

use crate::run_sql;
use pipeline_validator::catalog::{ColumnType, Schema, Schemas, TableName};
use pipeline_validator::engine::{Answer, Engine, QueryFailed};
use pipeline_validator::scan::Scan;
use pipeline_validator::sql::{Dialect, Trino};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use tokio::time::Instant;

/// The database of its tables.
const DATABASE: &str = "lake";

/// Tables in files of their own, and the queries that were run.
#[derive(Debug, Default)]
pub struct Lake {
    tables: Map<String, Value>,
    schemas: Schemas,
    files: Vec<PathBuf>,
    queries: Mutex<Vec<String>>,
}

/// It always answers.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {}

impl Lake {
    /// Adds a table: its columns with their types in DuckDB, which are those of the catalog too, and its rows as CSV.
    #[must_use]
    pub fn with(mut self, table: &str, columns: &[(&str, &str)], rows: &str) -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("pipewarden-lake-{}-{next}.csv", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, rows).unwrap();
        self.tables
            .insert(table.to_owned(), json!({"file": file, "columns": columns}));
        let columns = columns.iter().map(|(name, data_type)| ColumnType {
            name: (*name).to_owned(),
            data_type: data_type.to_lowercase(),
        });
        let schema = Schema {
            columns: columns.collect(),
        };
        self.schemas.insert(TableName::of(table), schema);
        self.files.push(file);
        self
    }

    /// The queries that were run.
    pub fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap().clone()
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Engine for Lake {
    type Error = LakeError;

    fn dialect(&self) -> &dyn Dialect {
        &Trino
    }

    async fn schemas(&self, tables: &BTreeSet<TableName>) -> Result<Schemas, LakeError> {
        let known = self
            .schemas
            .iter()
            .filter(|(name, _)| tables.contains(*name));
        Ok(known
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect())
    }

    async fn answer_all(
        &self,
        scans: &[&Scan],
        token: &str,
        _: Instant,
    ) -> Result<Vec<Result<Answer, QueryFailed>>, LakeError> {
        let queries: Vec<Value> = scans
            .iter()
            .map(|scan| json!({"sql": scan.sql.text, "parameters": scan.sql.parameters}))
            .collect();
        let ran = scans.iter().map(|scan| scan.sql.text.clone());
        self.queries.lock().unwrap().extend(ran);
        let request = json!({"database": DATABASE, "queries": queries, "tables": self.tables});
        let answers = run_sql(&request);
        assert_eq!(answers.len(), scans.len(), "every scan is answered for");
        Ok(scans
            .iter()
            .zip(answers)
            .enumerate()
            .map(|(index, (scan, rows))| {
                let query_id = format!("{token}-{index}");
                match rows {
                    Ok(rows) => Ok(Answer {
                        rows,
                        query_id,
                        bytes_scanned: 0,
                    }),
                    Err(reason) => Err(QueryFailed {
                        dataset: scan.dataset.clone(),
                        query_id,
                        state: "FAILED".to_owned(),
                        reason,
                        bytes_scanned: 0,
                        may_be_split: true,
                    }),
                }
            })
            .collect())
    }
}
