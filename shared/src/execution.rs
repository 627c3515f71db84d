//! Execution ids and the console pages that show them.

use crate::event::{Field, InvalidEvent};
use crate::metric::Environment;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The longest execution id that is read, in characters: an ARN has at most 2,048 (IAM reference).
pub const LONGEST_ID: usize = 2_048;

/// A Step Functions execution as an alert names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The ARN, or what the caller gave in its place.
    pub arn: String,
    /// The last part of the ARN.
    pub name: String,
    /// The console page, where the ARN tells partition and region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Execution {
    /// Reads an execution id: an execution ARN, or any other name as it is.
    pub fn from_id(id: &str) -> Self {
        let name = id.rsplit(':').next().unwrap_or(id).to_owned();
        let url = StateMachine::of_execution(id)
            .and_then(|_| Console::of_arn(id))
            .map(|console| console.execution(id));
        Self {
            arn: id.to_owned(),
            name,
            url,
        }
    }
}

/// The state machine of an execution, as the execution's ARN tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateMachine<'a> {
    /// Its region.
    pub region: &'a str,
    /// Its account.
    pub account: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> StateMachine<'a> {
    /// Reads an execution's ARN; an Express execution has another form, and no page and no history.
    pub fn of_execution(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            [
                "arn",
                _partition,
                "states",
                region,
                account,
                "execution",
                name,
                _execution,
            ] => Some(Self {
                region,
                account,
                name,
            }),
            _ => None,
        }
    }
}

/// The run that an event is about, as every function's event names it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunContext {
    /// ARN or name of the execution.
    pub execution_id: String,
    /// Where it ran.
    pub environment: Environment,
    /// When it began, where that is told.
    pub start_time: Option<jiff::Timestamp>,
}

impl RunContext {
    /// Reads `execution_id`, `environment` and `start_time`.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming the field that is missing or wrong.
    pub fn from_event(event: &Field<'_>) -> Result<Self, InvalidEvent> {
        let environment = event.get("environment");
        Ok(Self {
            execution_id: event
                .get("execution_id")
                .required_text(LONGEST_ID)?
                .to_owned(),
            environment: Environment::parse(environment.required_text(64)?)
                .ok_or_else(|| environment.wrong("1 to 64 letters, digits, '-', '_' or '.'"))?,
            start_time: event.get("start_time").timestamp()?,
        })
    }
}

/// The console's address in a partition and region.
pub fn console(partition: &str, region: &str) -> String {
    match partition {
        "aws-cn" => format!("https://{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("https://{region}.console.amazonaws-us-gov.com"),
        _ => format!("https://{region}.console.aws.amazon.com"),
    }
}

/// The pages of the console in one region. What they show comes from outside, so it is percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Console<'a> {
    partition: &'a str,
    region: &'a str,
}

impl<'a> Console<'a> {
    /// The console of a region; none where the name cannot be a region's, as it becomes part of a host.
    pub fn new(partition: &'a str, region: &'a str) -> Option<Self> {
        let plain = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        let is_region = (1..=32).contains(&region.len()) && region.chars().all(plain);
        is_region.then_some(Self { partition, region })
    }

    /// The console that shows the resource of an ARN.
    pub fn of_arn(arn: &'a str) -> Option<Self> {
        let mut parts = arn.split(':');
        match (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) {
            (Some("arn"), Some(partition), Some(_), Some(region), Some(_)) => {
                Self::new(partition, region)
            }
            _ => None,
        }
    }

    fn page(self, service: &str, fragment: &str) -> String {
        let Self { partition, region } = self;
        let console = console(partition, region);
        format!("{console}/{service}/home?region={region}#{fragment}")
    }

    /// An execution.
    pub fn execution(self, arn: &str) -> String {
        self.page(
            "states",
            &format!("/v2/executions/details/{}", encoded(arn)),
        )
    }

    /// A log group, or those of its streams whose names begin so.
    pub fn log_group(self, log_group: &str, streams: Option<&str>) -> String {
        // The console's fragment is encoded twice, with `$` for the outer `%`: `/` is `$252F`.
        let twice = |text: &str| encoded_all(text).replace('%', "$25");
        let filter = streams
            .map(|prefix| format!("$3FlogStreamNameFilter$3D{}", twice(prefix)))
            .unwrap_or_default();
        let group = twice(log_group);
        self.page(
            "cloudwatch",
            &format!("logsV2:log-groups/log-group/{group}{filter}"),
        )
    }

    /// A run of a Glue job.
    pub fn glue_run(self, job: &str, run: &str) -> String {
        self.page(
            "gluestudio",
            &format!("/job/{}/run/{}", encoded_all(job), encoded_all(run)),
        )
    }

