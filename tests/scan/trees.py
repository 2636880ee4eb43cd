"""File trees of small systems, each in a vulnerable form and in a fixed one, and the advisories that tell them apart.

Names, versions and ids are those of real advisories, so that an order of versions that is wrong shows.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GUARDHOUSE_BIN", str(ROOT / "target/debug/guardhouse"))


@dataclasses.dataclass(frozen=True)
class Case:
    """A package in two versions, and the advisory that is about the first of them."""

    package: str
    vulnerable: str
    fixed: str
    advisory: str


DEBIAN = [
    Case("libssl3", "3.0.11-1~deb12u1", "3.0.11-1~deb12u2", "CVE-2023-5363"),
    Case("openssh-server", "1:9.2p1-2", "1:9.2p1-2+deb12u3", "CVE-2024-6387"),
]
ALPINE = [Case("busybox", "1.36.1-r27", "1.36.1-r29", "CVE-2023-42364")]
ROCKY = [Case("glibc", "2.28-236.el8.7", "2.28-236.el8_9.13", "RLSA-2024:2722")]
LANGUAGES = [
    Case("lodash", "4.17.20", "4.17.21", "GHSA-35jh-r3h4-6jhm"),
    Case("requests", "2.30.0", "2.31.0", "GHSA-j8r2-6x86-q33q"),
    Case("org.apache.logging.log4j:log4j-core", "2.14.1", "2.17.1", "GHSA-jfh8-c2jp-5v3q"),
    Case("time", "0.1.43", "0.2.23", "RUSTSEC-2020-0071"),
]


def debian(tree: pathlib.Path, *, fixed: bool) -> list[Case]:
    """A Debian 12 with an application."""
    write(tree / "etc/os-release", 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n')
    write(tree / "etc/fstab", "")
    stanzas = [
        f"Package: {case.package}\nStatus: install ok installed\nArchitecture: amd64\n"
        f"Source: {'openssl' if case.package == 'libssl3' else 'openssh'}\n"
        f"Version: {version(case, fixed)}\nDescription: a package\n"
        for case in DEBIAN
    ]
    gone = "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0-1\n"
    write(tree / "var/lib/dpkg/status", "\n".join([*stanzas, gone]))
    application(tree / "srv/app", fixed=fixed)
    return [*DEBIAN, *LANGUAGES]


def alpine(tree: pathlib.Path, *, fixed: bool) -> list[Case]:
    """An Alpine 3.19 with an application."""
    write(tree / "etc/os-release", 'ID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"\n')
    [busybox] = ALPINE
    write(
        tree / "lib/apk/db/installed",
        f"C:Q1pO4Xb8C=\nP:ssl_client\nV:{version(busybox, fixed)}\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\n"
        f"C:Q1abcdef8=\nP:busybox\nV:{version(busybox, fixed)}\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\n",
    )
    application(tree / "srv/app", fixed=fixed)
    return [*ALPINE, *LANGUAGES]


def rocky(tree: pathlib.Path, work: pathlib.Path, *, fixed: bool) -> list[Case]:
    """A Rocky Linux 8 with the package database that rpm itself writes."""
    write(tree / "etc/os-release", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.9"\n')
    [glibc] = ROCKY
    number, _, release = version(glibc, fixed).partition("-")
    work.mkdir(parents=True)
    spec = work / "glibc.spec"
    write(
        spec,
        f"Name: glibc\nVersion: {number}\nRelease: {release}\nSummary: a package\nLicense: LGPLv2+\n"
        "BuildArch: noarch\n%description\n.\n%files\n",
    )
    run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {work}/build", spec)
    [package] = (work / "build/RPMS").rglob("*.rpm")
    database = tree / "var/lib/rpm"
    database.mkdir(parents=True)
    run("rpm", "--dbpath", database, "--initdb")
    run("rpm", "--dbpath", database, "--install", "--justdb", "--nodeps", "--ignorearch", "--ignoreos", package)
    return ROCKY


def application(folder: pathlib.Path, *, fixed: bool) -> None:
    """Dependencies in four languages: a lock file each of npm and Cargo, installed metadata, and a jar in a jar."""
    lodash, requests, log4j, time = (version(case, fixed) for case in LANGUAGES)
    lock = {
        "name": "app",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "packages": {"": {"name": "app"}, "node_modules/lodash": {"version": lodash, "license": "MIT"}},
    }
    write(folder / "package-lock.json", json.dumps(lock))
    metadata = f"Metadata-Version: 2.1\nName: requests\nVersion: {requests}\nLicense: Apache 2.0\n\nText.\n"
    write(folder / f"venv/lib/python3.11/site-packages/requests-{requests}.dist-info/METADATA", metadata)
    write(
        folder / "Cargo.lock",
        'version = 3\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n\n[[package]]\nname = "time"\n'
        f'version = "{time}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
    )
    inner = folder / "log4j-core.jar"
    with zipfile.ZipFile(inner, "w") as jar:
        where = "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties"
        jar.writestr(where, f"groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion={log4j}\n")
    with zipfile.ZipFile(folder / "app.war", "w", zipfile.ZIP_DEFLATED) as war:
        war.write(inner, "WEB-INF/lib/log4j-core.jar")
    inner.unlink()


def advisories(folder: pathlib.Path) -> None:
    """All advisories that are spoken of here, each in the form in which its publisher hands it out."""
    libssl, ssh = DEBIAN
    released = {"repositories": {"bookworm": "x"}, "urgency": "not yet assigned"}
    tracker = {
        "openssl": {libssl.advisory: tracked(libssl, released)},
        "openssh": {
            ssh.advisory: tracked(ssh, released),
            "CVE-1999-0001": {"releases": {"bookworm": {**released, "status": "resolved", "fixed_version": "0"}}},
        },
    }
    write(folder / "debian.json", json.dumps(tracker))
    [busybox] = ALPINE
    secdb = {
        "distroversion": "v3.19",
        "reponame": "main",
        "packages": [{"pkg": {"name": "busybox", "secfixes": {busybox.fixed: [busybox.advisory]}}}],
    }
    write(folder / "alpine-main.json", json.dumps(secdb))
    ecosystems = ["npm", "PyPI", "Maven", "crates.io"]
    for case, ecosystem in [*zip(LANGUAGES, ecosystems), *((case, "Rocky Linux:8") for case in ROCKY)]:
        osv = {
            "schema_version": "1.6.0",
            "id": case.advisory,
            "modified": "2024-05-01T00:00:00Z",
            "summary": f"{case.package} is vulnerable",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [
                {
                    "package": {"ecosystem": ecosystem, "name": case.package},
                    "ranges": [
                        {
                            "type": "SEMVER" if ecosystem in ("npm", "crates.io") else "ECOSYSTEM",
                            "events": [{"introduced": "0"}, {"fixed": case.fixed}],
                        }
                    ],
                }
            ],
        }
        write(folder / "osv" / f"{case.advisory.replace(':', '_')}.json", json.dumps(osv))


def tracked(case: Case, released: dict) -> dict:
    """An entry of Debian's tracker."""
    releases = {"bookworm": {**released, "status": "resolved", "fixed_version": case.fixed}}
    return {"description": f"{case.package} is vulnerable", "releases": releases}


def version(case: Case, fixed: bool) -> str:
    return case.fixed if fixed else case.vulnerable


def write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(*arguments) -> str:
    """Runs a program of the system; shows what it said when it fails."""
    arguments = [str(argument) for argument in arguments]
    assert shutil.which(arguments[0]), f"{arguments[0]} is not installed; scripts/test installs it on a Debian"
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
