//! Act: what outlives a validation, in S3: earlier results of each dataset, and details that no state can hold.
//!
//! A dataset's earlier results are one small object, read and written once a run. A file a run would have to be listed
//! and read one by one, and a table of DynamoDB would be one more service to permit. Two runs at once do not lose each
//! other's results: a write is refused where the object changed since it was read, and done again.

use crate::past::{Past, Run};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use pipewarden_shared::causes;

/// How often a write is tried that others come before.
const TRIES: usize = 4;

/// Where results are kept.
#[derive(Debug, Clone)]
pub struct Results {
    /// The client.
    pub client: Client,
    /// The bucket.
    pub bucket: String,
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

/// A client of S3. An endpoint of our own, such as the local cloud's, has no host name for each bucket.
pub fn client(config: &aws_config::SdkConfig) -> Client {
    let own = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(own)
        .build();
    Client::from_conf(config)
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
            let mut put = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key)
                .content_type("application/json")
                .body(ByteStream::from(json));
            put = match kept.version {
                Some(version) => put.if_match(version),
                None => put.if_none_match("*"),
            };
            match put.send().await {
                Ok(_) => return Ok(()),
                Err(error) if is_overtaken(&error) => {}
                Err(error) => return Err(self.error("write", key, causes::chain(&error))),
            }
        }
        Err(self.error("write", key, "other runs always came before".to_owned()))
    }

    /// Keeps details that no state can hold; returns where they are.
    ///
    /// # Errors
    /// [`ResultsError`]: S3 refuses.
    pub async fn keep_details(&self, key: &str, json: Vec<u8>) -> Result<String, ResultsError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/json")
            .body(ByteStream::from(json))
            .send()
            .await
            .map(|_| format!("s3://{}/{key}", self.bucket))
            .map_err(|error| self.error("write", key, causes::chain(&error)))
    }

    async fn read(&self, key: &str) -> Result<Kept, ResultsError> {
        let got = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let object = match got {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => {
                return Ok(Kept {
                    past: Past::default(),
                    version: None,
                });
            }
            Err(error) => return Err(self.error("read", key, causes::chain(&error))),
        };
        let version = object.e_tag().map(str::to_owned);
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| self.error("read", key, causes::chain(&error)))?;
        let past = serde_json::from_slice(&bytes.into_bytes())
            .map_err(|error| self.error("understand", key, error.to_string()))?;
        Ok(Kept { past, version })
    }

    fn error(&self, doing: &'static str, key: &str, reason: String) -> ResultsError {
        ResultsError {
            doing,
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            reason,
        }
    }
}

/// Whether another run wrote since the object was read.
fn is_overtaken<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    matches!(
        error.code(),
        Some("PreconditionFailed" | "ConditionalRequestConflict")
    )
}
