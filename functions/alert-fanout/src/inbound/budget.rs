//! AWS Budgets, which writes to SNS in prose: its figures stand at the end as `Name: value` lines.

/// How each of its messages begins (AWS Cost Management user guide, notifications over SNS).
const OPENING: &str = "AWS Budget Notification";

/// The lines that are figures.
const FIGURES: [&str; 7] = [
    "Budget Name",
    "Budget Type",
    "Budgeted Amount",
    "Alert Type",
    "Alert Threshold",
    "ACTUAL Amount",
    "FORECASTED Amount",
];

/// The figures of a message of AWS Budgets; none for any other text.
pub(super) fn facts(message: &str) -> Vec<(String, String)> {
    if !message.starts_with(OPENING) {
        return Vec::new();
    }
    message
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| FIGURES.contains(&name.trim()))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .take(FIGURES.len())
        .collect()
}
