"""Fixtures: trees, the advisories about them, and `guardhouse scan`."""

import json
import os
import pathlib
import subprocess
import typing

import pytest

import trees

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GUARDHOUSE_BIN", str(ROOT / "target/debug/guardhouse"))


class Scan(typing.NamedTuple):
    """How a scan ended, and its report where it was asked for as JSON."""

    code: int
    report: dict
    text: str
    errors: str

    def findings(self) -> set[tuple[str, str, str]]:
        """What counts: package, installed version, advisory or one of its other names."""
        found = set()
        for finding in self.report["findings"]:
            if not finding["suppressed"]:
                package = self.report["systems"][finding["system"]]["packages"][finding["package"]]
                found.add((package["name"], package["version"], finding["advisory"]))
        return found

    def packages(self) -> set[tuple[str, str]]:
        return {(package["name"], package["version"]) for system in self.report["systems"] for package in system["packages"]}

    def problems(self) -> str:
        return json.dumps(self.report["problems"])


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> pathlib.Path:
    """A store with the advisories of `trees`."""
    folder = tmp_path_factory.mktemp("advisories")
    trees.advisories(folder)
    store = folder / "advisories.db"
    for source in [folder / "debian.json", folder / "alpine-main.json", folder / "osv"]:
        trees.run(BINARY, "advisories", "import", "--advisories", store, source)
    return store


@pytest.fixture
def scan(store) -> typing.Callable[..., Scan]:
    """Scans a target. Without a `--format`, the report is read."""

    def scan(target: pathlib.Path, *options) -> Scan:
        form = [] if "--format" in options else ["--format", "json"]
        chosen = [] if "--advisories" in options else ["--advisories", store]
        command = [BINARY, "scan", target, *chosen, *form, *options]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, check=False)
        report = json.loads(done.stdout) if form and done.stdout else {}
        return Scan(done.returncode, report, done.stdout, done.stderr)

    return scan
