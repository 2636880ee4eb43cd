use guardhouse_store::{AgentRelease, Store, Wanted};

use crate::support::{Fixture, at};

fn release(version: &str, platform: &str) -> AgentRelease {
    AgentRelease {
        version: version.to_owned(),
        platform: platform.to_owned(),
        size_bytes: 3,
        sha256: vec![1; 32],
        signature: vec![2; 64],
        import_time: at(7),
        wanted: Wanted::Nowhere,
    }
}

/// What devices are to have, by platform.
async fn wanted(f: &Fixture) -> Vec<(String, String, Wanted)> {
    let wanted = f.store.agent_releases_wanted().await.expect("reads");
    wanted.into_iter().map(|release| (release.platform, release.version, release.wanted)).collect()
}

async fn part(f: &Fixture, version: &str, position: u64) -> Option<Vec<u8>> {
    let part = f.store.agent_release_part("a".to_owned(), version.to_owned(), position);
    part.await.expect("reads")
}

pub async fn a_program_is_kept_in_parts_and_goes_with_its_version(f: &Fixture) {
    let whole = Store::AGENT_RELEASE_PART;
    let program: Vec<u8> = (0..whole + 3).map(|at| (at % 251) as u8).collect();
    let add = |release, program| f.store.agent_release_add(release, program);
    assert!(add(release("1.0", "a"), program.clone()).await.expect("writes"));
    assert!(!add(release("1.0", "a"), vec![9]).await.expect("reads"), "the first one stays");
    assert!(add(release("0.9", "a"), Vec::new()).await.expect("writes"));
    assert!(add(release("1.0", "B"), vec![8]).await.expect("writes"));
    let listed = f.store.agent_releases_list().await.expect("reads");
    assert_eq!(listed, [release("1.0", "B"), release("0.9", "a"), release("1.0", "a")]);

    assert_eq!(part(f, "1.0", 0).await.as_deref(), Some(&program[..whole]));
    assert_eq!(part(f, "1.0", 1).await.as_deref(), Some(&program[whole..]));
    for (version, position) in [("1.0", 2), ("0.9", 0), ("2.0", 0)] {
        assert_eq!(part(f, version, position).await, None, "{version} {position}");
    }

    assert_eq!(f.store.agent_release_delete("1.0".to_owned()).await.expect("writes"), 2);
    assert_eq!(f.store.agent_release_delete("1.0".to_owned()).await.expect("reads"), 0);
    assert_eq!(part(f, "1.0", 0).await, None);
    assert_eq!(f.store.agent_releases_list().await.expect("reads"), [release("0.9", "a")]);
    assert!(add(release("1.0", "a"), vec![7]).await.expect("writes"), "nothing was left of it");
}

pub async fn a_platform_has_one_wanted_version(f: &Fixture) {
    for (version, platform) in [("1.0", "a"), ("2.0", "a"), ("1.0", "b")] {
        assert!(f.store.agent_release_add(release(version, platform), Vec::new()).await.expect("writes"));
    }
    let want =
        async |version: &str, how| f.store.agent_release_want(version.to_owned(), how).await.expect("works");
    let is = |platform: &str, version: &str, how| (platform.to_owned(), version.to_owned(), how);
    assert_eq!(wanted(f).await, []);
    assert_eq!(want("1.0", Wanted::Upgrade).await, 2);
    assert_eq!(wanted(f).await, [is("a", "1.0", Wanted::Upgrade), is("b", "1.0", Wanted::Upgrade)]);
    assert_eq!(want("2.0", Wanted::Everywhere).await, 1);
    let expected = [is("a", "2.0", Wanted::Everywhere), is("b", "1.0", Wanted::Upgrade)];
    assert_eq!(wanted(f).await, expected);
    assert_eq!(want("3.0", Wanted::Upgrade).await, 0);
    assert_eq!(wanted(f).await, expected, "there is no such version");
    assert_eq!(want("1.0", Wanted::Nowhere).await, 2);
    assert_eq!(wanted(f).await, []);

    want("2.0", Wanted::Upgrade).await;
    f.store.agent_release_delete("2.0".to_owned()).await.expect("writes");
    assert_eq!(wanted(f).await, []);
}