    /// An Athena query.
    pub fn athena_query(self, query_id: &str) -> String {
        self.page(
            "athena",
            &format!("/query-editor/history/{}", encoded_all(query_id)),
        )
    }

    /// An EMR cluster, with its steps.
    pub fn emr_cluster(self, cluster: &str) -> String {
        self.page("emr", &format!("/clusterDetails/{}", encoded_all(cluster)))
    }

    /// A task of an ECS cluster.
    pub fn ecs_task(self, cluster: &str, task: &str) -> String {
        let Self { partition, region } = self;
        format!(
            "{}/ecs/v2/clusters/{}/tasks/{}?region={region}",
            console(partition, region),
            encoded_all(cluster),
            encoded_all(task)
        )
    }
}

/// Percent-encodes what is not unreserved (RFC 3986, section 2.3), colons excepted.
fn encoded(text: &str) -> String {
    encode(text, |byte| byte == b':')
}

fn encoded_all(text: &str) -> String {
    encode(text, |_| false)
}

fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn an_arn_gives_name_and_page() {
        let arn = "arn:aws-cn:states:cn-north-1:123456789012:execution:sf-user-dev:run-1";
        let execution = Execution::from_id(arn);
        assert_eq!(execution.name, "run-1");
        assert_eq!(
            execution.url.unwrap(),
            format!(
                "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/executions/details/{arn}"
            )
        );
    }

    #[test]
    fn any_other_id_is_kept_without_a_page() {
        let execution = Execution::from_id("manual-17");
        assert_eq!(
            (execution.name.as_str(), execution.url),
            ("manual-17", None)
        );
    }

    #[rstest]
    #[case("aws", "eu-central-1", "eu-central-1.console.aws.amazon.com")]
    #[case("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn")]
    #[case(
        "aws-us-gov",
        "us-gov-west-1",
        "us-gov-west-1.console.amazonaws-us-gov.com"
    )]
    fn pages_are_of_the_partition_and_region(
        #[case] partition: &str,
        #[case] region: &str,
        #[case] host: &str,
    ) {
        let console = Console::new(partition, region).unwrap();
        let pages = [
            (
                console.glue_run("load users/1", "jr_5b1d"),
                format!("gluestudio/home?region={region}#/job/load%20users%2F1/run/jr_5b1d"),
            ),
            (
                console.athena_query("4bc0d9e5-9a1f-4d6e-8b7d-0c7b0a5e4f21"),
                format!(
                    "athena/home?region={region}#/query-editor/history/4bc0d9e5-9a1f-4d6e-8b7d-0c7b0a5e4f21"
                ),
            ),
            (
                console.emr_cluster("j-1YONHTCP3YZKC"),
                format!("emr/home?region={region}#/clusterDetails/j-1YONHTCP3YZKC"),
            ),
            (
                console.ecs_task("jobs", "677f29de5e5c4f669878cc64fe81bca5"),
                format!(
                    "ecs/v2/clusters/jobs/tasks/677f29de5e5c4f669878cc64fe81bca5?region={region}"
                ),
            ),
            (
                console.log_group("/aws-glue/jobs/error", Some("jr_5b1d")),
                format!(
                    "cloudwatch/home?region={region}#logsV2:log-groups/log-group/$252Faws-glue$252Fjobs$252Ferror$3FlogStreamNameFilter$3Djr_5b1d"
                ),
            ),
            (
                console.log_group("/aws/lambda/dbt-runner", None),
                format!(
                    "cloudwatch/home?region={region}#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fdbt-runner"
                ),
            ),
        ];
        for (page, expected) in pages {
            assert_eq!(page, format!("https://{host}/{expected}"));
        }
    }

    #[rstest]
    #[case("arn:aws:states:evil.example/x?:123456789012:execution:sf-user-dev:run-1")]
    #[case("arn:aws:states::123456789012:execution:sf-user-dev:run-1")]
    #[case("arn:aws:states:eu-central-1:123456789012:express:sf-user-dev:run-1:17")]
    fn a_region_that_is_none_and_an_express_run_have_no_page(#[case] arn: &str) {
        assert_eq!(Execution::from_id(arn).url, None);
    }

    #[test]
    fn what_an_id_holds_cannot_leave_its_place_in_the_page() {
        let arn = "arn:aws:states:eu-central-1:123456789012:execution:m:a b\"|><#";
        let url = Execution::from_id(arn).url.unwrap();
        assert!(url.ends_with(":execution:m:a%20b%22%7C%3E%3C%23"), "{url}");
    }
}
