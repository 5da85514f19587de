"""A change of the firewall over real connections, and `nta firewall` at a server. Rules stay in memory."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from conftest import BINARY, PASSWORD, Answer

RULE = {"id": "no-telnet", "direction": "in", "verdict": "drop", "protocol": "tcp", "destination_ports": [23]}
PACKAGE = pathlib.Path(BINARY).parent.parent / "python" if BINARY else None


@pytest.fixture
def firewall(start):
    server = start("--firewall", "memory")
    server.token = server.set_up()["token"]
    return server


def state(server):
    return server.call("GET", "/api/v1/firewall/rules", token=server.token).json()


def apply(server, seconds=60):
    answer = server.call("POST", "/api/v1/firewall/apply", {"password": PASSWORD, "confirm_within_seconds": seconds},
                         token=server.token)
    assert answer.status == 200, answer.body
    return answer


def test_a_change_is_confirmed_over_a_new_connection_only(firewall):
    assert firewall.call("POST", "/api/v1/firewall/rules", {"rule": RULE}, token=firewall.token).status == 201
    before = firewall.connect()
    headers = {"Authorization": "Bearer " + firewall.token, "Content-Type": "application/json"}
    before.request("GET", "/api/v1/firewall/rules", headers=headers)
    assert Answer(before.getresponse()).status == 200
    applied = apply(firewall)
    assert applied.headers["connection"].lower() == "close"
    body = json.dumps({"token": applied.json()["token"]})
    before.request("POST", "/api/v1/firewall/confirm", body=body, headers=headers)
    refused = Answer(before.getresponse())
    assert refused.status == 409 and b"older than the change" in refused.body
    before.close()
    assert state(firewall)["pending"]["seconds_left"] <= 60
    assert firewall.call("POST", "/api/v1/firewall/confirm", applied.json(), token=firewall.token).status == 400
    assert firewall.call("POST", "/api/v1/firewall/confirm", {"token": applied.json()["token"]},
                         token=firewall.token).status == 204
    assert state(firewall)["pending"] is None
    assert [rule["id"] for rule in state(firewall)["in_force"]["rules"]][-1] == "no-telnet"


def test_a_change_that_nobody_confirms_is_gone_in_time_and_after_kill_9(firewall, start):
    firewall.call("POST", "/api/v1/firewall/rules", {"rule": RULE}, token=firewall.token)
    apply(firewall, 5)
    deadline = time.monotonic() + 7
    while state(firewall)["pending"] and time.monotonic() < deadline:
        time.sleep(0.1)
    answer = state(firewall)
    assert answer["pending"] is None and "not confirmed in time" in answer["rolled_back"]
    assert "no-telnet" not in json.dumps(answer["in_force"])
    apply(firewall)
    firewall.kill()
    again = start("--firewall", "memory")
    again.token = again.login().json()["token"]
    answer = state(again)
    assert answer["pending"] is None and answer["changed"]
    assert "no-telnet" not in json.dumps(answer["in_force"])


def test_off_leaves_it_alone(start):
    server = start("--firewall", "off")
    server.token = server.set_up()["token"]
    assert server.call("GET", "/api/firewall/rules", token=server.token).status == 404


def nta(server, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "NTA_PASSWORD": PASSWORD}
    where = ["--server", f"http://127.0.0.1:{server.port}", "--user", "root"]
    return subprocess.run([sys.executable, "-m", "nta", "firewall", *arguments, *where], capture_output=True, text=True,
                          timeout=60, env=environment)


@pytest.mark.skipif(not PACKAGE or not (PACKAGE / "nta").exists(), reason="the Python package is not built")
def test_the_command_applies_and_confirms(firewall, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [RULE]}))
    applied = nta(firewall, "apply", str(rules))
    if "ModuleNotFoundError" in applied.stderr or "ImportError" in applied.stderr:
        pytest.skip("the Python package is of another interpreter")
    assert applied.returncode == 0, applied.stderr
    assert "+ rule no-telnet: drop in tcp to port 23" in applied.stderr
    token = applied.stdout.strip()
    wrong = nta(firewall, "confirm", token + "x")
    assert wrong.returncode == 1 and "not that of the change" in wrong.stderr
    assert nta(firewall, "confirm", token).returncode == 0
    listed = nta(firewall, "list")
    assert listed.returncode == 0 and "no-telnet" in listed.stdout
    assert nta(firewall, "confirm", token).returncode == 1


@pytest.mark.skipif(not PACKAGE or not (PACKAGE / "nta").exists(), reason="the Python package is not built")
def test_the_command_edits_the_draft_and_blocks(firewall, tmp_path):
    added = nta(firewall, "add", json.dumps(RULE))
    if "ModuleNotFoundError" in added.stderr or "ImportError" in added.stderr:
        pytest.skip("the Python package is of another interpreter")
    assert added.returncode == 0, added.stderr
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({**RULE, "id": "no-ftp", "destination_ports": [21]}))
    assert nta(firewall, "add", str(rule), "--place", "0").returncode == 0
    rule.write_text(json.dumps({**RULE, "id": "no-ftp", "destination_ports": [20, 21]}))
    assert nta(firewall, "replace", str(rule)).returncode == 0
    assert nta(firewall, "diff").stdout == (
        "+ rule no-ftp: drop in tcp to port 20-21\n+ rule no-telnet: drop in tcp to port 23\n"
    )
    assert nta(firewall, "delete", "no-ftp").returncode == 0
    assert nta(firewall, "delete", "no-ftp").returncode == 1
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": []}))
    assert nta(firewall, "replace", "--all", str(rules)).returncode == 0
    assert nta(firewall, "diff").stdout == ""

    blocked = nta(firewall, "block", "203.0.113.9", "--protocol", "tcp", "--port", "22", "--seconds", "60")
    assert blocked.stdout.startswith("203.0.113.9 tcp port 22 until 20"), blocked.stderr
    again = nta(firewall, "block", "203.0.113.9", "--protocol", "tcp", "--port", "22", "--seconds", "600")
    assert "in place of the block until 20" in again.stdout, again.stdout
    assert "0 packets cut" in nta(firewall, "effect").stdout
    assert json.loads(nta(firewall, "effect", "--format", "json").stdout)[0]["scope"]["port"] == 22
    assert nta(firewall, "unblock", "203.0.113.9").returncode == 0
    assert nta(firewall, "unblock", "203.0.113.9").returncode == 1
    assert nta(firewall, "effect").stdout == ""
    assert nta(firewall, "block", "--alert", "nothing-1").returncode == 1
    assert "only the backend nftables" in nta(firewall, "import", "inet", "filter").stderr


def test_acts_of_the_firewall_are_in_the_trail(firewall):
    firewall.call("POST", "/api/v1/firewall/rules", {"rule": RULE}, token=firewall.token)
    apply(firewall, 60)
    firewall.call("POST", "/api/v1/firewall/block", {"address": "203.0.113.9", "seconds": 1}, token=firewall.token)
    deadline = time.monotonic() + 10
    acts = {}
    while "firewall.expire" not in acts and time.monotonic() < deadline:
        answer = firewall.call("GET", "/api/v1/logs/audit", token=firewall.token).json()
        acts = {one["act"]: one for one in answer["records"]}
        time.sleep(0.2)
    assert acts["firewall.block"] and acts["firewall.expire"]["target"] == "203.0.113.9"
    assert "no-telnet" in json.dumps(acts["firewall.change.apply"])
