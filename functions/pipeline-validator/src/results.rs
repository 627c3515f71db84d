//! Act: what outlives a validation, in S3: earlier results of each dataset, and details that no state can hold.
//!
//! A dataset's earlier results are one small object, read and written once a run. A file a run would have to be listed
//! and read one by one, and a table of DynamoDB would be one more service to permit. Two runs at once do not lose each
//! other's results: a write is refused where the object changed since it was read, and done again.

use crate::objects::{Bucket, Over, Put};
use crate::past::{Past, Run};

/// How often a write is tried that others come before.
const TRIES: usize = 4;

/// Where results are kept.
#[derive(Debug, Clone)]
pub struct Results {
    /// The bucket.
    pub bucket: Bucket,
}

/// Why results cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} s3://{bucket}/{key}: {reason}")]
pub struct ResultsError {
    /// What was being done.
    pub doing: &'static str,
    /// The bucket.
    pub bucket: String,
    /// The object.
    pub key: String,
    /// What S3 said.
    pub reason: String,
}

/// Earlier results, and the version of the object that holds them.
struct Kept {
    past: Past,
    version: Option<String>,
}

/// The object of a dataset's earlier results.
pub fn history_key(pipeline: &str, environment: &str, dataset: &str) -> String {
    format!("pipewarden/history/{pipeline}/{environment}/{dataset}.json")
}

impl Results {
    /// A dataset's earlier results; none where there is no object yet.
    ///
    /// # Errors
    /// [`ResultsError`]: S3 refuses, or the object is none of ours.
    pub async fn past(&self, key: &str) -> Result<Past, ResultsError> {
        self.read(key).await.map(|kept| kept.past)
    }

    /// Adds a run to a dataset's earlier results.
    ///
    /// # Errors
    /// [`ResultsError`]: S3 refuses, or others always came before.
    pub async fn add(&self, key: &str, run: &Run) -> Result<(), ResultsError> {
        for _ in 0..TRIES {
            let kept = self.read(key).await?;
            let past = kept.past.with(run.clone());
            let json = serde_json::to_vec(&past)
                .map_err(|error| self.error("write", key, error.to_string()))?;
            let over = kept.version.as_deref().map_or(Over::Nothing, Over::Version);
            match self.bucket.put(key, &json, over).await {
                Ok(Put::Written) => return Ok(()),
                Ok(Put::Overtaken) => {}
                Err(error) => return Err(self.error("write", key, error.to_string())),
            }
        }
        Err(self.error("write", key, "other runs always came before".to_owned()))
    }

    /// Keeps details that no state can hold; returns where they are.
    ///
    /// # Errors
    /// [`ResultsError`]: S3 refuses.
    pub async fn keep_details(&self, key: &str, json: &[u8]) -> Result<String, ResultsError> {
        self.bucket
            .put(key, json, Over::Anything)
            .await
            .map(|_| format!("s3://{}/{key}", self.bucket.name()))
            .map_err(|error| self.error("write", key, error.to_string()))
    }

    async fn read(&self, key: &str) -> Result<Kept, ResultsError> {
        let object = self
            .bucket
            .get(key)
            .await
            .map_err(|error| self.error("read", key, error.to_string()))?;
        let Some(object) = object else {
            return Ok(Kept {
                past: Past::default(),
                version: None,
            });
        };
        let past = serde_json::from_slice(&object.bytes)
            .map_err(|error| self.error("understand", key, error.to_string()))?;
        Ok(Kept {
            past,
            version: object.version,
        })
    }

    fn error(&self, doing: &'static str, key: &str, reason: String) -> ResultsError {
        ResultsError {
            doing,
            bucket: self.bucket.name().to_owned(),
            key: key.to_owned(),
            reason,
        }
    }
}
