//! Act: a message to a receiver, tried again within the time that is left, and never to anybody else.
//!
//! Addresses and tokens are secrets: they are read from Secrets Manager or Parameter Store, kept in memory, read again
//! where a receiver no longer knows them, and are in no log and no error. Redirects are not followed: they would carry
//! a message to a host that nobody allowed.

mod address;
mod courier;
mod credential;
mod error;
mod keyring;
mod retry;
mod services;

pub use address::{Hosts, is_local};
pub use courier::Courier;
pub use credential::Credential;
pub use error::DeliveryError;
pub use keyring::Keyring;
pub use services::Services;

use crate::card::Card;
use crate::channel::{Act, Channel, Context};
use pipewarden_shared::profile::alerting::{Receiver, ReceiverChannel, Secret};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use tokio::sync::Mutex;

/// After how many tries without an answer a receiver has fallen silent.
const SILENT: u32 = 2;

/// Somebody who gets messages, with what is known of how to reach them.
#[derive(Debug)]
pub struct Contact {
    /// Who.
    pub receiver: Receiver,
    /// What they understand.
    pub channel: Channel,
    /// Read at the first message.
    known: Mutex<Option<Credential>>,
    /// The begin of the window in which a storm is known to have begun, in seconds since 1970.
    storm: AtomicI64,
    /// How often in a row it did not answer in time.
    silences: AtomicU32,
}

/// A message for a contact.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What it shows.
    pub card: &'a Card,
    /// What is done with it.
    pub act: &'a Act,
    /// What it says beside.
    pub context: &'a Context<'a>,
}

impl Contact {
    /// Receivers that nothing is known of yet.
    pub fn all(receivers: &[Receiver]) -> Vec<Self> {
        receivers.iter().cloned().map(Self::new).collect()
    }

    /// A receiver that nothing is known of yet.
    fn new(receiver: Receiver) -> Self {
        let channel = match receiver.channel {
            ReceiverChannel::SlackWebhook { .. } => Channel::SlackWebhook,
            ReceiverChannel::SlackBot { .. } => Channel::SlackBot,
            ReceiverChannel::PagerDuty { .. } => Channel::PagerDuty,
            ReceiverChannel::Teams { .. } => Channel::Teams,
            ReceiverChannel::Webhook { .. } => Channel::Webhook,
            ReceiverChannel::Chatbot { .. } => Channel::Chatbot,
        };
        Self {
            receiver,
            channel,
            known: Mutex::new(None),
            storm: AtomicI64::new(-1),
            silences: AtomicU32::new(0),
        }
    }

    /// The receiver's name.
    pub fn name(&self) -> &str {
        self.receiver.name.as_str()
    }

    /// Whether a storm is known to have begun in the window that begins at a second: the store need not be asked.
    pub fn is_in_storm(&self, window: i64) -> bool {
        self.storm.load(Ordering::Relaxed) == window
    }

    /// Remembers that a storm has begun in a window.
    pub fn storm_began(&self, window: i64) {
        self.storm.store(window, Ordering::Relaxed);
    }

    /// Whether the receiver has fallen silent: it is asked once and not for long, until it answers again.
    fn is_silent(&self) -> bool {
        self.silences.load(Ordering::Relaxed) >= SILENT
    }

    fn kept_silent(&self) {
        self.silences.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self) {
        self.silences.store(0, Ordering::Relaxed);
    }

    fn secret(&self) -> Option<&Secret> {
        match &self.receiver.channel {
            ReceiverChannel::SlackWebhook { secret }
            | ReceiverChannel::SlackBot { secret, .. }
            | ReceiverChannel::PagerDuty { secret }
            | ReceiverChannel::Teams { secret }
            | ReceiverChannel::Webhook { secret } => Some(secret),
            ReceiverChannel::Chatbot { .. } => None,
        }
    }
}
