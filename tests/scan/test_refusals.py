"""What cannot be read is said, and never looks like a system without vulnerabilities."""

import random

import pytest

import images
import trees


@pytest.fixture(scope="module")
def partition(tmp_path_factory):
    work = tmp_path_factory.mktemp("debian")
    trees.debian(work / "tree", fixed=False)
    return images.ext(work / "tree", work / "part.img")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"LUKS\xba\xbe\x00\x02", "LUKS"),
        (b"\xeb\x58\x90-FVE-FS-", "BitLocker"),
        (bytes(range(1, 256)) * 40, "unknown"),
    ],
    ids=["luks", "bitlocker", "unknown"],
)
def test_a_volume_that_is_not_read_is_told_beside_one_that_is(content, word, partition, tmp_path, scan):
    other = tmp_path / "other.img"
    other.write_bytes(content.ljust(8 * images.MIB, b"\x5a"))
    disk = images.partitioned([partition, other], tmp_path / "disk.raw")
    result = scan(disk)
    assert word.lower() in result.problems().lower()
    assert ("libssl3", "3.0.11-1~deb12u1", "CVE-2023-5363") in result.findings()
    assert result.code == 0
    assert scan(disk, "--fail-on-incomplete").code == 4
    table = scan(disk, "--format", "table").text
    assert word.lower() in table.lower()


def test_a_backing_file_is_read_only_when_it_is_allowed(partition, tmp_path, scan):
    base = images.converted(images.partitioned([partition], tmp_path / "disk.raw"), tmp_path / "base.qcow2", "qcow2")
    overlay = tmp_path / "overlay.qcow2"
    trees.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, overlay)
    refused = scan(overlay)
    assert refused.code == 3 and "--also" in refused.errors and "base.qcow2" in refused.errors
    assert scan(overlay, "--also", base).findings()


def test_what_is_no_image(tmp_path, scan):
    text = tmp_path / "notes.txt"
    text.write_text("not a disk\n" * 1000)
    for target, word in [(text, "notes.txt"), (tmp_path / "nothing", "nothing")]:
        result = scan(target)
        assert result.code in (0, 3)
        assert word in result.errors or "unknown" in result.problems().lower()


@pytest.mark.parametrize("kind", ["raw", "qcow2", "vmdk", "vpc", "vhdx", "vdi"])
def test_damaged_images_end_with_an_answer(kind, partition, tmp_path, scan):
    disk = images.partitioned([partition], tmp_path / "disk.raw")
    whole = images.converted(disk, tmp_path / "whole", kind).read_bytes()
    damage = random.Random(6)
    for number in range(6):
        content = bytearray(whole)
        if number == 0:
            del content[len(content) // 2 :]
        for _ in range(200):
            # Heads are where the damage is.
            content[damage.randrange(min(len(content), 4 * images.MIB))] = damage.randrange(256)
        image = tmp_path / f"damaged-{number}"
        image.write_bytes(content)
        result = scan(image)
        assert result.code in (0, 3), result.errors
        assert result.report.get("problems") or result.errors or result.findings(), "it looks like an empty system"
