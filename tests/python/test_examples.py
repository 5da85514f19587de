"""Every program in examples/python does what its first line says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(name: str, *arguments) -> str:
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_has_a_test():
    tested = {name[len("test_"):] + ".py" for name in globals() if name.startswith("test_")}
    assert {path.name for path in EXAMPLES.glob("*.py")} <= tested


def test_flows_to_numpy(sample):
    pytest.importorskip("numpy")
    lines = run("flows_to_numpy.py", sample).splitlines()
    assert len(lines) == 5 and lines[0].split()[1] == "198.51.100.80"


def test_find_scans(sample):
    out = run("find_scans.py", sample)
    assert out.count(" open ") == 2 and "192.0.2.66" in out


def test_own_detector(sample):
    (alert,) = run("own_detector.py", sample).splitlines()
    assert '"exfiltration"' in alert and "192.0.2.14" in alert


def test_own_source():
    lines = run("own_source.py").splitlines()
    assert len(lines) == 3 and all("10 packets" in line for line in lines)


def test_store_and_ask(sample, tmp_path):
    out = run("store_and_ask.py", sample, tmp_path / "nta.db")
    assert "198.51.100.80" in out.split("largest web flows")[0]
    assert "192.0.2.66" in out.split("alerts")[1]


def test_flows_to_parquet(sample, tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    assert "flows written" in run("flows_to_parquet.py", sample, tmp_path / "flows.parquet")
