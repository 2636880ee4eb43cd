//! How processes that share a store tell each other that something changed.

use crate::{Listener, Store, StoreError, engine::Engine};

impl Store {
    /// Tells every process that listens, this one too. Where no other process can share the store nobody is told.
    ///
    /// # Errors
    /// The database cannot be reached: nobody was told.
    pub async fn announce(&self, payload: String) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.announce(&payload).await,
            Engine::Postgres(postgres) => postgres.announce(payload).await,
        }
    }

    /// Hears what is announced; `None`: no other process can share the store.
    #[must_use]
    pub fn listen(&self) -> Option<Listener> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.listen(),
            Engine::Postgres(postgres) => Some(Listener::from_postgres(postgres.listen())),
        }
    }
}
