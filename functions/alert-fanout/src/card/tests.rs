use super::*;
use crate::inbound::tests::{sample, sample_names};
use rstest::rstest;

fn summary(title: &str, severity: Severity, pipeline: Option<&str>, count: u64) -> Summary {
    Summary {
        title: title.to_owned(),
        summary: format!("{title} failed"),
        severity,
        status: Status::Firing,
        pipeline: pipeline.map(str::to_owned),
        occurred_at: None,
        count,
        url: None,
    }
}

#[test]
fn the_first_line_of_each_sample_says_what_and_why() {
    let mut lines = String::new();
    for name in sample_names()
        .iter()
        .filter(|name| *name != "alert-hostile")
    {
        let card = of(&sample(name));
        lines.push_str(&format!(
            "{name}\n    {}\n    {}\n",
            card.title, card.summary
        ));
        for (fact, value) in &card.facts {
            lines.push_str(&format!("    - {fact}: {value}\n"));
        }
        for button in &card.buttons {
            lines.push_str(&format!("    > {}: {}\n", button.label, button.url));
        }
    }
    insta::assert_snapshot!(lines);
}

#[rstest]
#[case("https://a.example/x?y=1&z=2#frag", true)]
#[case("http://a.example/", false)]
#[case("javascript:alert(1)", false)]
#[case("https://", false)]
#[case("https:///path", false)]
#[case("https://good.example@evil.example/", false)]
#[case("https://a.example/@me", true)]
#[case("https://a.example/x|click", false)]
#[case("https://a.example/<script>", false)]
#[case("https://a.example/a b", false)]
#[case("HTTPS://a.example/", false)]
fn only_safe_pages_are_linked(#[case] url: &str, #[case] linked: bool) {
    assert_eq!(is_linked(url), linked);
}

#[test]
fn a_resolved_problem_asks_for_nothing() {
    let card = of(&sample("alert-resolved"));
    assert_eq!(card.status, Status::Resolved);
    assert!(card.actions.is_empty() && card.steps.is_empty());
    assert!(!of(&sample("glue-job-failure")).actions.is_empty());
}

#[test]
fn a_storm_names_what_it_holds_the_worst_first() {
    let items = [
        summary("a", Severity::Low, Some("p"), 1),
        summary("b", Severity::Critical, Some("q"), 3),
        summary("c", Severity::Low, Some("p"), 9),
    ];
    let card = Card::storm(&items);
    assert_eq!(card.title, "Alert storm: 13 alerts");
    assert!(
        card.summary
            .starts_with("3 different problems in 2 pipelines.")
    );
    assert_eq!(card.severity, Severity::Critical);
    let order: Vec<&str> = card.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(order, ["b", "c", "a"]);
}

#[rstest]
#[case(&[], "Digest: 0 alerts", "this account")]
#[case(&[summary("a", Severity::Low, Some("p"), 1)], "Digest: 1 alert", "in p.")]
#[case(&[summary("a", Severity::Low, None, u64::MAX), summary("b", Severity::Low, None, 2)],
    "Digest: 18446744073709551615 alerts", "this account")]
fn a_digest_counts(#[case] items: &[Summary], #[case] title: &str, #[case] place: &str) {
    let card = Card::digest(items);
    assert_eq!(card.title, title);
    assert!(card.summary.contains(place), "{}", card.summary);
}

#[test]
fn a_summary_is_kept_as_json() {
    let card = of(&sample("glue-job-failure")).repeated(3, "2026-03-01T05:00:00Z".parse().unwrap());
    let summary = Summary::of(&card);
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
    assert_eq!(summary.count, 3);
    assert!(summary.url.unwrap().starts_with("https://"));
}
