"""What is there twice, or belongs to the distribution, is not found again."""

import shutil

import pytest

import images
import trees


@pytest.mark.parametrize("root", [".", "@"])
def test_snapshots_of_a_btrfs_are_not_read(root, tmp_path, scan):
    cases = trees.debian(tmp_path / "system", fixed=False)
    volume = tmp_path / "volume"
    for copy in [root, f"{root}/.snapshots/1/snapshot", f"{root}/.snapshots/2/snapshot", "timeshift-btrfs/snapshots/1/@"]:
        shutil.copytree(tmp_path / "system", volume / copy, dirs_exist_ok=True)
    result = scan(images.btrfs(volume, tmp_path / "a.img"))
    [system] = result.report["systems"]
    assert len(result.report["findings"]) == len(cases)
    assert not any("snapshot" in package["path"] for package in system["packages"])
    notes = " ".join(system["notes"])
    assert "/.snapshots are not read" in notes and "/timeshift-btrfs" in notes, notes


def test_python_packages_of_debian_are_left_to_its_advisories(tmp_path, scan):
    trees.debian(tmp_path / "system", fixed=True)
    metadata = "Metadata-Version: 2.1\nName: requests\nVersion: 2.30.0\n"
    for folder in ["usr/lib/python3/dist-packages", "usr/local/lib/python3.11/dist-packages"]:
        trees.write(tmp_path / "system" / folder / "requests-2.30.0.dist-info/METADATA", metadata)
    result = scan(tmp_path / "system")
    [system] = result.report["systems"]
    by = {
        system["packages"][finding["package"]]["path"].removesuffix("/requests-2.30.0.dist-info/METADATA"): finding["suppressed"]
        for finding in result.report["findings"]
    }
    assert by["/usr/lib/python3/dist-packages"]["by"] == "dpkg"
    assert by["/usr/local/lib/python3.11/dist-packages"] is None
