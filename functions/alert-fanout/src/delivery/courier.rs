//! One message over HTTPS, or over SNS where that is the channel.

use super::retry::{pause, retry_after};
use super::{Contact, Credential, DeliveryError, Keyring, Message};
use crate::channel::{Act, Channel, Outcome, Thread, quoted, webhook};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::Timestamp;
use pipewarden_shared::profile::alerting::ReceiverChannel;
use pipewarden_shared::{causes, mask};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for one that has fallen silent.
const SHORT_PATIENCE: Duration = Duration::from_secs(3);

/// How long one message may be tried: few invocations run at a time, and each that waits for one receiver keeps the
/// messages of all others waiting. Lambda tries again later.
const SHARE: Duration = Duration::from_secs(20);

/// The most of an answer that is read, in bytes. Slack answers with the message itself.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends messages.
#[derive(Debug, Clone)]
pub struct Courier {
    /// How receivers are reached.
    pub connector: SharedHttpConnector,
    /// What is known of them.
    pub keyring: Keyring,
}

/// What came of one try.
enum Tried {
    Taken(Option<Thread>),
    /// The message that was to be changed is gone.
    Gone,
    /// The address is not good any more.
    Stale(String),
    Failed(DeliveryError, Option<Duration>),
}

impl Courier {
    /// Sends a message, and again until a moment where it fails for a reason that may pass.
    ///
    /// # Errors
    /// [`DeliveryError`] of the last try.
    pub async fn deliver(
        &self,
        contact: &Contact,
        message: Message<'_>,
        until: Instant,
    ) -> Result<Option<Thread>, DeliveryError> {
        let until = until.min(Instant::now() + SHARE);
        if let ReceiverChannel::Chatbot { topic_arn } = &contact.receiver.channel {
            return self.publish(contact, topic_arn, message, until).await;
        }
        let mut credential = self.keyring.credential(contact, until).await?;
        let mut renewed = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let (error, asked) = match self.attempt(contact, &credential, message, until).await {
                Tried::Taken(thread) => {
                    return Ok(match message.act {
                        // Slack names the reply: what is changed later is the message that it answers to.
                        Act::Reply(parent) => Some(parent.clone()),
                        _ => thread,
                    });
                }
                Tried::Gone => return self.anew(contact, message, until).await,
                Tried::Stale(reason) if !renewed => {
                    renewed = true;
                    let receiver = contact.name().to_owned();
                    match self.keyring.renewed(contact, &credential, until).await? {
                        Some(fresh) => credential = fresh,
                        None => return Err(DeliveryError::Refused { receiver, reason }),
                    }
                    continue;
                }
                Tried::Stale(reason) => {
                    let receiver = contact.name().to_owned();
                    return Err(DeliveryError::Refused { receiver, reason });
                }
                Tried::Failed(error, asked) => (error, asked),
            };
            let pause = pause(tries, asked, fastrand::f64());
            let next = Instant::now()
                .checked_add(pause)
                .filter(|next| *next < until);
            match next {
                Some(next) if error.passes() && !contact.is_silent() => sleep_until(next).await,
                _ => return Err(error),
            }
        }
    }

    /// The message that was to be changed or answered is gone: a new one takes its place.
    async fn anew(
        &self,
        contact: &Contact,
        message: Message<'_>,
        until: Instant,
    ) -> Result<Option<Thread>, DeliveryError> {
        let act = match message.act {
            // Nothing is lost: it only counted.
            Act::Update(_) => return Ok(None),
            Act::Post | Act::Reply(_) => Act::Post,
            Act::Resolve(_) => Act::Resolve(None),
        };
        if *message.act == act {
            return Err(DeliveryError::Refused {
                receiver: contact.name().to_owned(),
                reason: "that a new message is gone".to_owned(),
            });
        }
        let message = Message {
            act: &act,
            ..message
        };
        Box::pin(self.deliver(contact, message, until)).await
    }

    async fn attempt(
        &self,
        contact: &Contact,
        credential: &Credential,
        message: Message<'_>,
        until: Instant,
    ) -> Tried {
        let unreachable = |reason: String| {
            let receiver = contact.name().to_owned();
            let reason = mask::secrets(&reason);
            Tried::Failed(DeliveryError::Unreachable { receiver, reason }, None)
        };
        let address = credential.address(contact.channel, message.act);
        let Some(request) = request(contact, credential, &address, message) else {
            return Tried::Stale("nothing: its address is not one".to_owned());
        };
        let asked_at = Instant::now();
        let patience = if contact.is_silent() {
            SHORT_PATIENCE
        } else {
            PATIENCE
        };
        let answered = timeout_at(until.min(asked_at + patience), async {
            let response = self
                .connector
                .call(request)
                .await
                .map_err(|error| causes::chain(&error))?;
            Ok::<_, String>(Answer::read(response).await)
        });
        let answered = answered.await;
        match &answered {
            Ok(_) => contact.answered(),
            // One that had less time than that was not waited for.
            Err(_) if asked_at.elapsed() >= SHORT_PATIENCE => contact.kept_silent(),
            Err(_) => {}
        }
        match answered {
            Err(_) => unreachable("no answer in time".to_owned()),
            // The chain of a connection's error may name where it was led to, and an answer what it was sent.
            Ok(Err(reason)) => unreachable(credential.left_out_of(&reason)),
            Ok(Ok(mut answer)) => {
                answer.body = credential.left_out_of(&answer.body);
                answer.judged(contact, message.context.now)
            }
        }
    }

    async fn publish(
        &self,
        contact: &Contact,
        topic: &str,
        message: Message<'_>,
        until: Instant,
    ) -> Result<Option<Thread>, DeliveryError> {
        let body = contact
            .channel
            .render(message.card, message.act, message.context);
        let call = self
            .keyring
            .services
            .topics()
            .publish()
            .topic_arn(topic)
            .message(body.to_string())
            .send();
        let unreachable = |reason: String| DeliveryError::Unreachable {
            receiver: contact.name().to_owned(),
            reason: mask::secrets(&reason),
        };
        match timeout_at(until, call).await {
            Err(_) => Err(unreachable("no answer in time".to_owned())),
            Ok(Err(error)) => Err(unreachable(causes::chain(&error))),
            Ok(Ok(_)) => Ok(None),
        }
    }
}

