"""Disks that were made to harm their reader: sizes of petabytes, tables and volumes that lead back, damaged heads."""

import random
import struct
import zlib

import pytest

import images
import trees

LODASH = ("lodash", "4.17.20")
SECTOR = 512


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    trees.debian(tree, fixed=False)
    return tree


@pytest.fixture(scope="module")
def ext4(tree):
    return images.ext(tree, tree.with_suffix(".ext4"))


@pytest.mark.parametrize(("kind", "size"), [("raw", 1 << 50), ("qcow2", 1 << 50), ("vhdx", 64 << 40)])
def test_disks_of_petabytes(kind, size, ext4, tmp_path, bounded):
    """All of it but some megabytes is holes; what is there is found."""
    disk = images.partitioned([ext4], tmp_path / "disk.raw")
    if kind == "raw":
        with disk.open("r+b") as file:
            # As large as the file system that the test runs on takes.
            while size > 1 << 40:
                try:
                    file.truncate(size)
                    break
                except OSError:
                    size //= 2
        assert LODASH in bounded(disk).packages()
        return
    image = tmp_path / f"image.{kind}"
    trees.run("qemu-img", "create", "-q", "-f", kind, image, str(size))
    trees.run("qemu-img", "convert", "-n", "-O", kind, disk, image)
    assert LODASH in bounded(image).packages()


def test_a_head_that_claims_more_than_there_can_be(ext4, tmp_path, bounded):
    image = images.converted(images.partitioned([ext4], tmp_path / "disk.raw"), tmp_path / "image.qcow2", "qcow2")
    head = image.read_bytes()[:104]
    # The size, the length of the first table, both, and the size of a cluster.
    huge = b"\x7f" + b"\xff" * 7
    changes_of = [{24: huge}, {36: b"\xff" * 4}, {24: huge, 36: b"\xff" * 4}, {20: b"\0\0\0\x3f"}]
    for number, changes in enumerate(changes_of):
        changed = bytearray(head)
        for at, value in changes.items():
            changed[at : at + len(value)] = value
        hostile = tmp_path / f"{number}.qcow2"
        hostile.write_bytes(bytes(changed) + image.read_bytes()[104:])
        scanned = bounded(hostile)
        assert scanned.code == 3 or scanned.report["problems"] or LODASH in scanned.packages()


def test_files_of_terabytes(tree, tmp_path, bounded):
    image = images.ext(tree, tmp_path / "image")
    for file in ("/srv/app/package-lock.json", "/srv/app/app.war", "/var/lib/dpkg/status", "/etc/os-release"):
        trees.run("debugfs", "-w", "-R", f"sif {file} size {8 << 40}", image)
    scanned = bounded(image)
    for file in ("package-lock.json", "app.war", "dpkg/status"):
        assert file in scanned.problems(), scanned.told()


def test_extended_partitions_in_a_circle(ext4, tmp_path, bounded):
    disk = images.partitioned([ext4], tmp_path / "disk.raw", "dos")
    start = 2048 + ext4.stat().st_size // SECTOR
    with disk.open("r+b") as file:
        file.truncate((start + 8192) * SECTOR)
        file.seek(446 + 16)
        file.write(partition(5, start, 8192))
        # Each points to a partition, and to the other one.
        for here, there in ((0, 2048), (2048, 0)):
            file.seek((start + here) * SECTOR + 446)
            file.write(partition(0x83, 64, 64) + partition(5, there, 2048))
            file.seek((start + here) * SECTOR + 510)
            file.write(b"\x55\xaa")
    scanned = bounded(disk)
    assert LODASH in scanned.packages()
    assert len(scanned.report["volumes"]) < 10
    assert scanned.told().strip() not in ("", "[]"), scanned.told()


def partition(kind: int, start: int, sectors: int) -> bytes:
    return struct.pack("<4xB3xII", kind, start, sectors)


@pytest.mark.parametrize("change", [{80: 0xFFFFFFFF}, {84: 0}, {84: 0x80000000}, {72: 0}, {12: 0xFFFFFFFF}])
def test_tables_of_partitions_that_do_not_end(change, ext4, tmp_path, bounded):
    disk = images.partitioned([ext4], tmp_path / "disk.raw")
    length = disk.stat().st_size
    with disk.open("r+b") as file:
        for place in (SECTOR, length - SECTOR):
            file.seek(place)
            head = bytearray(file.read(92))
            for at, value in change.items():
                struct.pack_into("<I", head, at, value)
            struct.pack_into("<I", head, 16, 0)
            struct.pack_into("<I", head, 16, zlib.crc32(head))
            file.seek(place)
            file.write(head)
    scanned = bounded(disk)
    assert scanned.code == 3 or scanned.report["problems"] or LODASH in scanned.packages(), scanned.told()


LVM = """vg {{ id = "vg" seqno = 1 status = ["READ"] extent_size = 128
physical_volumes {{ pv0 {{ id = "{id}" status = ["ALLOCATABLE"] pe_start = 2048 pe_count = 50 }} }}
logical_volumes {{ {volumes} }} }}
"""
SEGMENT = 'segment1 {{ start_extent = 0 extent_count = {count} type = "{kind}" stripe_count = {stripes} {rest} }}'


