"""The vendor's own SDKs, as their users have them, against a real server: other people's signers and parsers."""

import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import uuid

import pytest
import requests

from house import PATIENCE_SECONDS, REPOSITORY, binary, run

PROGRAM = pathlib.Path(__file__).with_name("sdk.py")

# The newest SDK, that of spring 2024, and the one before them: by environment, client and signature.
SDKS = [
    ("sdk-newest", "tea", None),
    ("sdk-newest", "tea", "v2"),
    ("sdk-2024", "tea", None),
    ("sdk-2024", "tea", "v2"),
    ("sdk-newest", "core", None),
]


def python(environment: str) -> str:
    """The interpreter of an environment that scripts/test makes."""
    folder = pathlib.Path(os.environ.get("GUARDHOUSE_SDKS", REPOSITORY / "target"))
    path = folder / environment / "bin/python"
    assert path.exists(), f"{path}: scripts/test makes it from tests/blackbox/{environment}.txt"
    return str(path)


def create_key(server, account: str, *options: str) -> dict:
    """Makes an access key with the command; answers what it prints."""
    printed = run(binary("guardhouse"), "access-key", "create", "--user", account, *options, "--data-dir", server.data_dir)
    lines = dict(line.split(": ", 1) for line in printed.splitlines())
    key = {"id": lines["AccessKeyId"], "secret": lines["AccessKeySecret"]}
    return key | ({"token": lines["SecurityToken"]} if "SecurityToken" in lines else {})


