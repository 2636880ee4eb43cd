"""A group of logical volumes on a disk, written byte by byte: the tools of LVM2 take block devices only.

What is written is what `vgcreate` and `lvcreate` would: one physical volume that is the whole disk.
"""

import pathlib
import struct
import subprocess
import zlib

SECTOR = 512
MIB = 1 << 20

# Where the area for the description of the group begins, and how long it is, in bytes.
AREA, AREA_LENGTH = 4096, MIB - 4096
# Where the extents begin and how long each is, in bytes.
FIRST_EXTENT = MIB
EXTENT = 4 * MIB

# What LVM2 begins its checksums with.
FIRST_SUM = 0xF597A6CF


def group(disk: pathlib.Path, name: str, volumes: dict[str, pathlib.Path], free: int) -> None:
    """Makes a disk with a group of volumes that hold these images, one behind the other, and so many free bytes."""
    counts = {volume: -(-image.stat().st_size // EXTENT) for volume, image in volumes.items()}
    extents = sum(counts.values()) + free // EXTENT
    size = FIRST_EXTENT + extents * EXTENT
    with disk.open("wb") as file:
        file.truncate(size)
        file.seek(SECTOR)
        file.write(label(size))
        text = description(name, counts, extents).encode() + b"\0"
        file.seek(AREA)
        file.write(header(text))
        file.write(text)
    start = FIRST_EXTENT
    for volume, image in volumes.items():
        copy = ("dd", f"if={image}", f"of={disk}", f"seek={start // MIB}", "bs=1M", "conv=notrunc,sparse", "status=none")
        subprocess.run(copy, check=True)
        start += counts[volume] * EXTENT


def label(size: int) -> bytes:
    """The label of the physical volume: its id, its size, where the extents are and where the area is."""
    body = identity("disk").replace("-", "").encode()
    body += struct.pack("<Q", size) + struct.pack("<8Q", FIRST_EXTENT, 0, 0, 0, AREA, AREA_LENGTH, 0, 0)
    body += struct.pack("<II", 2, 1)  # the second version of what follows, and: in use
    rest = struct.pack("<I8s", 32, b"LVM2 001") + body
    rest = rest.ljust(SECTOR - 20, b"\0")
    return b"LABELONE" + struct.pack("<QI", 1, checksum(rest)) + rest


def header(text: bytes) -> bytes:
    """The head of the area: where the description is."""
    rest = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQ", 1, AREA, AREA_LENGTH)
    rest += struct.pack("<QQII", SECTOR, len(text), checksum(text), 0)
    rest = rest.ljust(SECTOR - 4, b"\0")
    return struct.pack("<I", checksum(rest)) + rest


def description(name: str, counts: dict[str, int], extents: int) -> str:
    """The group in the words of LVM2. Sizes are in sectors."""
    parts, start = "", 0
    for volume, count in counts.items():
        parts += f"""
{volume} {{
id = "{identity(volume)}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
segment_count = 1
segment1 {{
start_extent = 0
extent_count = {count}
type = "striped"
stripe_count = 1
stripes = [
"pv0", {start}
]
}}
}}"""
        start += count
    return f"""{name} {{
id = "{identity(name)}"
seqno = 1
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = {EXTENT // SECTOR}
max_lv = 0
max_pv = 0
metadata_copies = 0
physical_volumes {{
pv0 {{
id = "{identity("disk")}"
status = ["ALLOCATABLE"]
flags = []
pe_start = {FIRST_EXTENT // SECTOR}
pe_count = {extents}
}}
}}
logical_volumes {{{parts}
}}
}}
contents = "Text Format Volume Group"
version = 1
"""


def identity(name: str) -> str:
    """An id: 32 letters in groups."""
    letters = f"{name:x>32}"
    return "-".join(letters[start:end] for start, end in zip((0, 6, 10, 14, 18, 22, 26), (6, 10, 14, 18, 22, 26, 32)))


def checksum(data: bytes) -> int:
    """The CRC-32 of LVM2: with a start of its own, and not inverted at the end."""
    return zlib.crc32(data, FIRST_SUM ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
