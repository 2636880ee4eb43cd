//! Addresses in real stores.

use guardhouse_locations::{Address, Credentials, ObjectStore};
use guardhouse_testing::stores::Store;

/// Where a part of the bucket is, reached at another address when that is given.
pub fn s3(store: &Store, prefix: &str, endpoint: Option<String>) -> ObjectStore {
    ObjectStore {
        url: format!("s3://images/{prefix}"),
        endpoint: endpoint.unwrap_or_else(|| store.address().to_owned()),
        credentials: Some(Credentials::AccessKey {
            id: store.user().to_owned(),
            secret: store.password().to_owned(),
            session_token: String::new(),
        }),
        ..ObjectStore::default()
    }
}

/// Where a folder is.
pub fn webdav(store: &Store, path: &str) -> ObjectStore {
    ObjectStore {
        url: format!("{}/{path}", store.address()),
        credentials: Some(Credentials::Password {
            user: store.user().to_owned(),
            password: store.password().to_owned(),
        }),
        ..ObjectStore::default()
    }
}

pub fn at(store: ObjectStore) -> Address {
    Address::ObjectStore(store)
}
