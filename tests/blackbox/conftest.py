"""Fixtures: a server of one's own, started with the options that the test asks for."""

import pytest

from house import Server


@pytest.fixture
def start_server(tmp_path):
    """Starts servers; all of them are stopped at the end, and must end well."""
    servers = []

    def start(*options: str) -> Server:
        servers.append(Server(tmp_path / f"server-{len(servers)}", *options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