/// The request; nothing where the address cannot be requested.
fn request(
    contact: &Contact,
    credential: &Credential,
    address: &SecretString,
    message: Message<'_>,
) -> Option<HttpRequest> {
    let mut body = contact
        .channel
        .render(message.card, message.act, message.context);
    if let (Channel::PagerDuty, Some(fields)) = (contact.channel, body.as_object_mut()) {
        let key = credential.main().expose_secret();
        fields.insert("routing_key".to_owned(), Value::String(key.to_owned()));
    }
    if let (ReceiverChannel::SlackBot { channel, .. }, Some(fields)) =
        (&contact.receiver.channel, body.as_object_mut())
    {
        fields
            .entry("channel")
            .or_insert_with(|| Value::String(channel.clone()));
    }
    let body = body.to_string();
    let signature = credential.signing().and_then(|secret| {
        webhook::signature(
            secret.expose_secret().as_bytes(),
            message.context.now,
            &body,
        )
        .ok()
    });
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").ok()?;
    request.set_uri(address.expose_secret()).ok()?;
    let headers = request.headers_mut();
    headers
        .try_insert("content-type", "application/json; charset=utf-8")
        .ok()?;
    if contact.channel == Channel::SlackBot {
        let token = format!("Bearer {}", credential.main().expose_secret());
        headers.try_insert("authorization", token).ok()?;
    }
    if let Some(signature) = signature {
        headers
            .try_insert(webhook::SIGNATURE_HEADER.to_ascii_lowercase(), signature)
            .ok()?;
    }
    Some(request)
}

/// What a receiver answered.
struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: String,
}

impl Answer {
    async fn read(response: HttpResponse) -> Self {
        Self {
            status: response.status().as_u16(),
            retry_after: response.headers().get("retry-after").map(str::to_owned),
            body: beginning(ByteStream::new(response.into_body())).await,
        }
    }

    fn judged(self, contact: &Contact, now: Timestamp) -> Tried {
        let receiver = contact.name().to_owned();
        let reason = |answer: &Self| quoted(answer.status, &answer.body);
        match contact.channel.accepted(self.status, &self.body) {
            Outcome::Delivered { thread } => Tried::Taken(thread),
            Outcome::Gone => Tried::Gone,
            Outcome::BadAddress => Tried::Stale(reason(&self)),
            Outcome::Refused { reason } => {
                Tried::Failed(DeliveryError::Refused { receiver, reason }, None)
            }
            Outcome::Retry { after } => {
                let asked = self
                    .retry_after
                    .as_deref()
                    .and_then(|header| retry_after(header, now));
                let reason = reason(&self);
                Tried::Failed(DeliveryError::Busy { receiver, reason }, asked.or(after))
            }
        }
    }
}

/// The beginning of a body; one that breaks off counts as far as it came.
async fn beginning(mut body: ByteStream) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST_ANSWER
        && let Some(Ok(chunk)) = body.next().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(LONGEST_ANSWER);
    String::from_utf8_lossy(&bytes).into_owned()
}
