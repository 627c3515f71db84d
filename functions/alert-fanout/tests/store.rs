//! What a store promises, asked of the one in memory and of the one in DynamoDB, on the local cloud.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a store that cannot be set up has failed the test"
)]

use alert_fanout::store::{Dynamo, Expected, Item, Key, Memory, Patient, Put, Store};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pipewarden_local::cloud::Cloud;
use pipewarden_local::place::Place;
use pipewarden_shared::loopback;

/// The table removes what has expired by its own clock: everything here is to come.
fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second() + 3_600).unwrap()
}

fn item(partition: &str, sort: &str, version: u64) -> Item {
    Item {
        key: Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        },
        version,
        body: format!("{{\"é\": \"{sort} {version}\"}}"),
        expires_at: None,
    }
}

/// Everything that a store promises.
async fn keeps_its_promises(store: &impl Store) {
    writes_only_where_nobody_came_first(store).await;
    forgets_what_has_expired(store).await;
    lists_in_order(store).await;
    lists_and_removes_more_than_a_page(store).await;
    lets_one_of_many_win(store).await;
}

async fn writes_only_where_nobody_came_first(store: &impl Store) {
    let (first, second) = (item("a", "1", 1), item("a", "1", 2));
    assert_eq!(store.get(&first.key, now()).await.unwrap(), None);
    assert_eq!(
        store
            .put(&second, Expected::Version(1), now())
            .await
            .unwrap(),
        Put::Gone
    );
    assert_eq!(
        store.put(&first, Expected::Nothing, now()).await.unwrap(),
        Put::Written
    );
    assert_eq!(
        store.put(&first, Expected::Nothing, now()).await.unwrap(),
        Put::Found(first.clone())
    );
    assert_eq!(store.get(&first.key, now()).await.unwrap(), Some(first));
    assert_eq!(
        store
            .put(&second, Expected::Version(1), now())
            .await
            .unwrap(),
        Put::Written
    );
    let late = item("a", "1", 2);
    assert_eq!(
        store.put(&late, Expected::Version(1), now()).await.unwrap(),
        Put::Found(second.clone())
    );
    store
        .remove(&[second.key.clone(), item("a", "never", 1).key])
        .await
        .unwrap();
    assert_eq!(store.get(&second.key, now()).await.unwrap(), None);
}

async fn forgets_what_has_expired(store: &impl Store) {
    let begin = now();
    let after = |seconds| begin + SignedDuration::from_secs(seconds);
    let mut mortal = item("b", "1", 1);
    mortal.expires_at = Some(after(10));
    store.put(&mortal, Expected::Nothing, begin).await.unwrap();
    assert_eq!(
        store.get(&mortal.key, after(9)).await.unwrap().as_ref(),
        Some(&mortal)
    );
    assert_eq!(store.get(&mortal.key, after(10)).await.unwrap(), None);
    assert!(
        store
            .list("b", ("0", "9"), 10, after(10))
            .await
            .unwrap()
            .is_empty()
    );
    let next = item("b", "1", 2);
    assert_eq!(
        store
            .put(&next, Expected::Version(1), after(11))
            .await
            .unwrap(),
        Put::Gone
    );
    assert_eq!(
        store
            .put(&next, Expected::Nothing, after(11))
            .await
            .unwrap(),
        Put::Written
    );
    store.remove(&[next.key]).await.unwrap();
}

async fn lists_in_order(store: &impl Store) {
    for sort in ["003#x", "001#x", "002#x", "010#x"] {
        store
            .put(&item("c", sort, 1), Expected::Nothing, now())
            .await
            .unwrap();
    }
    store
        .put(&item("c2", "002", 1), Expected::Nothing, now())
        .await
        .unwrap();
    let sorts = async |from: &str, to: &str, limit: usize| {
        let items = store.list("c", (from, to), limit, now()).await.unwrap();
        items
            .into_iter()
            .map(|item| item.key.sort)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sorts("0", "9", 10).await,
        ["001#x", "002#x", "003#x", "010#x"]
    );
    assert_eq!(
        sorts("002#x", "003#x", 10).await,
        ["002#x", "003#x"],
        "both ends are included"
    );
    assert_eq!(sorts("0", "003", 10).await, ["001#x", "002#x"]);
    assert_eq!(sorts("0", "9", 2).await, ["001#x", "002#x"]);
}

async fn lists_and_removes_more_than_a_page(store: &impl Store) {
    // DynamoDB answers with at most 1 MB.
    let mut items: Vec<Item> = (0..60)
        .map(|number| item("d", &format!("{number:03}"), 1))
        .collect();
    for item in &mut items {
        item.body = "x".repeat(30_000);
        store.put(item, Expected::Nothing, now()).await.unwrap();
    }
    assert_eq!(
        store.list("d", ("0", "9"), 1_000, now()).await.unwrap(),
        items
    );
    assert_eq!(
        store.list("d", ("0", "9"), 55, now()).await.unwrap(),
        items[..55]
    );
    let keys: Vec<Key> = items.into_iter().map(|item| item.key).collect();
    store.remove(&keys).await.unwrap();
    assert!(
        store
            .list("d", ("0", "9"), 1_000, now())
            .await
            .unwrap()
            .is_empty()
    );
}

async fn lets_one_of_many_win(store: &impl Store) {
    let items: Vec<Item> = (1..=8).map(|version| item("e", "1", version)).collect();
    let puts = join_all(
        items
            .iter()
            .map(|item| store.put(item, Expected::Nothing, now())),
    )
    .await;
    let won: Vec<usize> = (0..8)
        .filter(|index| matches!(puts[*index], Ok(Put::Written)))
        .collect();
    let [winner] = won.as_slice() else {
        panic!("{won:?} won");
    };
    for (index, put) in puts
        .into_iter()
        .enumerate()
        .filter(|(index, _)| index != winner)
    {
        assert_eq!(put.unwrap(), Put::Found(items[*winner].clone()), "{index}");
    }
}

#[tokio::test]
async fn the_store_in_memory_keeps_its_promises() {
    let memory = Memory::default();
    keeps_its_promises(&memory).await;
    assert!(!memory.is_empty());
    let memory = Memory::default();
    keeps_its_promises(&Patient::new(&memory)).await;
}

#[tokio::test]
async fn the_store_in_dynamodb_keeps_the_same_promises() {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let cloud = Cloud::start(&place)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let client =
        aws_sdk_dynamodb::Client::new(&loopback::sdk_config(&cloud.endpoint, "000000000001"));
    table(&client).await;
    keeps_its_promises(&Dynamo::new(client.clone(), "alerts".to_owned())).await;

    let missing = Dynamo::new(client, "missing".to_owned());
    let error = missing
        .put(&item("a", "1", 1), Expected::Nothing, now())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot write in the alert table: "),
        "{error}"
    );
    cloud.stop().await;
}

/// The table as the template makes it.
async fn table(client: &aws_sdk_dynamodb::Client) {
    let mut create = client
        .create_table()
        .table_name("alerts")
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind);
        create = create
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap());
    }
    create.send().await.unwrap();
}
