//! Ids as types, so that a device cannot be passed where a group is meant.

use std::{fmt, str::FromStr};

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

id! {
    /// A device.
    DeviceId
    /// A device group.
    GroupId
    /// A device task: one action for a set of targets.
    TaskId
    /// What tasks with the same name, description and action share.
    TemplateId
    /// One trigger of a task. A device runs a task once per trigger.
    TriggerId
    /// One execution of a task on one device.
    RunId
    /// A policy: settings for devices.
    PolicyId
    /// The place of a policy in the stack of one target.
    AssignmentId
}
