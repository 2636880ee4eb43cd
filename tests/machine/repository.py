"""A repository of Debian packages on loopback, with packages that are made for the test."""

import functools
import hashlib
import http.server
import pathlib
import subprocess
import threading

from machine import HOST

# What apt is told of a suite; by this a system tells security updates from others.
SUITES = {
    "bookworm": "Origin: Debian\nLabel: Debian\nSuite: oldstable\nCodename: bookworm\n",
    "bookworm-security": (
        "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\n"
    ),
}
INDEX = "main/binary-all/Packages"


class Repository:
    """Two suites, empty at first."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._work = folder / "work"
        self._packages: dict[str, str] = dict.fromkeys(SUITES, "")
        for suite in SUITES:
            self._write(suite)
        handler = functools.partial(Handler, directory=str(folder))
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def sources(self) -> str:
        """Lines for the `sources.list` of the guest. Nothing is signed, and apt is told to bear it."""
        url = f"http://{HOST}:{self._http.server_port}"
        return "".join(f"deb [trusted=yes arch=amd64,all] {url} {suite} main\n" for suite in SUITES)

    def publish(self, name: str, version: str, suite: str = "bookworm", **scripts: str) -> None:
        """Makes a package that holds `/usr/share/NAME/version`, and offers it. Its scripts are named as dpkg does."""
        root = self._work / f"{name}_{version}"
        (root / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: test <test@localhost>\n"
        control += "Section: misc\nPriority: optional\nDescription: made for a test\n"
        (root / "DEBIAN/control").write_text(control)
        for script, text in scripts.items():
            (root / "DEBIAN" / script).write_text(f"#!/bin/sh\nset -e\n{text}\n")
            (root / "DEBIAN" / script).chmod(0o755)
        (root / f"usr/share/{name}").mkdir(parents=True)
        (root / f"usr/share/{name}/version").write_text(f"{version}\n")

        path = self._folder / f"pool/{name}_{version}_all.deb"
        path.parent.mkdir(exist_ok=True)
        build = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(path))
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        file = path.read_bytes()
        place = f"Filename: pool/{path.name}\nSize: {len(file)}\nSHA256: {hashlib.sha256(file).hexdigest()}\n"
        self._packages[suite] += control + place + "\n"
        self._write(suite)

    def _write(self, suite: str) -> None:
        """The index of a suite, and the file that names it."""
        index = self._packages[suite].encode()
        dist = self._folder / "dists" / suite
        (dist / INDEX).parent.mkdir(parents=True, exist_ok=True)
        (dist / INDEX).write_bytes(index)
        listed = f" {hashlib.sha256(index).hexdigest()} {len(index)} {INDEX}\n"
        header = "Date: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: all\nComponents: main\n"
        (dist / "Release").write_text(f"{SUITES[suite]}{header}SHA256:\n{listed}")

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps silent about it."""

    def log_message(self, *arguments):
        pass
