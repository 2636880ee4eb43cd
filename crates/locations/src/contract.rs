//! Addresses as the contract writes them.

use guardhouse_contract::scans::{self, address, credentials};

use crate::{Address, Credentials, Flaw, ObjectStore};

impl Address {
    /// The address of a message, with what opens it. Not checked: see [`Address::check`].
    ///
    /// # Errors
    /// The message names no place, or credentials for one that has none.
    pub fn read(message: scans::Address, credentials: Option<scans::Credentials>) -> Result<Self, Flaw> {
        let credentials = credentials.and_then(|credentials| credentials.kind).map(|kind| match kind {
            credentials::Kind::AccessKey(scans::AccessKey {
                access_key_id,
                secret_access_key,
                session_token,
            }) => Credentials::AccessKey { id: access_key_id, secret: secret_access_key, session_token },
            credentials::Kind::Password(scans::Password { user, password }) => {
                Credentials::Password { user, password }
            }
            credentials::Kind::Token(token) => Credentials::Token(token),
        });
        let address = match message.place {
            Some(address::Place::Folder(scans::Folder { path })) => Self::Folder { path: path.into() },
            Some(address::Place::OciLayout(scans::OciLayout { path })) => {
                Self::OciLayout { path: path.into() }
            }
            Some(address::Place::ObjectStore(scans::ObjectStore { url, endpoint, region, authorities })) => {
                return Ok(Self::ObjectStore(ObjectStore {
                    url,
                    endpoint,
                    region,
                    authorities,
                    credentials,
                }));
            }
            Some(address::Place::DeviceSnapshots(scans::DeviceSnapshotFolder { path })) => {
                if path.is_empty() {
                    return Err(Flaw::new(
                        "path",
                        "no server keeps snapshots of devices: none was told where",
                    ));
                }
                Self::Folder { path: path.into() }
            }
            None => return Err(Flaw::new("", "is missing; one of folder, ociLayout, objectStore is right")),
        };
        match credentials {
            None => Ok(address),
            Some(_) => Err(Flaw::new("credentials", "a folder has none; only a store of objects has")),
        }
    }
}
