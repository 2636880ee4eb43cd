//! Stores of objects, which a program in Python starts (`tests/stores`).

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A store that runs until this is dropped.
#[derive(Debug)]
pub struct Store {
    child: Child,
    said: String,
}

impl Store {
    /// Starts one over the files of a folder: of S3 (`s3`), in the bucket `images`, or of `WebDAV` (`webdav`).
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
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
        let mut said = String::new();
        let output = child.stdout.as_mut().expect("it is piped");
        BufReader::new(output).read_line(&mut said).expect("it says how to reach it");
        Self { child, said }
    }

    /// Where it is: scheme, host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        self.text("address")
    }

    /// Who may list and read what is in it: of S3 the id of an access key.
    #[must_use]
    pub fn user(&self) -> &str {
        self.text("user")
    }

    /// What proves that.
    #[must_use]
    pub fn password(&self) -> &str {
        self.text("password")
    }

    /// A text of what it said, which is an object of JSON with plain texts in one line.
    fn text(&self, name: &str) -> &str {
        let found =
            self.said.split_once(&format!("\"{name}\": \"")).and_then(|(_, rest)| rest.split_once('"'));
        found.unwrap_or_else(|| panic!("it does not say its {name}: {}", self.said)).0
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
