//! What the stub answers: per service, in the protocol that the SDK speaks to it.

use super::{Asked, Call, Said};
use ciborium::Value as Cbor;
use hyper::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The content type of rpc-v2-cbor.
pub(super) const CBOR: &str = "application/cbor";

const JSON: &str = "application/x-amz-json-1.1";

/// An empty CBOR map: an answer without fields.
const NOTHING: u8 = 0xa0;

/// The age of the newest row that a scan finds, in seconds.
const AGE: u64 = 600;

/// The columns of every table: those that the sample profile asks about.
const COLUMNS: [&str; 15] = [
    "id",
    "system_modstamp",
    "username",
    "email",
    "manager_id",
    "division",
    "department",
    "title",
    "audit_phase__c",
    "is_active",
    "valid_from",
    "valid_to",
    "is_current",
    "is_deleted",
    "dbt_updated_at",
];

fn call(service: &str, operation: &str, summary: String) -> Call {
    Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
        summary,
        at: Instant::now(),
    }
}

fn said(call: Call, content_type: &'static str, body: impl Into<Vec<u8>>) -> Said {
    Said {
        call,
        status: StatusCode::OK,
        content_type,
        body: body.into(),
    }
}

fn unknown(service: &str, operation: &str) -> Said {
    Said {
        status: StatusCode::BAD_REQUEST,
        ..said(
            call(service, operation, "unknown to the stub".to_owned()),
            JSON,
            json!({"__type": "UnknownOperationException"}).to_string(),
        )
    }
}

/// CloudWatch, rpc-v2-cbor as the Rust SDK speaks it, or awsJson 1.0 as boto3 does.
pub(super) fn cloudwatch(operation: &str, asked: &Asked<'_>) -> Said {
    if operation != "PutMetricData" {
        return unknown("CloudWatch", operation);
    }
    let (content_type, answer, request) = if asked.headers.contains_key("smithy-protocol") {
        (
            CBOR,
            vec![NOTHING],
            ciborium::from_reader::<Cbor, _>(asked.body).ok(),
        )
    } else {
        (
            JSON,
            b"{}".to_vec(),
            serde_json::from_slice(asked.body).ok(),
        )
    };
    // The SDK compresses requests over 10 KB; those are counted and not shown.
    let summary = request.map_or_else(
        || format!("{} bytes", asked.body.len()),
        |request| metrics(&request),
    );
    said(call("CloudWatch", operation, summary), content_type, answer)
}

fn metrics(request: &Cbor) -> String {
    let data = field(request, "MetricData").and_then(Cbor::as_array);
    let data: Vec<String> = data
        .into_iter()
        .flatten()
        .map(|datum| {
            let value = field(datum, "Value").map_or_else(String::new, number);
            let dimensions = field(datum, "Dimensions").and_then(Cbor::as_array);
            let values: Vec<&str> = dimensions
                .into_iter()
                .flatten()
                .map(|dimension| text(dimension, "Value"))
                .collect();
            format!(
                "{}{{{}}} {value} {}",
                text(datum, "MetricName"),
                values.join(","),
                text(datum, "Unit")
            )
        })
        .collect();
    format!("{} {}", text(request, "Namespace"), data.join(", "))
}

fn field<'map>(map: &'map Cbor, name: &str) -> Option<&'map Cbor> {
    let fields = map.as_map()?;
    fields
        .iter()
        .find(|(key, _)| key.as_text() == Some(name))
        .map(|(_, value)| value)
}

fn text<'map>(map: &'map Cbor, name: &str) -> &'map str {
    field(map, name).and_then(Cbor::as_text).unwrap_or("?")
}

fn number(value: &Cbor) -> String {
    match value {
        Cbor::Float(number) => number.to_string(),
        Cbor::Integer(number) => i128::from(*number).to_string(),
        other => format!("{other:?}"),
    }
}

/// SNS, awsQuery.
pub(super) fn sns(asked: &Asked<'_>) -> Said {
    let form: BTreeMap<_, _> = form_urlencoded::parse(asked.body).collect();
    let get = |name: &str| form.get(name).map_or("", AsRef::as_ref);
    if get("Action") != "Publish" {
        let operation = if get("Action").is_empty() {
            asked.path
        } else {
            get("Action")
        };
        return unknown("unknown service", operation);
    }
    let summary = format!(
        "{} ({} bytes) to {}",
        get("Subject"),
        get("Message").len(),
        get("TopicArn")
    );
    let answer = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
        <MessageId>95df01b4-ee98-5cb9-9903-4c221d41eb5e</MessageId></PublishResult><ResponseMetadata>\
        <RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>";
    said(call("SNS", "Publish", summary), "text/xml", answer)
}

