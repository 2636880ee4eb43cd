//! Which method an action of a version reaches.

use std::{collections::HashMap, sync::Arc};

use guardhouse_contract::actions::actions;
use prost_reflect::FieldDescriptor;

use super::refusal::Refusal;
use crate::registry::{Registry, Unary};

/// The actions, by version and name.
#[derive(Debug)]
pub struct Actions(HashMap<String, HashMap<String, Action>>);

/// An action.
#[derive(Debug)]
pub struct Action {
    /// The method.
    pub unary: Arc<Unary>,
    /// The parameters that a request must have.
    pub required: Vec<FieldDescriptor>,
}

impl Actions {
    /// The actions of the contract. The methods come from `registry`, which has checked that all of them are there.
    pub fn new(registry: &Registry) -> Self {
        let mut versions: HashMap<String, HashMap<String, Action>> = HashMap::new();
        for action in actions() {
            if let Some(unary) = registry.unary(&action.method) {
                let found = Action { unary: Arc::clone(unary), required: action.required };
                let name = action.method.name().to_owned();
                versions.entry(action.version).or_default().insert(name, found);
            }
        }
        Self(versions)
    }

    /// Finds an action. Upper and lower case are told apart.
    pub fn find(&self, version: &str, action: &str) -> Result<&Action, Refusal> {
        let Some(actions) = self.0.get(version) else {
            let mut known: Vec<_> = self.0.keys().map(String::as_str).collect();
            known.sort_unstable();
            let message = format!(
                "Specified version {version:?} is not served: Version must be {}",
                known.join(" or ")
            );
            return Err(Refusal::bad_request("NoSuchVersion", message));
        };
        actions.get(action).ok_or_else(|| {
            let message = format!(
                "Specified api is not found, please check your url and method: this server has no action \
                 {action:?} of version {version}"
            );
            Refusal::not_found("InvalidApi.NotFound", message)
        })
    }
}
