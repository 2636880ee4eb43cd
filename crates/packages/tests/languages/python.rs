use guardhouse_packages::Origin;

use crate::support::{format, names, packages, refusal};

#[test]
fn metadata_of_what_is_installed() {
    let metadata = "Metadata-Version: 2.1\nName: Foo_Bar.baz\nVersion: 1.2.post1\nSummary: x\nLicense: Copyright (c)\n        all rights\n\
        Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: Software\n\nName: description\nVersion: 9\n";
    for path in [
        "/usr/lib/python3/dist-packages/foo_bar_baz-1.2.dist-info/METADATA",
        "/v/lib/python3.11/site-packages/foo.egg-info/PKG-INFO",
        "/v/lib/python3.11/site-packages/foo-1.2.egg/EGG-INFO/PKG-INFO",
        "/usr/lib/python2.7/foo.egg-info",
    ] {
        let packages = packages(path, metadata.replace('\n', "\r\n").as_bytes());
        let [package] = packages.as_slice() else { panic!("{path}: {packages:?}") };
        assert_eq!((package.name.as_str(), package.version.as_str()), ("foo-bar-baz", "1.2.post1"));
        assert_eq!(
            (package.origin, &package.licences[..]),
            (Origin::Installed, &["MIT License".to_owned()][..])
        );
    }
    let path = "/a.dist-info/METADATA";
    let licences =
        |lines: &str| packages(path, format!("Name: a\nVersion: 1\n{lines}").as_bytes())[0].licences.clone();
    assert_eq!(licences("License: BSD\nClassifier: License :: OSI Approved :: MIT License"), ["BSD"]);
    assert_eq!(licences("License: UNKNOWN\nLicense-Expression: MIT OR Apache-2.0"), ["MIT OR Apache-2.0"]);
    assert_eq!(licences("License: UNKNOWN"), [""; 0]);
    assert!(refusal(path, "Name: a\n\nVersion: 1\n").contains("Version"));
}

#[test]
fn requirements_that_are_pinned() {
    let text = concat!(
        "# a comment that ends with a backslash \\\n",
        "Django==3.2.1\n",
        "requests[security]==2.25.0 ; python_version > \"3\" \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n",
        "six>=1\n-r other.txt\n--index-url https://example.org/simple\n",
        "last == 1.0",
    );
    let expected = ["django 3.2.1", "last 1.0", "requests 2.25.0"];
    assert_eq!(names("/srv/requirements.txt", text), expected);
    assert_eq!(names("/srv/requirements.txt", format!("\u{feff}{}", text.replace('\n', "\r\n"))), expected);
    let wide: Vec<u8> = "\u{feff}a==1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(names("/srv/requirements-dev.txt", &wide), ["a 1"]);
    assert!(packages("/requirements.txt", b"a==1")[0].origin == Origin::Declared);
}

#[test]
fn locks_in_toml() {
    let poetry = "[[package]]\nname = \"Jinja2\"\nversion = \"3.0.0\"\noptional = false\nfiles = [\n    {file = \"a.whl\", hash = \"sha256:01\"},\n]\n\n\
        [[package]]\nname = \"mine\"\nversion = \"0.1.0\"\n[package.source]\ntype = \"directory\"\nurl = \"../mine\"\n\n\
        [metadata]\nlock-version = \"2.1\"\ncontent-hash = \"01\"\n";
    let uv = "version = 1\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n\n\
        [[package]]\nname = \"jinja2\"\nversion = \"3.0.0\"\nsource = { registry = \"https://example.org/simple\" }\n\n\
        [[package]]\nname = \"lib\"\nsource = { editable = \"lib\" }\n";
    let pdm = "[metadata]\nlock_version = \"4.5.0\"\n\n[[package]]\nname = \"jinja2\"\nversion = \"3.0.0\"\ngroups = [\"default\"]\n\n\
        [[package]]\nname = \"lib\"\nversion = \"1\"\npath = \"./lib\"\n";
    let pylock = "lock-version = \"1.0\"\ncreated-by = \"x\"\n\n[[packages]]\nname = \"jinja2\"\nversion = \"3.0.0\"\n\n\
        [[packages]]\nname = \"lib\"\ndirectory = { path = \".\", editable = true }\n";
    for (path, text) in [
        ("/srv/poetry.lock", poetry),
        ("/srv/uv.lock", uv),
        ("/srv/pdm.lock", pdm),
        ("/srv/pylock.toml", pylock),
        ("/srv/pylock.dev.toml", pylock),
    ] {
        assert_eq!(names(path, text), ["jinja2 3.0.0"], "{path}");
    }
    assert!(refusal("/srv/uv.lock", "version = 1\n[[package]]\nname = 2\n").contains("line 3"));
    assert!(format("/srv/pyproject.toml").is_none());
}

#[test]
fn pipfile_lock() {
    let lock = r#"{
      "_meta": {"hash": {"sha256": "01"}, "pipfile-spec": 6, "requires": {}, "sources": [{"name": "pypi"}]},
      "default": {"jinja2": {"hashes": ["sha256:01"], "version": "==3.0.0"}, "mine": {"editable": true, "path": "."}},
      "develop": {"Six": {"version": "==1.16.0"}, "git": {"git": "https://example.org/g.git", "ref": "01"}}
    }"#;
    assert_eq!(names("/srv/Pipfile.lock", lock), ["git ", "jinja2 3.0.0", "six 1.16.0"]);
    assert!(refusal("/srv/Pipfile.lock", r#"{"_meta": {}}"#).contains("default"));
}
