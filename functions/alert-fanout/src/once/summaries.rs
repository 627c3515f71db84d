//! Summaries: what is kept for a storm's or a digest's message, and sending it.

use super::receiver::unkept;
use super::{Office, Outcome, Tally};
use crate::card::{Card, Summary};
use crate::channel::{Act, Context};
use crate::decide::{Admission, Kind, Line, Pending, Via, Window};
use crate::delivery::{Contact, DeliveryError};
use crate::inbound::digest;
use crate::store::{Expected, Item, Key, Put, Store, StoreError};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::alert::Status;

/// The most lines of one summary: what is over comes in the next.
const LINES: usize = 5_000;

/// How long a window is remembered after its end.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// How often a write is tried that others come before of; each of them takes a place in the window.
const TRIES: usize = 400;

impl<S: Store> Office<'_, S> {
    /// Whether a receiver is told of something in a message of its own.
    pub(super) async fn admit(
        &self,
        contact: &Contact,
        line: &str,
        is_critical: bool,
    ) -> Result<Admission, StoreError> {
        let Some(store) = &self.store else {
            return Ok(Admission::Alone);
        };
        let now = self.clock.now();
        let storm = &self.alerting.storm;
        let (begin, end) = self.window();
        if contact.is_in_storm(begin) && !is_critical {
            return Ok(Admission::Collected);
        }
        let line = digest(&[line]);
        let (mut window, mut version) = (Window::default(), None);
        for _ in 0..TRIES {
            let before = window.clone();
            let admission = window.admit(&line, storm.more_than, is_critical);
            if admission == Admission::Collected {
                contact.storm_began(begin);
            }
            if window == before {
                return Ok(admission);
            }
            let item = Item {
                key: Key::window(contact.name(), begin),
                version: version.unwrap_or(0) + 1,
                body: serde_json::to_string(&window).unwrap_or_default(),
                expires_at: Timestamp::from_second(end)
                    .ok()
                    .and_then(|end| end.checked_add(REMEMBERED).ok()),
            };
            let expected = version.map_or(Expected::Nothing, Expected::Version);
            match store.put(&item, expected, now).await? {
                Put::Written => return Ok(admission),
                Put::Found(found) => {
                    window = serde_json::from_str(&found.body).unwrap_or_default();
                    version = Some(found.version);
                }
                Put::Gone => (window, version) = (Window::default(), None),
            }
        }
        Err(StoreError::Contended)
    }

    /// Keeps a line for a summary.
    pub(super) async fn keep(
        &self,
        receiver: &str,
        kind: Kind,
        summary: Summary,
        line: &Line,
        due: i64,
    ) -> Result<Via, StoreError> {
        let store = self.store.as_ref().ok_or(StoreError::Down)?;
        let pending = Pending {
            kind,
            line: line.clone(),
            summary,
        };
        let item = Item {
            key: Key::pending(receiver, &pending, due),
            version: 1,
            body: serde_json::to_string(&pending).unwrap_or_default(),
            // Nothing that is owed expires.
            expires_at: None,
        };
        store
            .put(&item, Expected::Nothing, self.clock.now())
            .await?;
        Ok(kind.via())
    }

    /// Sends to every receiver the summaries that are due.
    pub(crate) async fn summaries(&self) -> Outcome {
        let sending = self
            .contacts
            .iter()
            .map(|contact| self.send_summaries(contact, false));
        let sent = join_all(sending).await.into_iter();
        Outcome::of(
            sent.map(|sent| {
                let tally = |delivered| Tally { delivered, kept: 0 };
                sent.map(tally).map_err(|error| (Tally::default(), error))
            })
            .collect(),
        )
    }

    /// Sends to a receiver the summaries that are due, and forgets what was in them. Only one invocation at a time does.
    pub(super) async fn send_summaries(
        &self,
        contact: &Contact,
        opening: bool,
    ) -> Result<usize, DeliveryError> {
        let Some(store) = &self.store else {
            return Ok(0);
        };
        let kept = |error: StoreError| unkept(contact, &error);
        if !self.take_lease(contact.name()).await.map_err(kept)? {
            return Ok(0);
        }
        let sent = self.send_due(store, contact, opening).await;
        // One that cannot be given back ends with the invocation.
        let _ = store.remove(&[Key::lease(contact.name())]).await;
        sent
    }

    async fn send_due(
        &self,
        store: &impl Store,
        contact: &Contact,
        opening: bool,
    ) -> Result<usize, DeliveryError> {
        let kept = |error: StoreError| unkept(contact, &error);
        let partition = Key::pending_of(contact.name());
        let mut sent = 0;
        loop {
            let now = self.clock.now();
            let until = Pending::until(now.as_second());
            let items = store
                .list(&partition, ("0", &until), LINES, now)
                .await
                .map_err(kept)?;
            let lines: Vec<(Key, Pending)> = items.iter().filter_map(line).collect();
            if lines.is_empty() {
                return Ok(sent);
            }
            for kind in [Kind::Storm, Kind::Digest] {
                let of_kind = || lines.iter().filter(|(_, pending)| pending.kind == kind);
                let summaries = Pending::merged(of_kind().map(|(_, pending)| pending));
                if summaries.is_empty() {
                    continue;
                }
                self.send_summary(contact, kind, &summaries, opening)
                    .await?;
                sent += 1;
                let keys: Vec<Key> = of_kind().map(|(key, _)| key.clone()).collect();
                store.remove(&keys).await.map_err(kept)?;
            }
        }
    }

    async fn send_summary(
        &self,
        contact: &Contact,
        kind: Kind,
        summaries: &[Summary],
        opening: bool,
    ) -> Result<(), DeliveryError> {
        let now = self.clock.now();
        let mut card = match kind {
            Kind::Storm => Card::storm(summaries),
            Kind::Digest => Card::digest(summaries),
        };
        if opening && kind == Kind::Storm {
            let storm = &self.alerting.storm;
            card.summary = format!(
                "More than {} alerts within {:#}. Those that follow are kept and come in one summary.",
                storm.more_than, storm.window
            );
        }
        let id = format!("{}/{}/{}", kind.as_str(), contact.name(), now.as_second());
        let context = Context {
            fingerprint: &id,
            id: &id,
            status: Status::Firing,
            now,
            raw: None,
        };
        self.carry(contact, &card, &Act::Post, &context)
            .await
            .map(|_| ())
    }

    /// Whether this invocation may send a receiver's summaries.
    async fn take_lease(&self, receiver: &str) -> Result<bool, StoreError> {
        let Some(store) = &self.store else {
            return Ok(false);
        };
        let lease = Item {
            key: Key::lease(receiver),
            version: 1,
            body: self.request.to_owned(),
            expires_at: Some(self.ended),
        };
        Ok(
            match store
                .put(&lease, Expected::Nothing, self.clock.now())
                .await?
            {
                Put::Written => true,
                Put::Found(found) => found.body == self.request,
                Put::Gone => false,
            },
        )
    }
}

fn line(item: &Item) -> Option<(Key, Pending)> {
    let pending = serde_json::from_str(&item.body).ok()?;
    Some((item.key.clone(), pending))
}
