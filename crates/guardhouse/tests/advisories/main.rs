//! `guardhouse advisories` as a person uses it, with a mirror on this machine.

mod mirror;

use std::{fs, path::Path, process::Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use mirror::Mirror;

/// A person with folders of their own.
struct Person {
    home: TempDir,
}

/// What a command did.
#[derive(Debug)]
struct Done {
    code: i32,
    data: String,
    rest: String,
}

impl Person {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder") }
    }

    async fn types(&self, words: &[&str]) -> Done {
        let output = Command::new(env!("CARGO_BIN_EXE_guardhouse"))
            .arg("advisories")
            .args(words)
            .env("HOME", self.home.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("GUARDHOUSE_ADVISORIES")
            .env_remove("GUARDHOUSE_ADVISORIES_CONFIG")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .output()
            .await
            .expect("the command");
        Done {
            code: output.status.code().expect("an exit code"),
            data: String::from_utf8(output.stdout).expect("text"),
            rest: String::from_utf8(output.stderr).expect("text"),
        }
    }

    async fn succeeds(&self, words: &[&str]) -> Done {
        let done = self.types(words).await;
        assert_eq!(done.code, 0, "{words:?}: {done:?}");
        done
    }

    /// The names of the sources, and how many advisories each has.
    async fn sources(&self) -> Vec<(String, u64)> {
        let status = self.succeeds(&["status", "--json"]).await;
        let status: Value = serde_json::from_str(&status.data).expect("JSON");
        let of = |source: &Value| {
            let name = source["name"].as_str().expect("a name").to_owned();
            (name, source["advisories"].as_u64().expect("a number"))
        };
        status["sources"].as_array().expect("a list").iter().map(of).collect()
    }
}

/// An advisory in the OSV format.
fn advisory(id: &str) -> String {
    let affected = json!([{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]);
    json!({"id": id, "modified": "2026-01-02T03:04:05Z", "affected": affected}).to_string()
}

#[tokio::test]
async fn files_are_imported_shown_and_removed() {
    let person = Person::new();
    let write = |name: &str, text: &str| fs::write(person.home.path().join(name), text).expect("a file");
    write("one.json", &format!("{}\n{{\"id\": 7}}\n", advisory("A-1")));
    write("two.json", &advisory("B-1"));
    write("words.txt", "words");

    let absent = person.types(&["status"]).await;
    assert_eq!(absent.code, 1);
    assert!(
        absent.rest.contains("there are no advisories at") && absent.rest.contains("import"),
        "{absent:?}"
    );

    let done = person.types(&["import", "one.json", "words.txt", "two.json"]).await;
    assert_eq!(done.code, 1);
    for said in [
        "source         one",
        "source         two",
        "not readable   1",
        "newest change  2026-01-02T03:04:05Z",
    ] {
        assert!(done.data.contains(said), "{said}: {done:?}");
    }
    assert!(done.rest.contains("warning: left out: one.json"), "{done:?}");
    assert!(done.rest.contains("error: words.txt was not imported"), "{done:?}");
    assert_eq!(person.sources().await, [("one".to_owned(), 1), ("two".to_owned(), 1)]);
    assert!(person.home.path().join(".local/share/guardhouse/advisories.db").is_file());

    let table = person.succeeds(&["status"]).await;
    assert!(table.data.starts_with("NAME") && table.data.contains("one   osv"), "{table:?}");
    person.succeeds(&["remove", "one"]).await;
    assert_eq!(person.sources().await, [("two".to_owned(), 1)]);
    let again = person.types(&["remove", "one"]).await;
    assert!(again.code == 1 && again.rest.contains("there is no source \"one\""), "{again:?}");

    let elsewhere = person.home.path().join("deeper/store.db");
    let elsewhere = elsewhere.to_str().expect("text");
    person.succeeds(&["import", "two.json", "--name", "named", "--advisories", elsewhere]).await;
    assert!(Path::new(elsewhere).is_file());
    let refused = person.types(&["import", "one.json", "two.json", "--name", "both"]).await;
    assert!(refused.code == 1 && refused.rest.contains("--name is for one path"), "{refused:?}");
}

#[tokio::test]
async fn a_mirror_is_asked_for_what_has_changed() {
    let person = Person::new();
    let mirror = Mirror::start().await;
    mirror.has("one.json", &advisory("A-1"));
    mirror.has("two.json", &advisory("B-1"));
    let (one, two) = (mirror.url("one.json"), mirror.url("two.json"));
    let (one, two, gone) =
        (format!("one={one}"), format!("two={two}"), format!("gone={}", mirror.url("gone.json")));

    let nothing = person.types(&["update"]).await;
    assert!(nothing.code == 1 && nothing.rest.contains("--from NAME=URL"), "{nothing:?}");

    // One that fails does not stop those after it.
    let done = person.types(&["update", "--from", &one, "--from", &gone, "--from", &two]).await;
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.rest.contains("gone was not updated") && done.rest.contains("HTTP 404"), "{done:?}");
    assert_eq!(person.sources().await, [("one".to_owned(), 1), ("two".to_owned(), 1)]);
    assert_eq!(mirror.sent(), 2);

    // What was fetched before is known by its address, and not fetched again.
    let done = person.succeeds(&["update"]).await;
    assert!(done.rest.contains("one: not changed") && done.rest.contains("two: not changed"), "{done:?}");
    assert_eq!(mirror.sent(), 2);

    mirror.has("one.json", &format!("{}\n{}", advisory("A-1"), advisory("A-2")));
    person.succeeds(&["update"]).await;
    assert_eq!(mirror.sent(), 3);
    assert_eq!(person.sources().await, [("one".to_owned(), 2), ("two".to_owned(), 1)]);

    // What is no advisory any more leaves what was there.
    mirror.has("two.json", "words");
    let done = person.types(&["update"]).await;
    assert!(done.code == 1 && done.rest.contains("two was not updated"), "{done:?}");
    assert_eq!(person.sources().await, [("one".to_owned(), 2), ("two".to_owned(), 1)]);
}

#[tokio::test]
async fn a_configuration_names_the_sources() {
    let person = Person::new();
    let mirror = Mirror::start().await;
    mirror.has("one.json", &advisory("A-1"));
    fs::write(person.home.path().join("two.json"), advisory("B-1")).expect("a file");
    let folder = person.home.path().join(".config/guardhouse");
    fs::create_dir_all(&folder).expect("a folder");
    let config = format!(
        "[[source]]\nname = \"one\"\nurl = \"{}\"\n\n[[source]]\nname = \"two\"\nurl = \"two.json\"\n",
        mirror.url("moved/one.json")
    );
    fs::write(folder.join("advisories.toml"), config).expect("a file");
    person.succeeds(&["update"]).await;
    assert_eq!(person.sources().await, [("one".to_owned(), 1), ("two".to_owned(), 1)]);

    fs::write(folder.join("advisories.toml"), "[[sources]]\n").expect("a file");
    let wrong = person.types(&["update"]).await;
    assert!(wrong.code == 1 && wrong.rest.contains("unknown field `sources`"), "{wrong:?}");
}

#[tokio::test]
async fn what_is_not_safe_on_the_way_is_refused() {
    let person = Person::new();
    let mirror = Mirror::start().await;
    for (path, said) in [
        ("http://mirror.example/a.json", "use https://"),
        (&mirror.url("elsewhere/a.json"), "not encrypted"),
        (&mirror.url("round/a.json"), "too often"),
        (&mirror::broken().await, "broke off"),
    ] {
        let done = person.types(&["update", "--from", &format!("a={path}")]).await;
        assert!(done.code == 1 && done.rest.contains(said), "{path}: {done:?}");
    }
    assert_eq!(person.sources().await, []);
}
