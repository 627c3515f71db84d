//! The services of AWS that a message may need. To build a client takes as long as some calls: each is built at its
//! first use.

use aws_config::SdkConfig;
use std::sync::OnceLock;

/// The services, with the configuration that they share.
#[derive(Debug, Clone)]
pub struct Services {
    config: SdkConfig,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    parameters: OnceLock<aws_sdk_ssm::Client>,
    topics: OnceLock<aws_sdk_sns::Client>,
}

impl Services {
    /// Services that are reached with this configuration.
    pub fn new(config: SdkConfig) -> Self {
        Self {
            config,
            secrets: OnceLock::new(),
            parameters: OnceLock::new(),
            topics: OnceLock::new(),
        }
    }

    /// Secrets Manager.
    pub(super) fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets
            .get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.config))
    }

    /// Parameter Store.
    pub(super) fn parameters(&self) -> &aws_sdk_ssm::Client {
        self.parameters
            .get_or_init(|| aws_sdk_ssm::Client::new(&self.config))
    }

    /// The topics of chat applications.
    pub(super) fn topics(&self) -> &aws_sdk_sns::Client {
        self.topics
            .get_or_init(|| aws_sdk_sns::Client::new(&self.config))
    }
}
