//! The SQL that a profile's author wrote, read before Athena reads it. The function does without: a parser is large.

use pipeline_validator::dqdl::tree::Parameter;
use pipeline_validator::dqdl::{Rule, RuleType, Ruleset, SingleRule};
use pipeline_validator::rules::{RulesError, Unanswerable};
use pipewarden_shared::profile::{Dataset, Profile};
use sqlparser::ast::{Expr, Query, SetExpr, Statement, Value as SqlValue, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};
use std::ops::ControlFlow;

/// What Athena takes and the parser does not know: a type, and tables as they were.
const NOT_KNOWN: [&str; 3] = ["array(", "timestamp as of", "version as of"];

/// Functions over rows, which have no place where each row is looked at.
const AGGREGATES: [&str; 15] = [
    "approx_distinct",
    "approx_percentile",
    "arbitrary",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "count_if",
    "max",
    "max_by",
    "min",
    "min_by",
    "stddev",
    "sum",
];

/// Reads the SQL of every dataset; the error is of the first dataset with SQL that cannot run.
///
/// # Errors
/// The dataset's name and what is wrong.
pub(super) fn check(profile: &Profile) -> Result<(), (String, RulesError)> {
    for (name, dataset) in &profile.datasets {
        of_dataset(dataset).map_err(|error| (name.clone(), error))?;
    }
    Ok(())
}

fn of_dataset(dataset: &Dataset) -> Result<(), RulesError> {
    let mut wrong = Vec::new();
    if let Some(filter) = &dataset.filter
        && let Err(reason) = condition("where", filter)
    {
        let rule = filter.clone();
        wrong.push(Unanswerable { rule, reason });
    }
    if let Some(dqdl) = &dataset.rules {
        let ruleset: Ruleset = dqdl.parse().map_err(RulesError::Syntax)?;
        for rule in &ruleset.rules {
            let rule_text = rule.to_string();
            wrong.extend(of_rule(rule).into_iter().map(|reason| Unanswerable {
                rule: rule_text.clone(),
                reason,
            }));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(RulesError::Unanswerable(wrong))
    }
}

/// What is wrong with the SQL of a rule.
fn of_rule(rule: &Rule) -> Vec<String> {
    match rule {
        Rule::Composite(composite) => composite.rules.iter().flat_map(of_rule).collect(),
        Rule::Single(rule) => {
            let filter = rule
                .where_clause
                .as_ref()
                .map(|text| condition("its where clause", &text.value()));
            let query = query_of(rule).map(|text| query(&text));
            filter
                .into_iter()
                .chain(query)
                .filter_map(Result::err)
                .collect()
        }
    }
}

/// The query that a rule holds.
fn query_of(rule: &SingleRule) -> Option<String> {
    let text = |parameter: &Parameter| parameter.text.value();
    match (rule.rule_type, rule.parameters.as_slice()) {
        (RuleType::CustomSql, [sql]) => Some(text(sql)),
        (RuleType::DetectAnomalies, [name, sql])
            if text(name).eq_ignore_ascii_case(RuleType::CustomSql.name()) =>
        {
            Some(text(sql))
        }
        _ => None,
    }
}

fn query(text: &str) -> Result<(), String> {
    let statements = match Parser::parse_sql(&GenericDialect {}, text) {
        Ok(statements) => statements,
        Err(error) => return refused("its SQL", text, &error),
    };
    let [Statement::Query(_)] = statements.as_slice() else {
        return Err("its SQL has to be one SELECT".to_owned());
    };
    match statements.visit(&mut OnlyReads) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(what) => Err(format!("its SQL has to be one SELECT, and holds {what}")),
    }
}

/// Looks for what is no reading: Athena refuses it, or it would write.
struct OnlyReads;

impl Visitor for OnlyReads {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        let wrong = match query.body.as_ref() {
            _ if !query.locks.is_empty() => Some("FOR UPDATE"),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Some("a statement that writes")
            }
            SetExpr::Select(select) if select.into.is_some() => Some("SELECT INTO"),
            SetExpr::Select(select) if select.projection.is_empty() => Some("a SELECT of nothing"),
            _ => None,
        };
        wrong.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }
}

fn condition(what: &str, text: &str) -> Result<(), String> {
    let parsed = Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| {
            let expression = parser.parse_expr()?;
            parser.expect_token(&Token::EOF)?;
            Ok(expression)
        });
    let expression = match parsed {
        Ok(expression) => expression,
        Err(error) => return refused(what, text, &error),
    };
    let is_constant = match &expression {
        Expr::Value(value) => !matches!(value.value, SqlValue::Boolean(_)),
        Expr::Identifier(name) => name.quote_style.is_none() && is_reserved(&name.value),
        _ => false,
    };
    if is_constant {
        return Err(format!("{what} is no condition: {expression}"));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize();
    if tokens.is_ok_and(|tokens| tokens.contains(&Token::DoubleEq)) {
        return Err(format!("{what} has ==, and SQL compares with ="));
    }
    match expression.visit(&mut Aggregates::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(name) => Err(format!(
            "{what} holds {name}(…), and a condition looks at one row"
        )),
    }
}

