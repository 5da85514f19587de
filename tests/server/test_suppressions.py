"""`nta suppressions` at a server."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import BINARY, PASSWORD

PACKAGE = pathlib.Path(BINARY).parent.parent / "python" if BINARY else None


def nta(server, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "NTA_PASSWORD": PASSWORD}
    where = ["--server", f"http://127.0.0.1:{server.port}", "--user", "root"]
    return subprocess.run([sys.executable, "-m", "nta", "suppressions", *arguments, *where], capture_output=True,
                          text=True, timeout=60, env=environment)


@pytest.mark.skipif(not PACKAGE or not (PACKAGE / "nta").exists(), reason="the Python package is not built")
def test_the_command_adds_lists_and_removes(signed_in):
    made = nta(signed_in, "add", "--source", "10.0.0.5", "--destination", "192.0.2.0/24", "--port", "22",
               "--detector", "port_scan", "--class", "port_scan", "--class", "host_sweep",
               "--weekly", "sat,sun 01:00-05:00", "--expires", "2099-01-01T00:00:00Z", "--reason", "our scanner")
    if "ModuleNotFoundError" in made.stderr or "ImportError" in made.stderr:
        pytest.skip("the Python package is of another interpreter")
    assert made.returncode == 0, made.stderr
    name = made.stdout.strip()
    listed = nta(signed_in, "list").stdout
    assert listed == (
        f"{name}  suppression: source 10.0.0.5/32; destination 192.0.2.0/24; port 22; detector port_scan; "
        "class port_scan, host_sweep; sat,sun 01:00-05:00 UTC; until 2099-01-01T00:00:00Z\n"
        "    our scanner (root); hid 0 alerts\n"
    )
    one = json.loads(nta(signed_in, "list", "--format", "json").stdout)[0]
    assert (one["id"], one["hidden_alerts"], one["classes"]) == (name, 0, ["port_scan", "host_sweep"])
    wrong = nta(signed_in, "add", "--reason", "everything")
    assert wrong.returncode == 1 and "nta:" in wrong.stderr
    assert nta(signed_in, "remove", name).returncode == 0
    assert nta(signed_in, "remove", name).returncode == 1
    assert nta(signed_in, "list").stdout == ""
