//! Where secrets are read from.

use super::{Contact, Credential, DeliveryError, Hosts, Services};
use pipewarden_shared::causes;
use pipewarden_shared::profile::alerting::Secret;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

/// Where secrets are read from, and which addresses in them are taken.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Secrets Manager and Parameter Store.
    pub services: Services,
    /// Where messages may be sent to.
    pub hosts: Hosts,
}

impl Keyring {
    /// What a contact's secret holds: read at the first call, then kept.
    pub(super) async fn credential(
        &self,
        contact: &Contact,
        until: Instant,
    ) -> Result<Credential, DeliveryError> {
        let mut known = contact.known.lock().await;
        if let Some(credential) = known.as_ref() {
            return Ok(credential.clone());
        }
        Ok(known.insert(self.read(contact, until).await?).clone())
    }

    /// Reads a contact's secret again, after its receiver no longer knew it; nothing where it is the same as before.
    pub(super) async fn renewed(
        &self,
        contact: &Contact,
        stale: &Credential,
        until: Instant,
    ) -> Result<Option<Credential>, DeliveryError> {
        let mut known = contact.known.lock().await;
        if let Some(credential) = known.as_ref().filter(|credential| !credential.is(stale)) {
            return Ok(Some(credential.clone()));
        }
        *known = None;
        let read = self.read(contact, until).await?;
        if read.is(stale) {
            return Ok(None);
        }
        Ok(Some(known.insert(read).clone()))
    }

    async fn read(&self, contact: &Contact, until: Instant) -> Result<Credential, DeliveryError> {
        let receiver = || contact.name().to_owned();
        let unread = |reason: String| DeliveryError::Secret {
            receiver: receiver(),
            reason,
        };
        let text = match contact.secret() {
            Some(Secret::SecretsManager(id)) => timeout_at(until, self.secret(id)).await,
            Some(Secret::Parameter(name)) => timeout_at(until, self.parameter(name)).await,
            None => Ok(Err("it has none".to_owned())),
        };
        let text = text
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
            .map_err(unread)?;
        Credential::read(contact.channel, text.expose_secret(), &self.hosts).map_err(|reason| {
            DeliveryError::Address {
                receiver: receiver(),
                reason,
            }
        })
    }

    async fn secret(&self, id: &str) -> Result<SecretString, String> {
        let secrets = self.services.secrets();
        let call = secrets.get_secret_value().secret_id(id).send().await;
        let secret = call.map_err(|error| causes::chain(&error))?;
        Ok(secret.secret_string.unwrap_or_default().into())
    }

    async fn parameter(&self, name: &str) -> Result<SecretString, String> {
        let call = self
            .services
            .parameters()
            .get_parameter()
            .name(name)
            .with_decryption(true)
            .send()
            .await;
        let parameter = call.map_err(|error| causes::chain(&error))?.parameter;
        Ok(parameter
            .and_then(|parameter| parameter.value)
            .unwrap_or_default()
            .into())
    }
}