/// Whether Trino keeps a word for itself (Trino reference, "Keywords and identifiers"), as far as it begins or joins.
fn is_reserved(word: &str) -> bool {
    const RESERVED: [&str; 20] = [
        "and", "as", "between", "case", "distinct", "else", "end", "exists", "from", "group",
        "having", "in", "is", "join", "like", "not", "or", "order", "select", "where",
    ];
    RESERVED
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(word))
}

fn refused(what: &str, text: &str, error: &ParserError) -> Result<(), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let folded = words.join(" ").to_lowercase().replace("array (", "array(");
    if NOT_KNOWN.iter().any(|known| folded.contains(known)) {
        return Ok(());
    }
    let error = error.to_string();
    let error = error.strip_prefix("sql parser error: ").unwrap_or(&error);
    Err(format!("{what} is no SQL: {error}"))
}

/// Looks for a function over rows; a query within the condition may have some.
#[derive(Debug, Default)]
struct Aggregates {
    queries: usize,
}

impl Visitor for Aggregates {
    type Break = String;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        self.queries = self.queries.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        if let Expr::Function(function) = expression {
            let name = function.name.to_string().to_lowercase();
            let over_rows = function.over.is_some() || AGGREGATES.contains(&name.as_str());
            if self.queries == 0 && over_rows {
                return ControlFlow::Break(name);
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn checked(filter: &str, rules: &str) -> Result<(), String> {
        let profile = format!(
            "{{pipeline: p, metrics: {{namespace: N}}, datasets: {{d: {{table: t, key: [id], where: {}, rules: {}}}}}}}",
            serde_json::to_string(filter).unwrap(),
            serde_json::to_string(&format!("Rules = [ {rules} ]")).unwrap()
        );
        check(&Profile::parse(&profile).unwrap()).map_err(|(_, error)| error.to_string())
    }

    #[rstest]
    #[case(
        "RowCount > 1 where \"this is not sql at all ,,,\"",
        "its where clause is no SQL"
    )]
    #[case("RowCount > 1 where \"count(*) > 1\"", "holds count(…)")]
    #[case("RowCount > 1 where \"id = max(id) over ()\"", "holds max(…)")]
    #[case("RowCount > 1 where \"id = 1 or\"", "its where clause is no SQL")]
    #[case("CustomSql \"select from from where\" = 1", "its SQL is no SQL")]
    #[case(
        "DetectAnomalies \"CustomSQL\" \"select from from where\"",
        "its SQL is no SQL"
    )]
    #[case(
        "(RowCount > 1) and (CustomSql \"select count( from x\" = 1)",
        "its SQL is no SQL"
    )]
    #[case("RowCount > 1 where \"select\"", "its where clause is no condition")]
    #[case("RowCount > 1 where \"1\"", "its where clause is no condition")]
    #[case("RowCount > 1 where \"id == 1\"", "compares with =")]
    #[case("CustomSql \"select from primary\" = 1", "a SELECT of nothing")]
    #[case("CustomSql \"select * into x from primary\" = 1", "SELECT INTO")]
    #[case(
        "CustomSql \"with a as (delete from x) select 1\" = 1",
        "holds a statement that writes"
    )]
    #[case("CustomSql \"select 1 from primary for update\" = 1", "FOR UPDATE")]
    #[case("CustomSql \"delete from primary\" = 1", "one SELECT")]
    #[case("CustomSql \"select 1; select 2\" = 1", "one SELECT")]
    fn sql_that_cannot_run_is_refused(#[case] rule: &str, #[case] reason: &str) {
        let error = checked("true", rule).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[rstest]
    #[case("id in (select max(id) from others)")]
    #[case("`a b` = 1 and \\\"c d\\\" is distinct from 2")]
    #[case("any_match(arr, x -> x > 1) and cast(m as map(varchar, bigint)) is null")]
    #[case("ts at time zone 'UTC' > timestamp '2024-01-01' - interval '3' day")]
    #[case("cast(a as array (varchar)) = b")]
    #[case("try(a / b) > decimal '1.0' and primary = 'x' and year = '2024'")]
    fn what_athena_takes_passes(#[case] filter: &str) {
        assert_eq!(
            checked("true", &format!("RowCount > 1 where \"{filter}\"")),
            Ok(())
        );
    }

    #[rstest]
    #[case("select listagg(a, ',') within group (order by a) from primary")]
    #[case(
        "with a as (select max_by(x, y) m from primary cross join unnest(z) as t (q)) select m from a"
    )]
    #[case("select count(*) from lake.t for timestamp as of timestamp '2024-01-01 00:00:00'")]
    fn queries_that_athena_takes_pass(#[case] sql: &str) {
        assert_eq!(checked("true", &format!("CustomSql \"{sql}\" = 1")), Ok(()));
    }

    #[test]
    fn the_condition_of_a_dataset_is_read_too() {
        let error = checked("sum(amount) > 1", "RowCount > 1").unwrap_err();
        assert!(error.contains("where holds sum(…)"), "{error}");
    }
}
