//! `pipewarden check` and `pipewarden plan` on profiles that have something wrong or odd.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the functions that they share"
)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs a command on a profile with these datasets and alerts.
fn pipewarden(command: &str, name: &str, rest: &str) -> Output {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}.yaml"));
    let profile = format!("pipeline: etl\nmetrics: {{ namespace: Etl }}\n{rest}");
    std::fs::write(&path, profile).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipewarden"));
    child.arg(command).arg(path).output().unwrap()
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let output = pipewarden(
        "check",
        "all",
        r#"
datasets:
  users: { table: users, key: [id], where: "id ==", rules: 'Rules = [ RowCount > 0 ]' }
  orders: { table: orders, key: [id], rules: 'Rules = [ Foo > 0 ]' }
  items: { table: items, key: [id], rules: 'Rules = [ RowCount > 0 where "select" ]' }
alerts:
  route: { receiver: nobody }
"#,
    );
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    for wrong in [
        "where is no SQL",
        "Foo",
        "its where clause is no condition: select",
        "nobody",
    ] {
        assert_eq!(told.matches(wrong).count(), 1, "{wrong}: {told}");
    }
    assert!(!told.contains('\u{1b}'));
}

/// A plan is pasted into Athena: what a name or a rule has in a second line is no statement there.
#[test]
fn a_line_break_in_a_rule_leaves_no_comment() {
    let output = pipewarden(
        "plan",
        "lines",
        r#"
datasets:
  "d\ndrop table x;":
    table: primary
    key: [id]
    rules: |
      Rules = [ CustomSql "select count(*)
        from primary where amount < 0" = 0, RowCount > 1 where "a
        = 1" ]
"#,
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(plan.contains("drop table x;"), "{plan}");
    let live: Vec<&str> = plan
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let live = live.join("\n");
    assert!(
        !live.contains("drop table") && !live.contains("\" = 0"),
        "{live}"
    );
}

#[test]
fn a_profile_that_cannot_be_read_is_told_why() {
    for (command, path) in [
        ("check", "/nonexistent.yaml"),
        ("plan", env!("CARGO_MANIFEST_DIR")),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pipewarden"));
        let output = child.args([command, path]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains(&format!("cannot read the profile {path}: "))
                && told.contains("os error"),
            "{told}"
        );
    }
}
