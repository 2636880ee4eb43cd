use std::path::Path;

use guardhouse_contract::{
    link::EffectiveFeature,
    settings::{AgentPolicy, StringList},
    status::pack,
};

use super::*;

const ENROLLED: &str = "https://enrolled.test:8443/";

fn open(folder: &Path) -> Policies {
    Policies::open(folder.join("policy"), true, KillPoint::default())
}

fn policy(number: u8, settings: AgentPolicy) -> Policy {
    let feature = EffectiveFeature {
        feature_id: i32::from(Feature::Agent).unsigned_abs(),
        configuration: Some(pack(&settings)),
        read_only_paths: Vec::new(),
    };
    Policy { generation: vec![number; 32], features: vec![feature] }
}

fn servers(number: u8, addresses: &[&str]) -> Policy {
    let values = addresses.iter().map(|&text| text.to_owned()).collect();
    policy(number, AgentPolicy { servers: Some(StringList { values, merge: 0 }), ..Default::default() })
}

fn addresses(policies: &Policies) -> Vec<String> {
    let enrolled = ENROLLED.parse().expect("an address");
    policies.addresses(&enrolled).iter().map(ToString::to_string).collect()
}

fn unused(policies: &Policies) -> Option<Vec<String>> {
    let enrolled = ENROLLED.parse().expect("an address");
    Some(policies.unused_servers(&enrolled)?.iter().map(ToString::to_string).collect())
}

/// Why the addresses of the policy are not in use, as the server is told.
fn rolled_back(policies: &Policies) -> Option<String> {
    let unapplied = policies.report().expect("a report").unapplied;
    unapplied.into_iter().find(|setting| setting.reason() == Reason::RolledBack).map(|setting| setting.detail)
}

#[test]
fn a_policy_survives_and_its_settings_go_with_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut policies = open(folder.path());
    assert_eq!(policies.report(), None, "there never was one");
    let forbidden = StringList { values: vec!["RunCommand".to_owned()], merge: 0 };
    let settings = AgentPolicy { forbidden_actions: Some(forbidden), ..Default::default() };
    policies.take(policy(1, settings)).expect("kept");
    for policies in [&policies, &open(folder.path())] {
        assert_eq!(policies.report(), Some(PolicyReport { generation: vec![1; 32], unapplied: Vec::new() }));
        assert!(policies.rules().forbidden_actions.contains("RunCommand"));
    }
    policies.take(Policy { generation: vec![2; 32], features: Vec::new() }).expect("kept");
    assert_eq!(open(folder.path()).rules(), &Rules::default());
    assert_eq!(open(folder.path()).report().expect("a report").generation, [2; 32]);
}

#[test]
fn addresses_are_in_use_when_they_are_proven() {
    let (a, b) = ("https://a.test:1/", "https://b.test:2/");
    let folder = tempfile::tempdir().expect("a folder");
    let mut policies = open(folder.path());
    assert_eq!((addresses(&policies), unused(&policies)), (vec![ENROLLED.to_owned()], None));

    policies.take(servers(1, &[a, b])).expect("kept");
    for policies in [&policies, &open(folder.path())] {
        assert_eq!(addresses(policies), [ENROLLED], "not proven");
        assert_eq!(unused(policies), Some(vec![a.to_owned(), b.to_owned()]));
        assert_eq!(rolled_back(policies).as_deref(), Some(NOT_TRIED));
    }
    policies.keep_servers("nobody answers".to_owned()).expect("kept");
    assert_eq!(rolled_back(&open(folder.path())).as_deref(), Some("nobody answers"));
    assert_eq!(addresses(&policies), [ENROLLED]);

    policies.use_servers().expect("kept");
    for policies in [&policies, &open(folder.path())] {
        assert_eq!(addresses(policies), [a, b, ENROLLED], "the last resort remains");
        assert_eq!((unused(policies), rolled_back(policies)), (None, None));
    }
    // Other addresses are another question.
    policies.keep_servers("nobody answers".to_owned()).expect("kept");
    policies.take(servers(2, &[b])).expect("kept");
    assert_eq!(addresses(&policies), [a, b, ENROLLED]);
    assert_eq!(rolled_back(&policies).as_deref(), Some(NOT_TRIED));

    // Without the setting, the enrolled address has to be proven as well.
    policies.take(Policy { generation: vec![3; 32], features: Vec::new() }).expect("kept");
    assert_eq!(addresses(&policies), [a, b, ENROLLED]);
    assert_eq!(unused(&policies), Some(vec![ENROLLED.to_owned()]));
    policies.use_servers().expect("kept");
    assert_eq!((addresses(&policies), rolled_back(&policies)), (vec![ENROLLED.to_owned()], None));
}

#[test]
fn a_policy_that_cannot_be_kept_is_not_in_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut policies = Policies::open(folder.path().join("missing/policy"), true, KillPoint::default());
    let error = policies.take(servers(1, &["https://a.test:1/"])).expect_err("no such folder");
    assert!(error.to_string().contains("missing/policy"), "{error}");
    assert_eq!((policies.report(), policies.rules()), (None, &Rules::default()));
}
