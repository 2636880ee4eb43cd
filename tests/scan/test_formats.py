"""The same system gives the same answer, whatever it is kept in."""

import shutil

import pytest

import images
import trees

# How a tree becomes a target. Each takes the tree and a folder to work in.
TARGETS = {
    "folder": lambda tree, work: tree,
    "ext2": lambda tree, work: images.ext(tree, work / "a.img", "ext2"),
    "ext3": lambda tree, work: images.ext(tree, work / "a.img", "ext3"),
    "ext4": lambda tree, work: images.ext(tree, work / "a.img"),
    "xfs": lambda tree, work: images.xfs(tree, work / "a.img"),
    "btrfs": lambda tree, work: images.btrfs(tree, work / "a.img"),
    "squashfs": lambda tree, work: images.squashfs(tree, work / "a.img"),
    "squashfs lzo": lambda tree, work: images.squashfs(tree, work / "a.img", "-comp", "lzo"),
    "squashfs lzma": lambda tree, work: images.squashfs(tree, work / "a.img", "-comp", "lzma"),
    "gpt": lambda tree, work: disk(tree, work),
    "mbr": lambda tree, work: disk(tree, work, "dos"),
    "qcow2": lambda tree, work: images.converted(disk(tree, work), work / "b", "qcow2"),
    "qcow2 zlib": lambda tree, work: images.converted(disk(tree, work), work / "b", "qcow2", "compression_type=zlib"),
    "qcow2 zstd": lambda tree, work: images.converted(disk(tree, work), work / "b", "qcow2", "compression_type=zstd"),
    "vmdk": lambda tree, work: images.converted(disk(tree, work), work / "b", "vmdk"),
    "vmdk stream": lambda tree, work: images.converted(
        disk(tree, work), work / "b", "vmdk", "subformat=streamOptimized"
    ),
    "vhd": lambda tree, work: images.converted(disk(tree, work), work / "b", "vpc"),
    "vhdx": lambda tree, work: images.converted(disk(tree, work), work / "b", "vhdx"),
    "vdi": lambda tree, work: images.converted(disk(tree, work), work / "b", "vdi"),
    "ova": lambda tree, work: images.ova(
        images.converted(disk(tree, work), work / "b", "vmdk", "subformat=streamOptimized"), work / "c.ova"
    ),
    "docker": lambda tree, work: images.docker([images.layer(tree)], work / "image.tar"),
    "oci": lambda tree, work: images.oci([images.layer(tree)], work / "layout"),
    "rootfs": lambda tree, work: images.rootfs(tree, work / "rootfs.tar"),
    "rootfs xz": lambda tree, work: images.rootfs(tree, work / "rootfs.tar.xz", "--xz"),
    "rootfs zstd": lambda tree, work: images.rootfs(tree, work / "rootfs.tar.zst", "--zstd"),
}

SYSTEMS = {
    "debian": lambda tree, work, fixed: trees.debian(tree, fixed=fixed),
    "alpine": lambda tree, work, fixed: trees.alpine(tree, fixed=fixed),
    "rocky": lambda tree, work, fixed: trees.rocky(tree, work / "rpm", fixed=fixed),
}


def disk(tree, work, label="gpt"):
    return images.partitioned([images.ext(tree, work / "part.img")], work / "disk.raw", label)


@pytest.fixture(scope="module", params=SYSTEMS)
def twins(request, tmp_path_factory):
    """A system, once vulnerable and once fixed, and what is to be found in each."""
    work = tmp_path_factory.mktemp(request.param)
    cases = [SYSTEMS[request.param](work / name, work / f"{name}.work", fixed) for name, fixed in [("old", False), ("new", True)]]
    yield work / "old", work / "new", cases[0]
    shutil.rmtree(work)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_vulnerable_system_and_its_fixed_twin(kind, twins, tmp_path, scan):
    old, new, cases = twins
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    vulnerable = scan(TARGETS[kind](old, tmp_path / "old"))
    assert vulnerable.code == 0, vulnerable.errors
    assert not vulnerable.report["problems"], vulnerable.problems()
    expected = {(case.package, case.vulnerable, case.advisory) for case in cases}
    # Two packages of Alpine's busybox, and both are vulnerable.
    found = {finding for finding in vulnerable.findings() if finding[0] != "ssl_client"}
    assert found == expected
    assert not any(name == "gone" for name, _ in vulnerable.packages())

    fixed = scan(TARGETS[kind](new, tmp_path / "new"))
    assert not fixed.findings()
    assert {(case.package, case.fixed) for case in cases} <= fixed.packages()


@pytest.mark.parametrize("kind", [images.fat, images.ntfs])
def test_a_volume_with_data_alone(kind, tmp_path, scan):
    trees.application(tmp_path / "app", fixed=False)
    result = scan(kind(tmp_path / "app", tmp_path / "a.img"))
    assert ("lodash", "4.17.20", "GHSA-35jh-r3h4-6jhm") in result.findings()


def test_volumes_are_put_together_by_fstab(tmp_path, scan):
    trees.debian(tmp_path / "root", fixed=False)
    var = tmp_path / "root/var"
    var.rename(tmp_path / "var")
    var.mkdir()
    (tmp_path / "root/etc/fstab").write_text("LABEL=variable /var ext4 defaults 0 2\n")
    second = images.ext(tmp_path / "var", tmp_path / "var.img")
    trees.run("tune2fs", "-L", "variable", second)
    parts = [images.ext(tmp_path / "root", tmp_path / "root.img"), second]
    result = scan(images.partitioned(parts, tmp_path / "disk.raw"))
    [system] = result.report["systems"]
    paths = {package["path"] for package in system["packages"] if package["name"] == "libssl3"}
    assert paths == {"/var/lib/dpkg/status"}
    assert ("libssl3", "3.0.11-1~deb12u1", "CVE-2023-5363") in result.findings()


def test_layers_hide_what_is_below_them(tmp_path, scan):
    trees.debian(tmp_path / "base", fixed=False)
    (tmp_path / "upper").mkdir()
    whiteouts = ("srv/app",)
    layers = [images.layer(tmp_path / "base"), images.layer(tmp_path / "upper", without=whiteouts)]
    for target in [images.docker(layers, tmp_path / "a.tar"), images.oci(layers, tmp_path / "layout")]:
        names = {name for name, _, _ in scan(target).findings()}
        assert names == {"libssl3", "openssh-server"}
