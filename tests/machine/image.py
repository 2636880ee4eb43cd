#!/usr/bin/env python3
"""The disks that test machines start from: a small Debian 12 with systemd and Debian's cloud kernel.

Making them takes about three minutes and needs root, so they are made once and kept until their recipe changes: this file,
`volumes.py` and the folder `guest`, which is copied into them. They hold nothing of this project; the package comes with
the first boot.
"""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import volumes

HERE = pathlib.Path(__file__).resolve().parent
GUEST = HERE / "guest"

SUITE = "bookworm"
FALLBACK_MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    *("systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "login"),
    *("iproute2", "nftables"),
    *("linux-image-cloud-amd64", "initramfs-tools"),
    *("lvm2", "btrfs-progs"),
)
# What no test misses. Every byte costs time when an emulated machine reads all of its disk for a snapshot.
UNWANTED = (
    *("usr/share/doc/*", "usr/share/locale/*", "usr/share/man/*", "usr/lib/udev/hwdb.*", "usr/lib/*/gconv"),
    *("usr/lib/modules/*/kernel/drivers/[!bcmnv]*", "usr/lib/modules/*/kernel/arch/x86/kvm"),
    *("usr/lib/modules/*/kernel/fs/[cnos]*", "usr/lib/modules/*/kernel/drivers/net/ethernet"),
)

# Of the disks. They are sparse: what the host gives for them is what the guest writes.
ROOT_SIZE = 1 << 30
DATA_SIZE = 320 << 20
# Room for the snapshots of both volumes, which is soon used up.
FREE_SIZE = 144 << 20

# What only costs time in a machine that lives for minutes, or would write to the console.
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer"),
    *("e2scrub_reap.service", "getty@tty1.service", "serial-getty@ttyS0.service"),
    *("modprobe@drm.service", "modprobe@efi_pstore.service", "modprobe@fuse.service", "modprobe@loop.service"),
    *("modprobe@dm_mod.service", "modprobe@configfs.service"),
    *("lvm2-monitor.service", "lvm2-lvmpolld.socket", "dm-event.socket", "blk-availability.service"),
    *("dev-hugepages.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
)
# Everything that writes units at every start and every reload of systemd, except for the file system table: each is a
# program that has to be emulated.
GENERATORS = (
    *("cryptsetup", "debug", "getty", "gpt-auto", "hibernate-resume", "integritysetup", "rc-local", "run"),
    *("system-update", "sysv", "veritysetup"),
)
ENABLED = ("systemd-networkd.service", "systemd-networkd-wait-online.service", "first-boot.service")


# Where the root file system is, by the form of the disk.
#
# `lvm`: a group of volumes, with ext4 as root and xfs as a data disk, which is mounted at /data.
# `btrfs`: one file system.
FORMS = {"lvm": "/dev/mapper/system-root", "btrfs": "/dev/vda"}


@dataclasses.dataclass(frozen=True)
class Image:
    """A disk that is copied before it is booted, the kernel that boots it, and what that is told of its root."""

    disk: pathlib.Path
    kernel: pathlib.Path
    initrd: pathlib.Path
    root: str

    def extract(self, disk: pathlib.Path, folder: pathlib.Path) -> None:
        """Copies all files of the root file system of a copy of the disk into a folder."""
        if self.root == FORMS["btrfs"]:
            command = ("btrfs", "restore", str(disk), str(folder))
        else:
            command = ("debugfs", "-R", f"rdump / {folder}", f"{disk}?offset={volumes.FIRST_EXTENT}")
        subprocess.run(command, check=True, capture_output=True)


