//! `route`: where an alert would go, when, and what would hold it back.

use crate::CommandError;
use crate::profile::{alerting, read};
use clap::Args;
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::{ErrorType, RootCause, Severity};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::profile::alerting::{
    Alerting, Delivery, InhibitRule, Label, Labels, Matcher, Receiver, Route as Node, Routed,
    Silenced, Taken, assumed_settings, source,
};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Show where an alert would go.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pipewarden route pipelines/sf-user.yaml --severity HIGH
  pipewarden route pipelines/sf-user.yaml --error-type glue_job_failure --root-cause throttling
  pipewarden route pipelines/sf-user.yaml --severity CRITICAL --at 2026-11-21T03:00:00Z
  pipewarden route pipelines/sf-user.yaml --severity HIGH --status resolved --json | jq .deliveries
  pipewarden route pipelines/sf-user.yaml --source cloudwatch --alarm sf-user-prod-GlueJobFailureAlarm

Exit codes: 0 somebody gets it, 1 nobody does, 2 wrong arguments or a profile that cannot be used.")]
pub(crate) struct Route {
    /// The profile, a YAML file.
    profile: PathBuf,
    /// CRITICAL, HIGH, MEDIUM or LOW; else what the alarm's name states, as the profile weighs the error type, or as
    /// an alarm, event or text is weighed that states none.
    #[arg(long)]
    severity: Option<Severity>,
    /// Such as glue_job_failure.
    #[arg(long)]
    error_type: Option<ErrorType>,
    /// Such as throttling.
    #[arg(long)]
    root_cause: Option<RootCause>,
    /// Else the pipeline of the profile; of an alarm, where its name is one of the pipeline's stack.
    #[arg(long)]
    pipeline: Option<String>,
    /// The environment.
    #[arg(long, default_value = "prod")]
    environment: String,
    /// Whether the problem is there or gone.
    #[arg(long, default_value = "firing", value_parser = ["firing", "resolved"])]
    status: String,
    /// Who noticed it.
    #[arg(long, default_value = source::PIPEWARDEN, value_parser = source::ALL)]
    source: String,
    /// The name of a CloudWatch alarm.
    #[arg(long)]
    alarm: Option<String>,
    /// When, such as 2026-11-21T03:00:00Z; else now.
    #[arg(long)]
    at: Option<Timestamp>,
    /// Print JSON for tools.
    #[arg(long)]
    json: bool,
}

