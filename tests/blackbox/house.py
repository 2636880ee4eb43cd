"""What these tests stand on: a real server, a real agent, and a client that checks every answer."""

import dataclasses
import os
import pathlib
import re
import subprocess
import threading
import time
import uuid

import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
USER = "robot@example.com"
PASSWORD = "correct horse battery staple"

# How long anything may take that should take milliseconds; a debug build on a busy machine needs some of it.
PATIENCE_SECONDS = 30.0


def binary(name: str) -> str:
    """The program to test: `GUARDHOUSE_BIN` names the server, the agent lies beside it."""
    server = pathlib.Path(os.environ.get("GUARDHOUSE_BIN", REPOSITORY / "target/debug/guardhouse"))
    path = server.with_name(name)
    if not path.exists():
        raise FileNotFoundError(f"{path}: run `cargo build --workspace`, or set GUARDHOUSE_BIN")
    return str(path)


def run(*command: str, stdin: str | None = None) -> str:
    """Runs a command to its end and answers its standard output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


class Process:
    """A program in the background whose error output is kept, so that a failure can show it."""

    def __init__(self, *command: str):
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self) -> None:
        for line in self._process.stderr:
            self.log.append(line)

    def first_line(self) -> str:
        """Waits for the first line of standard output; fails when the program ends or dawdles without one."""
        watchdog = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            self._process.wait(PATIENCE_SECONDS)
            self._reader.join(PATIENCE_SECONDS)
            raise AssertionError("the program ended before it was ready:\n" + "".join(self.log))
        return line.rstrip("\n")

    def stop(self) -> None:
        """Asks the program to end, and insists when it does not."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("the program did not end on SIGTERM:\n" + "".join(self.log)) from None
        finally:
            self._reader.join(PATIENCE_SECONDS)
            self._process.stdout.close()
            self._process.stderr.close()


@dataclasses.dataclass
class Answer:
    """An HTTP answer, reduced to what a client sees."""

    status: int
    headers: requests.structures.CaseInsensitiveDict
    text: str
    json: object | None


class Server:
    """`guardhouse serve` on a free loopback port with an empty data folder and the account `USER`."""

    def __init__(self, data_dir: pathlib.Path, *options: str):
        self.data_dir = str(data_dir)
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._tokens: dict[str, str] = {}
        self.add_account(USER, "full")
        self._process = Process(
            *(binary("guardhouse"), "serve", "--listen", "127.0.0.1:0", "--insecure-http"),
            *("--data-dir", self.data_dir, *options),
        )
        ready = self._process.first_line()
        found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)", ready)
        if not found:
            self._process.stop()
            raise AssertionError(f"unexpected first line: {ready!r}")
        self.url = found[1]

    def stop(self) -> None:
        self._session.close()
        self._process.stop()

    @property
    def log(self) -> str:
        """What the server has written to standard error so far."""
        return "".join(self._process.log)

    def add_account(self, name: str, access: str) -> None:
        """Adds an account with `PASSWORD`; `access` is `full`, `read` or `none`. The server may be running."""
        arguments = ("--password-stdin", "--access", access, "--data-dir", self.data_dir)
        run(binary("guardhouse"), "user", "add", name, *arguments, stdin=PASSWORD)

    def token(self, account: str = USER) -> str:
        """An access token of an account, fetched once."""
        if account not in self._tokens:
            form = {"grant_type": "password", "username": account, "password": PASSWORD}
            answer = self.call("POST", "/oauth/token", form=form)
            assert answer.status == 200, f"no token: {answer}"
            self._tokens[account] = answer.json["access_token"]
        return self._tokens[account]

    def call(self, method: str, path: str, *, json=None, form=None, data=None, headers=None) -> Answer:
        """Sends one request as it is given, and checks what holds for every answer whatsoever."""
        answer = self._session.request(
            method, self.url + path, json=json, data=form if data is None else data, headers=headers,
            timeout=PATIENCE_SECONDS, allow_redirects=False,
        )  # fmt: skip
        return check_every_answer(answer)

    def api(self, method: str, path: str, **arguments) -> Answer:
        """As `call`, with the token of `USER`."""
        headers = {"Authorization": f"Bearer {self.token()}"} | (arguments.pop("headers", None) or {})
        return self.call(method, path, headers=headers, **arguments)


def check_every_answer(answer: requests.Response) -> Answer:
    """`request-id` is there and a uuid; a 202 is empty; every other body is JSON."""
    where = f"{answer.request.method} {answer.request.path_url} → {answer.status_code}"
    assert is_uuid(answer.headers.get("request-id")), f"{where}: no request-id in {answer.headers}"
    if answer.status_code == 202:
        assert answer.text == "", f"{where}: a 202 has no body"
        assert is_uuid(answer.headers.get("response-id")), f"{where}: no response-id in {answer.headers}"
        return Answer(202, answer.headers, "", None)
    kind = answer.headers.get("content-type", "")
    assert kind.split(";")[0] == "application/json", f"{where}: content type {kind!r}"
    return Answer(answer.status_code, answer.headers, answer.text, answer.json())


def is_uuid(text: str | None) -> bool:
    """Whether the text is a uuid in the usual form."""
    try:
        return str(uuid.UUID(text)) == text
    except (TypeError, ValueError):
        return False


class Agent:
    """`guardhouse-agent`, enrolled with a fresh token and running."""

    def __init__(self, server: Server, state_dir: pathlib.Path, host_name: str):
        token = run(binary("guardhouse"), "enrollment-token", "create", "--data-dir", server.data_dir).strip()
        state = ("--state-dir", str(state_dir))
        run(
            *(binary("guardhouse-agent"), "enroll", "--server", server.url, "--token", token),
            *("--host-name", host_name, *state),
        )
        self._process = Process(binary("guardhouse-agent"), "run", *state)

    def stop(self) -> None:
        self._process.stop()

    @property
    def log(self) -> str:
        """What the agent has written to standard error so far."""
        return "".join(self._process.log)
