//! The preview page in a real browser, with messages that the alert fan-out really sends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use alert_fanout::card::{self, Card, Summary};
use alert_fanout::channel::{Act, Channel, Context};
use alert_fanout::inbound::{self, Notice};
use pipewarden_local::preview::{self, Form, PreviewMessage};
use pipewarden_shared::alert::Status;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Higher than the page, so that its end is in the picture.
const WINDOW: (u32, u32) = (1300, 9000);

fn notice(sample: &str) -> Notice {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/alert-fanout");
    let text = std::fs::read_to_string(events.join(format!("{sample}.json"))).unwrap();
    inbound::parse(&serde_json::from_str(&text).unwrap())
        .unwrap()
        .remove(0)
}

fn shown(heading: &str, card: &Card, status: Status) -> [PreviewMessage; 2] {
    [
        (Channel::SlackWebhook, Form::Slack),
        (Channel::Teams, Form::Teams),
    ]
    .map(|(channel, form)| {
        let context = Context {
            fingerprint: "5f0c8f6f0a3c5a4f7a3e5d1b9c2e8d10",
            id: "0ecb6bd722b022df6d9846a85779db29",
            status,
            now: "2026-03-01T06:01:00Z".parse().unwrap(),
            raw: None,
        };
        PreviewMessage {
            heading: heading.to_owned(),
            description: format!("What {heading} looks like."),
            form,
            body: channel.render(card, &Act::Post, &context),
        }
    })
}

/// A failure, the same gone, an alarm, a text, a storm, and an alert that tries everything.
fn messages() -> Vec<PreviewMessage> {
    let mut messages = Vec::new();
    let mut problems = Vec::new();
    for sample in [
        "scd-validation-failure",
        "alert-resolved",
        "alarm-anomaly",
        "budget",
        "alert-hostile",
    ] {
        let notice = notice(sample);
        let card = card::of(&notice);
        problems.push(Summary::of(&card));
        messages.extend(shown(sample, &card, notice.status()));
    }
    messages.extend(shown("storm", &Card::storm(&problems), Status::Firing));
    messages
}

/// Writes the page where it can be looked at after the test.
fn written(name: &str, messages: &[PreviewMessage]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preview");
    std::fs::create_dir_all(&folder).unwrap();
    let page = folder.join(format!("{name}.html"));
    std::fs::write(&page, preview::page(messages)).unwrap();
    page
}

