"""Plays every file in `scenarios/` against a fresh server of its own."""

import pytest

import scenario


@pytest.mark.parametrize("name", sorted(path.name for path in scenario.FOLDER.glob("*.yaml")))
def test_scenario(name, start_server):
    head, steps = scenario.load(name)
    server = start_server(*head.get("server", ["--rate-limit", "0"]))
    for account, access in head.get("accounts", {}).items():
        server.add_account(account, access)
    scenario.play(server, steps)
