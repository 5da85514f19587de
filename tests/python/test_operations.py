"""Health, the scheduler and incidents."""

from __future__ import annotations

import hashlib
import tarfile

import pytest

import nta

START = nta.to_nanoseconds("2026-11-22T08:00:00Z")
SECOND = 1_000_000_000


def test_a_sample_tells_this_machine():
    before = nta.health_sample()
    after = nta.health_sample(time=before.time + SECOND)
    machine = after.to_dict()
    assert machine["memory"]["total_bytes"] > machine["memory"]["available_bytes"] > 0
    assert machine["process"]["threads"] >= 1
    assert machine["cpu"] is None  # a rate needs an earlier sample
    values = after.values(since=before)
    assert 0 <= values["memory.usage"] <= 1
    assert values["process.resident_bytes"] == machine["process"]["resident_bytes"]
    assert after.time - before.time == SECOND


def test_a_foreign_tree_is_read_and_its_gaps_are_told(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "loadavg").write_text("1.5 0.5 0.25 1/1 1\n")
    sample = nta.health_sample(tmp_path)
    assert sample.to_dict()["load"] == {"one": 1.5, "five": 0.5, "fifteen": 0.25}
    assert any("/proc/stat" in problem for problem in sample.problems)


def test_a_watch_raises_once_and_clears_below_its_lower_limit():
    watch = nta.HealthWatch(
        [{"name": "queue", "level": "critical", "raise_at": 10, "clear_at": 5, "hold_seconds": 0}]
    )
    assert watch.observe({"queue": 9}, START) == []
    (raised,) = watch.observe({"queue": 11}, START + SECOND)
    assert raised["state"] == "raised" and raised["level"] == "critical" and raised["value"] == 11
    assert watch.observe({"queue": 7}, START + 2 * SECOND) == []
    assert [finding["name"] for finding in watch.active()] == ["queue"]
    (cleared,) = watch.observe({"queue": 5}, START + 3 * SECOND)
    assert cleared["state"] == "cleared" and watch.active() == []
    assert len(nta.HealthWatch().thresholds) > 5
    with pytest.raises(nta.InvalidArgumentError, match="raise_at"):
        nta.HealthWatch([{"name": "x", "level": "warning", "clear_at": 1}])


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


def test_jobs_run_when_they_are_due_and_their_failures_are_seen():
    clock = Clock()
    scheduler = nta.Scheduler(clock=clock)
    seen = []

    def work(context):
        seen.append((context["due"], context["cause"]))
        return "three rows"

    def bad(context):
        raise ValueError("no disk")

    scheduler.add("good", work, every=60)
    scheduler.add("bad", bad, every=60)
    assert scheduler.run_due() == 0
    clock.now += 60 * SECOND
    assert scheduler.run_due() == 2
    assert scheduler.run_due() == 0
    assert seen == [(START + 60 * SECOND, "schedule")]
    good, failed = scheduler.jobs()
    assert good["history"][0]["message"] == "three rows"
    assert failed["failures"] == 1
    assert failed["history"][0]["message"] == "ValueError: no disk"
    assert scheduler.next_due == START + 120 * SECOND


def test_pause_means_pause_and_run_now_runs():
    clock = Clock()
    scheduler = nta.Scheduler(clock=clock)
    runs = []
    scheduler.add("job", lambda context: runs.append(context["cause"]), daily="03:30", zone="utc")
    assert nta.to_datetime(scheduler.next_due).strftime("%H:%M") == "03:30"
    scheduler.pause("job")
    clock.now += 86400 * SECOND
    assert scheduler.run_due() == 0 and scheduler.next_due is None
    scheduler.run_now("job")
    assert scheduler.run_due() == 1 and runs == ["by_hand"]
    scheduler.resume("job")
    assert scheduler.jobs()[0]["paused"] is False
    with pytest.raises(nta.NotFoundError):
        scheduler.pause("other")


def test_nothing_runs_twice_after_a_restart(tmp_path):
    clock = Clock()
    runs = []
    with nta.Store.open(tmp_path / "nta.db") as store:
        for _ in range(3):
            scheduler = nta.Scheduler(store=store, clock=clock)
            scheduler.add("job", lambda context: runs.append(1), every=3600)
            clock.now = START + 3600 * SECOND
            scheduler.run_due()
    assert len(runs) == 1