fn chromium() -> PathBuf {
    let given = std::env::var_os("PIPEWARDEN_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)))
        .find(|program| program.is_file());
    given.or(found).expect(
        "there is no Chromium: `make browser` installs it, or PIPEWARDEN_CHROMIUM says where it is",
    )
}

/// Opens the page in a browser of its own, which reaches nothing.
fn opened(page: &Path, arguments: &[&str]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--enable-logging=stderr",
        ])
        .arg(format!("--window-size={},{}", WINDOW.0, WINDOW.1))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", chromium().display()));
    assert!(
        output.status.success(),
        "Chromium ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The page's elements as the browser holds them after it was loaded.
fn dom(name: &str, messages: &[PreviewMessage]) -> String {
    let page = written(name, messages);
    let output = opened(&page, &["--dump-dom"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("CONSOLE"), "the browser complains: {log}");
    String::from_utf8(output.stdout).unwrap()
}

/// A picture: its width, and its pixels as red, green and blue.
struct Picture {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn of(name: &str, messages: &[PreviewMessage], scheme: &str) -> Self {
        let page = written(name, messages);
        let file = page.with_extension("png");
        let screenshot = format!("--screenshot={}", file.display());
        opened(&page, &[&screenshot, scheme]);
        let file = std::io::BufReader::new(std::fs::File::open(file).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        let depth = frame.color_type.samples();
        Self {
            width: frame.width as usize,
            pixels: bytes
                .chunks_exact(depth)
                .map(|pixel| [pixel[0], pixel[1], pixel[2]])
                .collect(),
        }
    }

    fn background(&self) -> [u8; 3] {
        self.pixels[0]
    }

    /// How far down something is drawn.
    fn drawn_height(&self) -> usize {
        let background = self.background();
        let last = self.pixels.iter().rposition(|pixel| *pixel != background);
        last.map_or(0, |last| last / self.width)
    }

    fn share_drawn(&self) -> f64 {
        let background = self.background();
        let above = self.drawn_height() * self.width;
        let drawn = self.pixels[..above]
            .iter()
            .filter(|pixel| **pixel != background)
            .count();
        drawn as f64 / above.max(1) as f64
    }
}

const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
const DARK: &str = "--blink-settings=preferredColorScheme=0";

#[test]
fn a_person_reads_what_failed_and_follows_the_buttons() {
    let dom = dom("read", &messages());
    for part in [
        "<title>Pipewarden: what people see</title>",
        "<h2>scd-validation-failure</h2>",
        "<h3>🔴 sf_user: scd validation failure (prod)</h3>",
        "<b>dim_sf_user: 14 of 20,000 keys have overlapping versions</b>",
        "<b>Root cause</b>  <code>data_expectation</code>  high confidence",
        "34 min, usually 12 min (2.8 times)",
        "2. Rebuild the 14 keys from the raw history",
        "<h3>✅ Resolved: sf_user: glue job failure (dev)</h3>",
        "Alert storm: 5 alerts",
        "<time>2026-03-01 06:00:21 UTC</time>",
    ] {
        assert!(dom.contains(part), "{part} is missing in\n{dom}");
    }
    let runbook =
        "https://github.com/pipewarden/pipewarden/blob/main/docs/runbook.md#scd_validation_failure";
    let button =
        format!("<a class=\"button\" href=\"{runbook}\" rel=\"noopener noreferrer\">Runbook</a>");
    assert_eq!(dom.matches(&button).count(), 2, "one in each chat:\n{dom}");
}

#[test]
fn a_hostile_name_is_text_and_no_element() {
    let dom = dom("hostile", &messages());
    assert!(dom.contains("sf_user&lt;/h1&gt;&lt;script&gt;alert(2)&lt;/script&gt;"));
    assert!(!dom.contains("<script") && !dom.contains("<at>"), "{dom}");
    let mut links = dom.split("href=\"").skip(1);
    assert!(
        links.all(|link| link.starts_with("https://") || link.starts_with("#message-")),
        "{dom}"
    );
    for address in ["evil.example/a\"", "evil.example/\"", "plain.example/\""] {
        assert!(
            !dom.contains(&format!("href=\"https://{address}")),
            "{address}"
        );
    }
}

#[test]
fn a_page_that_asks_for_something_is_not_answered() {
    let mut messages = messages();
    messages.truncate(1);
    messages[0].body = serde_json::json!({
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "<img src=x onerror=alert(1)>"}}],
        "attachments": [{"color": "red;background:url(https://evil.example/x)", "blocks": []}],
    });
    let dom = dom("asking", &messages);
    assert!(dom.contains("&lt;img src=x onerror=alert(1)&gt;"), "{dom}");
    assert!(dom.contains("style=\"background:#888888\""), "{dom}");
    assert!(!dom.contains("style=\"background:red"), "{dom}");
}

#[test]
fn the_page_is_drawn_in_light_and_in_dark() {
    let messages = messages();
    let (light, dark) = (
        Picture::of("light", &messages, LIGHT),
        Picture::of("dark", &messages, DARK),
    );
    for picture in [&light, &dark] {
        let height = picture.drawn_height();
        assert!((2_000..8_500).contains(&height), "{height} pixels high");
        assert!(picture.share_drawn() > 0.3, "{}", picture.share_drawn());
    }
    let brightness = |colour: [u8; 3]| colour.iter().map(|part| u32::from(*part)).sum::<u32>();
    assert!(
        brightness(light.background()) > 600,
        "{:?}",
        light.background()
    );
    assert!(
        brightness(dark.background()) < 150,
        "{:?}",
        dark.background()
    );
}

#[test]
fn a_run_that_went_well_says_so() {
    assert!(dom("none", &[]).contains("No message was sent"));
}
