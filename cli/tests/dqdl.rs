//! `pipewarden dqdl check` as its users and their tools meet it.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the functions that they share"
)]

use rstest::rstest;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs `pipewarden dqdl` on a ruleset as standard input.
fn pipewarden(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipewarden"))
        .arg("dqdl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_ruleset_is_printed_one_canonical_rule_per_line() {
    let source = b"Rules = [ RowCount>0, (IsComplete \"a\") and (IsUnique \"a\") ]";
    let output = pipewarden(&["check", "-"], source);
    assert_eq!(
        text(&output.stdout),
        "RowCount > 0\n(IsComplete \"a\") AND (IsUnique \"a\")\n"
    );
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
}

#[test]
fn a_file_is_read_and_named_in_what_is_wrong() {
    let path = std::env::temp_dir().join(format!("pipewarden-{}.dqdl", std::process::id()));
    std::fs::write(&path, "Rules = [\n  IsComplet \"a\"\n]\n").unwrap();
    let output = pipewarden(&["check", path.to_str().unwrap()], b"");
    std::fs::remove_file(&path).unwrap();
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
    let expected = format!(
        "error: `IsComplet` is no rule type\n --> {}:2:3\n  |\n2 |   IsComplet \"a\"\n  |   ^^^^^^^^^\n  |\n  = \
         help: did you mean `IsComplete`?\n",
        path.display()
    );
    assert_eq!(text(&output.stderr), expected);
}

#[rstest]
#[case::accepted(
    "Rules = [ RowCount>0 ] Analyzers = [ Completeness of \"a\" ]",
    json!({"rules": ["RowCount > 0"], "analyzers": ["Completeness of \"a\""]}),
    0
)]
#[case::refused(
    "Rules = [\r\n  RowCount > \"é\", Foo,\r\n  RowCount > 0 ]",
    json!({"errors": [
        {"line": 2, "column": 12, "message":
            "expected a number or a date: a text can only be compared with `=`, `!=`, `in` and `matches`"},
        {"line": 2, "column": 19, "message": "`Foo` is no rule type"},
    ]}),
    1
)]
fn tools_get_json(#[case] source: &str, #[case] expected: Value, #[case] code: i32) {
    let output = pipewarden(&["check", "-", "--json"], source.as_bytes());
    assert_eq!(parsed(&output), expected);
    assert_eq!(
        (text(&output.stderr), output.status.code()),
        ("", Some(code))
    );
}

#[rstest]
#[case::missing(
    "/nonexistent/rules.dqdl",
    b"",
    "cannot read /nonexistent/rules.dqdl: No such file"
)]
#[case::folder("/", b"", "cannot read /: Is a directory")]
#[case::bytes(
    "-",
    b"Rules = [ IsComplete \"\xff\" ]",
    "cannot read standard input: invalid utf-8"
)]
fn what_cannot_be_read_is_said(#[case] path: &str, #[case] input: &[u8], #[case] error: &str) {
    let output = pipewarden(&["check", path], input);
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
    assert!(
        text(&output.stderr).contains(error),
        "{}",
        text(&output.stderr)
    );
}

/// A tool that asked for JSON gets some, whatever happens.
#[test]
fn tools_get_json_of_a_file_that_cannot_be_read() {
    let output = pipewarden(&["check", "/nonexistent/rules.dqdl", "--json"], b"");
    assert_eq!(output.status.code(), Some(1));
    let message = &parsed(&output)["errors"][0]["message"];
    assert!(
        message.as_str().unwrap().contains("No such file"),
        "{message}"
    );
}

#[test]
fn help_shows_how_it_is_used() {
    let output = pipewarden(&["check", "--help"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("pipewarden dqdl check rules.dqdl --json | jq"));
}