impl Route {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let unusable = |error| CommandError::Unusable(Box::new(error));
        let profile = read(&self.profile).map_err(unusable)?;
        let alerting = alerting(&self.profile, &profile).map_err(unusable)?;
        let (severity, assumed_severity) = self.weighed(&profile);
        let labels = self.labels(&profile, severity);
        let at = self.at.unwrap_or_else(Timestamp::now);
        let answer = Answer {
            labels: &labels,
            at,
            assumed_severity,
            assumed: assumed_settings(&profile.alerts).into_keys().collect(),
            routed: alerting.route(&labels, at),
            alerting: &alerting,
        };
        let text = if self.json {
            serde_json::to_string_pretty(&answer.json())?
        } else {
            answer.text()
        };
        if answer.routed.deliveries.is_empty() {
            Err(CommandError::No(text))
        } else {
            Ok(text)
        }
    }

    /// The severity, and on what it stands where nobody named it: none is without.
    fn weighed(&self, profile: &Profile) -> (Severity, Option<String>) {
        let of = |what: &str, severity: Severity| {
            let assumed = format!("{} is the severity of {what}", severity.as_str());
            (severity, Some(assumed))
        };
        let stated = self.alarm.as_deref().and_then(Severity::stated_in);
        match (
            self.severity.or(stated),
            self.error_type,
            self.source.as_str(),
        ) {
            (Some(severity), _, _) => (severity, None),
            (None, Some(error_type), _) => (profile.severity(error_type), None),
            (None, None, source::CLOUDWATCH) => of("an alarm that states none", Severity::High),
            (None, None, source::EVENTBRIDGE) => of("an event that is not known", Severity::Medium),
            (None, None, source::TEXT) => of("a text that states none", Severity::Medium),
            (None, None, _) => of(
                "an alert whose error type is not known",
                profile.severity(ErrorType::UnknownError),
            ),
        }
    }

    /// The pipeline that the function will know of. The template names a stack's alarms after the profile's file and
    /// the environment; of any other alarm the function cannot tell whose it is.
    fn pipeline<'a>(&'a self, profile: &'a Profile) -> Option<&'a str> {
        let stem = self.profile.file_stem().and_then(OsStr::to_str);
        let prefix = format!("{}-{}-", stem.unwrap_or_default(), self.environment);
        let alarm = self.alarm.as_deref().unwrap_or_default();
        let is_known = self.source != source::CLOUDWATCH || alarm.starts_with(&prefix);
        let own = is_known.then_some(profile.pipeline.as_str());
        self.pipeline.as_deref().or(own)
    }

    fn labels(&self, profile: &Profile, severity: Severity) -> Labels {
        let all = [
            (Label::Severity, Some(severity.as_str())),
            (Label::ErrorType, self.error_type.map(ErrorType::as_str)),
            (Label::RootCause, self.root_cause.map(RootCause::as_str)),
            (Label::Pipeline, self.pipeline(profile)),
            (Label::Environment, Some(self.environment.as_str())),
            (Label::Status, Some(self.status.as_str())),
            (Label::Source, Some(self.source.as_str())),
            (Label::Alarm, self.alarm.as_deref()),
        ];
        let there = all.into_iter();
        there
            .filter_map(|(label, value)| Some((label.as_str(), value?.to_owned())))
            .collect()
    }
}

/// Where an alert goes, and what that stands on.
struct Answer<'a> {
    labels: &'a Labels,
    at: Timestamp,
    assumed_severity: Option<String>,
    assumed: Vec<String>,
    routed: Routed<'a>,
    alerting: &'a Alerting,
}

