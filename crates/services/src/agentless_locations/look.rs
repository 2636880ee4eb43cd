//! Looks at a location, and keeps what is found.

use std::time::Duration;

use guardhouse_contract::scans;
use guardhouse_identity::{Failure, Sealing};
use guardhouse_locations::{Address, Folders, Found, Listing, list};
use guardhouse_model::{
    Environment, Timestamp,
    agentless::{TargetType, instance_id},
};
use guardhouse_store::{AgentlessLocation, FoundAsset, LocationLook, Store};
use prost::Message as _;
use tracing::warn;
use uuid::Uuid;

use crate::agentless_credentials;

/// How long an asset that is gone is remembered when there is no result of it.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What looking at locations needs.
#[derive(Debug, Clone)]
pub struct Looking {
    /// Where they are registered.
    pub store: Store,
    /// Opens their credentials.
    pub sealing: Sealing,
    /// Which folders of this machine may be looked at.
    pub folders: Folders,
    /// Time and randomness.
    pub environment: Environment,
}

impl Looking {
    /// Looks at a location and keeps what is found, or why it cannot be told. Answers what lies there. When the location was
    /// deleted meanwhile, or somebody who began later was quicker, nothing is kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn look(&self, location: &AgentlessLocation) -> Result<Listing, Failure> {
        let time = self.environment.now();
        let listed = self.list(location).await;
        let look = LocationLook {
            time,
            found: match &listed {
                Ok((target_type, listing)) => Ok(assets(location.id, *target_type, listing)),
                Err(trouble) => Err(trouble.clone()),
            },
            forget: time.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN),
        };
        self.store.agentless_assets_looked(location.id, look).await?;
        Ok(listed.map(|(_, listing)| listing).unwrap_or_default())
    }

    /// What lies in a location, or why that cannot be told, in a sentence.
    async fn list(&self, location: &AgentlessLocation) -> Result<(TargetType, Listing), String> {
        let (target_type, address) = self.read(location).map_err(|error| {
            warn!(%error, location = %location.id, "a location cannot be read");
            "what the server keeps of it cannot be read; remove it, and register it anew".to_owned()
        })?;
        let listing = list(&address, &self.folders).await.map_err(|trouble| trouble.to_string())?;
        Ok((target_type, listing))
    }

    fn read(&self, location: &AgentlessLocation) -> Result<(TargetType, Address), Failure> {
        let broken = |why: String| Failure::Inconsistent(format!("location {}: {why}", location.id));
        let target_type = TargetType::numbered(location.target_type)
            .ok_or_else(|| broken(format!("its type is {}", location.target_type)))?;
        let address =
            scans::Address::decode(location.address.as_slice()).map_err(|error| broken(error.to_string()))?;
        let sealed = location.sealed_credentials.as_deref();
        let credentials = sealed
            .map(|sealed| agentless_credentials::open(&self.sealing, location.id, sealed))
            .transpose()?;
        let address = Address::read(address, credentials).map_err(|flaw| broken(flaw.sentence))?;
        Ok((target_type, address))
    }
}

fn assets(location: Uuid, target_type: TargetType, listing: &Listing) -> Vec<FoundAsset> {
    let asset = |found: &Found| FoundAsset {
        instance_id: instance_id(target_type, location, &found.name),
        name: found.name.clone(),
        size_bytes: found.size_bytes,
        version: found.version.clone(),
    };
    listing.found.iter().map(asset).collect()
}
