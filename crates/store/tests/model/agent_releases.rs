//! Versions of the agent.

use guardhouse_store::{AgentRelease, Store, Wanted};
use proptest::{prelude::*, sample::select};

use crate::{
    bench::{Bench, Model, Outcome},
    pools::at,
};

/// In no order that somebody who knows letters would give them.
pub const PLATFORMS: [&str; 3] = ["a", "B", "ä"];
pub const VERSIONS: [&str; 4] = ["1.10.0", "1.9.0", "1.9.0-rc.1", "2.0"];

impl Model {
    pub fn agent_release_add(&mut self, release: AgentRelease, program: Vec<u8>) -> bool {
        let key = (release.platform.clone(), release.version.clone());
        if self.agent_releases.contains_key(&key) {
            return false;
        }
        self.agent_releases.insert(key, (release, program));
        true
    }

    pub fn agent_releases_list(&self) -> Vec<AgentRelease> {
        self.agent_releases.values().map(|(release, _)| release.clone()).collect()
    }

    pub fn agent_releases_wanted(&self) -> Vec<AgentRelease> {
        let mut wanted = self.agent_releases_list();
        wanted.retain(|release| release.wanted != Wanted::Nowhere);
        wanted
    }

    pub fn agent_release_want(&mut self, version: String, wanted: Wanted) -> usize {
        let platforms: Vec<String> = self
            .agent_releases
            .keys()
            .filter(|(_, known)| *known == version)
            .map(|(platform, _)| platform.clone())
            .collect();
        for (release, _) in self.agent_releases.values_mut() {
            if platforms.contains(&release.platform) {
                release.wanted = if release.version == version { wanted } else { Wanted::Nowhere };
            }
        }
        platforms.len()
    }

    pub fn agent_release_delete(&mut self, version: String) -> usize {
        let before = self.agent_releases.len();
        self.agent_releases.retain(|(_, known), _| *known != version);
        before - self.agent_releases.len()
    }

    pub fn agent_release_part(&self, platform: String, version: String, position: u64) -> Option<Vec<u8>> {
        let (_, program) = self.agent_releases.get(&(platform, version))?;
        program.chunks(Store::AGENT_RELEASE_PART).nth(usize::try_from(position).ok()?).map(<[u8]>::to_vec)
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Add { version: &'static str, platform: &'static str, content: u8, parts: usize },
    Want { version: &'static str, wanted: Wanted },
    Delete { version: &'static str },
    Part { version: &'static str, platform: &'static str, position: u64 },
}

pub fn commands() -> impl Strategy<Value = Command> {
    let (versions, platforms) = (select(&VERSIONS[..]), select(&PLATFORMS[..]));
    let wanted = select(&[Wanted::Nowhere, Wanted::Upgrade, Wanted::Everywhere][..]);
    prop_oneof![
        3 => (versions.clone(), platforms.clone(), any::<u8>(), 0..3_usize)
            .prop_map(|(version, platform, content, parts)| Command::Add { version, platform, content, parts }),
        2 => (versions.clone(), wanted).prop_map(|(version, wanted)| Command::Want { version, wanted }),
        1 => versions.clone().prop_map(|version| Command::Delete { version }),
        2 => (versions, platforms, 0..3_u64)
            .prop_map(|(version, platform, position)| Command::Part { version, platform, position }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Add { version, platform, content, parts } => {
            // Whole parts, and one more byte where there are any.
            let program = vec![content; parts * Store::AGENT_RELEASE_PART + usize::from(parts > 0)];
            let release = AgentRelease {
                version: version.to_owned(),
                platform: platform.to_owned(),
                size_bytes: program.len() as u64,
                sha256: vec![content; 32],
                signature: vec![content; 64],
                import_time: at(content),
                wanted: Wanted::Nowhere,
            };
            agree!(bench.agent_release_add(release.clone(), program.clone()));
        }
        Command::Want { version, wanted } => {
            agree!(bench.agent_release_want(version.to_owned(), wanted));
            agree!(bench.agent_releases_wanted());
        }
        Command::Delete { version } => {
            agree!(bench.agent_release_delete(version.to_owned()));
        }
        Command::Part { version, platform, position } => {
            agree!(bench.agent_release_part(platform.to_owned(), version.to_owned(), position));
        }
    }
    Ok(())
}