impl Answer<'_> {
    fn text(&self) -> String {
        let labels = Label::ALL.into_iter().filter_map(|label| {
            let value = self.labels.get(label.as_str())?;
            Some(format!("{label}={value}"))
        });
        let mut lines = vec![
            labels.collect::<Vec<_>>().join(" "),
            format!("at {}", self.at),
        ];
        let mut section = |title: &str, items: Vec<String>| {
            if !items.is_empty() {
                lines.push(String::new());
                lines.push(title.to_owned());
                lines.extend(items.into_iter().map(|item| format!("  {item}")));
            }
        };
        section(
            "way through the tree:",
            self.routed.taken.iter().map(way).collect(),
        );
        let who = if self.is_end() {
            "who gets it, if they heard of the problem:"
        } else {
            "who gets it:"
        };
        section(who, self.who());
        section("inhibition:", self.inhibition());
        section("warnings:", self.alerting.warnings.clone());
        let settings = (!self.assumed.is_empty())
            .then(|| format!("the function has {}", self.assumed.join(", ")));
        for assumed in self.assumed_severity.iter().chain(&settings) {
            lines.push(String::new());
            lines.push(format!("Assumed: {assumed}."));
        }
        lines.join("\n")
    }

    fn who(&self) -> Vec<String> {
        let deliveries = &self.routed.deliveries;
        let wide = |text: fn(&Delivery<'_>) -> usize| {
            deliveries.iter().map(text).max().unwrap_or_default()
        };
        let name = wide(|delivery| delivery.receiver.name.as_str().len());
        let channel = wide(|delivery| delivery.receiver.channel.as_str().len());
        let told = deliveries.iter().map(|delivery| {
            format!(
                "{:name$}  {:channel$}  {:6}  again after {:#}",
                delivery.receiver.name,
                delivery.receiver.channel.as_str(),
                delivery.timing.as_str(),
                delivery.repeat_interval
            )
        });
        let nobody = deliveries
            .is_empty()
            .then(|| format!("nobody: {}", self.why_nobody()));
        let untold = self.untold().into_iter();
        let untold = untold.map(|receiver| {
            format!(
                "{} is not told of an end (send_resolved: false)",
                receiver.name
            )
        });
        told.chain(nobody).chain(untold).collect()
    }

    fn why_nobody(&self) -> &'static str {
        let taken = &self.routed.taken;
        if self.alerting.receivers.is_empty() {
            "no receiver is configured"
        } else if !self.untold().is_empty() {
            "it is the end of a problem"
        } else if taken
            .iter()
            .any(|taken| taken.silenced.is_some() && !taken.route.receivers.is_empty())
        {
            "the routes that take it send nothing at this time"
        } else {
            "the routes that take it name no receiver"
        }
    }

    /// Who would get it, if it were not the end of a problem.
    fn untold(&self) -> Vec<&Receiver> {
        if !self.is_end() {
            return Vec::new();
        }
        let names = |receiver: &&Receiver| {
            let mut routes = self.routed.taken.iter().map(|taken| taken.route);
            routes.any(|route| {
                route
                    .receivers
                    .iter()
                    .any(|name| name == receiver.name.as_str())
            })
        };
        let untold = self
            .alerting
            .receivers
            .iter()
            .filter(|receiver| !receiver.send_resolved);
        untold.filter(names).collect()
    }

    /// Whether it says that a problem is gone.
    fn is_end(&self) -> bool {
        Label::Status.of(self.labels) == Status::Resolved.as_str()
    }

    fn inhibition(&self) -> Vec<String> {
        let rules = |is_side: fn(&InhibitRule, &Labels) -> bool| {
            let rules = self.alerting.inhibit_rules.iter();
            rules.filter(move |rule| is_side(rule, self.labels))
        };
        let held_back =
            rules(InhibitRule::is_target).map(|rule| format!("may be held back: {rule}"));
        let holds_back =
            rules(InhibitRule::is_source).map(|rule| format!("holds back others: {rule}"));
        held_back.chain(holds_back).collect()
    }

    fn json(&self) -> Value {
        let taken = self.routed.taken.iter().map(|taken| {
            let path: Vec<Value> = taken
                .path
                .iter()
                .map(|node| json!({"place": format!("alerts.{}", node.place), "matchers": texts(&node.matchers)}))
                .collect();
            json!({
                "path": path,
                "receivers": taken.route.receivers,
                "silenced": taken.silenced.as_ref().map(why),
            })
        });
        let deliveries = self.routed.deliveries.iter().map(|delivery| {
            json!({
                "receiver": delivery.receiver.name,
                "channel": delivery.receiver.channel.as_str(),
                "timing": delivery.timing,
                "repeat_interval_seconds": delivery.repeat_interval.as_secs(),
            })
        });
        json!({
            "labels": self.labels,
            "at": self.at,
            "taken": taken.collect::<Vec<_>>(),
            "deliveries": deliveries.collect::<Vec<_>>(),
            "inhibition": self.inhibition(),
            "warnings": self.alerting.warnings,
            "assumed_severity": self.assumed_severity,
            "assumed_settings": self.assumed,
        })
    }
}

/// One line: the nodes down to the one that takes the alert, and whether it sends anything.
fn way(taken: &Taken<'_>) -> String {
    let step = |node: &&Node| {
        let place = node.place.rsplit('.').next().unwrap_or(&node.place);
        match texts(&node.matchers).join(", ").as_str() {
            "" => place.to_owned(),
            matchers => format!("{place} {matchers}"),
        }
    };
    let path = taken.path.iter().map(step).collect::<Vec<_>>().join(" > ");
    match &taken.silenced {
        Some(silenced) => format!("{path}: sends nothing, {}", why(silenced)),
        None => path,
    }
}

fn why(silenced: &Silenced<'_>) -> String {
    match silenced {
        Silenced::Muted { by } => format!("muted by {by}"),
        Silenced::Inactive { outside_of } => format!("outside of {}", outside_of.join(", ")),
    }
}

fn texts(matchers: &[Matcher]) -> Vec<String> {
    matchers.iter().map(ToString::to_string).collect()
}
