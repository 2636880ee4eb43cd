use super::*;

fn package(kind: Kind, name: &str, version: &str, architecture: &str) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        ..Package::default()
    }
}

/// The forms are those of the examples and the test suite of the specification.
#[test]
fn of_every_type() {
    let table = [
        (
            Kind::Deb,
            "curl",
            "7.50.3-1",
            "i386",
            "debian",
            "12",
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=debian-12",
        ),
        (
            Kind::Deb,
            "openssl",
            "3.0.11-1~deb12u2",
            "amd64",
            "debian",
            "12",
            "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
        ),
        (
            Kind::Deb,
            "attr",
            "1:2.4.47-2+b1",
            "amd64",
            "debian",
            "",
            "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=debian",
        ),
        (
            Kind::Deb,
            "g++",
            "4:12.2.0-3",
            "",
            "ubuntu",
            "22.04",
            "pkg:deb/ubuntu/g%2B%2B@4:12.2.0-3?distro=ubuntu-22.04",
        ),
        (
            Kind::Rpm,
            "curl",
            "7.50.3-1.fc25",
            "i386",
            "fedora",
            "25",
            "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25",
        ),
        (
            Kind::Rpm,
            "centerim",
            "1:4.22.10-1.el6",
            "i686",
            "",
            "",
            "pkg:rpm/centerim@4.22.10-1.el6?arch=i686&epoch=1",
        ),
        (
            Kind::Rpm,
            "Mixed",
            "0:1-1",
            "noarch",
            "rhel",
            "9.4",
            "pkg:rpm/redhat/Mixed@1-1?arch=noarch&distro=rhel-9.4",
        ),
        (
            Kind::Rpm,
            "zypper",
            "1.14-1",
            "",
            "opensuse-leap",
            "15.6",
            "pkg:rpm/opensuse/zypper@1.14-1?distro=opensuse-leap-15.6",
        ),
        (
            Kind::Apk,
            "apk",
            "2.12.9-r3",
            "x86",
            "alpine",
            "3.16.0",
            "pkg:apk/alpine/apk@2.12.9-r3?arch=x86&distro=alpine-3.16.0",
        ),
        (Kind::Cargo, "rand", "0.7.2", "", "debian", "12", "pkg:cargo/rand@0.7.2"),
        (Kind::Npm, "foobar", "12.3.1", "", "", "", "pkg:npm/foobar@12.3.1"),
        (Kind::Npm, "@Angular/animation", "12.3.1", "", "", "", "pkg:npm/%40angular/animation@12.3.1"),
        (Kind::Pypi, "Django_package", "1.11.1.dev1", "", "", "", "pkg:pypi/django-package@1.11.1.dev1"),
        (Kind::Pypi, "zope.__interface", "1!2+a", "", "", "", "pkg:pypi/zope-interface@1%212%2Ba"),
        (
            Kind::Golang,
            "github.com/Masterminds/semver/v3",
            "3.1.0",
            "",
            "",
            "",
            "pkg:golang/github.com/masterminds/semver/v3@v3.1.0",
        ),
        (
            Kind::Golang,
            "gopkg.in/x.v2",
            "2.0.0+incompatible",
            "",
            "",
            "",
            "pkg:golang/gopkg.in/x.v2@v2.0.0%2Bincompatible",
        ),
        (Kind::Golang, "stdlib", "1.20.3", "", "", "", "pkg:golang/stdlib@1.20.3"),
        (Kind::Golang, "example.com/app", "", "", "", "", "pkg:golang/example.com/app"),
        (
            Kind::Maven,
            "org.apache.xmlgraphics:batik-anim",
            "1.9.1",
            "",
            "",
            "",
            "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1",
        ),
        (Kind::Gem, "ruby-advisory-db-check", "0.12.4", "", "", "", "pkg:gem/ruby-advisory-db-check@0.12.4"),
        (Kind::Composer, "Laravel/Laravel", "5.5.0", "", "", "", "pkg:composer/laravel/laravel@5.5.0"),
        (
            Kind::Nuget,
            "EnterpriseLibrary.Common",
            "6.0.1304",
            "",
            "",
            "",
            "pkg:nuget/EnterpriseLibrary.Common@6.0.1304",
        ),
    ];
    for (kind, name, version, architecture, os_id, os_version, expected) in table {
        assert_eq!(purl(&package(kind, name, version, architecture), os_id, os_version), expected);
    }
}

/// Whatever a package calls itself, its URL has the separators only where they belong.
#[test]
fn what_would_be_a_separator_is_encoded() {
    let url = purl(&package(Kind::Cargo, "a/b@c?d#e%f g\n\u{e4}", "1?x=y", ""), "", "");
    assert_eq!(url, "pkg:cargo/a%2Fb%40c%3Fd%23e%25f%20g%0A%C3%A4@1%3Fx%3Dy");
    let url = purl(&package(Kind::Golang, "..//a/./b", "", ""), "", "");
    assert_eq!(url, "pkg:golang/a/b");
}
