//! The actions that tasks can carry out on devices.

/// The action by which a device takes a snapshot of itself. Agentless scans order it: it is none of the public API, and no task
/// that somebody creates can have it.
pub const TAKE_SNAPSHOT: &str = "TakeSnapshot";

/// An action of the public API. Each has the name of its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    StartNetworkIsolation,
    EndNetworkIsolation,
    OnDemandScan,
    ShutdownComputer,
    StopManaging,
    ThirdPartyAVRemove,
    SystemUpdate,
    RunCommand,
    KillProcessByPid,
    LogOffComputerUser,
    InitiateVulnerabilityScan,
    ApplyApplicationPatch,
}

impl Action {
    /// All of them, in the order of the API's documentation.
    pub const ALL: [Self; 12] = [
        Self::StartNetworkIsolation,
        Self::EndNetworkIsolation,
        Self::OnDemandScan,
        Self::ShutdownComputer,
        Self::StopManaging,
        Self::ThirdPartyAVRemove,
        Self::SystemUpdate,
        Self::RunCommand,
        Self::KillProcessByPid,
        Self::LogOffComputerUser,
        Self::InitiateVulnerabilityScan,
        Self::ApplyApplicationPatch,
    ];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StartNetworkIsolation => "StartNetworkIsolation",
            Self::EndNetworkIsolation => "EndNetworkIsolation",
            Self::OnDemandScan => "OnDemandScan",
            Self::ShutdownComputer => "ShutdownComputer",
            Self::StopManaging => "StopManaging",
            Self::ThirdPartyAVRemove => "ThirdPartyAVRemove",
            Self::SystemUpdate => "SystemUpdate",
            Self::RunCommand => "RunCommand",
            Self::KillProcessByPid => "KillProcessByPid",
            Self::LogOffComputerUser => "LogOffComputerUser",
            Self::InitiateVulnerabilityScan => "InitiateVulnerabilityScan",
            Self::ApplyApplicationPatch => "ApplyApplicationPatch",
        }
    }

    /// The action with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The names of all actions, for people.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_by_the_name_of_its_variant() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(action));
            assert_eq!(format!("{action:?}"), action.name());
        }
        assert_eq!(Action::named("Reboot"), None);
    }
}
