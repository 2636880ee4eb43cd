//! Access keys and what signed requests leave behind.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::AccountRecord;

/// An access key to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessKey {
    /// The public part, which requests name.
    pub id: String,
    /// Whose it is.
    pub account: Uuid,
    /// The secret, encrypted.
    pub sealed_secret: Vec<u8>,
    /// What its owner wrote down about it.
    pub description: String,
    /// What makes it temporary, if it is.
    pub temporary: Option<Temporary>,
}

/// What a temporary access key has beyond the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporary {
    /// SHA-256 of the security token that requests have to bring along.
    pub token_digest: [u8; 32],
    /// It is refused from this moment on.
    pub expire_time: Timestamp,
}

/// An access key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyRecord {
    /// The public part, which requests name.
    pub id: String,
    /// Whose it is, as the account is now.
    pub account: AccountRecord,
    /// The secret, encrypted.
    pub sealed_secret: Vec<u8>,
    /// What its owner wrote down about it.
    pub description: String,
    /// Whether requests with it are accepted.
    pub is_active: bool,
    /// When it was created.
    pub create_time: Timestamp,
    /// At most [`crate::Store::ACCESS_KEY_USE_STEP`] behind the last request that was signed with it.
    pub use_time: Option<Timestamp>,
    /// What makes it temporary, if it is.
    pub temporary: Option<Temporary>,
}

/// A request that was signed with an access key and may be carried out if nobody sent it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The access key.
    pub access_key: String,
    /// SHA-256 over the access key and the nonce of the request.
    pub nonce_digest: [u8; 32],
    /// The request is too old to be accepted from this moment on, so that its nonce may be forgotten.
    pub expire_time: Timestamp,
    /// The present moment.
    pub now: Timestamp,
}
