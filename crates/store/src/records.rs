//! What the verbs take and give: plain records.

use guardhouse_model::{DeviceId, GroupId, RunId, TaskId, Timestamp, TriggerId, tasks::RunStatus};

/// A device as it is kept. Numbers of enumerations are the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// The one group that contains it.
    pub group: GroupId,
    /// Name given by the user.
    pub display_name: String,
    /// Name as the device reports it.
    pub original_display_name: String,
    /// Free text.
    pub description: String,
    /// `DeviceEnrollmentStatus`.
    pub enrolment_status: i32,
    /// `DeviceFunctionalityStatus`.
    pub functionality_status: i32,
    /// Number of problems, of any severity.
    pub problem_count: u32,
    /// Nobody wants to be bothered about it.
    pub is_muted: bool,
    /// Last contact.
    pub last_sync_time: Option<Timestamp>,
    /// Address as the server sees it.
    pub public_ip_address: String,
    /// Digest of its key, in hexadecimal; empty before enrolment.
    pub device_token: String,
    /// An encoded contract `Device` with every attribute that has no field here.
    pub attributes: Vec<u8>,
    /// Grows with every change.
    pub version: u64,
}

/// Which devices a list shows. Conditions are joined by AND.
#[derive(Debug, Clone, Default)]
pub struct DeviceFilter {
    /// One of these display names exactly; empty: any.
    pub display_names: Vec<String>,
    /// This `DeviceFunctionalityStatus`.
    pub functionality_status: Option<i32>,
    /// Muted or not.
    pub is_muted: Option<bool>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The device.
    pub device: DeviceId,
    /// Its display name.
    pub display_name: String,
    /// The group that contains it directly.
    pub group: GroupId,
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// Its host name.
    pub host_name: String,
    /// An encoded contract `Device` with every attribute that has no field in [`Device`].
    pub attributes: Vec<u8>,
}

/// A static group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Identity.
    pub id: GroupId,
    /// The group above; only *All* has none.
    pub parent: Option<GroupId>,
    /// Name given by the user.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// Id of the record in an external system.
    pub external_reference: String,
    /// `ExternalAssetType`.
    pub external_type: i32,
    /// Grows with every change.
    pub version: u64,
}

/// What became of a group that was to take a place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupMove {
    /// It is there.
    Done(Group),
    /// There is no such group.
    NoSuchGroup,
    /// There is no such parent.
    NoSuchParent,
    /// The parent is the group itself or lies below it.
    Cycle,
    /// The tree would become too deep.
    TooDeep,
}

/// A task to create. Everything in it has been checked, but for the existence of its targets.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Identity.
    pub id: TaskId,
    /// SHA-256 over name, description and canonical action: tasks that agree share a template.
    pub template_digest: [u8; 32],
    /// User-friendly name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// The security group, as the client gave it.
    pub asset_group: String,
    /// `DeviceTaskSource`.
    pub source: i32,
    /// Whom it is for.
    pub targets: Targets,
    /// When it is run.
    pub triggers: Vec<Trigger>,
    /// The present moment.
    pub now: Timestamp,
}

/// Whom a task is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Devices.
    pub devices: Vec<DeviceId>,
    /// Groups, with all their subgroups.
    pub groups: Vec<GroupId>,
}

/// A manual trigger: as soon as possible, until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Identity.
    pub id: TriggerId,
    /// When it was created.
    pub create_time: Timestamp,
    /// After this moment it starts nothing more.
    pub expire_time: Timestamp,
}

/// A task as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Identity.
    pub id: TaskId,
    /// User-friendly name.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// The security group, as the client gave it.
    pub asset_group: String,
    /// `DeviceTaskSource`.
    pub source: i32,
    /// Whom it is for.
    pub targets: Targets,
    /// When it is run.
    pub triggers: Vec<Trigger>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// Grows with every change.
    pub version: u64,
}

/// A target that does not exist, by its place in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingTarget {
    /// The device at this position.
    Device(usize),
    /// The group at this position.
    Group(usize),
}

/// What became of a change to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskChange {
    /// Done.
    Changed,
    /// There is no such task.
    NoSuchTask,
    /// Nothing was changed: a target does not exist.
    Missing(MissingTarget),
}

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// The task; it may be gone.
    pub task: TaskId,
    /// The device; it may be gone.
    pub device: DeviceId,
    /// State.
    pub status: RunStatus,
    /// When it was handed out.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// The result as an encoded `google.protobuf.Any`.
    pub result: Option<Vec<u8>>,
}

/// A place in a list of runs, which is ordered newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPosition {
    /// Start of the last run that was shown.
    pub start_time: Timestamp,
    /// Its identity.
    pub id: RunId,
}

/// A run that a device has still to carry out, or to say how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// Identity.
    pub id: RunId,
    /// An encoded contract `Action`.
    pub action: Vec<u8>,
    /// It must not begin after this moment.
    pub expire_time: Timestamp,
    /// It is no longer wanted and, as far as is known, not begun.
    pub withdrawn: bool,
}

/// What there is to do for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The device does not exist (any more).
    NotManaged,
    /// Runs that are not over.
    Runs(Vec<OpenRun>),
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The run.
    pub run: RunId,
    /// The device that says so.
    pub device: DeviceId,
    /// [`RunStatus::Finished`], [`RunStatus::Failed`] or [`RunStatus::Suppressed`].
    pub status: RunStatus,
    /// When it ended.
    pub end_time: Timestamp,
    /// The result as an encoded `google.protobuf.Any`.
    pub result: Option<Vec<u8>>,
}

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
    /// Host name; a pending placeholder of that name is claimed.
    pub host_name: String,
    /// An encoded contract `Device` with what the inventory says; kept where nothing is known yet.
    pub attributes: Vec<u8>,
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
