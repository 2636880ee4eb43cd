use super::*;

fn list(go: &str, list: &str) -> Vec<String> {
    let mut names = Vec::new();
    packages(go.as_bytes(), list.as_bytes(), &mut |found| {
        if let Found::Package(package) = found {
            names.push(format!("{} {}", package.name, package.version).trim().to_owned());
        }
    });
    names
}

#[test]
fn modules_with_their_replacements() {
    let modules = "path\texample.com/tool/cmd\nmod\texample.com/tool\tv1.2.3\th1:a=\n\
        dep\tgithub.com/a/b\tv1.0.0\th1:b=\ndep\tgithub.com/old/c\tv1.1.0\n=>\tgithub.com/new/c\tv1.1.1\th1:c=\n\
        dep\tgithub.com/local/d\tv1.0.0\n=>\t./d\t(devel)\t\n\
        dep\tgopkg.in/e.v2\tv2.0.0+incompatible\th1:e=\ndep\tgolang.org/x/net\tv0.0.0-20210226172049-e18ecbb05110\n\
        build\t-compiler=gc\nbuild\tvcs.revision=1234\n";
    let expected = [
        "stdlib 1.20.3",
        "example.com/tool 1.2.3",
        "github.com/a/b 1.0.0",
        "github.com/new/c 1.1.1",
        "github.com/local/d",
        "gopkg.in/e.v2 2.0.0+incompatible",
        "golang.org/x/net 0.0.0-20210226172049-e18ecbb05110",
    ];
    assert_eq!(list("go1.20.3", modules), expected);
    assert_eq!(list("", "mod\texample.com/tool\t(devel)\t\n"), ["example.com/tool"]);
    let built = "mod\texample.com/tool\t(devel)\t\nbuild\t-ldflags=\"-s -X main.version=v1.2.3\"\n";
    assert_eq!(list("", built), ["example.com/tool 1.2.3"]);
    let of_go = "path\tcmd/go\nbuild\t-compiler=gc\n";
    assert_eq!(list("go1.20.3", of_go), ["toolchain 1.20.3", "stdlib 1.20.3"]);
    assert!(list("", "=>\nmod\ndep\t\n\n").is_empty());
}

#[test]
fn versions_of_the_library() {
    let table = [
        ("go1.20.3", Some("1.20.3")),
        ("go1.20", Some("1.20.0")),
        ("go1.21rc2", Some("1.21.0-rc.2")),
        ("go1.9beta1", Some("1.9.0-beta.1")),
        ("go1.19.4 X:boringcrypto", Some("1.19.4")),
        ("go1.20.12 (Red Hat 1.20.12-1.el9)", Some("1.20.12")),
        ("go1.22.5-1", Some("1.22.5")),
        ("devel go1.22-1a2b3c Tue", None),
        ("go", None),
        ("1.20", None),
    ];
    for (written, expected) in table {
        assert_eq!(library_version(written).as_deref(), expected, "{written}");
    }
}
