"""The forms of a scan's report, read by the tools of those who defined them.

The files are the golden files of the crate `report`, one with everything in it and one with nearly nothing: its own tests
say that they are what is written today.
"""

import json
from html.parser import HTMLParser
from pathlib import Path

import cyclonedx.schema._res
import jsonschema_rs
import pytest
from cyclonedx.model.bom import Bom
from spdx_tools.spdx.model import RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

HERE = Path(__file__).parent
GOLDEN = HERE.parent.parent / "crates/report/tests/forms/golden"
CYCLONEDX = Path(next(iter(cyclonedx.schema._res.__path__)))

ADVISORIES = {
    "CVE-2007-5686",
    "CVE-2024-0001",
    "CVE-2024-0002",
    "CVE-2024-0003",
    "DSA-5678-1",
    "GHSA-jfh8-c2jp-5v3q",
    "RUSTSEC-2099-0001",
}


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def sarif_validator():
    # As schemastore.org publishes it, but for the pattern of `language`, in which a bracket was left over.
    return jsonschema_rs.validator_for(load(HERE / "schemas/sarif-2.1.0.json"), validate_formats=True)


def cyclonedx_validator():
    names = ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"]
    parts = [(f"http://cyclonedx.org/schema/{name}", load(CYCLONEDX / name)) for name in names]
    return jsonschema_rs.validator_for(
        load(CYCLONEDX / "bom-1.6.SNAPSHOT.schema.json"), registry=jsonschema_rs.Registry(parts), validate_formats=True
    )


def errors(validator, document: dict) -> list[str]:
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", ["report.sarif", "empty.sarif"])
def test_sarif_keeps_to_its_schema(name):
    assert errors(sarif_validator(), load(GOLDEN / name)) == []


def test_sarif_that_is_wrong_is_found_out():
    sarif = load(GOLDEN / "report.sarif")
    sarif["runs"][0]["results"][0]["level"] = "critical"
    assert errors(sarif_validator(), sarif)


def test_sarif_refers_to_what_is_there():
    run = load(GOLDEN / "report.sarif")["runs"][0]
    driver = run["tool"]["driver"]
    assert ADVISORIES < {rule["id"] for rule in driver["rules"]}
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        for location in result["locations"]:
            assert location["physicalLocation"]["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    for notification in run["invocations"][0]["toolExecutionNotifications"]:
        descriptor = notification["descriptor"]
        assert driver["notifications"][descriptor["index"]]["id"] == descriptor["id"]
    assert sum("suppressions" in result for result in run["results"]) == 3
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("name", ["report.cdx.json", "empty.cdx.json"])
def test_cyclonedx_keeps_to_its_schema(name):
    document = load(GOLDEN / name)
    assert errors(cyclonedx_validator(), document) == []
    # The library reads it, and finds what every reference leads to.
    assert Bom.from_json(document).validate()


def test_cyclonedx_that_is_wrong_is_found_out():
    document = load(GOLDEN / "report.cdx.json")
    document["vulnerabilities"][0]["ratings"][0]["severity"] = "dreadful"
    assert errors(cyclonedx_validator(), document)


def test_cyclonedx_says_what_is_vulnerable():
    bom = Bom.from_json(load(GOLDEN / "report.cdx.json"))
    references = [component.bom_ref.value for component in bom.components]
    assert len(set(references)) == len(references)
    assert ADVISORIES < {vulnerability.id for vulnerability in bom.vulnerabilities}
    affected = {target.ref for vulnerability in bom.vulnerabilities for target in vulnerability.affects}
    assert affected <= set(references)
    states = {v.id: v.analysis.state.value for v in bom.vulnerabilities if v.analysis}
    assert states == {"CVE-2024-0001": "not_affected", "CVE-2024-0002": "resolved", "CVE-2024-0003": "in_triage"}
    names = {component.name for component in bom.components}
    assert {"libssl3", "ripgrep", "nodejs", "org.apache.logging.log4j:log4j-core"} < names


@pytest.mark.parametrize("name", ["report.spdx.json", "empty.spdx.json"])
def test_spdx_is_valid(name):
    document = parse_file(str(GOLDEN / name))
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []


def test_spdx_that_is_wrong_is_found_out(tmp_path):
    document = load(GOLDEN / "report.spdx.json")
    document["relationships"][1]["relatedSpdxElement"] = "SPDXRef-Nobody"
    wrong = tmp_path / "wrong.spdx.json"
    wrong.write_text(json.dumps(document))
    assert validate_full_spdx_document(parse_file(str(wrong)))


def test_spdx_contains_every_package():
    document = parse_file(str(GOLDEN / "report.spdx.json"))
    contained = [r.related_spdx_element_id for r in document.relationships if r.relationship_type is RelationshipType.CONTAINS]
    packages = {package.spdx_id: package for package in document.packages}
    assert set(contained) == set(packages) - {"SPDXRef-Target"}
    purls = {reference.locator for package in document.packages for reference in package.external_references}
    assert "pkg:deb/libssl3@3.0.11-1~deb12u2" in purls
    assert "Not scanned wholly" in document.creation_info.document_comment


class Page(HTMLParser):
    """Follows the elements of a page, and fails where one is not closed."""

    EMPTY = {"meta", "input", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], set(), []

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.attributes += attributes
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()


def test_html_is_whole_and_loads_nothing():
    page = Page()
    page.feed((GOLDEN / "report.html").read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    assert page.seen.isdisjoint({"script", "img", "link", "iframe", "object", "form", "b"})
    assert all(value.startswith("https://") for name, value in page.attributes if name in {"href", "src"})
    assert not [name for name, _ in page.attributes if name.startswith("on")]
