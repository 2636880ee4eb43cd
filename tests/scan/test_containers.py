"""Images of containers: what later layers change, and the forms of several tools."""

import json
import os
import shutil
import tarfile

import pytest

import images
import trees


def upgraded(tree, work):
    """A Debian in three layers: as it was, with its packages upgraded, and without its application."""
    trees.debian(work / "second", fixed=True)
    (work / "third").mkdir()
    second = work / "second"
    shutil.rmtree(second / "srv")
    return [images.layer(tree), images.layer(second), images.layer(work / "third", without=("srv/app",))]


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    work = tmp_path_factory.mktemp("layers")
    trees.debian(work / "first", fixed=False)
    return upgraded(work / "first", work)


@pytest.fixture(scope="module")
def merged(layers, tmp_path_factory):
    """What an engine would make of the layers, by plain tar and rm."""
    tree = tmp_path_factory.mktemp("merged")
    for number, layer in enumerate(layers):
        file = tree / "layer.tar"
        file.write_bytes(layer)
        trees.run("tar", "--extract", "--file", file, "--directory", tree, "--exclude", ".wh.*")
        file.unlink()
        if number == 2:
            shutil.rmtree(tree / "srv/app")
    return tree


def items(result):
    """Every package with all that is known of it."""
    [system] = result.report["systems"]
    return sorted(json.dumps(package, sort_keys=True) for package in system["packages"])


FORMS = {
    "docker": lambda layers, work: images.docker(layers, work / "image.tar"),
    "oci": lambda layers, work: images.oci(layers, work / "layout"),
    "skopeo docker-archive": lambda layers, work: copied(layers, work, f"docker-archive:{work / 'copy'}:example.org/app:1"),
    "skopeo oci-archive": lambda layers, work: copied(layers, work, f"oci-archive:{work / 'copy'}:1"),
    "skopeo dir": lambda layers, work: copied(layers, work, f"dir:{work / 'copy'}"),
    "skopeo zstd": lambda layers, work: copied(layers, work, f"oci:{work / 'copy'}", "--dest-compress-format", "zstd"),
}


def copied(layers, work, to, *options):
    source = images.docker(layers, work / "image.tar")
    trees.run("skopeo", "--insecure-policy", "copy", "--quiet", *options, f"docker-archive:{source}", to)
    return work / "copy"


@pytest.mark.parametrize("form", FORMS)
def test_layers_are_what_an_engine_makes_of_them(form, layers, merged, tmp_path, scan):
    result = scan(FORMS[form](layers, tmp_path))
    assert result.code == 0, result.errors
    assert not result.report["problems"], result.problems()
    assert items(result) == items(scan(merged))
    assert not result.findings()


def test_one_image_of_several_is_asked_for(layers, tmp_path, scan):
    archive = images.docker(layers, tmp_path / "image.tar")
    assert scan(archive, "--image", "app:1").report["systems"]
    refused = scan(archive, "--image", "other:1")
    assert refused.code == 3 and "app:1" in refused.errors


def test_an_image_in_a_folder_of_an_archive_is_not_called_empty(layers, tmp_path, scan):
    layout = images.oci(layers, tmp_path / "layout")
    with tarfile.open(tmp_path / "outer.tar", "w") as tar:
        tar.add(layout, "layout")
    refused = scan(tmp_path / "outer.tar")
    assert refused.code == 3 and "in the folder layout" in refused.errors


def test_many_layers_at_once(layers, tmp_path, scan):
    """As many as an image may have, and more than a shell lets a program open files."""
    file = tmp_path / "tree/file"
    file.parent.mkdir()
    many = [layers[0]]
    for number in range(1023):
        file.write_text(str(number))
        many.append(images.layer(file.parent))
    result = scan(images.oci(many, tmp_path / "layout"), "--threads", "4")
    assert result.code == 0 and not result.report["problems"], result.problems()
    assert items(result)


def test_a_layer_that_is_gone_or_changed_is_told(layers, tmp_path, scan):
    for name, change in [("gone", os.remove), ("changed", lambda blob: blob.write_bytes(blob.read_bytes()[:-1] + b"?"))]:
        layout = images.oci(layers, tmp_path / name)
        blobs = sorted((layout / "blobs/sha256").iterdir(), key=lambda blob: blob.stat().st_size)
        change(blobs[-1])
        result = scan(layout, "--fail-on-incomplete")
        assert result.code == 4 and "layer 1 of 3" in result.problems()
