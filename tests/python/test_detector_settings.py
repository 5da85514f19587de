"""The settings of detectors, backtests with them, and the packets before an alert, from Python and the command line."""

from __future__ import annotations

import ast
import json
import pathlib
import subprocess
import sys

import pytest

import nta

CLASSES = {
    "flood": nta.FloodDetector,
    "port_scan": nta.PortScanDetector,
    "brute_force": nta.BruteForceDetector,
    "arp_spoof": nta.ArpSpoofDetector,
    "dhcp": nta.DhcpDetector,
    "policy": nta.PolicyDetector,
    "beacon": nta.BeaconDetector,
    "dns_tunnel": nta.DnsTunnelDetector,
    "exfiltration": nta.ExfiltrationDetector,
    "rare_peer": nta.RarePeerDetector,
    "baseline": nta.BaselineDetector,
    "flow_anomaly": nta.FlowAnomalyDetector,
}


def cli(*arguments):
    return subprocess.run([sys.executable, "-m", "nta", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_every_detector_takes_each_of_its_options_and_refuses_what_is_out_of_bounds():
    assert [row["name"] for row in nta.detector_catalogue()] == nta.default_detector_names()
    for row in nta.detector_catalogue():
        make = CLASSES[row["name"]]
        assert make(**{option["name"]: option["default"] for option in row["options"]}).name == row["name"]
        for sensitivity in ("low", "normal", "high"):
            make(sensitivity=sensitivity)
        for option in row["options"]:
            if "least" in option:
                for wrong in (option["least"] - 1, option["most"] + 1):
                    with pytest.raises(ValueError, match=option["name"]):
                        make(**{option["name"]: wrong})
            with pytest.raises((TypeError, ValueError), match=option["name"]):
                make(**{option["name"]: "much"})
        with pytest.raises(TypeError, match="no option 'loudness'"):
            make(loudness=11)
        with pytest.raises(ValueError, match="low, normal or high"):
            make(sensitivity="max")


def test_the_stubs_name_the_options_of_the_catalogue():
    tree = ast.parse((pathlib.Path(nta.__file__).parent / "_nta.pyi").read_text())
    stubs = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for row in nta.detector_catalogue():
        name = CLASSES[row["name"]].__name__
        keywords = {argument.arg for argument in stubs[name].body[0].args.kwonlyargs}
        assert keywords - {"hash_seed", "models", "sensitivity"} == {o["name"] for o in row["options"]}, name


def test_default_detectors_take_settings_by_name(sample):
    settings = {"flood": {"enabled": False}, "port_scan": {"sensitivity": "low", "min_ports": 30}}
    names = [detector.name for detector in nta.default_detectors(settings=settings)]
    assert "flood" not in names and "port_scan" in names
    with pytest.raises(nta.NotFoundError, match="no detector"):
        nta.default_detectors(settings={"scan": {}})
    with pytest.raises(TypeError, match="no option"):
        nta.default_detectors(settings={"flood": {"loudness": 1}})


def test_the_packets_before_an_alert_are_written(sample, tmp_path):
    pipeline = nta.Pipeline(nta.PcapFileReader(sample), detectors=[nta.PortScanDetector()], evidence=True)
    alerts = [alert for batch in pipeline for alert in batch.alerts if alert.state == "open"]
    assert alerts
    path = tmp_path / "before.pcapng"
    pipeline.write_evidence(alerts[0].id, path)
    packets = sum(batch.packets for batch in nta.Pipeline(nta.PcapFileReader(path)))
    assert 1 <= packets <= 200
    with pytest.raises(nta.NotFoundError):
        pipeline.write_evidence("port_scan-999999", path)
    with pytest.raises(nta.Error, match="evidence=True"):
        nta.Pipeline(nta.PcapFileReader(sample)).write_evidence("x", path)


def test_the_command_line_sets_detectors_and_keeps_packets(sample, tmp_path):
    done = cli("detect", "--quiet", sample, "--packets", tmp_path / "packets")
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    opened = {alert["id"] for alert in alerts if alert["state"] == "open"}
    kept = {path.stem for path in (tmp_path / "packets").iterdir()}
    assert kept and kept <= opened
    quiet = cli("detect", "--quiet", sample, "--set", "port_scan.enabled=false")
    assert "port_scan" not in quiet.stdout and quiet.returncode == 0
    for wrong in ("port_scan", "scan.min_ports=5", "port_scan.min_ports=x", "port_scan.min_ports=0", "port_scan.loudness=1"):
        refused = cli("detect", sample, "--set", wrong)
        assert refused.returncode == 2 and refused.stderr.startswith("nta: ") and refused.stderr.count("\n") == 1, wrong


def test_the_command_line_lists_detectors():
    done = cli("detectors")
    assert all(name in done.stdout for name in nta.default_detector_names())
    one = cli("detectors", "port_scan")
    assert "min_ports = 25 *: " in one.stdout
    assert json.loads(cli("detectors", "--format", "json").stdout) == nta.detector_catalogue()


def test_a_backtest_of_detectors_compares_settings_and_tells_what_flows_lack(sample, tmp_path):
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(nta.read_flows(sample))
    past = json.loads(cli("backtest", tmp_path / "nta.db", "--format", "json").stdout)
    assert past["report"]["alerts"] >= 1
    assert any(note.startswith("flood: ") for note in past["notes"])
    changed = json.loads(cli("backtest", tmp_path / "nta.db", "--detector", "port_scan", "--set",
                             "port_scan.enabled=true", "--set", "port_scan.sensitivity=low", "--against-defaults",
                             "--wanted-per-day", 100, "--format", "json").stdout)
    difference = changed["difference"]
    assert difference["same"] + len(difference["vanish"]) == changed["against"]["alerts"]
    (suggestion,) = changed["suggestion"]["detectors"]
    assert suggestion["sensitivity"] == "high" and len(suggestion["points"]) == 3
    assert not any(note.startswith("port_scan") for note in changed["notes"])
    live = cli("backtest", sample, "--detector", "port_scan", "--detector", "flood")
    assert live.returncode == 0 and "alerts in" in live.stdout and "cannot" not in live.stdout
    assert "port_scan: suggested sensitivity for 5 alerts a day" in live.stdout
    for wrong in (["--rule", "count() > 5 in 1m", "--set", "flood.min_syn_rate=5"], ["--wanted-per-day", "-5"],
                  ["--against", "count() > 5 in 1m"]):
        assert cli("backtest", tmp_path / "nta.db", *wrong).returncode == 1
