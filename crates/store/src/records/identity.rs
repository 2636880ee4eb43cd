//! Accounts, tokens, keys and enrolment.

use guardhouse_model::{DeviceId, GroupId, Timestamp, dynamic_groups::AttributeFacts, machines::Machine};

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Identity.
    pub uuid: uuid::Uuid,
    /// Unique name.
    pub name: String,
    /// A PHC string.
    pub password_hash: String,
    /// 0: none, 1: read, 2: full.
    pub access: i64,
    /// The names of the actions that it may use in tasks; `None`: all of them.
    pub actions: Option<Vec<String>>,
}

/// A secret of the server itself.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The private part.
    pub secret: Vec<u8>,
    /// The certificate that belongs to it, DER.
    pub certificate: Option<Vec<u8>>,
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRecord(…)")
    }
}

/// An enrolment token to keep.
#[derive(Debug, Clone)]
pub struct NewEnrolmentToken {
    /// Public part of the token.
    pub id: [u8; 8],
    /// SHA-256 of the secret part.
    pub secret_digest: [u8; 32],
    /// Group for devices that claim no placeholder.
    pub group: GroupId,
    /// How many devices it may enrol.
    pub uses: u32,
    /// It is refused after this moment.
    pub expire_time: Timestamp,
    /// The identity question whose newcomer it is for: it takes the place of earlier ones for the same.
    pub question: Option<uuid::Uuid>,
}

/// A host that redeems an enrolment token.
#[derive(Debug, Clone)]
pub struct EnrolDevice {
    /// Public part of the token.
    pub token_id: [u8; 8],
    /// SHA-256 of the secret part that was presented.
    pub secret_digest: [u8; 32],
    /// SHA-256 of the public key of the host.
    pub key_digest: [u8; 32],
    /// Identity for a device that is new.
    pub new_id: DeviceId,
    /// Which machine it is: the device that this machine was is taken over.
    pub machine: Machine,
    /// Identity for a question, if one is raised.
    pub question_id: uuid::Uuid,
    /// Host name; a pending placeholder of that name is claimed.
    pub host_name: String,
    /// An encoded contract `Device` with what the inventory says; kept where nothing is known yet.
    pub attributes: Vec<u8>,
    /// What a rule can look at of the attributes.
    pub facts: AttributeFacts,
    /// Address as the server sees it.
    pub public_ip_address: String,
    /// The present moment.
    pub now: Timestamp,
}

/// What became of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolOutcome {
    /// The host is this device now.
    Enrolled(DeviceId),
    /// There is no such token, or the secret is another.
    UnknownToken,
    /// The token has expired.
    Expired,
    /// The token has enrolled as many devices as it may.
    UsedUp,
}

/// A refresh token to keep. Only its digest is: who reads the database cannot use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// It is refused from this moment on.
    pub expire_time: Timestamp,
}

/// What became of the exchange of a refresh token for its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The token is spent, its successor is kept; this is whose they are.
    Rotated(AccountRecord),
    /// There is no such token.
    Unknown,
    /// The token has expired.
    Expired,
    /// The token was spent before: one of the two who hold it has no right to it, so its whole family is gone.
    Reused,
}
