"""The command: forms of the report, exceptions, exit codes."""

import json

import pytest

import images
import trees


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    work = tmp_path_factory.mktemp("debian")
    trees.debian(work / "tree", fixed=False)
    return images.docker([images.layer(work / "tree")], work / "image.tar")


def test_every_form_names_the_finding(image, tmp_path, scan):
    for form in ["table", "json", "sarif", "cyclonedx", "spdx", "html"]:
        assert "lodash" in scan(image, "--format", form).text, form
        file = tmp_path / form
        assert scan(image, "--format", form, "-o", file).text == ""
        content = file.read_text()
        assert "lodash" in content
        if form not in ("table", "html"):
            json.loads(content)


def test_exit_codes(image, scan):
    assert scan(image).code == 0
    assert scan(image, "--fail-on", "critical").code == 1
    assert scan(image, "--fail-on", "sometimes").code == 2


def test_exceptions_keep_their_reason(image, tmp_path, scan):
    rules = tmp_path / "ignore.toml"
    rules.write_text('[[ignore]]\nadvisory = "GHSA-35jh-r3h4-6jhm"\nreason = "not reachable"\n')
    vex = tmp_path / "vex.json"
    statement = {
        "vulnerability": {"name": "GHSA-j8r2-6x86-q33q"},
        "products": [{"@id": "pkg:pypi/requests@2.30.0"}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    }
    head = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1", "author": "A"}
    vex.write_text(json.dumps({**head, "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [statement]}))
    result = scan(image, "--ignore", rules, "--vex", vex)
    suppressed = {
        finding["advisory"]: finding["suppressed"]["reason"] for finding in result.report["findings"] if finding["suppressed"]
    }
    assert suppressed["GHSA-35jh-r3h4-6jhm"] == "not reachable"
    assert "vulnerable_code_not_in_execute_path" in suppressed["GHSA-j8r2-6x86-q33q"]
    assert {"lodash", "requests"}.isdisjoint(name for name, _, _ in result.findings())


def test_without_advisories_nothing_is_called_clean(image, tmp_path, scan):
    result = scan(image, "--advisories", tmp_path / "none.db", "--format", "table")
    assert "no advisories" in (result.text + result.errors).lower()
