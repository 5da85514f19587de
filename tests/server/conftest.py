"""A real nta-server on an ephemeral loopback port for each test that asks for one."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

BINARY = os.environ.get("NTA_SERVER_BINARY")
CAPTURE = os.environ.get("NTA_TEST_CAPTURE")
PASSWORD = "correct horse battery"
GENEROUS = ["--requests-per-second", "0", "--sign-ins-per-minute", "0"]


def pytest_configure(config):
    if not BINARY or not pathlib.Path(BINARY).exists():
        raise pytest.UsageError("NTA_SERVER_BINARY names no nta-server")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Server:
    """The process, its printed lines, and requests to it."""

    def __init__(self, directory, *arguments, limits=GENEROUS, wrapper=()):
        self.directory = directory
        command = [*wrapper, BINARY, "--listen", "127.0.0.1:0", "--data-dir", str(directory / "data"), *limits, *arguments]
        self.errors = open(directory / "stderr", "ab+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, cwd=directory)
        self.lines = []
        self.port = None
        # The server prints its address once it answers; without it, it has ended.
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            found = re.match(r"listening on http://127\.0\.0\.1:(\d+)$", self.lines[-1])
            if found:
                self.port = int(found.group(1))
                break
        assert self.port, self.stderr()
        self.drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.drain.start()

    def stderr(self):
        return (self.directory / "stderr").read_text()

    @property
    def bootstrap_token(self):
        tokens = [line.removeprefix("bootstrap token: ") for line in self.lines if line.startswith("bootstrap token: ")]
        return tokens[0] if tokens else None

    def connect(self, source="127.0.0.1", timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=(source, 0))

    def call(self, method, path, body=None, token=None, headers=None, source="127.0.0.1"):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + token
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect(source)
        try:
            connection.request(method, path, body=body, headers=headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def set_up(self, username="root"):
        answer = self.call("POST", "/api/v1/setup", {
            "bootstrap_token": self.bootstrap_token, "username": username, "password": PASSWORD})
        assert answer.status == 201, answer.body
        return answer.json()

    def login(self, username="root", password=PASSWORD, **more):
        return self.call("POST", "/api/login", {"username": username, "password": password}, **more)

    def stop(self, how=signal.SIGTERM, timeout=20):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        finally:
            self.errors.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.errors.close()


@pytest.fixture
def start(tmp_path):
    """Starts servers in one directory; they end with the test."""
    servers = []

    def start_server(*arguments, **options):
        servers.append(Server(tmp_path, *arguments, **options))
        return servers[-1]

    yield start_server
    for server in servers:
        server.kill()


@pytest.fixture
def server(start):
    return start()


@pytest.fixture
def signed_in(server):
    """A server with its first administrator, and their tokens."""
    server.tokens = server.set_up()
    server.token = server.tokens["token"]
    return server


@pytest.fixture
def capture():
    if not CAPTURE or not pathlib.Path(CAPTURE).exists():
        pytest.skip("NTA_TEST_CAPTURE names no capture")
    return CAPTURE
