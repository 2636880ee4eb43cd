//! What a device is in, for people.

use guardhouse_contract::management::GetDeviceStateResponse;

use crate::output::{sheet, time};

/// A name and a value per line.
pub fn state(state: &GetDeviceStateResponse) -> String {
    let connected = if state.connected { "yes" } else { "no" };
    let isolation = state.isolation.as_ref().map(|isolation| {
        let since = time(isolation.isolation_time.as_ref());
        if since.is_empty() { "yes".to_owned() } else { format!("since {since}") }
    });
    let power = state.power_action.as_ref().map(|power| {
        let what = if power.restart { "restart" } else { "shutdown" };
        let cancel = if power.may_cancel { ", may be cancelled" } else { "" };
        format!("{what} at {}{cancel}", time(power.scheduled_time.as_ref()))
    });
    let update = state.failed_update.as_ref().map(|update| {
        format!("{} at {}: {}", update.version, time(update.fail_time.as_ref()), update.reason)
    });
    sheet([
        ("device", state.device_uuid.clone()),
        ("connected", connected.to_owned()),
        ("last contact", time(state.last_sync_time.as_ref())),
        ("first contact after start", time(state.boot_contact_time.as_ref())),
        ("isolated", isolation.unwrap_or_else(|| "no".to_owned())),
        ("scheduled", power.unwrap_or_default()),
        ("switched off actions", state.disabled_actions.join(", ")),
        ("failed update", update.unwrap_or_default()),
    ])
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::{Isolation, ScheduledPowerAction};

    use super::*;

    #[test]
    fn a_state_is_a_sheet() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let isolated = GetDeviceStateResponse {
            device_uuid: "0193-a".to_owned(),
            connected: true,
            last_sync_time: at(1_700_000_000),
            isolation: Some(Isolation { isolation_time: at(1_700_000_000), run_uuid: String::new() }),
            power_action: Some(ScheduledPowerAction {
                restart: true,
                scheduled_time: at(1_700_000_060),
                may_cancel: true,
                ..Default::default()
            }),
            disabled_actions: vec!["RunCommand".to_owned()],
            ..Default::default()
        };
        let expected = "\
            device                     0193-a\n\
            connected                  yes\n\
            last contact               2023-11-14T22:13:20Z\n\
            first contact after start  -\n\
            isolated                   since 2023-11-14T22:13:20Z\n\
            scheduled                  restart at 2023-11-14T22:14:20Z, may be cancelled\n\
            switched off actions       RunCommand\n\
            failed update              -\n";
        assert_eq!(state(&isolated), expected);
    }
}
