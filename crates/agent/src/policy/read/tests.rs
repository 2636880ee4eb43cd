use guardhouse_contract::{
    settings::{
        IsolationException, IsolationExceptionList, MaintenanceWindowList, ScanPolicy, UpdatesPolicy,
    },
    status::pack,
};
use proptest::prelude::*;
use prost_types::Any;

use super::*;

fn with_abilities<T>(log_level: bool, then: impl FnOnce(Abilities<'_>) -> T) -> T {
    let vienna = |name: &str| {
        (name == "Europe/Vienna").then(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule"))
    };
    then(Abilities { time_zone: &vienna, log_level })
}

fn feature(feature: Feature, configuration: Any) -> EffectiveFeature {
    let feature_id = i32::from(feature).unsigned_abs();
    EffectiveFeature { feature_id, configuration: Some(configuration), read_only_paths: Vec::new() }
}

fn policy(features: Vec<EffectiveFeature>) -> Policy {
    Policy { generation: vec![7; 32], features }
}

fn agent(settings: AgentPolicy) -> (Rules, Vec<UnappliedSetting>) {
    let policy = policy(vec![feature(Feature::Agent, pack(&settings))]);
    with_abilities(true, |abilities| read(&policy, abilities))
}

fn strings(values: &[&str]) -> Option<StringList> {
    Some(StringList { values: values.iter().map(|&text| text.to_owned()).collect(), merge: 0 })
}

fn exceptions(values: &[(&str, Option<u32>)]) -> Option<IsolationExceptionList> {
    let values = values.iter().map(|&(remote, port)| {
        let (description, remote) = (String::new(), remote.to_owned());
        IsolationException { description, remote, port }
    });
    Some(IsolationExceptionList { values: values.collect(), merge: 0 })
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

/// What a device says about settings, without the feature: path and reason.
fn said(unapplied: &[UnappliedSetting]) -> Vec<(&str, Reason)> {
    unapplied.iter().map(|setting| (setting.path.as_str(), setting.reason())).collect()
}

#[test]
fn without_settings_the_defaults_are_in_force() {
    assert_eq!(agent(AgentPolicy::default()), (Rules::default(), Vec::new()));
    let nothing = with_abilities(true, |abilities| read(&Policy::default(), abilities));
    assert_eq!(nothing, (Rules::default(), Vec::new()));
    assert!(Rules::default().delayed_actions.contains("SystemUpdate"));
}

#[test]
fn everything_that_can_be_obeyed_is() {
    let window = MaintenanceWindow {
        days: vec![Day::Monday.into(), Day::Sunday.into()],
        start: "22:30".to_owned(),
        duration: seconds(7_200),
        time_zone: "Europe/Vienna".to_owned(),
    };
    let (rules, unapplied) = agent(AgentPolicy {
        connection_interval: seconds(600),
        servers: strings(&["https://b.test:8443", "https://a.test", "https://b.test:8443/"]),
        allowed_actions: strings(&["RunCommand"]),
        forbidden_actions: strings(&[]),
        maintenance_windows: Some(MaintenanceWindowList { values: vec![window], merge: 0 }),
        delayed_actions: strings(&["RunCommand", "SystemUpdate"]),
        run_command: Some(RunCommandLimits {
            time_limit: seconds(30),
            output_limit_bytes: Some(0),
            directories: strings(&["/srv", "/opt/../opt"]),
        }),
        isolation_exceptions: exceptions(&[
            ("192.0.2.53", Some(53)),
            ("2001:db8::7/64", None),
            ("192.0.2.53/32", Some(53)),
        ]),
    });
    assert_eq!(unapplied, []);
    assert_eq!(rules.connection_interval, Some(Duration::from_secs(600)));
    let servers: Vec<String> = rules.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["https://b.test:8443/", "https://a.test:443/"], "each once, in their order");
    assert_eq!(rules.allowed_actions.map(|names| names.len()), Some(1));
    assert!(rules.forbidden_actions.is_empty() && rules.delayed_actions.len() == 2);
    let windows = rules.maintenance_windows.expect("windows");
    assert_eq!(windows[0].days, [Weekday::Monday, Weekday::Sunday]);
    assert_eq!(
        (windows[0].start, windows[0].duration),
        (Time::constant(22, 30, 0, 0), SignedDuration::from_hours(2))
    );
    assert!(windows[0].time_zone.is_some());
    assert_eq!(rules.run_command.time_limit, Some(Duration::from_secs(30)));
    assert_eq!(rules.run_command.output_limit, Some(0));
    let said: Vec<String> = rules.isolation_exceptions.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["192.0.2.53 port 53", "2001:db8::/64"], "each once");
    assert_eq!(rules.run_command.directories, Some(vec!["/srv".into(), "/opt/../opt".into()]));
}

#[test]
fn what_makes_no_sense_is_reported_and_not_obeyed() {
    let limits = |time_limit, output_limit_bytes, directories| {
        let run_command = Some(RunCommandLimits { time_limit, output_limit_bytes, directories });
        AgentPolicy { run_command, ..Default::default() }
    };
    let excepted = |remote, port| AgentPolicy {
        isolation_exceptions: exceptions(&[(remote, port)]),
        ..Default::default()
    };
    let every = |connection_interval| AgentPolicy { connection_interval, ..Default::default() };
    let table = [
        ("connectionInterval", every(seconds(9))),
        ("connectionInterval", every(seconds(-60))),
        ("connectionInterval", every(seconds(7 * 86_400 + 1))),
        ("runCommand.timeLimit", limits(seconds(0), None, None)),
        ("runCommand.outputLimitBytes", limits(None, Some(65_537), None)),
        ("isolationExceptions", excepted("guard.test", None)),
        ("isolationExceptions", excepted("192.0.2.0/33", None)),
        ("isolationExceptions", excepted("192.0.2.1", Some(0))),
        ("isolationExceptions", excepted("192.0.2.1", Some(65_536))),
        ("servers", AgentPolicy { servers: strings(&["guard.test:8443"]), ..Default::default() }),
    ];
    for (path, settings) in table {
        let (rules, unapplied) = agent(settings);
        assert_eq!(said(&unapplied), [(path, Reason::NotUsable)]);
        assert!(!unapplied[0].detail.is_empty());
        assert_eq!(rules, Rules::default(), "{path}");
    }
    let (rules, unapplied) = agent(limits(None, None, strings(&["srv"])));
    assert_eq!(said(&unapplied), [("runCommand.directories", Reason::NotUsable)]);
    assert_eq!(rules.run_command.directories, Some(Vec::new()), "nothing opens by mistake");
}

#[test]
fn windows_that_cannot_be_read_never_open() {
    let good = MaintenanceWindow { start: "22:00".to_owned(), duration: seconds(60), ..Default::default() };
    let with = |change: fn(&mut MaintenanceWindow)| {
        let mut window = good.clone();
        change(&mut window);
        window
    };
    let table = [
        ("no day", with(|window| window.days = vec![0])),
        ("no day", with(|window| window.days = vec![8])),
        ("no time", with(|window| window.start = "24:00".to_owned())),
        ("no time", with(|window| window.start = "9:00".to_owned())),
        ("no time", with(|window| window.start = "+9:00".to_owned())),
        ("not between", with(|window| window.duration = seconds(59))),
        ("not between", with(|window| window.duration = seconds(86_401))),
        ("no duration", with(|window| window.duration = None)),
        ("\"Europe/Atlantis\"", with(|window| window.time_zone = "Europe/Atlantis".to_owned())),
    ];
    for (expected, window) in table {
        let list = |values| {
            let maintenance_windows = Some(MaintenanceWindowList { values, merge: 0 });
            agent(AgentPolicy { maintenance_windows, ..Default::default() })
        };
        let (rules, unapplied) = list(vec![window.clone()]);
        assert_eq!(rules.maintenance_windows, Some(Vec::new()), "{expected}: it never opens");
        assert_eq!(said(&unapplied), [("maintenanceWindows", Reason::NotUsable)]);
        let (rules, unapplied) = list(vec![good.clone(), window]);
        assert_eq!(rules.maintenance_windows.map(|windows| windows.len()), Some(1), "the other one does");
        let detail = &unapplied[0].detail;
        assert!(detail.contains(expected) && detail.contains("window 2"), "{expected}: {detail}");
    }
    let (rules, unapplied) = agent(AgentPolicy {
        maintenance_windows: Some(MaintenanceWindowList::default()),
        ..Default::default()
    });
    assert_eq!((rules, unapplied), (Rules::default(), Vec::new()), "no windows: no waiting");
}

#[test]
fn what_is_not_known_is_reported() {
    let mut later = pack(&AgentPolicy { connection_interval: seconds(60), ..Default::default() });
    later.value.extend([0x48, 0x01]);
    let foreign = Any { type_url: "type.googleapis.com/vendor.Settings".to_owned(), value: vec![1, 2, 3] };
    let spoilt = Any { value: vec![0xff], ..pack(&AgentPolicy::default()) };
    let debug = || pack(&LoggingPolicy { level: Some(LogLevel::Debug.into()) });
    let mut vendor = feature(Feature::Agent, foreign.clone());
    vendor.feature_id = 4_000_000_000;
    let table = [
        (feature(Feature::Scan, pack(&ScanPolicy::default())), "", Reason::NotSupported),
        (feature(Feature::Logging, debug()), "", Reason::NotSupported),
        (vendor, "", Reason::NotSupported),
        (feature(Feature::Agent, foreign), "", Reason::NotUsable),
        (feature(Feature::Agent, spoilt), "", Reason::NotUsable),
        (EffectiveFeature { configuration: None, ..feature(Feature::Agent, debug()) }, "", Reason::NotUsable),
        (feature(Feature::Agent, later), "9", Reason::NotSupported),
    ];
    for (feature, path, reason) in table {
        let number = feature.feature_id;
        let policy = policy(vec![feature]);
        let (_, unapplied) = with_abilities(false, |abilities| read(&policy, abilities));
        assert_eq!(said(&unapplied), [(path, reason)], "{policy:?}");
        assert_eq!(unapplied[0].feature_id, number);
    }
}

#[test]
fn what_lies_beside_the_unknown_is_obeyed() {
    let mut later = pack(&AgentPolicy { connection_interval: seconds(60), ..Default::default() });
    later.value.extend([0x48, 0x01]);
    let debug = pack(&LoggingPolicy { level: Some(LogLevel::Debug.into()) });
    let policy = policy(vec![
        feature(Feature::Scan, pack(&ScanPolicy::default())),
        feature(Feature::Agent, later),
        feature(Feature::Logging, debug),
    ]);
    let (rules, unapplied) = with_abilities(true, |abilities| read(&policy, abilities));
    assert_eq!(rules.connection_interval, Some(Duration::from_secs(60)));
    assert_eq!(rules.log_level, Some(LogLevel::Debug));
    assert_eq!(unapplied.len(), 2);
}

#[test]
fn a_level_must_be_known() {
    for level in [0, 6] {
        let policy = policy(vec![feature(Feature::Logging, pack(&LoggingPolicy { level: Some(level) }))]);
        let (rules, unapplied) = with_abilities(true, |abilities| read(&policy, abilities));
        assert_eq!((rules.log_level, said(&unapplied)), (None, vec![("level", Reason::NotUsable)]));
    }
}

proptest! {
    /// What the settings of a policy may be.
    #[test]
    fn any_bytes_are_borne(
        feature_id in prop::sample::select(vec![0x4748_0001, 0x4748_0003, 0x4748_0004]),
        value in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let configuration = match feature_id {
            0x4748_0004 => Any { value, ..pack(&LoggingPolicy::default()) },
            _ => Any { value, ..pack(&AgentPolicy::default()) },
        };
        let feature = EffectiveFeature { feature_id, configuration: Some(configuration), ..Default::default() };
        let policy = policy(vec![feature]);
        let (_, unapplied) = with_abilities(true, |abilities| read(&policy, abilities));
        prop_assert!(unapplied.iter().all(|setting| !setting.detail.is_empty()));
    }

    /// Whatever the numbers are, what is in force lies within what the contract allows.
    #[test]
    fn what_is_in_force_is_in_range(
        interval in any::<(i64, i32)>(),
        limit in -10_i64..1_000_000,
        bytes in any::<u32>(),
        start in "\\PC{0,6}",
        day in -2_i32..10,
    ) {
        let duration = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
        let window = MaintenanceWindow {
            days: vec![day],
            start,
            duration: duration(limit, 0),
            time_zone: String::new(),
        };
        let (rules, _) = agent(AgentPolicy {
            connection_interval: duration(interval.0, interval.1),
            maintenance_windows: Some(MaintenanceWindowList { values: vec![window], merge: 0 }),
            run_command: Some(RunCommandLimits {
                time_limit: duration(limit, 0),
                output_limit_bytes: Some(bytes),
                directories: None,
            }),
            ..Default::default()
        });
        prop_assert!(rules.connection_interval.is_none_or(|interval| INTERVALS.contains(&interval)));
        prop_assert!(rules.run_command.time_limit.is_none_or(|limit| TIME_LIMITS.contains(&limit)));
        prop_assert!(rules.run_command.output_limit.is_none_or(|limit| limit <= CAP));
        let windows = rules.maintenance_windows.expect("they are set");
        prop_assert!(windows.iter().all(|window| window.duration >= SignedDuration::from_mins(1)));
    }
}

#[test]
fn the_agent_follows_its_server_unless_it_is_told_not_to() {
    for (automatic, follows) in [(None, true), (Some(true), true), (Some(false), false)] {
        let settings = UpdatesPolicy { agent_automatic: automatic, ..Default::default() };
        let (rules, unapplied) = with_abilities(true, |abilities| {
            read(&policy(vec![feature(Feature::Updates, pack(&settings))]), abilities)
        });
        assert_eq!((rules.follows_releases, unapplied.len()), (follows, 0));
    }
    let settings = UpdatesPolicy {
        agent_automatic: None,
        system_security_automatic: Some(true),
        excluded_packages: Some(StringList { values: vec!["linux".to_owned()], merge: 0 }),
    };
    let (_, unapplied) = with_abilities(true, |abilities| {
        read(&policy(vec![feature(Feature::Updates, pack(&settings))]), abilities)
    });
    let expected =
        ["systemSecurityAutomatic", "excludedPackages"].map(|path| (path, Reason::NotSupported)).to_vec();
    assert_eq!(said(&unapplied), expected);
}
