//! ColumnDataType: the rows whose value is of a type, as SQL.

use crate::dqdl::SingleRule;
use crate::dqdl::condition::{Condition, TextCondition, TextOperand};
use crate::dqdl::tree::TagValue;
use crate::sql::{Dialect, Sql, Value, literal};
use pipewarden_shared::profile::Identifier;

/// The most digits of a decimal (Athena user guide, "Data types").
const MOST_DIGITS: u32 = 38;

/// The rows whose value is of the type that the rule names. NULL is of no type.
///
/// # Errors
/// What the rule asks that is not known.
pub(super) fn passes(
    dialect: &dyn Dialect,
    column: &Identifier,
    rule: &SingleRule,
) -> Result<Sql, String> {
    let (negated, name) = match &rule.condition {
        Some(Condition::Text(TextCondition::Equal {
            negated,
            operand: TextOperand::Text(text),
            ..
        })) => (*negated, text.value()),
        _ => return Err("a data type is asked for with = or !=".to_owned()),
    };
    let text = dialect.text(&dialect.column(column));
    let data_type = sql_type(&name)?;
    let is_one = match (data_type.as_str(), format(rule)?) {
        ("date", Some(format)) => formatted(dialect, &text, &format)?,
        (_, Some(_)) => return Err("a format is of a DATE".to_owned()),
        ("timestamp", None) => Sql::of(format!("{} IS NOT NULL", dialect.timestamp(&text))),
        (_, None) => Sql::of(format!(
            "{} IS NOT NULL",
            dialect.try_cast(&text, &data_type)
        )),
    };
    Ok(if negated {
        is_one.between("NOT (", ")")
    } else {
        is_one.between("(", ")")
    })
}

/// The SQL type of a type's name in DQDL (AWS Glue, "ColumnDataType").
fn sql_type(name: &str) -> Result<String, String> {
    let upper = name.to_uppercase();
    let known = match upper.as_str() {
        "BOOLEAN" => "boolean",
        "DATE" => "date",
        "TIMESTAMP" => "timestamp",
        "INTEGER" => "integer",
        "LONG" => "bigint",
        "DOUBLE" => "double",
        "FLOAT" => "real",
        _ => {
            return decimal(&upper).ok_or_else(|| {
                format!("{name:?} is none of Boolean, Date, Timestamp, Integer, Long, Double, Float, Decimal(p,s)")
            });
        }
    };
    Ok(known.to_owned())
}

fn decimal(name: &str) -> Option<String> {
    let (digits, scale) = name
        .strip_prefix("DECIMAL(")?
        .strip_suffix(')')?
        .split_once(',')?;
    let digits: u32 = digits.trim().parse().ok()?;
    let scale: u32 = scale.trim().parse().ok()?;
    ((1..=MOST_DIGITS).contains(&digits) && scale <= digits)
        .then(|| format!("decimal({digits}, {scale})"))
}

/// The option `format`.
fn format(rule: &SingleRule) -> Result<Option<String>, String> {
    match rule.tags.as_slice() {
        [] => Ok(None),
        [tag] if tag.name == "format" => match &tag.value {
            TagValue::Text(TextOperand::Text(text)) => Ok(Some(text.value())),
            _ => Err("a format is a text such as \"yyyy-MM-dd\"".to_owned()),
        },
        [tag, ..] => Err(format!("the option {} is not known here", tag.name)),
    }
}

/// The rows whose text is a date in a format of day, month and year; a part that is missing is the first, the year 2000.
fn formatted(dialect: &dyn Dialect, text: &str, format: &str) -> Result<Sql, String> {
    let (pattern, [year, month, day]) = fields(text, format)?;
    let told = [&year, &month, &day].into_iter().flatten().count();
    if told < 2 {
        return Err(unknown_format(format));
    }
    let or = |part: Option<String>, other: &str| part.unwrap_or_else(|| literal(other));
    let iso = format!(
        "{} || '-' || {} || '-' || {}",
        or(year, "2000"),
        or(month, "01"),
        or(day, "01")
    );
    Ok(Sql::with(
        format!(
            "{} AND {} IS NOT NULL",
            dialect.matches(text),
            dialect.try_cast(&iso, "date")
        ),
        [Value::Literal(dialect.pattern(&pattern))],
    ))
}

/// The pattern of a format, and where in a text the year, the month and the day are.
fn fields(text: &str, format: &str) -> Result<(String, [Option<String>; 3]), String> {
    let mut place = 1;
    let mut pattern = String::new();
    let mut parts = [None, None, None];
    let mut rest = format;
    while !rest.is_empty() {
        let field = [("yyyy", 0), ("MM", 1), ("dd", 2)]
            .into_iter()
            .find_map(|(name, index)| Some((name, index, rest.strip_prefix(name)?)));
        match (field, rest.chars().next()) {
            (Some((name, index, after)), _) => {
                let slot = parts
                    .get_mut(index)
                    .filter(|slot| slot.is_none())
                    .ok_or_else(|| unknown_format(format))?;
                *slot = Some(format!("substr({text}, {place}, {})", name.len()));
                pattern.push_str(&format!("[0-9]{{{}}}", name.len()));
                place += name.len();
                rest = after;
            }
            (None, Some(separator @ ('-' | '/'))) => {
                pattern.push(separator);
                place += 1;
                rest = rest.trim_start_matches(separator);
            }
            _ => return Err(unknown_format(format)),
        }
    }
    Ok((pattern, parts))
}

fn unknown_format(format: &str) -> String {
    format!("{format:?} is no format of two or three of yyyy, MM and dd with - or / between them")
}
