//! What the demo shows while it works: a line for each thing done, and a spinner for what is being done.

use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;
use owo_colors::Stream::Stdout;
use std::time::Duration;

/// The lines and the spinner below them. Without a terminal there are only the lines.
#[derive(Debug)]
pub struct Screen {
    spinner: ProgressBar,
}

impl Screen {
    /// An empty screen.
    pub fn new() -> Self {
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed:.dim}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self { spinner }
    }

    /// Says what is being done now.
    pub fn doing(&self, what: &str) {
        self.spinner.set_message(what.to_owned());
        self.spinner.reset_elapsed();
    }

    /// A line as it is.
    pub fn line(&self, text: &str) {
        self.spinner.suspend(|| println!("{text}"));
    }

    /// Something was done.
    pub fn done(&self, what: &str) {
        self.line(&format!("  {} {what}", good("✓")));
    }

    /// Something went wrong.
    pub fn failed(&self, what: &str) {
        self.line(&format!("  {} {what}", bad("✗")));
    }

    /// Something that a reader should know.
    pub fn note(&self, what: &str) {
        self.line(&format!("  {} {}", dim("·"), dim(what)));
    }

    /// A title with an empty line before it.
    pub fn title(&self, text: &str) {
        self.line(&format!("\n{}", bold(text)));
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        self.spinner.finish_and_clear();
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

/// Green on a terminal.
pub fn good(text: &str) -> String {
    text.if_supports_color(Stdout, |text| text.green())
        .to_string()
}

/// Red on a terminal.
pub fn bad(text: &str) -> String {
    text.if_supports_color(Stdout, |text| text.red())
        .to_string()
}

/// Dimmed on a terminal.
pub fn dim(text: &str) -> String {
    text.if_supports_color(Stdout, |text| text.dimmed())
        .to_string()
}

/// Bold on a terminal.
pub fn bold(text: &str) -> String {
    text.if_supports_color(Stdout, |text| text.bold())
        .to_string()
}