def logical(name: str, *, count: int = 4, kind: str = "striped", stripes: int = 1, rest: str) -> str:
    segment = SEGMENT.format(count=count, kind=kind, stripes=stripes, rest=rest)
    return f'{name} {{ id = "{name}" status = ["READ", "VISIBLE"] segment_count = 1 {segment} }}'


LOOPS = {
    "made of itself": logical("a", rest='stripes = ["a", 0]'),
    "made of each other": logical("a", rest='stripes = ["b", 0]') + logical("b", rest='stripes = ["a", 0]'),
    "snapshots of each other": logical("a", kind="snapshot", rest='origin = "b" cow_store = "a" chunk_size = 8'),
    "in its own pool": logical("a", kind="thin", rest='thin_pool = "a" transaction_id = 0 device_id = 1'),
    "of 2^62 extents": logical("a", count=1 << 62, rest='stripes = ["pv0", 0]'),
    "of 2^31 stripes": logical("a", stripes=1 << 31, rest='stripes = ["pv0", 0]'),
    "on its own label": logical("a", rest='stripes = ["pv0", -32]'),
    "text that nests": "a { " * 100_000,
    "lists that nest": "a = " + "[" * 100_000,
}


@pytest.mark.parametrize("loop", LOOPS)
def test_logical_volumes_that_lead_back(loop, ext4, tmp_path, bounded):
    volume = tmp_path / "volume"
    volume.write_bytes(physical(LOOPS[loop]))
    scanned = bounded(images.partitioned([ext4, volume], tmp_path / "disk.raw"))
    assert LODASH in scanned.packages()
    assert scanned.report["problems"], scanned.told()


def test_a_logical_volume_that_holds_its_own_group(ext4, tmp_path, bounded):
    """The disk of a guest in the volume of its host, which is the same one."""
    inner = b""
    for _ in range(12):
        inner = physical(logical("a", count=(len(inner) >> 16) + 40, rest='stripes = ["pv0", 0]'), inner)
    volume = tmp_path / "volume"
    volume.write_bytes(inner)
    scanned = bounded(images.partitioned([ext4, volume], tmp_path / "disk.raw"))
    assert LODASH in scanned.packages()
    assert scanned.report["problems"], scanned.told()


def physical(volumes: str, content: bytes = b"") -> bytes:
    """A physical volume with this text about its group."""
    name = "0123456789abcdefghijklmnopqrstuv"
    content = content.ljust(4 << 20, b"\0")
    text = LVM.format(id="012345-6789-abcd-efgh-ijkl-mnop-qrstuv", volumes=volumes).encode() + b"\0"
    size = len(content) + (1 << 20)
    # One area of data, one of metadata, each list with an end.
    areas = struct.pack("<32s9Q", name.encode(), size, 1 << 20, 0, 0, 0, 4096, 1044480, 0, 0)
    label = struct.pack("<I8s", 32, b"LVM2 001") + areas
    label = label.ljust(SECTOR - 20, b"\0")
    label = struct.pack("<8sQI", b"LABELONE", 1, crc(label)) + label
    area = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQ", 1, 4096, 1044480)
    area += struct.pack("<QQII", SECTOR, len(text), crc(text), 0)
    area = area.ljust(SECTOR - 4, b"\0")
    area = struct.pack("<I", crc(area)) + area
    head = (bytes(SECTOR) + label).ljust(4096, b"\0") + area + text
    assert len(head) < 1 << 20
    return head.ljust(1 << 20, b"\0") + content


def crc(content: bytes) -> int:
    """As LVM2 begins and ends it."""
    return zlib.crc32(content, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


# Where the head of each file system is, and its length.
HEADS = {
    "ext": (1024, 1024),
    "xfs": (0, 512),
    "btrfs": (64 << 10, 4096),
    "squashfs": (0, 96),
    "fat": (0, 512),
    "ntfs": (0, 512),
}
# What stays of it, so that it is still known for what it is.
MAGIC = {"ext": (56, 2), "xfs": (0, 4), "btrfs": (64, 8), "squashfs": (0, 4), "fat": (510, 2), "ntfs": (3, 8)}


@pytest.mark.parametrize("kind", HEADS)
def test_damaged_heads_of_file_systems(kind, tree, ext4, tmp_path, bounded):
    whole = getattr(images, kind)(tree, tmp_path / "whole")
    disk = images.partitioned([ext4, whole], tmp_path / "disk.raw")
    at, length = HEADS[kind]
    keep, kept = MAGIC[kind]
    damage = random.Random(kind)
    with disk.open("r+b") as file:
        at += 2048 * SECTOR + ext4.stat().st_size
        file.seek(at)
        good = file.read(length)
        for times in (1, 10, 100, 1000):
            head = bytearray(good)
            for _ in range(times):
                head[damage.randrange(length)] = damage.choice([0, 0xFF, damage.randrange(256)])
            head[keep : keep + kept] = good[keep : keep + kept]
            file.seek(at)
            file.write(head)
            file.flush()
            scanned = bounded(disk)
            assert LODASH in scanned.packages()
            # It is refused, or read by what is left of its head.
            assert scanned.report["problems"] or scanned.report["volumes"][-1]["scanned"], scanned.told()
