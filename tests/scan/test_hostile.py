"""Trees and container images that were made to harm their reader: they end with an answer, and lead nowhere outside."""

import gzip
import io
import json
import os
import pathlib
import random
import socket
import tarfile
import tempfile
import zipfile
import zlib

import pytest

import images
import trees

GIB = 1 << 30

# A package of the machine that scans; no target has it.
SECRET = "Package: secret\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n"
STATUS = "var/lib/dpkg/status"


@pytest.fixture
def host(tmp_path) -> pathlib.Path:
    """A system beside the target."""
    trees.write(tmp_path / "host/status", SECRET)
    trees.write(tmp_path / "host/package-lock.json", npm_lock("secret"))
    return tmp_path / "host"


def npm_lock(*names: str) -> str:
    packages = {f"node_modules/{name}": {"version": "4.17.20"} for name in names}
    return json.dumps({"lockfileVersion": 3, "packages": packages})


def links_to(host: pathlib.Path, tree: pathlib.Path) -> pathlib.Path:
    """A tree whose links lead to the host, by every way."""
    outside = "../" * 30 + str(host).lstrip("/")
    trees.write(tree / "etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
    for name, target in {
        STATUS: f"{outside}/status",
        "var/lib/dpkg/status.d/one": host / "status",
        "srv/up": outside,
        "srv/root": host,
        "srv/app/package-lock.json": f"{outside}/package-lock.json",
        "proc/self": host,
        "loop/one": "two",
        "loop/two": "../loop/one",
        "loop/self": ".",
        "usr/lib/sysimage/rpm": "../../../../../../../../var/lib/rpm",
        "var/lib/rpm": "../../usr/lib/sysimage/rpm",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(target)
    trees.write(tree / "srv/app/node/package-lock.json", npm_lock("lodash"))
    return tree


@pytest.mark.parametrize("kind", ["folder", "docker", "ext4", "squashfs", "xfs"])
def test_links_do_not_lead_out(kind, host, tmp_path, bounded):
    tree = links_to(host, tmp_path / "tree")
    make = {
        "folder": lambda: tree,
        "docker": lambda: images.docker([images.layer(tree)], tmp_path / "image.tar"),
        "ext4": lambda: images.ext(tree, tmp_path / "image"),
        "squashfs": lambda: images.squashfs(tree, tmp_path / "image"),
        "xfs": lambda: images.xfs(tree, tmp_path / "image"),
    }
    assert bounded(make[kind]()).packages() == {("lodash", "4.17.20")}


def test_a_root_that_is_a_link_inside_the_target(host, tmp_path, bounded):
    """Folders on the way to a database are links, too."""
    tree = tmp_path / "tree"
    trees.write(tree / "etc/os-release", "ID=debian\n")
    (tree / "var/lib").mkdir(parents=True)
    (tree / "var/lib/dpkg").symlink_to(host)
    (tree / "lib").symlink_to("../../../../../../../../../../")
    for options in ([], ["--projects", "vul"]):
        assert bounded(tree, *options).packages() == set()


def test_files_that_are_none_do_not_hang_the_scanner(tmp_path, bounded):
    tree = tmp_path / "tree"
    for name in ["etc/os-release", "etc/fstab", STATUS, "srv/package-lock.json", "var/lib/rpm/Packages"]:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(tree / name)
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(tree / "srv", os.O_RDONLY)
        # Names of sockets are short.
        listener.bind(f"/proc/self/fd/{folder}/Cargo.lock")
        os.close(folder)
        (tree / "srv/poetry.lock").symlink_to("/dev/zero")
        if os.geteuid() == 0:
            os.mknod(tree / "srv/yarn.lock", 0o20666, os.makedev(1, 5))
        trees.write(tree / "srv/app/package-lock.json", npm_lock("lodash"))
        assert bounded(tree).packages() == {("lodash", "4.17.20")}


def test_five_thousand_folders_in_each_other(bounded):
    # In memory, where removing them takes no time.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as target:
        down = os.open(target, os.O_RDONLY)
        for _ in range(5000):
            os.mkdir("d", dir_fd=down)
            below = os.open("d", os.O_RDONLY, dir_fd=down)
            os.close(down)
            down = below
        os.close(down)
        scanned = bounded(target)
        trees.run("rm", "-r", f"{target}/d")
    assert "128 folders" in scanned.problems(), scanned.told()


def test_a_layer_with_five_thousand_folders_in_each_other(tmp_path, bounded):
    scanned = bounded(docker(tmp_path, ["d/" * 5000 + "package-lock.json", "e/" * 500 + "package-lock.json"]))
    assert "too long" in scanned.problems() and "too deep" in scanned.problems(), scanned.told()
    assert len(scanned.text) < 20_000


def docker(folder: pathlib.Path, names: list[str | tarfile.TarInfo], content: str = SECRET) -> pathlib.Path:
    """An image of one layer with these entries; those that are names have the content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in names:
            if isinstance(entry, str):
                entry = tarfile.TarInfo(entry)
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return images.docker([buffer.getvalue()], folder / "image.tar")


def link(name: str, target: pathlib.Path | str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, str(target)
    return entry


def test_names_in_layers_stay_in_the_image(host, tmp_path, bounded):
    outside = "../" * 30 + str(host).lstrip("/")
    whiteouts = [".wh..", ".wh...", ".wh.", "a/.wh..."]
    names = [f"{outside}/new", f"{host}/new", "/var/lib/dpkg/../../../../../x", *whiteouts, "//", "..", ""]
    scanned = bounded(docker(tmp_path, names))
    assert scanned.packages() == set()
    assert not (host / "new").exists()
    assert "a whiteout of nothing" in scanned.problems(), scanned.told()


def test_hard_links_to_outside(host, tmp_path, bounded):
    outside = "../" * 30 + str(host / "status").lstrip("/")
    for target in (host / "status", outside, "var/lib/dpkg/status", "nothing"):
        scanned = bounded(docker(tmp_path, ["etc/debian_version", link(STATUS, target, tarfile.LNKTYPE)]))
        assert scanned.packages() == set()
        assert STATUS in scanned.problems(), scanned.told()


@pytest.mark.parametrize("field", ["Layers", "Config"])
def test_a_manifest_that_names_files_of_the_host(field, host, tmp_path, bounded):
    with tarfile.open(host / "layer.tar", "w") as tar:
        tar.add(host / "status", STATUS)
    for path in (str(host / "layer.tar"), "../" * 30 + str(host / "layer.tar").lstrip("/")):
        image = {"Config": "config.json", "Layers": ["layer.tar"], field: [path] if field == "Layers" else path}
        manifest = json.dumps([image])
        image = tmp_path / "image.tar"
        with tarfile.open(image, "w") as tar:
            for name, content in [("manifest.json", manifest), ("config.json", "{}")]:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content.encode()))
            tar.addfile(link("layer.tar", host / "layer.tar", tarfile.SYMTYPE))
        scanned = bounded(image)
        assert not scanned.report or scanned.packages() == set()
        assert scanned.code == 3 or scanned.report["problems"], scanned.told()


def test_a_layout_whose_blobs_are_links(host, tmp_path, bounded):
    tree = tmp_path / "tree"
    trees.write(tree / STATUS, SECRET)
    layout = images.oci([images.layer(tree)], tmp_path / "layout")
    for blob in (layout / "blobs/sha256").iterdir():
        blob.rename(host / blob.name)
        blob.symlink_to(host / blob.name)
    scanned = bounded(layout)
    assert not scanned.report or scanned.packages() == set()
    assert scanned.code == 3 or scanned.report["problems"]


def zeros(count: int) -> tuple[bytes, bytes]:
    """GiBs of zeros as raw deflate, made without packing them all; and what ends the stream."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflate.compress(bytes(1 << 20))
    deflate.flush(zlib.Z_FULL_FLUSH)
    # After a full flush, packed bytes need nothing before them: the same piece may be repeated.
    piece = deflate.compress(bytes(1 << 26)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return piece * (count * 16), b"\x03\x00"


def test_a_layer_bomb(tmp_path, bounded):
    head = tarfile.TarInfo("bomb")
    head.size = 7 * GIB
    body, end = zeros(8)
    start = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = start.compress(head.tobuf()) + start.flush(zlib.Z_FULL_FLUSH)
    layer = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + first + body + end + bytes(8)
    scanned = bounded(images.docker([layer], tmp_path / "image.tar"))
    assert "200 times longer by unpacking" in scanned.problems(), scanned.told()


def test_zip_bombs(tmp_path, bounded):
    """Files that unpack to GiBs, archives in archives in archives, and an archive without end."""
    app = tmp_path / "app"
    app.mkdir()
    body, end = zeros(4)
    for name in ["META-INF/MANIFEST.MF", "META-INF/maven/a/b/pom.properties", "lib/inner.jar"]:
        zip_of(app / f"{name.replace('/', '-')}.jar", name, body + end, 4 * GIB - 1)
    inner = b""
    for depth in range(30):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", f"Implementation-Title: a{depth}\nImplementation-Version: 1\n")
            jar.writestr("inner.jar", inner)
        inner = buffer.getvalue()
    (app / "nested.jar").write_bytes(inner)
    # All entries are the same bytes.
    with zipfile.ZipFile(app / "wide.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        for number in range(20_000):
            jar.writestr(f"{number}.jar", inner)
    told = bounded(app).told()
    for name in ["MANIFEST.MF.jar", "pom.properties.jar", "inner.jar.jar", "nested.jar", "wide.jar"]:
        assert name in told, told[:2000]


def zip_of(path: pathlib.Path, name: str, packed: bytes, length: int) -> None:
    """An archive of one file whose packed bytes are given."""
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr(zipfile.ZipInfo(name), packed)
        jar.infolist()[0].compress_type = zipfile.ZIP_DEFLATED
        jar.infolist()[0].file_size = length
    # The method in the entry's own head.
    with path.open("r+b") as file:
        file.seek(8)
        file.write(b"\x08\x00")


DEEP = 1_000_000
LOCKS = {
    "package-lock.json": lambda: "[" * (100 << 20),
    "composer.lock": lambda: '{"packages":' * DEEP,
    "Pipfile.lock": lambda: '{"default":{"a":' + "[" * DEEP + "]" * DEEP + "}}",
    "packages.lock.json": lambda: '{"dependencies":{"net8.0":' + '{"a":' * DEEP + "}" * DEEP + "}}",
    "app.deps.json": lambda: '{"libraries":' + '{"a/1":' * DEEP,
    "bun.lock": lambda: '{"packages":{"a":' + "[" * DEEP,
    "node_modules/a/package.json": lambda: '{"name":"a","version":' + "[" * DEEP,
    "pnpm-lock.yaml": lambda: "lockfileVersion: '9.0'\npackages: " + "{a: " * DEEP,
    "deep/pnpm-lock.yaml": lambda: "packages:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 4000)),
    "yarn.lock": lambda: '"a@1":\n  version "' + "a" * (80 << 20),
    "poetry.lock": lambda: "[[package]]\nname = " + "[" * DEEP,
    "uv.lock": lambda: "[[package]]\nname = " + "{a = " * DEEP,
    "Gemfile.lock": lambda: "GEM\n  specs:\n" + "    a (" + "(" * DEEP,
    "packages.config": lambda: "<packages>" + "<package>" * DEEP,
    "app.csproj": lambda: '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + "<Project>" * DEEP,
    "requirements.txt": lambda: "-r requirements.txt\n" * 1000 + "a==" + "1" * DEEP,
    "go.sum": lambda: "a" * (80 << 20),
    "go.mod": lambda: "require (" * DEEP,
    "deep/Cargo.lock": lambda: "[[package]]\nname = " + "[" * DEEP,
}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_that_nest_or_do_not_end(name, tmp_path, bounded):
    trees.write(tmp_path / "tree" / name, LOCKS[name]())
    scanned = bounded(tmp_path / "tree")
    assert name in scanned.problems(), scanned.told()[:2000]


def test_a_million_packages(tmp_path, bounded):
    package = '[[package]]\nname = "p{}"\nversion = "1.0.0"\n\n'
    trees.write(tmp_path / "tree/Cargo.lock", "version = 3\n\n" + "".join(map(package.format, range(1_000_000))))
    assert "Cargo.lock" in bounded(tmp_path / "tree").problems()


@pytest.mark.parametrize("name", ["Packages", "Packages.db", "rpmdb.sqlite"])
def test_databases_of_rpm_with_noise(name, tmp_path, bounded):
    noise = random.Random(name)
    heads = {
        "Packages": bytes(12) + b"\x61\x15\x06\x00\x09",
        "Packages.db": b"RpmP",
        "rpmdb.sqlite": b"SQLite format 3\0\x10\x00\x01\x01\0\x40\x20\x20",
    }
    for head in (b"", heads[name]):
        tree = tmp_path / f"tree{len(head)}"
        trees.write(tree / "etc/os-release", 'ID=fedora\nVERSION_ID="40"\n')
        (tree / "var/lib/rpm").mkdir(parents=True)
        (tree / "var/lib/rpm" / name).write_bytes(head + noise.randbytes(4 << 20))
        scanned = bounded(tree)
        assert scanned.packages() == set()
        assert name in scanned.problems()


def test_limits_name_what_happened(tmp_path, bounded, scan):
    """More in memory than there is memory, and more work than there is time."""
    (tmp_path / "large").mkdir()
    # What is no text is copied.
    (tmp_path / "large/pnpm-lock.yaml").write_bytes(b"lockfileVersion: '9.0'\n" + b"a" * (60 << 20) + b"\xff")
    small = bounded(tmp_path / "large", "--max-memory", "64M", "--threads", "1")
    assert "memory" in small.problems(), small.told()
    zeros = zipped(tmp_path / "slow", 40)
    late = bounded(zeros, "--timeout", "100ms")
    assert "longer than 100ms" in late.told(), late.told()
    assert scan(zeros, "--timeout", "100ms", "--fail-on-incomplete").code in (3, 4)


def zipped(folder: pathlib.Path, count: int) -> pathlib.Path:
    """Archives whose archives take their time to unpack."""
    folder.mkdir()
    for number in range(count):
        with zipfile.ZipFile(folder / f"{number}.jar", "w", zipfile.ZIP_DEFLATED) as jar:
            jar.writestr("inner.jar", random.Random(number).randbytes(1 << 16) * 32)
    return folder
