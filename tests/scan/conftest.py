"""Fixtures: trees, the advisories about them, and `guardhouse scan`."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import typing

import pytest

import trees


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

    def told(self) -> str:
        """Everything that is said beside packages and findings."""
        parts = [*self.report.get("volumes", []), *self.report.get("systems", [])]
        notes = [note for part in parts for note in part["notes"]]
        return "\n".join([json.dumps(self.report.get("problems", [])), *notes, self.errors])


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> pathlib.Path:
    """A store with the advisories of `trees`."""
    folder = tmp_path_factory.mktemp("advisories")
    trees.advisories(folder)
    store = folder / "advisories.db"
    for source in [folder / "debian.json", folder / "alpine-main.json", folder / "osv"]:
        trees.run(trees.BINARY, "advisories", "import", "--advisories", store, source)
    return store


@pytest.fixture
def scan(store) -> typing.Callable[..., Scan]:
    """Scans a target. Without a `--format`, the report is read."""

    def scan(target: pathlib.Path, *options) -> Scan:
        form = [] if "--format" in options else ["--format", "json"]
        chosen = [] if "--advisories" in options else ["--advisories", store]
        command = [trees.BINARY, "scan", target, *chosen, *form, *options]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, check=False)
        report = json.loads(done.stdout) if form and done.stdout else {}
        return Scan(done.returncode, report, done.stdout, done.stderr)

    return scan


# What a scan of a hostile target may cost: far more than it does, far less than the target asks for.
SECONDS = 60
MEMORY = 1 << 30


@pytest.fixture
def bounded(store) -> typing.Callable[..., Scan]:
    """Scans a hostile target: it ends in time, with a bounded use of memory, with an exit code and not with a signal."""

    def bounded(target: pathlib.Path, *options) -> Scan:
        command = [trees.BINARY, "scan", target, "--advisories", store, "--format", "json", *options]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=errors)
            late = threading.Timer(SECONDS, process.kill)
            late.start()
            # The scanning process counts, too: its parent has waited for it.
            _, status, usage = os.wait4(process.pid, 0)
            late.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            errors.seek(0)
            text, said = out.read(), errors.read()
        assert process.returncode in (0, 3), f"it ended with {process.returncode} (-9: after {SECONDS} s)\n{said}"
        assert usage.ru_maxrss << 10 < MEMORY, f"{usage.ru_maxrss >> 10} MiB"
        return Scan(process.returncode, json.loads(text) if text else {}, text, said)

    return bounded