def prepare(cache: pathlib.Path, form: str) -> Image:
    """The image of the present recipe in one of `FORMS`; makes all when `cache` does not hold it. Through `sudo` when not
    root.
    """
    folder = cache / digest()
    if not folder.is_dir():
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        command = [*as_root, sys.executable, "-B", __file__, str(cache)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        why = "cannot make the disk of the test machine, which only root can, or a user of sudo without a password"
        assert done.returncode == 0, f"{why}:\n{done.stdout}{done.stderr}"
    return Image(folder / f"{form}.img", folder / "vmlinuz", folder / "initrd.img", FORMS[form])


def digest() -> str:
    """What the images are made by: this file, `volumes.py` and all files of `guest`."""
    recipe = hashlib.sha256()
    for path in (pathlib.Path(__file__), HERE / "volumes.py", *sorted(path for path in GUEST.rglob("*") if path.is_file())):
        recipe.update(f"{path.relative_to(HERE)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return recipe.hexdigest()[:16]


def make(cache: pathlib.Path) -> None:
    """Makes the images below `cache`, and removes those of other recipes. Only root can."""
    cache.mkdir(parents=True, exist_ok=True)
    for other in cache.iterdir():
        remove(other)
    work = pathlib.Path(tempfile.mkdtemp(prefix="unfinished-", dir=cache))
    root, result = work / "root", work / "result"
    try:
        install_system(root)
        configure_system(root)
        result.mkdir()
        only(root, "boot/vmlinuz-*").rename(result / "vmlinuz")
        only(root, "boot/initrd.img-*").rename(result / "initrd.img")
        make_group(root, work, result / "lvm.img")
        (root / "etc/fstab").write_text(f"{FORMS['btrfs']} / btrfs defaults 0 0\n")
        empty(result / "btrfs.img", 2 * ROOT_SIZE)
        run("mkfs.btrfs", "-q", "--rootdir", str(root), str(result / "btrfs.img"))
        result.rename(cache / digest())
    finally:
        remove(work)


def make_group(root: pathlib.Path, work: pathlib.Path, disk: pathlib.Path) -> None:
    """Makes the disk whose root is a logical volume."""
    (root / "data").mkdir()
    (root / "etc/fstab").write_text(f"{FORMS['lvm']} / ext4 defaults 0 1\n/dev/system/data /data xfs defaults 0 0\n")
    parts = {"root": work / "root.img", "data": work / "data.img"}
    run("mkfs.ext4", "-q", "-d", str(root), empty(parts["root"], ROOT_SIZE))
    run("mkfs.xfs", "-q", empty(parts["data"], DATA_SIZE))
    volumes.group(disk, "system", parts, FREE_SIZE)
    (root / "data").rmdir()


def empty(path: pathlib.Path, size: int) -> str:
    """An empty file of so many bytes; its name."""
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


def install_system(root: pathlib.Path) -> None:
    """A minimal Debian with `PACKAGES`. Its scripts run in mounts of their own, which end with them."""
    os.environ.update(proxies())
    os.environ["INITRD"] = "No"  # it is made below, smaller
    arguments = ("--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), mirror())
    run("unshare", "--mount", "debootstrap", *arguments)


def configure_system(root: pathlib.Path) -> None:
    """What makes the system this test's own."""
    shutil.copytree(GUEST, root, dirs_exist_ok=True)
    (root / "etc/hostname").write_text("machine-1\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost machine-1\n::1 localhost\n")
    (root / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")  # qemu's user network
    (root / "etc/machine-id").write_text("")  # every machine makes its own
    (root / "etc/apt/sources.list").write_text("")  # a test brings the repository that it wants
    for archive in (*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")):
        archive.unlink()
    for pattern in UNWANTED:
        for path in root.glob(pattern):
            remove(path)

    run("chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "ada")
    run("chroot", str(root), "systemctl", "mask", *MASKED)
    generators = root / "etc/systemd/system-generators"
    generators.mkdir()
    for name in GENERATORS:
        (generators / f"systemd-{name}-generator").symlink_to("/dev/null")
    run("chroot", str(root), "systemctl", "enable", *ENABLED)
    version = only(root, "boot/vmlinuz-*").name.removeprefix("vmlinuz-")
    run("chroot", str(root), "depmod", version)
    run("chroot", str(root), "update-initramfs", "-c", "-k", version)


def mirror() -> str:
    """Debian's mirror as apt of this host is told, unless it is told none."""
    wanted = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    filters = ("Origin: Debian", f"Codename: {SUITE}", "Component: main")
    try:
        found = subprocess.run([*wanted, *filters], capture_output=True, text=True).stdout.split()
    except FileNotFoundError:
        found = []
    return next((uri.rstrip("/") for uri in found if uri.startswith(("http://", "https://"))), FALLBACK_MIRROR)


def proxies() -> dict[str, str]:
    """The proxies of apt of this host, for debootstrap, which knows only those of the environment."""
    found = {}
    for scheme in ("http", "https"):
        command = ("apt-config", "dump", "--format", "%v", f"Acquire::{scheme}::Proxy")
        try:
            proxy = subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except FileNotFoundError:
            break
        if proxy and proxy != "DIRECT":
            found[f"{scheme}_proxy"] = proxy
    return found


def only(root: pathlib.Path, pattern: str) -> pathlib.Path:
    """The one file that a pattern matches."""
    [path] = root.glob(pattern)
    return path


def run(*command: str) -> None:
    """Runs a command; what it says is shown when it fails."""
    nothing, both = subprocess.DEVNULL, subprocess.STDOUT
    done = subprocess.run(command, stdin=nothing, stdout=subprocess.PIPE, stderr=both, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def remove(path: pathlib.Path) -> None:
    """Removes a folder, but nothing that should be mounted in it."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(path)], check=True)


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]))
