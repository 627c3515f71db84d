//! The store in DynamoDB.

use super::{Expected, Item, Key, Put, Store, StoreError};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, ReturnValuesOnConditionCheckFailure, WriteRequest,
};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use pipewarden_shared::causes;
use std::collections::HashMap;

/// The most items of one BatchWriteItem (API reference).
const BATCH: usize = 25;

/// Batches at once.
const BATCHES: usize = 8;

/// How often what a batch left over is asked for again.
const BATCH_TRIES: usize = 8;

/// The longest page: an item has up to 3 KB, and an answer at most 1 MB.
const PAGE: i32 = 1_000;

/// A table with the keys `pk` and `sk`, and time to live in `expires_at`.
#[derive(Debug, Clone)]
pub struct Dynamo {
    client: Client,
    table: String,
}

type Attributes = HashMap<String, AttributeValue>;

impl Dynamo {
    /// The store in a table.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    async fn delete(&self, keys: &[Key]) -> Result<(), StoreError> {
        let mut left: Vec<WriteRequest> = keys.iter().filter_map(delete).collect();
        for _ in 0..BATCH_TRIES {
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.table, left)
                .send()
                .await
                .map_err(refused("remove"))?;
            let unprocessed = answer.unprocessed_items.unwrap_or_default();
            left = unprocessed.into_values().flatten().collect();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(fastrand::u64(20..200))).await;
        }
        Err(StoreError::Refused {
            doing: "remove",
            reason: format!("{} items were left over", left.len()),
        })
    }
}

fn refused<E: std::error::Error>(doing: &'static str) -> impl FnOnce(E) -> StoreError {
    move |error| StoreError::Refused {
        doing,
        reason: causes::chain(&error),
    }
}

impl Store for Dynamo {
    async fn put(
        &self,
        item: &Item,
        expected: Expected,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes(item)))
            .expression_attribute_values(":now", number(now.as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // Time to live removes an item within days of its end: until then it only counts as gone.
        let put = match expected {
            Expected::Nothing => put.condition_expression("attribute_not_exists(pk) OR expires_at <= :now"),
            Expected::Version(version) => put
                .condition_expression("version = :version AND (attribute_not_exists(expires_at) OR expires_at > :now)")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        let Err(error) = put.send().await else {
            return Ok(Put::Written);
        };
        let found = match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                failed.item.as_ref().and_then(read)
            }
            _ => return Err(refused("write")(error)),
        };
        Ok(match found.filter(|item| alive(item, now)) {
            Some(item) => Put::Found(item),
            None => Put::Gone,
        })
    }

    async fn get(&self, key: &Key, now: Timestamp) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(&key.partition))
            .key("sk", text(&key.sort))
            .consistent_read(true)
            .send()
            .await
            .map_err(refused("read"))?;
        let item = answer.item.as_ref().and_then(read);
        Ok(item.filter(|item| alive(item, now)))
    }

    async fn list(
        &self,
        partition: &str,
        (from, to): (&str, &str),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(partition))
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to))
                .consistent_read(true)
                .limit(i32::try_from(limit).unwrap_or(PAGE).min(PAGE))
                .set_exclusive_start_key(next.take())
                .send()
                .await
                .map_err(refused("read"))?;
            let found = page.items.unwrap_or_default();
            items.extend(
                found
                    .iter()
                    .filter_map(read)
                    .filter(|item| alive(item, now)),
            );
            next = page.last_evaluated_key;
            if next.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StoreError> {
        futures_util::stream::iter(keys.chunks(BATCH).map(Ok))
            .try_for_each_concurrent(BATCHES, |batch| self.delete(batch))
            .await
    }
}

fn alive(item: &Item, now: Timestamp) -> bool {
    item.expires_at.is_none_or(|expires_at| expires_at > now)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn attributes(item: &Item) -> Attributes {
    let mut attributes = Attributes::from([
        ("pk".to_owned(), text(&item.key.partition)),
        ("sk".to_owned(), text(&item.key.sort)),
        (
            "version".to_owned(),
            AttributeValue::N(item.version.to_string()),
        ),
        ("body".to_owned(), text(&item.body)),
    ]);
    if let Some(expires_at) = item.expires_at {
        attributes.insert("expires_at".to_owned(), number(expires_at.as_second()));
    }
    attributes
}

fn read(attributes: &Attributes) -> Option<Item> {
    let text = |name: &str| attributes.get(name)?.as_s().ok().cloned();
    let number = |name: &str| attributes.get(name)?.as_n().ok()?.parse::<i64>().ok();
    Some(Item {
        key: Key {
            partition: text("pk")?,
            sort: text("sk")?,
        },
        version: u64::try_from(number("version")?).ok()?,
        body: text("body")?,
        expires_at: number("expires_at").and_then(|second| Timestamp::from_second(second).ok()),
    })
}

fn delete(key: &Key) -> Option<WriteRequest> {
    let request = DeleteRequest::builder()
        .key("pk", text(&key.partition))
        .key("sk", text(&key.sort))
        .build()
        .ok()?;
    Some(WriteRequest::builder().delete_request(request).build())
}
