"""`nta retention` at a server and at a store."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import BINARY, PASSWORD

PACKAGE = pathlib.Path(BINARY).parent.parent / "python" if BINARY else None
pytestmark = pytest.mark.skipif(not PACKAGE or not (PACKAGE / "nta").exists(),
                                reason="the Python package is not built")


def nta(server, *arguments, user="root"):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "NTA_PASSWORD": PASSWORD}
    where = ["--server", f"http://127.0.0.1:{server.port}", "--user", user]
    done = subprocess.run([sys.executable, "-m", "nta", "retention", *arguments, *where], capture_output=True,
                          text=True, timeout=60, env=environment)
    if "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr:
        pytest.skip("the Python package is of another interpreter")
    return done


def test_the_command_shows_sets_previews_and_runs(signed_in):
    shown = nta(signed_in, "show")
    assert shown.returncode == 0, shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0] == ["kind", "count", "bytes", "days", "most_bytes"]
    assert [line[0] for line in lines[1:]] == ["flows", "alerts", "samples", "incidents", "other", "database"]
    assert lines[3][-1] == "30", "measures of health"

    done = nta(signed_in, "set", "flow_days=90", "sample_days=null", "alert_bytes=500MiB", "--format", "json")
    assert done.returncode == 0, done.stderr
    settings = json.loads(done.stdout)["settings"]
    assert (settings["flow_days"], settings["sample_days"], settings["alert_bytes"]) == (90, None, 500 << 20)
    done = nta(signed_in, "set", "max_bytes=20GiB")
    assert done.stdout.splitlines()[-1].split()[-1] == str(20 << 30)
    settings = json.loads(nta(signed_in, "show", "--format", "json").stdout)["settings"]
    assert settings["flow_days"] == 90 and settings["max_bytes"] == 20 << 30, "what is not named stays"

    preview = nta(signed_in, "preview")
    assert preview.returncode == 0, preview.stderr
    assert preview.stdout.splitlines() == [f"{kind}: 0 by age" for kind in ("flows", "alerts", "samples", "incidents")]
    narrow = json.loads(nta(signed_in, "preview", "max_bytes=16MiB", "--format", "json").stdout)
    assert narrow["over_max_bytes"] is False

    ran = nta(signed_in, "run")
    assert ran.returncode == 0 and ran.stdout.startswith("deleted 0 flows, "), ran.stderr
    assert nta(signed_in, "run", "flow_days=1").returncode == 2, "a server has its own limits"
    too_little = nta(signed_in, "set", "max_bytes=1")
    assert too_little.returncode == 1 and "16 MiB" in too_little.stderr


@pytest.mark.parametrize("wrong", ["flow_days", "flows=1", "flow_days=0", "flow_days=1MiB", "max_bytes=1.5GiB",
                                   "max_bytes=-1", "flow_days=none", "flow_days=१"])
def test_what_cannot_be_meant_is_told_without_a_server(wrong):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run([sys.executable, "-m", "nta", "retention", "set", wrong], capture_output=True, text=True,
                          timeout=60, env=environment)
    if "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr:
        pytest.skip("the Python package is of another interpreter")
    assert done.returncode == 2 and wrong.partition("=")[0] in done.stderr
