"""Alert rules, suppressions, backtests and notifications from Python."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading

import pytest

import nta

RULE = "count() > {} per source_address in 60s"


@pytest.fixture
def store(tmp_path, sample):
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(nta.read_flows(sample))
        yield store


def test_a_rule_is_checked_with_the_place_of_its_mistake():
    assert nta.check_rule("rate(bytes) > 1M in 10") == {
        "valid": True, "expression": "rate(bytes) > 1000000 in 10s", "unit": "bytes/s",
        "counts_at_start": False}  # fmt: skip
    answer = nta.check_rule("count() > 1 in 1s where dprt=22")
    assert not answer["valid"] and answer["position"] == 24 and "dport" in answer["message"]
    with pytest.raises(nta.InvalidArgumentError) as caught:
        nta.RuleDetector("count() = 1 in 1s")
    assert caught.value.position == 8
    with pytest.raises(ValueError):
        nta.RuleDetector("count() > 1 in 1s", severity="loud")


def test_a_rule_runs_in_a_pipeline(sample):
    rule = nta.RuleDetector(RULE.format(50), id="busy", title="Busy host", severity="high")
    assert rule.name == "rule:busy" and rule.expression.startswith("count() > 50 per")
    alerts = [a for batch in nta.Pipeline(nta.PcapFileReader(sample), detectors=[rule]) for a in batch.alerts]
    opened = [a for a in alerts if a.state == "open"]
    assert opened and all(a.severity == "high" and a.summary.startswith("Busy host: 51 flows") for a in opened)
    assert rule.memory_bytes <= rule.memory_limit_bytes
    again = nta.RuleDetector(RULE.format(50), id="busy")
    again.load(rule.save())


def test_a_backtest_of_a_store_says_what_the_capture_said(store, sample):
    live = nta.backtest(nta.RuleDetector(RULE.format(50)), nta.PcapFileReader(sample))
    past = nta.backtest(nta.RuleDetector(RULE.format(50)), store)
    assert live.alerts == past.alerts > 0
    describe = lambda r: sorted((a.source, a.detector) for a in r.kept)
    assert describe(live) == describe(past)
    assert past.by_class == {"policy": past.alerts} and past.flows == len(store.flows())
    assert nta.backtest(nta.RuleDetector(RULE.format(50)), store, since="2027-01-01T00:00:00Z").flows == 0


def test_backtests_compare_suggest_and_hide(store):
    lax = nta.backtest(nta.RuleDetector(RULE.format(200)), store)
    strict = nta.backtest(nta.RuleDetector(RULE.format(20)), store)
    difference = lax.compare(strict)
    assert difference["same"] == lax.alerts and not difference["vanish"]
    assert len(difference["appear"]) == strict.alerts - lax.alerts > 0
    suggestion = nta.suggest_threshold(nta.RuleDetector(RULE.format(1)), store, wanted_per_day=1)
    found = nta.backtest(nta.RuleDetector(RULE.format(suggestion["threshold"])), store)
    assert found.alerts_per_day <= 1
    assert found.covers_a_day == (found.span_seconds >= 86400) and (found.covers_a_day or found.notes())
    busy = strict.kept[0].source
    hidden = nta.backtest(nta.RuleDetector(RULE.format(20)), store,
                          suppressions=[{"sources": [busy], "reason": "known"}])
    assert (hidden.alerts, hidden.hidden) == (strict.alerts - 1, 1)


def test_suggestions_over_a_capture_and_for_detectors(store, sample):
    rule = nta.RuleDetector(RULE.format(1))
    live = nta.suggest_threshold(rule, sample, wanted_per_day=1)
    past = nta.suggest_threshold(rule, store, wanted_per_day=1)
    assert live["threshold"] == past["threshold"] > 1 and live["current"]["threshold"] == 1
    found = nta.backtest(nta.RuleDetector(RULE.format(live["threshold"])), nta.PcapFileReader(sample))
    assert found.alerts <= 1 and found.packets > 0
    both = nta.suggest_sensitivity(sample, ["port_scan", "flood"], wanted_per_day=50)["detectors"]
    assert [(one["detector"], one["sensitivity"]) for one in both] == [("flood", "high"), ("port_scan", "high")]
    assert all([point["sensitivity"] for point in one["points"]] == ["low", "normal", "high"] for one in both)
    # Stored flows say nothing of floods.
    assert "flood" not in [one["detector"] for one in nta.suggest_sensitivity(store)["detectors"]]
    none = nta.suggest_sensitivity(sample, ["port_scan"], wanted_per_day=0)["detectors"][0]
    assert none["sensitivity"] is None and all(point["alerts"] for point in none["points"])
    with pytest.raises(TypeError):
        nta.suggest_threshold(nta.PortScanDetector(), store)
    with pytest.raises(TypeError):
        nta.suggest_threshold(rule, sample, since="2027-01-01T00:00:00Z")
    with pytest.raises(nta.NotFoundError):
        nta.suggest_sensitivity(store, ["none"])


def test_detectors_of_python_and_several_at_once(store):
    class Counter:
        seen = 0

        def observe(self, event):
            self.seen += event.type == "ended"

    counter = Counter()
    report = nta.backtest([counter, nta.PortScanDetector()], store)
    assert counter.seen == report.flows == len(store.flows())

    class Broken:
        def observe(self, event):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        nta.backtest(Broken(), store)
    with pytest.raises(TypeError):
        nta.backtest(counter, 7)


def alert(identity="a", **fields):
    return nta.Alert(id=identity, detector="port_scan", alert_class="port_scan", source="10.0.0.5",
                     summary="somebody scans", **fields)


def test_suppressions_mark_and_count():
    filter = nta.AlertFilter([{"id": "s", "sources": "10.0.0.0/8", "reason": "ours", "author": "ops"}])
    marked = filter.apply([alert("a"), alert("b"), alert("a", state="closed")])
    assert [a.suppressed_by for a in marked] == ["s", "s", "s"]
    assert filter.counts["s"]["alerts"] == 2 and filter.counts["s"]["states"] == 3
    for wrong in ({"reason": "no scope"}, {"sources": "10.0.0.0/8"},
                  {"sources": "10.0.0.300", "reason": "r"}, {"weekly": "never", "reason": "r"}):
        with pytest.raises(nta.InvalidArgumentError):
            nta.AlertFilter([wrong])
    with pytest.raises(TypeError):
        nta.AlertFilter([{"colour": "red", "reason": "r"}])


def test_a_webhook_arrives_signed():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        nta.WebhookChannel(url, secret="key", allowed_networks=["127.0.0.0/8"]).send(alert())
        with pytest.raises(nta.PermissionDeniedError):
            nta.WebhookChannel(url)
        server.shutdown()
    (headers, body), = received
    assert json.loads(body)["alert"]["summary"] == "somebody scans"
    time = int(headers["X-Nta-Timestamp"])
    assert nta.verify_webhook("key", time, body, headers["X-Nta-Signature"], time)
    assert not nta.verify_webhook("key", time, body, headers["X-Nta-Signature"], time + 400)
    assert not nta.verify_webhook("key", time, body + b" ", headers["X-Nta-Signature"], time)


def test_syslog_and_mail_from_python():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(10)
        nta.SyslogChannel("127.0.0.1", port=udp.getsockname()[1]).send(alert())
        assert b"somebody scans" in udp.recv(65536)
    with pytest.raises(nta.InvalidArgumentError):
        nta.EmailChannel("mail.example.org", sender="a@b.c", recipients=["a@b.c\r\nBcc: x@y.z"])
    with pytest.raises(nta.InvalidArgumentError):
        nta.EmailChannel("h", security="none", username="u", password="p", sender="a@b.c", recipients=["a@b.c"])


def test_the_command_line(store, sample):
    def run(*arguments):
        done = subprocess.run([sys.executable, "-m", "nta", "backtest", *map(str, arguments)],
                              capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    code, out, _ = run(sample, "--rule", RULE.format(50))
    assert code == 0 and " alerts in " in out and "where the rule allows 50" in out
    assert "threshold for 5 alerts a day" in out and "note: the traffic covers" in out
    code, out, _ = run(sample, "--rule", RULE.format(50), "--no-suggestion")
    assert code == 0 and "threshold for" not in out
    code, out, _ = run(store.path, "--rule", RULE.format(50), "--against", RULE.format(20),
                       "--wanted-per-day", "1", "--format", "json")
    answer = json.loads(out)
    assert code == 0 and answer["difference"]["vanish"] and answer["suggestion"]["points"]
    code, _, err = run(sample, "--rule", "count() >")
    assert code == 2 and "at 9" in err
    assert run(sample, "--detector", "port_scan")[0] == 0
    assert run(sample, "--rule", RULE.format(5), "--since", "-1h")[0] == 1


def test_a_backtest_takes_the_path_of_a_capture_as_suggestions_do(sample, tmp_path):
    report = nta.backtest(nta.RuleDetector(RULE.format(50)), sample)
    opened = nta.backtest(nta.RuleDetector(RULE.format(50)), nta.PcapFileReader(sample))
    assert report.to_dict() == opened.to_dict()
    assert nta.backtest(nta.RuleDetector(RULE.format(50)), str(sample)).alerts == report.alerts
    with pytest.raises(nta.NotFoundError):
        nta.backtest(nta.RuleDetector(RULE.format(50)), tmp_path / "missing.pcap")
    with pytest.raises(TypeError, match="not int"):
        nta.backtest(nta.RuleDetector(RULE.format(50)), 7)