/// Secrets Manager, awsJson 1.1: each secret is the address of a webhook of the stub; PagerDuty's has a key as well.
pub(super) fn secret(operation: &str, asked: &Asked<'_>, url: &str) -> Said {
    if operation != "GetSecretValue" {
        return unknown("Secrets Manager", operation);
    }
    let request = request(asked);
    let id = string(&request, "SecretId");
    let name = id.rsplit(':').next().unwrap_or(id);
    let address = format!("{url}/webhook/{name}");
    let secret = match name {
        "pagerduty" => json!({"routing_key": "R0UT1NGKEY", "url": address}).to_string(),
        _ => address,
    };
    let answer = json!({"ARN": id, "Name": name, "SecretString": secret});
    said(
        call("Secrets Manager", operation, id.to_owned()),
        JSON,
        answer.to_string(),
    )
}

/// A receiver of alerts.
pub(super) fn webhook(receiver: &str, asked: &Asked<'_>) -> Said {
    let start: String = String::from_utf8_lossy(asked.body)
        .chars()
        .take(120)
        .collect();
    let summary = format!("{receiver}, {} bytes: {start}", asked.body.len());
    said(call("webhook", "POST", summary), "text/plain", "ok")
}

/// Athena, awsJson 1.1: each query has succeeded when it is first looked at, and finds a healthy table.
pub(super) fn athena(
    operation: &str,
    asked: &Asked<'_>,
    queries: &mut BTreeMap<String, String>,
) -> Said {
    let request = request(asked);
    let id = string(&request, "QueryExecutionId").to_owned();
    let (summary, answer) = match operation {
        "StartQueryExecution" => {
            let sql = string(&request, "QueryString");
            let id = format!("00000000-0000-4000-8000-{:012}", queries.len() + 1);
            queries.insert(id.clone(), sql.to_owned());
            let columns = columns(sql).count();
            (
                format!("{id}, {columns} aggregates in one scan"),
                json!({"QueryExecutionId": id}),
            )
        }
        "GetQueryExecution" => {
            let execution = json!({
                "QueryExecutionId": id,
                "Status": {"State": "SUCCEEDED"},
                "Statistics": {"DataScannedInBytes": 10_485_760},
            });
            (
                format!("{id} SUCCEEDED"),
                json!({"QueryExecution": execution}),
            )
        }
        "GetQueryResults" => {
            let answer = results(queries.get(&id).map_or("", String::as_str));
            (id, answer)
        }
        "StopQueryExecution" => (id, json!({})),
        "GetTableMetadata" => {
            let table = string(&request, "TableName");
            let columns: Vec<Value> = COLUMNS
                .iter()
                .map(|column| json!({"Name": column, "Type": "string"}))
                .collect();
            (
                table.to_owned(),
                json!({"TableMetadata": {"Name": table, "Columns": columns}}),
            )
        }
        _ => return unknown("Athena", operation),
    };
    said(call("Athena", operation, summary), JSON, answer.to_string())
}

/// The header and the one row of a query on a healthy table.
fn results(sql: &str) -> Value {
    let header: Vec<Value> = columns(sql)
        .map(|(name, _)| json!({"VarCharValue": name}))
        .collect();
    let row: Vec<Value> = columns(sql)
        .map(|(_, expression)| healthy(expression))
        .collect();
    json!({"ResultSet": {"Rows": [{"Data": header}, {"Data": row}]}})
}

/// S3: nothing is there yet, and everything is taken.
pub(super) fn s3(asked: &Asked<'_>) -> Said {
    let summary = asked.path.to_owned();
    // What is kept is never empty.
    if asked.body.is_empty() {
        let missing =
            "<Error><Code>NoSuchKey</Code><Message>nothing is there yet</Message></Error>";
        return Said {
            status: StatusCode::NOT_FOUND,
            ..said(call("S3", "GetObject", summary), "application/xml", missing)
        };
    }
    said(call("S3", "PutObject", summary), "application/xml", "")
}

/// The columns of a scan: its select list has a line `<expression> AS c<number>` for each.
fn columns(sql: &str) -> impl Iterator<Item = (&str, &str)> {
    sql.lines().filter_map(|line| {
        let (expression, name) = line.trim().trim_end_matches(',').rsplit_once(" AS ")?;
        let number = name.strip_prefix('c')?;
        let is_number = !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit());
        is_number.then_some((name, expression))
    })
}

/// What a healthy table has for an aggregate.
fn healthy(expression: &str) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let value = if expression == "count(*)" {
        "1200".to_owned()
    } else if expression.starts_with("to_unixtime") {
        now.as_secs().saturating_sub(AGE).to_string()
    } else if expression.starts_with("json_format") {
        // No samples: NULL.
        return json!({});
    } else {
        "0".to_owned()
    };
    json!({"VarCharValue": value})
}

fn request(asked: &Asked<'_>) -> Value {
    serde_json::from_slice(asked.body).unwrap_or_default()
}

fn string<'json>(json: &'json Value, name: &str) -> &'json str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_select_list_of_a_scan_is_counted() {
        let sql = "WITH v AS (\n  SELECT max(a) AS gaps,\n  b AS c\n)\nSELECT\n  count(*) AS c0,\n  count_if(x AS y) AS c1\nFROM v";
        let found: Vec<_> = columns(sql).collect();
        assert_eq!(found, [("c0", "count(*)"), ("c1", "count_if(x AS y)")]);
    }
}