class Sdk:
    """One of the SDKs, pointed at a server."""

    def __init__(self, server, environment: str, sdk: str, signature: str | None):
        self.server, self.python, self.sdk, self.signature = server, python(environment), sdk, signature
        self.environment = environment

    def call(self, *calls: dict) -> list[dict]:
        """Makes the calls one after the other; `ListAgentlessRegion` where they do not say which."""
        calls = [{"action": "ListAgentlessRegion", "signature": self.signature} | call for call in calls]
        endpoint = self.server.url.removeprefix("http://")
        document = {"sdk": self.sdk, "endpoint": endpoint, "calls": calls}
        done = subprocess.run(
            [self.python, "-B", str(PROGRAM)], input=json.dumps(document), capture_output=True, text=True,
            timeout=4 * PATIENCE_SECONDS, env=os.environ | {"no_proxy": "*"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=SDKS, ids=lambda param: "-".join(filter(None, param)))
def sdk(request, start_server):
    return Sdk(start_server("--region", "cellar-1"), *request.param)


def check_region(answer: dict) -> None:
    assert answer.get("status") == 200, answer
    body = answer["body"]
    assert body["RegionList"] == ["cellar-1"], body
    # The SDK of 2024 does not know the other list.
    assert body.get("VendorRegionList") in (None, [{"RegionId": "cellar-1", "Vendor": 0}]), body
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", body["RequestId"]), body


def check_refusal(answer: dict, code: str, status: int) -> None:
    assert "error" in answer, answer
    assert (answer["code"], answer["data"].get("statusCode")) == (code, status), answer
    assert answer["data"].get("RequestId") or answer["data"].get("requestId"), answer


def test_keys_of_all_kinds_are_accepted(sdk):
    sdk.server.add_account("reader", "read")
    key, temporary = create_key(sdk.server, "reader"), create_key(sdk.server, "reader", "--temporary", "1h")
    calls = [key, temporary, key]
    if sdk.sdk == "core":
        calls.append(key | {"method": "GET"})
    for answer in sdk.call(*calls):
        check_region(answer)
    odd = {"action": "ListAgentlessTask", "parameters": {"MachineName": "测试 a+b/c*d~e%20&=!'()"}}
    [answer] = sdk.call(key | odd)
    assert answer.get("status") == 200 and answer["body"]["List"] == [], answer
    listed = run(binary("guardhouse"), "access-key", "list", "--data-dir", sdk.server.data_dir)
    assert listed.count("  reader  active  ") == 2 and "never used" not in listed, listed
    assert key["secret"] not in listed


def test_refusals_arrive_with_their_codes(sdk):
    key = create_key(sdk.server, "robot@example.com")
    sdk.server.add_account("nobody", "none")
    nobody = create_key(sdk.server, "nobody")
    wrong, unknown = key | {"secret": "wrong"}, key | {"id": "GHunknown"}
    unbuilt = key | {"action": "DescribeVersionConfig"}
    temporary = create_key(sdk.server, "robot@example.com", "--temporary", "1s")
    answers = sdk.call(wrong, unknown, nobody, unbuilt)
    # The older client compares what was signed with what it has signed itself.
    mismatch = "InvalidAccessKeySecret" if sdk.sdk == "core" else "SignatureDoesNotMatch"
    expected = [
        (mismatch, 400),
        ("InvalidAccessKeyId.NotFound", 404),
        ("NoPermission", 403),
        ("InvalidApi.NotFound", 404),
    ]
    for answer, (code, status) in zip(answers, expected, strict=True):
        check_refusal(answer, code, status)

    for command, code, status in [
        ("disable", "InvalidAccessKeyId.Inactive", 400),
        ("revoke", "InvalidAccessKeyId.NotFound", 404),
    ]:
        run(binary("guardhouse"), "access-key", command, key["id"], "--data-dir", sdk.server.data_dir)
        check_refusal(sdk.call(key)[0], code, status)
    # The key is good for a second: until then it is accepted, and from then on it is not.
    answer = next(answer for _ in range(100) if "error" in (answer := sdk.call(temporary)[0]))
    check_refusal(answer, "InvalidSecurityToken.Expired", 400)


def test_who_calls_too_often_is_throttled(start_server):
    server = start_server("--rate-limit", "1")
    key = create_key(server, "robot@example.com")
    answers = Sdk(server, *SDKS[0]).call(*[key] * 20)
    refused = [answer for answer in answers if "error" in answer]
    assert 0 < len(refused) < 20, answers
    for answer in refused:
        check_refusal(answer, "Throttling.User", 429)
        assert answer["error"] == "ThrottlingException", answer


def test_a_token_does_instead_of_a_key(start_server):
    server = start_server("--region", "cellar-1")
    answer = Sdk(server, *SDKS[0]).call({"bearer": server.token()})[0]
    check_region(answer)


def signed(server, key: dict, time: datetime.datetime, nonce: str) -> requests.Response:
    """A request by signature V3, with the time and the nonce that the test wants."""
    host, empty = server.url.removeprefix("http://"), hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": "ListAgentlessRegion",
        "x-acs-content-sha256": empty,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": "2018-12-03",
    }
    names, lines = ";".join(headers), "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(f"POST\n/\n\n{lines}\n{names}\n{empty}".encode()).hexdigest()
    text = f"ACS3-HMAC-SHA256\n{digest}".encode()
    signature = hmac.new(key["secret"].encode(), text, hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key['id']},SignedHeaders={names},Signature={signature}"
    )
    return requests.post(server.url + "/", headers=headers, timeout=PATIENCE_SECONDS)


def test_a_request_is_good_once_and_for_a_quarter_of_an_hour(start_server):
    server = start_server()
    key, nonce = create_key(server, "robot@example.com"), uuid.uuid4().hex
    now = datetime.datetime.now(datetime.timezone.utc)
    assert signed(server, key, now, nonce).status_code == 200
    minute = datetime.timedelta(minutes=1)
    for time, nonce, code in [
        (now, nonce, "SignatureNonceUsed"),
        (now - 16 * minute, "another", "InvalidTimeStamp.Expired"),
        (now + 16 * minute, "another", "InvalidTimeStamp.Expired"),
    ]:
        answer = signed(server, key, time, nonce)
        assert (answer.status_code, answer.json()["Code"]) == (400, code), answer.text
        assert set(answer.json()) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
        page = requests.get(server.url + answer.json()["Recommend"], timeout=PATIENCE_SECONDS)
        assert page.status_code == 200 and code in page.text
