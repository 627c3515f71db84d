//! Why a receiver did not get a message. No text holds an address or a token: they are secret.

/// Why a receiver did not get a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The secret cannot be read.
    #[error("cannot read the secret of {receiver}: {reason}")]
    Secret {
        /// The receiver.
        receiver: String,
        /// What was said.
        reason: String,
    },
    /// The secret holds nothing that a message may be sent to.
    #[error("the secret of {receiver} holds {reason}")]
    Address {
        /// The receiver.
        receiver: String,
        /// What it holds.
        reason: String,
    },
    /// The receiver cannot be reached, or does not answer.
    #[error("cannot reach {receiver}: {reason}")]
    Unreachable {
        /// The receiver.
        receiver: String,
        /// What happened.
        reason: String,
    },
    /// The receiver took nothing for a reason that may pass, until there was no time left.
    #[error("{receiver} answered {reason}")]
    Busy {
        /// The receiver.
        receiver: String,
        /// What it said last.
        reason: String,
    },
    /// The receiver refused.
    #[error("{receiver} answered {reason}")]
    Refused {
        /// The receiver.
        receiver: String,
        /// What it said.
        reason: String,
    },
    /// Another invocation is at it, and did not end in time.
    #[error("another invocation is telling {receiver} of the same")]
    Claimed {
        /// The receiver.
        receiver: String,
    },
    /// The receiver took a message, and that is not remembered.
    #[error("{receiver} was told, and that is not written down: {reason}")]
    Unwritten {
        /// The receiver.
        receiver: String,
        /// Why not.
        reason: String,
    },
    /// Something ended, and that cannot be remembered or compared with what is.
    #[error("cannot end {what}: {reason}")]
    Unended {
        /// What ended.
        what: String,
        /// Why not.
        reason: String,
    },
    /// What is kept for a summary cannot be written or read.
    #[error("cannot keep a summary's lines for {receiver}: {reason}")]
    Kept {
        /// The receiver.
        receiver: String,
        /// Why not.
        reason: String,
    },
}

impl DeliveryError {
    /// Whether another try may help within seconds.
    pub(super) const fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }
}
