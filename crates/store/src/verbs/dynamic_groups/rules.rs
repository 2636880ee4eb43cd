//! Rules that were read before: reading one again and again would cost more than judging it, above all its patterns.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guardhouse_model::dynamic_groups::Rule;

use crate::StoreError;

/// Most rules that are remembered. A house with more reads some of them again.
const MOST: usize = 2_000;

/// Rules by the text they are kept as, so that none is ever out of date. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Rules(Arc<Mutex<HashMap<String, Arc<Rule>>>>);

impl Rules {
    /// The rule that is kept as this text.
    pub fn read(&self, kept: String) -> Result<Arc<Rule>, StoreError> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rule) = rules.get(&kept) {
            return Ok(Arc::clone(rule));
        }
        let rule = Rule::read(&kept)
            .map_err(|error| StoreError::Inconsistent(format!("the rule of a dynamic group: {error}")))?;
        if rules.len() >= MOST {
            rules.clear();
        }
        let rule = Arc::new(rule);
        rules.insert(kept, Arc::clone(&rule));
        Ok(rule)
    }
}
