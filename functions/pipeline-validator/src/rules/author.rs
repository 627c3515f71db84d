//! SQL that the author of a profile wrote: it stands in a query of ours and must not end it.

use crate::sql::Sql;

/// A condition that is taken as it is written.
pub(crate) fn condition_of_author(what: &str, text: &str) -> Result<Sql, String> {
    if ending_where_it_ends(what, text)? != text {
        return Err(format!(
            "{what} quotes a name with `, and Athena does with \""
        ));
    }
    Ok(Sql::of(format!("({text})")))
}

/// A condition of a rule. Glue quotes names with `, so these are translated.
pub(super) fn condition_of_rule(what: &str, text: &str) -> Result<Sql, String> {
    let text = ending_where_it_ends(what, text)?;
    Ok(Sql::of(format!("({text})")))
}

/// One SELECT, with names quoted as Athena quotes them.
///
/// # Errors
/// It is something else.
pub(super) fn select_of_rule(what: &str, text: &str) -> Result<String, String> {
    let sql = ending_where_it_ends(what, text.trim())?;
    let first = sql.split_whitespace().next().unwrap_or_default();
    if ["select", "with"].contains(&first.to_lowercase().as_str()) {
        Ok(sql)
    } else {
        Err(format!("{what} is no SELECT"))
    }
}

/// A piece of SQL without an open quote or parenthesis, a comment or a second statement; names between " and not `.
fn ending_where_it_ends(what: &str, text: &str) -> Result<String, String> {
    let mut sql = String::with_capacity(text.len());
    let mut depth = 0i32;
    let mut quote: Option<char> = None;
    let mut previous = ' ';
    for character in text.chars() {
        let mut written = character;
        match (quote, character) {
            (Some('`'), '"') => return Err(format!("{what} has a \" in a name between `")),
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ';' | '?') => return Err(format!("{what} holds a {character}")),
            (None, '-' | '*') if matches!((previous, character), ('-', '-') | ('/', '*')) => {
                return Err(format!("{what} holds a comment"));
            }
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if character == '`' && matches!(quote, None | Some('`')) {
            written = '"';
        }
        sql.push(written);
        previous = character;
    }
    if depth != 0 || quote.is_some() {
        return Err(format!("{what} has an open quote or parenthesis"));
    }
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("`a b` = '`'", "(\"a b\" = '`')")]
    #[case("\"`\" > 1", "(\"`\" > 1)")]
    #[case("a like '%;--%'", "(a like '%;--%')")]
    fn names_are_quoted_as_athena_does(#[case] written: &str, #[case] sql: &str) {
        assert_eq!(condition_of_rule("it", written).unwrap().text, sql);
    }

    #[rstest]
    #[case("a = 1)", "open quote or parenthesis")]
    #[case("`a = 1", "open quote or parenthesis")]
    #[case("a = 1 -- x", "a comment")]
    #[case("a /* x */ = 1", "a comment")]
    #[case("a = ?", "holds a ?")]
    #[case("`a\" = 1` = 1", "in a name between `")]
    fn what_would_not_end_is_refused(#[case] written: &str, #[case] reason: &str) {
        let error = condition_of_rule("it", written).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_dataset_is_written_for_athena() {
        assert!(condition_of_author("where", "`a` = 1").is_err());
        assert!(condition_of_author("where", "a = '`'").is_ok());
    }
}
