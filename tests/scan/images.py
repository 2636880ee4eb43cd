"""Images of a tree, of every kind that is read, made without root and without mounting."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

from trees import run

MIB = 1 << 20


def ext(tree: pathlib.Path, image: pathlib.Path, kind: str = "ext4") -> pathlib.Path:
    """ext2, ext3 or ext4."""
    return made(image, 64 * MIB, f"mkfs.{kind}", "-q", "-F", "-d", tree, image)


def xfs(tree: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    """Its smallest size is 300 MiB, most of it holes."""
    lines = ["/", "0 0", f"d--755 {0} {0}", *prototype(tree), "$", "$"]
    proto = image.with_suffix(".proto")
    proto.write_text("\n".join(lines) + "\n")
    return made(image, 320 * MIB, "mkfs.xfs", "-q", "-f", "-p", proto, image)


def prototype(folder: pathlib.Path) -> list[str]:
    """A tree in the language of mkfs.xfs."""
    lines = []
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            lines.append(f"{entry.name} l--777 0 0 {entry.readlink()}")
        elif entry.is_dir():
            lines += [f"{entry.name} d--755 0 0", *prototype(entry), "$"]
        else:
            lines.append(f"{entry.name} ---644 0 0 {entry}")
    return lines


def btrfs(tree: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    return made(image, 128 * MIB, "mkfs.btrfs", "-q", "--rootdir", tree, image)


def squashfs(tree: pathlib.Path, image: pathlib.Path, *options: str) -> pathlib.Path:
    run("mksquashfs", tree, image, "-quiet", "-noappend", "-all-root", *options)
    return image


def fat(tree: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    made(image, 64 * MIB, "mkfs.vfat", "-F", "32", image)
    run("mcopy", "-s", "-i", image, *tree.iterdir(), "::")
    return image


def ntfs(tree: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    """ntfscp makes no folders: the files of the first folder."""
    made(image, 32 * MIB, "mkfs.ntfs", "-q", "-F", image)
    for file in tree.iterdir():
        if file.is_file():
            run("ntfscp", "-q", image, file, file.name)
    return image


def made(image: pathlib.Path, size: int, *command) -> pathlib.Path:
    with image.open("wb") as file:
        file.truncate(size)
    run(*command)
    return image


def partitioned(parts: list[pathlib.Path], image: pathlib.Path, label: str = "gpt") -> pathlib.Path:
    """A disk with a partition for each file system."""
    table, start = [f"label: {label}"], 2048
    starts = []
    for part in parts:
        sectors = -(-part.stat().st_size // 512)
        table.append(f"start={start}, size={sectors}, type={'linux' if label == 'gpt' else '83'}")
        starts.append(start)
        start += -(-sectors // 2048) * 2048
    with image.open("wb") as file:
        file.truncate((start + 2048) * 512)
    script = image.with_suffix(".sfdisk")
    script.write_text("\n".join(table) + "\n")
    run("sh", "-c", f"sfdisk --quiet '{image}' < '{script}'")
    for part, start in zip(parts, starts):
        run("dd", f"if={part}", f"of={image}", f"seek={start}", "bs=512", "conv=notrunc,sparse", "status=none")
    return image


def converted(disk: pathlib.Path, image: pathlib.Path, kind: str, *options: str) -> pathlib.Path:
    """The disk in another container."""
    chosen = [word for option in options for word in ("-o", option)]
    # qemu-img compresses clusters only when it is asked to.
    compress = ["-c"] if any("compression" in option for option in options) else []
    run("qemu-img", "convert", *compress, "-O", kind, *chosen, disk, image)
    return image


def ova(disk: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    """An appliance: a description, and the disk that it is of."""
    description = image.with_suffix(".ovf")
    description.write_text(f'<Envelope><References><File ovf:href="{disk.name}"/></References></Envelope>')
    with tarfile.open(image, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file in (description, disk):
            tar.add(file, file.name)
    return image


def layer(tree: pathlib.Path, *, without: tuple[str, ...] = ()) -> bytes:
    """A tree as a layer; names in `without` are whiteouts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in sorted(tree.rglob("*")):
            tar.add(entry, str(entry.relative_to(tree)), recursive=False)
        for name in without:
            folder, _, last = name.rpartition("/")
            tar.addfile(tarfile.TarInfo(f"{folder}/.wh.{last}" if folder else f".wh.{last}"))
    return buffer.getvalue()


def docker(layers: list[bytes], image: pathlib.Path) -> pathlib.Path:
    """What `docker save` writes."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [
        digest(bytes_) for bytes_ in layers]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}]).encode()
    with tarfile.open(image, "w") as tar:
        for name, content in [*zip(names, layers), ("config.json", config), ("manifest.json", manifest)]:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return image


def oci(layers: list[bytes], folder: pathlib.Path) -> pathlib.Path:
    """A layout with one image whose layers are compressed."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, media_type: str, **more) -> dict:
        name = digest(content)
        (blobs / name.removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": name, "size": len(content), **more}

    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [
        digest(bytes_) for bytes_ in layers]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "config.v1+json"),
        "layers": [blob(gzip.compress(bytes_), "layer.v1.tar+gzip") for bytes_ in layers],
    }
    platform = {"platform": {"architecture": "amd64", "os": "linux"}}
    index = {"schemaVersion": 2, "manifests": [blob(json.dumps(manifest).encode(), "manifest.v1+json", **platform)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def rootfs(tree: pathlib.Path, archive: pathlib.Path, *options: str) -> pathlib.Path:
    """A tree as `docker export` writes it, packed by GNU tar."""
    run("tar", "--create", *options, "--file", archive, "--directory", tree, ".")
    return archive


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