def test_times_that_were_set_hold_after_a_restart(tmp_path):
    clock = Clock()
    with nta.Store.open(tmp_path / "nta.db") as store:
        scheduler = nta.Scheduler(store=store, clock=clock)
        scheduler.add("job", lambda context: None, every=3600)
        scheduler.set_timing("job", daily="04:45")
        with pytest.raises(nta.NotFoundError):
            scheduler.set_timing("other", every=60)
        with pytest.raises(nta.InvalidArgumentError):
            scheduler.set_timing("job", every=60, daily="04:45")
        scheduler.reload()
        again = nta.Scheduler(store=store, clock=clock)
        again.add("job", lambda context: None, every=3600)
    assert again.jobs()[0]["timing_in_words"] == "daily at 04:45 UTC"
    assert again.jobs()[0]["default_timing"]["every_seconds"] == 3600


def test_wrong_jobs_are_refused():
    scheduler = nta.Scheduler()
    for wrong in (dict(), dict(every=1, daily="03:30"), dict(every=0), dict(every=0.5),
                  dict(daily="3:30"), dict(daily="24:00"), dict(every=1, zone="mars"),
                  dict(every=1, missed="maybe")):  # fmt: skip
        with pytest.raises(nta.InvalidArgumentError):
            scheduler.add("job", print, **wrong)
    with pytest.raises(TypeError):
        scheduler.add("job", 7, every=1)
    scheduler.add("backup", print, every=3600, least=300)
    with pytest.raises(nta.InvalidArgumentError, match="give 300 seconds or more"):
        scheduler.set_timing("backup", every=60)
    assert scheduler.jobs()[0]["least_seconds"] == 300
    scheduler.add("job", print, every=1)
    with pytest.raises(nta.AlreadyExistsError):
        scheduler.add("job", print, every=1)


@pytest.fixture
def incidents(tmp_path):
    with nta.Store.open(tmp_path / "nta.db") as store:
        yield store.incidents


def test_an_incident_keeps_its_timeline(incidents):
    made = incidents.create("Scan", author="ana", severity="high", time=START)
    assert made["id"] == "inc-000001" and made["state"] == "open"
    changed = incidents.change(
        made["id"], made["version"], author="ben", state="contained", comment="Cut off."
    )
    assert [entry["act"] for entry in changed["timeline"]] == ["created", "changed", "commented"]
    incidents.comment(made["id"], "Fine.", author="ana")
    incidents.link(made["id"], "flows", "dport=22", author="ana", since=START, until="now")
    assert incidents.get(made["id"])["links"][0]["target"] == "dport=22"
    with pytest.raises(nta.Error, match="meanwhile"):
        incidents.change(made["id"], made["version"], author="cleo", title="late")
    assert [one["id"] for one in incidents.list(states=["contained"], text="scan")] == [made["id"]]
    assert incidents.list(states=["closed"]) == []
    with pytest.raises(nta.InvalidArgumentError):
        incidents.create("", author="ana")
    with pytest.raises(nta.NotFoundError):
        incidents.get("inc-000009")


def test_evidence_is_exported_with_its_hash(incidents, tmp_path, sample):
    made = incidents.create("Scan", author="ana")
    data = sample.read_bytes()[:100_000]
    (evidence,) = incidents.add_evidence(made["id"], "day.pcap", data, author="ana")["evidence"]
    assert evidence["sha256"] == hashlib.sha256(data).hexdigest()
    assert evidence["media_type"] == "application/vnd.tcpdump.pcap"
    assert incidents.evidence(made["id"], evidence["id"]) == data
    incidents.export(made["id"], tmp_path / "x.tar", author="ana")
    with tarfile.open(tmp_path / "x.tar") as tar:
        sums = tar.extractfile("inc-000001/SHA256SUMS").read().decode()
        for line in sums.splitlines():
            digest, name = line.split("  ", 1)
            file = tar.extractfile(f"inc-000001/{name}").read()
            assert hashlib.sha256(file).hexdigest() == digest
    with pytest.raises(nta.NotFoundError):
        incidents.export("inc-000009", tmp_path / "none.tar", author="ana")
    assert not (tmp_path / "none.tar").exists()
    incidents.remove(made["id"])
    assert incidents.list() == []


def test_a_closed_store_is_refused(tmp_path):
    store = nta.Store.open(tmp_path / "nta.db")
    incidents = store.incidents
    store.close()
    with pytest.raises(nta.FailedPreconditionError):
        incidents.list()
    with pytest.raises(nta.FailedPreconditionError):
        nta.Scheduler(store=store)
