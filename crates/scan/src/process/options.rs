//! What the supervisor tells the scanning process to do.

use serde::{Deserialize, Serialize};

use crate::{
    event::Project,
    positions::Spot,
    sandbox::Resources,
    walk::{Hashing, Reach},
};

/// What to do with the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanOptions {
    /// See [`guardhouse_image::Options::platform`].
    pub platform: Option<String>,
    /// See [`guardhouse_image::Options::image`].
    pub image: Option<String>,
    /// What is looked for.
    pub projects: Vec<Project>,
    /// Where files are looked for.
    pub reach: Reach,
    /// What is hashed.
    pub hashing: Hashing,
    /// How many threads work.
    pub threads: usize,
    /// How much the process may use.
    pub resources: Resources,
    /// See [`crate::walk::Plan::avoid`].
    pub avoid: Vec<Spot>,
    /// See [`crate::walk::Plan::suspects`].
    pub suspects: Vec<Spot>,
    /// See [`crate::walk::Plan::only_suspects`].
    pub only_suspects: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            platform: None,
            image: None,
            projects: Project::ALL.to_vec(),
            reach: Reach::default(),
            hashing: Hashing::default(),
            threads: 1,
            resources: Resources::default(),
            avoid: Vec::new(),
            suspects: Vec::new(),
            only_suspects: false,
        }
    }
}
