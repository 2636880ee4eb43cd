"""Reads and plays the files in `scenarios/`: requests, and what must come back.

A file is a YAML stream. The first document says what the scenario shows (`scenario`), with which options its own
server starts (`server`, a list; without it, without rate limits), and which accounts there are beside the one
that may do everything (`accounts`, name and access). Each further document is a step:

    step: what it shows
    request: POST /v1/groups           # method, path, query
    body: {group: {…}}                 # JSON; or `form:`, a form; or `text:`, as it is
    headers: {response-id: …}          # added to the request
    account: reader@example.com        # instead of the account that may do everything
    authorization: none                # instead of the account's token: none, or the header's value
    status: 200
    expect: {…}                        # part of the answer's body
    expect_headers: {…}                # part of the answer's headers
    save: {group: group.uuid}          # for later steps, as ${group}; `header.NAME` saves a header
    repeat: {until: 200, at_most: 100} # send it again until this status comes; others must be `status`

Expected values are matched like this: a mapping must be contained in the answer, a list must match item by
item, and a text that starts with `~` is a regular expression for the whole value. Mappings with one of these
keys say more: `$absent: true` (the member must not be there), `$not: value`, `$length: N`, `$contains: value`
(some item of the list matches). In bodies that are sent, `$repeat: [N, item]` stands for N copies of the
item, in which `${index}` counts from 0.

From the start there are `${tomorrow}`, a time in a day, and the patterns `${uuid}` and `${time}`.
"""

import pathlib
import re
import time
from datetime import datetime, timedelta, timezone

import yaml

from house import USER, Answer, Server

FOLDER = pathlib.Path(__file__).with_name("scenarios")
STEP_KEYS = {
    *("step", "request", "body", "form", "text", "headers", "account", "authorization"),
    *("status", "expect", "expect_headers", "save", "repeat"),
}
PAUSE_SECONDS = 0.02


def load(name: str) -> tuple[dict, list[dict]]:
    """The head and the steps of a scenario; a misspelt key is an error, not a check that never runs."""
    head, *steps = yaml.safe_load_all((FOLDER / name).read_text())
    assert set(head) <= {"scenario", "server", "accounts"} and "scenario" in head, f"{name}: {head}"
    assert steps, f"{name} has no steps"
    for step in steps:
        assert set(step) <= STEP_KEYS and {"step", "request", "status"} <= set(step), f"{name}: {step}"
    return head, steps


def play(server: Server, steps: list[dict]) -> None:
    """Plays the steps in order; what one saves, the next ones can use."""
    saved: dict[str, object] = {
        "tomorrow": (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "time": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z",
    }
    for step in steps:
        answer = send(server, fill(step, saved))
        try:
            if "expect" in step:
                match(fill(step["expect"], saved), answer.json, "body")
            for name, value in fill(step.get("expect_headers", {}), saved).items():
                match(value, answer.headers.get(name), f"header {name}")
            for name, path in step.get("save", {}).items():
                saved[name] = find(answer, path)
        except AssertionError as error:
            place = f"step «{step['step']}»"
            raise AssertionError(f"{place}: {error}\nanswer: {answer.status} {answer.text}") from None


def send(server: Server, step: dict) -> Answer:
    """Sends the request of a step, as often as it says, and checks the status."""
    method, path = step["request"].split(" ", 1)
    headers = dict(step.get("headers", {}))
    authorization = step.get("authorization") or f"Bearer {server.token(step.get('account', USER))}"
    if authorization != "none":
        headers["Authorization"] = authorization
    repeat = step.get("repeat", {"until": step["status"], "at_most": 1})
    for attempt in range(repeat["at_most"]):
        if attempt > 0 and step["status"] == 202:
            time.sleep(PAUSE_SECONDS)
        text = step["text"].encode() if "text" in step else None
        answer = server.call(
            method, path, json=step.get("body"), form=step.get("form"), data=text, headers=headers
        )
        if answer.status == repeat["until"]:
            return answer
        if answer.status != step["status"]:
            break
    raise AssertionError(
        f"step «{step['step']}»: {step['request']}: expected {repeat['until']}\n"
        f"answer: {answer.status} {answer.text}\nserver's log:\n{server.log[-4000:]}"
    )


def fill(value: object, saved: dict[str, object]) -> object:
    """Puts saved values in the places of `${name}` and carries out `$repeat`."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{(\w+)\}", value)
        if whole and whole[1] in saved:
            return saved[whole[1]]
        return re.sub(r"\$\{(\w+)\}", lambda name: str(saved.get(name[1], name[0])), value)
    if isinstance(value, list):
        return [fill(item, saved) for item in value]
    if isinstance(value, dict):
        if set(value) == {"$repeat"}:
            count, item = value["$repeat"]
            return [fill(item, saved | {"index": str(index)}) for index in range(count)]
        return {key: fill(item, saved) for key, item in value.items()}
    return value


def match(expected: object, actual: object, where: str) -> None:
    """Fails with the place of the first difference."""
    if isinstance(expected, dict):
        if set(expected) == {"$length"}:
            wanted = expected["$length"]
            assert len(actual) == wanted, f"{where}: {len(actual)} items, not {wanted}"
        elif set(expected) == {"$not"}:
            assert not matches(expected["$not"], actual), f"{where} is {actual!r}"
        elif set(expected) == {"$contains"}:
            assert any(matches(expected["$contains"], item) for item in actual), f"{where}: no item matches"
        else:
            assert isinstance(actual, dict), f"{where}: {actual!r} is not an object"
            for key, value in expected.items():
                if value == {"$absent": True}:
                    assert key not in actual, f"{where}.{key} is there: {actual[key]!r}"
                else:
                    assert key in actual, f"{where}.{key} is missing"
                    match(value, actual[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), f"{where}: {actual!r} is not a list"
        assert len(actual) == len(expected), f"{where}: {len(actual)} items, not {len(expected)}"
        for index, (one, other) in enumerate(zip(expected, actual)):
            match(one, other, f"{where}[{index}]")
    elif isinstance(expected, str) and expected.startswith("~"):
        fits = isinstance(actual, str) and re.fullmatch(expected[1:], actual, re.DOTALL)
        assert fits, f"{where}: {actual!r} does not match {expected[1:]}"
    else:
        # `1 == True` in Python; in JSON they differ.
        assert type(expected) is type(actual) and expected == actual, f"{where}: {actual!r}, not {expected!r}"


def matches(expected: object, actual: object) -> bool:
    """Whether `match` would pass."""
    try:
        match(expected, actual, "")
    except AssertionError:
        return False
    return True


def find(answer: Answer, path: str) -> object:
    """The value at a path such as `devices.0.uuid` or `header.response-id`."""
    if path.startswith("header."):
        return answer.headers[path.removeprefix("header.")]
    value = answer.json
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
