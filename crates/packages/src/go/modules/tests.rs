use super::*;
use crate::testing::{File, names, read};

const MOD: &str = "// A comment\nmodule example.com/app // the name\n\ngo 1.21.3\n\ntoolchain go1.22.0\n\n\
    require github.com/a/b v1.0.0\n\nrequire (\n\tgithub.com/old/c v1.1.0\n\tgithub.com/local/d v1.0.0 // indirect\n\t\
    \"gopkg.in/e.v2\" v2.0.0+incompatible\n\tgithub.com/f/f v1.5.0\n)\n\nexclude github.com/a/b v0.9.0\n\nreplace (\n\t\
    github.com/old/c => github.com/new/c v1.1.1\n\tgithub.com/local/d v1.0.0 => ../d\n\t\
    github.com/f/f v1.4.0 => github.com/fork/f v1.4.1\n)\n\nretract [v1.0.0, v1.0.5]\n";

#[test]
fn modules_with_their_replacements() {
    let expected = [
        "github.com/a/b 1.0.0",
        "github.com/f/f 1.5.0",
        "github.com/local/d",
        "github.com/new/c 1.1.1",
        "gopkg.in/e.v2 2.0.0+incompatible",
    ];
    assert_eq!(names(&GO_MOD, MOD.as_bytes()), (expected.map(str::to_owned).to_vec(), String::new()));
}

#[test]
fn an_older_go_names_only_what_is_used_directly() {
    let origin = |bytes: &[u8]| {
        let outcome = read(&GO_MOD, "/go.mod", File { bytes, ..File::default() });
        outcome.packages.first().map(|package| package.origin)
    };
    for (version, expected) in [
        ("go 1.17", Origin::Locked),
        ("go 1.16", Origin::Declared),
        ("", Origin::Declared),
        ("go 1.21rc2", Origin::Locked),
    ] {
        let bytes = format!("module m\n{version}\nrequire a.b/c v1.0.0\n");
        assert_eq!(origin(bytes.as_bytes()), Some(expected), "{version}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let table = [
        ("module m\nrequire a.b/c\n", "line 2: this is not how require is written"),
        ("module m\nreplace a.b/c v1\n", "line 2: this is not how replace is written"),
        ("replace (\na => b c d\n)\n", "line 2: this is not how replace is written"),
        ("go 1.2 3\n", "line 1: this is not how go is written"),
    ];
    for (bytes, message) in table {
        assert_eq!(names(&GO_MOD, bytes.as_bytes()), (vec![], message.to_owned()));
    }
}

/// With a complete `go.mod` beside it, `go.sum` adds nothing; with one of an older Go, what that does not name.
#[test]
fn checksums_where_go_mod_is_not_complete() {
    let sums = "github.com/a/b v1.0.0 h1:x=\ngithub.com/a/b v1.0.0/go.mod h1:x=\ngithub.com/z/z v0.1.0 h1:x=\n\
        github.com/looked/at v1.0.0/go.mod h1:x=\n\n";
    let found = |beside: Option<&str>| {
        let siblings = beside.map(|text| ("go.mod", text.as_bytes().to_vec())).into_iter().collect();
        let outcome = read(&GO_SUM, "/go.sum", File { bytes: sums.as_bytes(), siblings, ..File::default() });
        assert_eq!(outcome.error, "");
        outcome
            .packages
            .into_iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(None), ["github.com/a/b 1.0.0", "github.com/z/z 0.1.0"]);
    assert_eq!(found(Some(MOD)), [""; 0]);
    assert_eq!(found(Some("module m\ngo 1.12\nrequire github.com/a/b v1.0.0\n")), ["github.com/z/z 0.1.0"]);
    assert_eq!(names(&GO_SUM, b"a v1 h1:x\nb\n").1, "line 2: not a module, a version and a checksum");
}

#[test]
fn claims_those_of_projects_only() {
    let claimed = |path: &str| (GO_MOD.claims)(&Claim { path: path.as_bytes(), size: 1, executable: false });
    assert!(claimed("/srv/app/go.mod"));
    assert!(!claimed("/root/go/pkg/mod/github.com/a/b@v1.0.0/go.mod"));
    assert!(!claimed("/usr/share/gocode/src/github.com/a/b/go.mod"));
    assert!(!claimed("/srv/app/vendor/github.com/a/b/go.mod"));
}
