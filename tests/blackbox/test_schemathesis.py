"""Schemathesis derives requests, right and wrong ones, from the OpenAPI document that the server itself serves."""

import pathlib
import subprocess
import sys

CONFIG = pathlib.Path(__file__).with_name("schemathesis.toml")

# In all, over the operations of the document; each gets an equal share.
EXAMPLES = 2_000
SEED = 20_261_122


def test_every_operation(start_server, tmp_path):
    server = start_server("--rate-limit", "0")
    document = server.call("GET", "/openapi.json")
    assert document.status == 200, document
    operations = sum(len(path) for path in document.json["paths"].values())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{server.url}/openapi.json", "--url", server.url, "--no-color"),
            *("--header", f"Authorization: Bearer {server.token()}"),
            *("--max-examples", str(-(-EXAMPLES // operations)), "--seed", str(SEED)),
        ],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nserver's log:\n{server.log[-4000:]}"
