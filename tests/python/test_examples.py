"""Every program in examples/python does what its first line says."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(name: str, *arguments, directory=None) -> str:
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], cwd=directory,
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_has_a_test():
    tested = {name[len("test_"):] + ".py" for name in globals() if name.startswith("test_")}
    assert {path.name for path in EXAMPLES.glob("*.py")} <= tested


def test_print_flows(sample):
    pytest.importorskip("numpy")
    lines = run("print_flows.py", sample).splitlines()
    assert lines[0].startswith("318 flows,")
    assert lines[1].startswith("192.0.2.") and len(lines) > 6
    assert lines[-1].startswith(("high", "medium", "low"))


def test_guide(sample, damaged_capture, tmp_path):
    pytest.importorskip("numpy")
    shutil.copy(sample, tmp_path / "day.pcap")
    shutil.copy(damaged_capture, tmp_path / "cut.pcap")
    out = run("guide.py", directory=tmp_path)
    assert "318 flows, 2748 packets" in out and "192.0.2.66" in out
    assert (tmp_path / "few.pcap").stat().st_size > 100


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
