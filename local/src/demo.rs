//! The demo: a scenario in the local cloud, from an empty emulator to the alert, shown as it happens.

use crate::cloud::{Cloud, CloudError};
use crate::evidence::{Alerted, Series};
use crate::execution::{Execution, Passed};
use crate::inbox::Inbox;
use crate::place::{Place, PlaceError};
use crate::preview::{self, Form, PreviewMessage};
use crate::scenario::{self, Scenario};
use crate::screen::{Screen, bad, bold, dim, good};
use crate::script::{Report, ScriptError};
use crate::stack::{ENVIRONMENT, Stack, StackError};
use crate::{told_causes, view};
use clap::Args;
use pipewarden_shared::profile::{Profile, ProfileError};

/// The scenario without a run: what the error handler says of causes as services report them.
const CAUSES: &str = "causes";

/// What to show.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A scenario by name, `all`, or `causes` for diagnoses alone; `list` names them.
    #[arg(long, default_value = "success")]
    pub scenario: String,
    /// Salesforce users in the generated lake.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub users: u32,
}

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something is not there.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The emulator did not start.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The stack could not be deployed or run.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A script or a file of the local cloud.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The fake receivers have no port.
    #[error("the fake receivers cannot listen on the loopback")]
    Inbox(#[source] std::io::Error),
    /// The page of the messages cannot be written.
    #[error("cannot write the page that shows the messages")]
    Preview(#[source] std::io::Error),
    /// No scenario of this name.
    #[error("no scenario {name:?}; there are: all, {CAUSES}, {known}")]
    NoScenario {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// A scenario that was run, with all it left behind.
#[derive(Debug)]
struct Shown {
    scenario: Scenario,
    execution: Execution,
    metrics: Vec<Series>,
    alerted: Alerted,
    problems: Vec<String>,
}

/// Runs the demo and returns whether every scenario ended as it should.
///
/// # Errors
/// [`DemoError`]; everything that was started is stopped in any case.
pub async fn run(options: &Options) -> Result<bool, DemoError> {
    let place = Place::find()?;
    let scenarios = scenario::all(&place)?;
    if options.scenario == "list" {
        for scenario in &scenarios {
            println!("{:<22} {}", scenario.name, scenario.description);
        }
        println!("{CAUSES:<22} No run: what is said of a cause of each kind.");
        return Ok(true);
    }
    let profile = Profile::read(&place.root.join("pipelines/sf-user.yaml"))?;
    if options.scenario == CAUSES {
        println!("{}", told_causes::shown(&profile));
        return Ok(true);
    }
    let chosen = chosen(&scenarios, &options.scenario)?;
    let screen = Screen::new();
    screen.doing("starting the local cloud");
    let cloud = Cloud::start(&place).await?;
    screen.done(&format!("local cloud on {}", cloud.endpoint));
    let outcome = tokio::select! {
        outcome = show_each(&place, &cloud, &screen, &profile, &chosen, options.users) => outcome.map(Some),
        () = interrupted() => Ok(None),
    };
    screen.doing("stopping the local cloud");
    cloud.stop().await;
    screen.finish();
    match outcome? {
        Some(as_expected) => Ok(as_expected),
        None => {
            println!("\n  stopped; nothing is left running");
            std::process::exit(130);
        }
    }
}

/// The scenarios of this name.
fn chosen(scenarios: &[Scenario], name: &str) -> Result<Vec<Scenario>, DemoError> {
    let chosen: Vec<Scenario> = scenarios
        .iter()
        .filter(|scenario| name == "all" || scenario.name == name)
        .cloned()
        .collect();
    if chosen.is_empty() {
        let known: Vec<&str> = scenarios
            .iter()
            .map(|scenario| scenario.name.as_str())
            .collect();
        return Err(DemoError::NoScenario {
            name: name.to_owned(),
            known: known.join(", "),
        });
    }
    Ok(chosen)
}

/// Ends when a person or a supervisor asks to stop.
async fn interrupted() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}

async fn show_each(
    place: &Place,
    cloud: &Cloud,
    screen: &Screen,
    profile: &Profile,
    scenarios: &[Scenario],
    users: u32,
) -> Result<bool, DemoError> {
    let namespace = &profile.metrics.namespace;
    let alone = scenarios.len() == 1;
    let mut all = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        screen.title(&scenario.name);
        screen.line(&dim(&format!("  {}", scenario.description)));
        // An account each: what one scenario leaves behind is not the next one's.
        let account = format!("{:012}", number + 1);
        let shown = show(place, cloud, screen, scenario, &account, namespace, users).await?;
        if alone {
            in_full(screen, &shown);
        }
        all.push(shown);
    }
    screen.title("What is said of other causes");
    screen.line(&told_causes::shown(profile));
    screen.title("Scenarios");
    screen.line(&summary(&all));
    let page = preview::write(&place.root, &received(&all))
        .await
        .map_err(DemoError::Preview)?;
    screen.line(&format!(
        "\n  What people see: {}",
        bold(&format!("file://{}", page.display()))
    ));
    Ok(all.iter().all(|shown| shown.problems.is_empty()))
}

/// The messages that receivers got, by scenario.
fn received(all: &[Shown]) -> Vec<PreviewMessage> {
    all.iter()
        .flat_map(|shown| {
            let slack = shown.alerted.slack.iter().map(|body| (Form::Slack, body));
            let teams = shown.alerted.teams.iter().map(|body| (Form::Teams, body));
            slack.chain(teams).map(|(form, body)| PreviewMessage {
                heading: shown.scenario.name.clone(),
                description: shown.scenario.description.clone(),
                form,
                body: body.clone(),
            })
        })
        .collect()
}

async fn show(
    place: &Place,
    cloud: &Cloud,
    screen: &Screen,
    scenario: &Scenario,
    account: &str,
    namespace: &str,
    users: u32,
) -> Result<Shown, DemoError> {
    let tell = |report| note(screen, report);
    let inbox = Inbox::start(200).await.map_err(DemoError::Inbox)?;
    screen.doing("deploying template.yaml");
    let stack = Stack::deploy(place, cloud, account, &inbox, tell).await?;
    screen.done("deployed template.yaml");
    screen.doing("generating the lake");
    stack.fill(&scenario.name, users, tell).await?;
    screen.done("generated the lake");
    screen.doing("running the pipeline");
    let execution = stack
        .run(|passed| {
            show_state(screen, passed);
            screen.doing(&format!("running the pipeline, after {}", passed.name));
        })
        .await?;
    let failed = scenario.expected_error_type.is_some();
    screen.doing(if failed {
        "waiting for the alert"
    } else {
        "reading what arrived"
    });
    let (metrics, alerted) =
        futures_util::try_join!(stack.metrics(namespace), stack.alerts(&inbox, failed))?;
    let problems = problems(scenario, &execution, &metrics, &alerted);
    if problems.is_empty() {
        let error = execution.error.as_deref().unwrap_or_default();
        let ended = format!("{} {error}", execution.status);
        screen.done(&format!("{}, as it should be", ended.trim_end()));
    }
    problems.iter().for_each(|problem| screen.failed(problem));
    Ok(Shown {
        scenario: scenario.clone(),
        execution,
        metrics,
        alerted,
        problems,
    })
}

/// Says what a script reports of its steps.
fn note(screen: &Screen, report: Report) {
    match report {
        Report::LeftOut {
            resource,
            r#type,
            why,
        } => {
            screen.note(&format!("left out: {resource} ({type}): {why}", type = r#type));
        }
        Report::Step { text } => screen.note(&text),
        _ => {}
    }
}

fn show_state(screen: &Screen, passed: &Passed) {
    let line = format!(
        "{:<24} {}",
        passed.name,
        dim(&format!("{:.2} s", passed.seconds))
    );
    if passed.succeeded {
        screen.done(&line);
    } else {
        screen.failed(&line);
    }
}

/// What is not as the scenario says.
fn problems(
    scenario: &Scenario,
    execution: &Execution,
    metrics: &[Series],
    alerted: &Alerted,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |what: &str, expected: &str, found: &str| {
        if expected != found {
            problems.push(format!("{what} should be {expected}, and is {found}"));
        }
    };
    let (status, expected) = (&scenario.expected_status, &scenario.expected_error_type);
    let expected = expected.as_deref();
    expect("the execution", status, &execution.status);
    expect(
        "its error",
        expected.unwrap_or("none"),
        execution.error.as_deref().unwrap_or("none"),
    );
    let alerts: Vec<&str> = alerted
        .queued
        .iter()
        .map(|queued| queued.alert.error_type.as_str())
        .collect();
    let queued = alerts.join(", ");
    expect("the alerts on the queue", expected.unwrap_or(""), &queued);
    let one = if expected.is_some() { "1" } else { "0" };
    for (receiver, messages) in [
        ("Slack", &alerted.slack),
        ("Teams", &alerted.teams),
        ("the webhook", &alerted.webhook),
    ] {
        let what = format!("the number of messages at {receiver}");
        expect(&what, one, &messages.len().to_string());
    }
    let counted = metrics.iter().find(|series| {
        series.name == "PipelineErrors"
            && series.dimensions == [("Environment".to_owned(), ENVIRONMENT.to_owned())]
    });
    let counted = counted.map_or(0.0, |series| series.sum);
    expect("the metric PipelineErrors", one, &counted.to_string());
    let mut names = metrics.iter().map(|series| series.name.as_str());
    let found = names.any(|name| name == "ExecutionDuration");
    let found = if found { "published" } else { "missing" };
    expect("the metric ExecutionDuration", "published", found);
    problems
}

fn in_full(screen: &Screen, shown: &Shown) {
    if let Some(cause) = &shown.execution.cause {
        screen.title("Cause of the execution");
        screen.line(&format!("  {cause}"));
    }
    if let Some(checks) = view::checks(&shown.execution) {
        screen.title("Checks");
        screen.line(&checks);
    }
    screen.title("Metrics that arrived");
    screen.line(&view::metrics(&shown.metrics));
    if let Some(alert) = view::alert(&shown.alerted) {
        screen.title("Alert");
        screen.line(&alert);
    }
}

fn summary(all: &[Shown]) -> String {
    let mut rows = view::table(&[
        "scenario",
        "execution",
        "alert",
        "severity",
        "cause",
        "as it should be",
    ]);
    for shown in all {
        let alert = shown.alerted.queued.first().map(|queued| &queued.alert);
        rows.add_row(vec![
            shown.scenario.name.clone(),
            shown.execution.status.clone(),
            alert
                .map_or("–", |alert| alert.error_type.as_str())
                .to_owned(),
            alert
                .map_or("–", |alert| alert.severity.as_str())
                .to_owned(),
            alert.map_or_else(|| "–".to_owned(), |alert| alert.diagnosis.cause.clone()),
            if shown.problems.is_empty() {
                good("yes")
            } else {
                bad(&format!("no: {}", shown.problems.join("; ")))
            },
        ]);
    }
    rows.to_string()
}
