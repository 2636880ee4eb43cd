//! The policies that one call needs, each read once.

use std::{collections::HashMap, sync::Arc};

use guardhouse_contract::Status;
use guardhouse_identity::Failure;
use guardhouse_model::PolicyId;
use guardhouse_policy::{Effective, Parsed, effective};
use guardhouse_store::{Assignment, Store};

/// A policy that is read.
#[derive(Debug)]
pub struct Book {
    /// Its name.
    pub display_name: String,
    /// What it says.
    pub parsed: Arc<Parsed>,
}

/// Policies by id, and the generations of what they give together.
#[derive(Debug, Default)]
pub struct Library {
    books: HashMap<PolicyId, Book>,
    generations: HashMap<Vec<PolicyId>, [u8; 32]>,
}

impl Library {
    /// Fetches the policies of these assignments, as far as they are not here yet.
    ///
    /// # Errors
    /// The store failed, or what it keeps is no policy.
    pub async fn fetch(
        &mut self,
        store: &Store,
        assignments: impl IntoIterator<Item = &Assignment>,
    ) -> Result<(), Status> {
        let mut missing: Vec<PolicyId> =
            assignments.into_iter().map(|assignment| assignment.policy).collect();
        missing.retain(|policy| !self.books.contains_key(policy));
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        for policy in store.policies_get_many(missing).await.map_err(Failure::from)? {
            let parsed = Parsed::from_kept(&policy.features)
                .map_err(|error| Status::internal(format!("features of policy {}: {error}", policy.id)))?;
            let book = Book { display_name: policy.display_name, parsed: Arc::new(parsed) };
            self.books.insert(policy.id, book);
        }
        Ok(())
    }

    /// A policy that was fetched; `None`: it was deleted meanwhile.
    #[must_use]
    pub fn book(&self, policy: PolicyId) -> Option<&Book> {
        self.books.get(&policy)
    }

    /// Those of the assignments whose policies are here, with what these say.
    #[must_use]
    pub fn stack<'a>(&self, assignments: &'a [Assignment]) -> (Vec<&'a Assignment>, Vec<Arc<Parsed>>) {
        let known = assignments.iter().filter_map(|assignment| {
            self.book(assignment.policy).map(|book| (assignment, Arc::clone(&book.parsed)))
        });
        known.unzip()
    }

    /// What assignments give together.
    #[must_use]
    pub fn effective(&self, assignments: &[Assignment]) -> Effective {
        effective(&self.stack(assignments).1)
    }

    /// The generation of what assignments give together: merged once for all devices that have the same policies.
    pub fn generation(&mut self, assignments: &[Assignment]) -> [u8; 32] {
        let key: Vec<PolicyId> = assignments.iter().map(|assignment| assignment.policy).collect();
        if let Some(&generation) = self.generations.get(&key) {
            return generation;
        }
        let generation = self.effective(assignments).generation;
        self.generations.insert(key, generation);
        generation
    }
}
