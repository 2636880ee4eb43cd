//! Real stores, which a program in Python starts.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use guardhouse_locations::{Address, Credentials, ObjectStore};
use serde_json::Value;

/// A store that runs until this is dropped.
pub struct Store {
    child: Child,
    said: Value,
}

impl Store {
    /// Starts one over the files of a folder.
    pub fn start(kind: &str, folder: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = env::var_os("GUARDHOUSE_TEST_STORES").map(PathBuf::from);
        let python = python.unwrap_or_else(|| root.join("target/stores/bin/python"));
        let program = Command::new(&python)
            .arg("-B")
            .arg(root.join("tests/stores/store.py"))
            .args([kind.as_ref(), folder.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = program.unwrap_or_else(|error| {
            panic!(
                "{}: {error}; scripts/test installs it, from tests/stores/requirements.txt",
                python.display()
            )
        });
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says how to reach it");
        let said = serde_json::from_str(&line).expect("it says how to reach it");
        Self { child, said }
    }

    pub fn address(&self) -> &str {
        self.said["address"].as_str().expect("it says its address")
    }

    fn text(&self, name: &str) -> String {
        self.said[name].as_str().expect("it says what opens it").to_owned()
    }

    /// Where a part of the bucket is, reached at another address when that is given.
    pub fn s3(&self, prefix: &str, endpoint: Option<String>) -> ObjectStore {
        ObjectStore {
            url: format!("s3://images/{prefix}"),
            endpoint: endpoint.unwrap_or_else(|| self.address().to_owned()),
            credentials: Some(Credentials::AccessKey {
                id: self.text("user"),
                secret: self.text("password"),
                session_token: String::new(),
            }),
            ..ObjectStore::default()
        }
    }

    /// Where a folder is.
    pub fn webdav(&self, path: &str) -> ObjectStore {
        ObjectStore {
            url: format!("{}/{path}", self.address()),
            credentials: Some(Credentials::Password {
                user: self.text("user"),
                password: self.text("password"),
            }),
            ..ObjectStore::default()
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub fn at(store: ObjectStore) -> Address {
    Address::ObjectStore(store)
}
