//! The suite, deployed into an account of the local cloud from the project's own template.

use crate::cloud::Cloud;
use crate::inbox::Inbox;
use crate::place::Place;
use crate::script::{self, Report, ScriptError};
use aws_config::SdkConfig;
use pipewarden_shared::causes;
use pipewarden_shared::loopback::{self, REGION};
use std::collections::BTreeMap;

/// The environment that is deployed; also in the names of alerts and metrics.
pub const ENVIRONMENT: &str = "dev";

/// A stack could not be deployed or filled.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A script gave up.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The emulator refused a call.
    #[error("cannot {doing}: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// What it said.
        reason: String,
    },
    /// The template has no such output.
    #[error("the stack has no output {0}")]
    NoOutput(&'static str),
}

/// Names the call that the emulator refused.
pub(crate) fn refused<E: std::error::Error>(doing: &str) -> impl FnOnce(E) -> StackError {
    move |error| StackError::Refused {
        doing: doing.to_owned(),
        reason: causes::chain(&error),
    }
}

/// A deployed suite.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The stack's outputs.
    pub outputs: BTreeMap<String, String>,
    /// The configuration of clients in its account.
    pub config: SdkConfig,
    /// A queue that gets every alert, as an engineer's own tools would.
    pub alert_queue: String,
    place: Place,
    endpoint: String,
    account: String,
}

impl Stack {
    /// Deploys the template into an account of 12 digits; alerts go to the inbox, as Slack, as Teams and as a webhook.
    ///
    /// # Errors
    /// [`StackError`] with the reason of the emulator or the script.
    pub async fn deploy(
        place: &Place,
        cloud: &Cloud,
        account: &str,
        inbox: &Inbox,
        mut tell: impl FnMut(Report),
    ) -> Result<Self, StackError> {
        let config = loopback::sdk_config(&cloud.endpoint, account);
        let binaries = place.binaries.display().to_string();
        let parameters = parameters(&config, inbox).await?;
        let options = [
            ("--endpoint", cloud.endpoint.as_str()),
            ("--account", account),
            ("--stack", "sf-user"),
            ("--template", "template.yaml"),
            ("--binaries", &binaries),
            ("--profiles", "pipelines"),
            ("--dbt-runner", "dbt-runner"),
            ("--param", "SampleLake=true"),
        ];
        let mut arguments: Vec<&str> = options
            .iter()
            .flat_map(|(name, value)| [*name, value])
            .collect();
        arguments.extend(parameters.iter().map(String::as_str));
        let mut outputs = BTreeMap::new();
        script::run(
            place,
            "local/cloud/deploy.py",
            &arguments,
            |report| match report {
                Report::Deployed { outputs: found } => outputs = found,
                report => tell(report),
            },
        )
        .await?;
        let topic = outputs
            .get("AlertTopicArn")
            .ok_or(StackError::NoOutput("AlertTopicArn"))?;
        let alert_queue = subscribed_queue(&config, topic).await?;
        Ok(Self {
            outputs,
            config,
            alert_queue,
            place: place.clone(),
            endpoint: cloud.endpoint.clone(),
            account: account.to_owned(),
        })
    }

    /// An output of the stack.
    ///
    /// # Errors
    /// [`StackError::NoOutput`].
    pub fn output(&self, name: &'static str) -> Result<&str, StackError> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .ok_or(StackError::NoOutput(name))
    }

    /// Fills the lake with the data of a scenario, and says how much that is.
    ///
    /// # Errors
    /// [`StackError`] with the words of the generator.
    pub async fn fill(
        &self,
        scenario: &str,
        users: u32,
        mut tell: impl FnMut(Report),
    ) -> Result<Filled, StackError> {
        let users = users.to_string();
        let arguments = [
            "--endpoint",
            &self.endpoint,
            "--account",
            &self.account,
            "--bucket",
            self.output("LakeBucketName")?,
            "--scenario",
            scenario,
            "--users",
            &users,
            "--seed",
            "7",
        ];
        let mut filled = Filled::default();
        script::run(
            &self.place,
            "local/lake/generate.py",
            &arguments,
            |report| match report {
                Report::Generated { raw_rows, .. } => filled = Filled { raw_rows },
                report => tell(report),
            },
        )
        .await?;
        Ok(filled)
    }
}

/// The template's parameters: the environment, and for each receiver a secret that has its address at the inbox.
async fn parameters(config: &SdkConfig, inbox: &Inbox) -> Result<Vec<String>, StackError> {
    let mut parameters = vec![format!("Environment={ENVIRONMENT}")];
    for (parameter, name) in [
        ("SlackSecretArn", "slack"),
        ("TeamsSecretArn", "teams"),
        ("WebhookSecretArn", "webhook"),
    ] {
        let secret = secret(config, name, &format!("{}/{name}", inbox.address)).await?;
        parameters.push(format!("{parameter}={secret}"));
    }
    Ok(parameters)
}

/// What the lake was filled with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    /// Rows of the extract.
    pub raw_rows: u64,
}

async fn secret(config: &SdkConfig, name: &str, value: &str) -> Result<String, StackError> {
    let created = aws_sdk_secretsmanager::Client::new(config)
        .create_secret()
        .name(format!("pipewarden/{name}"))
        .secret_string(value)
        .send()
        .await
        .map_err(refused("create a secret"))?;
    created.arn.ok_or_else(|| StackError::Refused {
        doing: "create a secret".to_owned(),
        reason: "the answer has no ARN".to_owned(),
    })
}

/// A queue that is subscribed to the topic, raw: its messages are the alerts.
async fn subscribed_queue(config: &SdkConfig, topic: &str) -> Result<String, StackError> {
    let queue = aws_sdk_sqs::Client::new(config)
        .create_queue()
        .queue_name("every-alert")
        .send()
        .await
        .map_err(refused("create the queue of alerts"))?
        .queue_url
        .unwrap_or_default();
    let account = topic.split(':').nth(4).unwrap_or_default();
    aws_sdk_sns::Client::new(config)
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(format!("arn:aws:sqs:{REGION}:{account}:every-alert"))
        .attributes("RawMessageDelivery", "true")
        .send()
        .await
        .map_err(refused("subscribe the queue of alerts"))?;
    Ok(queue)
}
