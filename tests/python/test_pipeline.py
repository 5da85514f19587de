from __future__ import annotations

import gc
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from conftest import SECOND, START, tcp, udp

import nta


def everything(pipeline: nta.Pipeline) -> tuple[nta.FlowBatch, list[nta.Alert]]:
    batches = list(pipeline)
    return (nta.FlowBatch(batch.flows for batch in batches),
            [alert for batch in batches for alert in batch.alerts])  # fmt: skip


class Listed(nta.PacketSource):
    """Hands out lists of packets, one a read."""

    def __init__(self, *bursts):
        self.bursts = list(bursts)
        self.reads = 0

    def read(self):
        self.reads += 1
        if not self.bursts:
            return None
        burst = self.bursts.pop(0)
        if isinstance(burst, BaseException):
            raise burst
        return burst


def packets(*frames, start=START):
    return [nta.Packet(frame, start + i) for i, frame in enumerate(frames)]


# Sources of the library


def test_pipeline_gives_what_read_flows_gives(sample):
    flows, alerts = everything(nta.Pipeline(nta.PcapFileReader(sample), batch_packets=100))
    assert [f for f in flows] == list(nta.read_flows(sample))
    assert alerts == []


def test_batches_count_packets_and_time(sample):
    pipeline = nta.Pipeline(nta.PcapFileReader(sample), batch_packets=500)
    batches = list(pipeline)
    assert sum(batch.packets for batch in batches) == 2748
    assert len(batches) >= 5
    times = [batch.time for batch in batches]
    assert times == sorted(times)
    assert pipeline.stats().ledger.balances()
    assert pipeline.stats().ledger.received == 2748
    assert pipeline.stats().to_dict()["flow_table"]["started"] > 0
    assert list(pipeline) == []


def test_scan_and_sweep_of_the_sample_are_found_once(sample):
    _, alerts = everything(
        nta.Pipeline(nta.PcapFileReader(sample), detectors=[nta.PortScanDetector()])
    )
    opened = [alert for alert in alerts if alert.state == "open"]
    assert {alert.source for alert in opened} == {"192.0.2.66"}
    assert sorted(alert.alert_class for alert in opened) == ["host_sweep", "port_scan"]
    scan = next(alert for alert in opened if alert.alert_class == "port_scan")
    as_dict = scan.to_dict()
    assert as_dict["class"] == "port_scan" and as_dict["entity"]["source"] == "192.0.2.66"
    assert as_dict["technique"] == "T1046"
    assert scan.summary and str(scan) == scan.summary


def test_options_of_the_detector_count(write_capture):
    path = write_capture(
        frame for port in range(1, 6)
        for frame in (tcp(dport=port), tcp("192.0.2.2", "192.0.2.1", port, 1000, flags=0x14))
    )  # fmt: skip
    strict = nta.PortScanDetector(min_ports=3, window=60.0)
    assert everything(nta.Pipeline(nta.PcapFileReader(path), detectors=[strict]))[1]
    default = nta.PortScanDetector()
    assert not everything(nta.Pipeline(nta.PcapFileReader(path), detectors=[default]))[1]
    with pytest.raises(nta.InvalidArgumentError, match="window"):
        nta.PortScanDetector(window=-1.0)
    with pytest.raises(TypeError, match="colour"):
        nta.PortScanDetector(colour=1)
    with pytest.raises(TypeError, match="min_ports"):
        nta.PortScanDetector(min_ports="many")


def test_state_of_a_detector_moves_to_another(sample):
    first = nta.PortScanDetector()
    everything(nta.Pipeline(nta.PcapFileReader(sample), detectors=[first]))
    second = nta.PortScanDetector()
    second.load(first.save())
    assert second.name == "port_scan" and second.memory_bytes > 0
    with pytest.raises(nta.Error):
        second.load(b"junk")


def test_damaged_file_gives_everything_before_the_error(damaged_capture):
    pipeline = nta.Pipeline(nta.PcapFileReader(damaged_capture), batch_packets=100)
    seen = 0
    flows = 0
    with pytest.raises(nta.DataLossError):
        for batch in pipeline:
            seen += batch.packets
            flows += len(batch.flows)
    assert seen == 2747
    assert flows == pipeline.stats().flow_table.ended
    assert list(pipeline) == []


def test_closed_reader_cannot_be_read(sample):
    with nta.PcapFileReader(sample) as reader:
        pipeline = nta.Pipeline(reader, batch_packets=100)
        next(pipeline)
    with pytest.raises(nta.FailedPreconditionError, match="closed"):
        next(pipeline)
    with pytest.raises(nta.FailedPreconditionError, match="closed"):
        reader.read()
    assert reader.stats().received > 0


def test_reader_iterates_over_packets_of_their_own(sample):
    reader = nta.PcapFileReader(sample)
    kept = list(reader)
    views = [memoryview(packet) for packet in kept[:3]]
    bodies = [packet.data for packet in kept[:3]]
    assert len(kept) == 2748
    assert sum(packet.wire_bytes for packet in kept) == 1392983
    reader.close()
    del reader, kept
    gc.collect()
    assert [bytes(view) for view in views] == bodies
    with pytest.raises(TypeError):
        views[0][0] = 1


def test_stop_ends_flows_early(sample):
    pipeline = nta.Pipeline(nta.PcapFileReader(sample), batch_packets=256)
    next(pipeline)
    pipeline.stop()
    rest = list(pipeline)
    assert sum(batch.packets for batch in rest) == 0
    assert sum(len(batch.flows) for batch in rest) > 0
    assert pipeline.stats().flow_table.active == 0


def test_memory_source_carries_packets_between_threads():
    source = nta.MemorySource(name="tap")
    assert source.name == "tap" and not source.is_live

    def push():
        for i in range(1000):
            assert source.push(udp(sport=1 + i % 10), START + i)
        source.close()

    thread = threading.Thread(target=push)
    thread.start()
    flows, _ = everything(nta.Pipeline(source))
    thread.join()
    assert sum(f.packets for f in flows) == 1000 and len(flows) == 10
    assert not source.push(udp(), START)


def test_full_memory_source_drops_and_counts():
    source = nta.MemorySource(capacity_bytes=5000)
    pushed = [source.push(nta.Packet(udp(payload=bytes(1000)), START)) for _ in range(10)]
    kept = pushed.count(True)
    assert 3 <= kept <= 4 and pushed == [True] * kept + [False] * (10 - kept)
    source.close()
    pipeline = nta.Pipeline(source)
    list(pipeline)
    ledger = pipeline.stats().ledger
    assert (ledger.received, ledger.decoded, ledger.dropped) == (10, kept, 10 - kept)
    assert ledger.balances()


def test_open_memory_source_gives_empty_batches():
    source = nta.MemorySource(timeout=0.01)
    pipeline = nta.Pipeline(source, interval=0.01)
    assert next(pipeline).packets == 0
    source.push(udp(), START)
    while (batch := next(pipeline)).packets == 0:
        pass
    assert batch.packets == 1


def test_start_stop_cycles_leave_nothing_behind(sample):
    for _ in range(200):
        source = nta.MemorySource(timeout=0.0)
        source.push(udp(), START)
        pipeline = nta.Pipeline(source, detectors=[nta.PortScanDetector()], interval=0.001)
        next(pipeline)
        pipeline.stop()
        assert sum(len(batch.flows) for batch in pipeline) == 1
    before = threading.active_count()
    for _ in range(200):
        with nta.PcapFileReader(sample) as reader:
            next(nta.Pipeline(reader, batch_packets=256))
    assert threading.active_count() == before


# One thread at a time


class Blocking(nta.Detector):
    """Stays in observe() until it is let go."""

    def __init__(self):
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def observe(self, event):
        self.entered.set()
        assert self.let_go.wait(60)


def test_what_a_thread_uses_is_refused_to_others(sample):
    reader = nta.PcapFileReader(sample)
    blocking, scans = Blocking(), nta.PortScanDetector()
    pipeline = nta.Pipeline(reader, detectors=[scans, blocking], batch_packets=256)
    thread = threading.Thread(target=next, args=(pipeline,))
    thread.start()
    assert blocking.entered.wait(60)
    others = {
        "running already": lambda: next(pipeline),
        "being read already": reader.read,
        "read already": lambda: next(nta.Pipeline(reader)),
        "in use by another pipeline": lambda: next(
            nta.Pipeline(nta.PcapFileReader(sample), detectors=[scans])
        ),
        "in use": scans.save,
    }
    for message, use in others.items():
        with pytest.raises(nta.FailedPreconditionError, match=message):
            use()
    pipeline.stats()
    reader.close()  # the packets of the thread stay until it is done with them
    blocking.let_go.set()
    thread.join()
    assert pipeline.stats().ledger.received == 256


def test_detector_cannot_step_its_own_pipeline(sample):
    class Greedy(nta.Detector):
        def observe(self, event):
            next(pipeline)

    pipeline = nta.Pipeline(nta.PcapFileReader(sample), detectors=[Greedy()])
    with pytest.raises(nta.FailedPreconditionError, match="running"):
        list(pipeline)


# Sources written in Python


def test_python_source_is_read_to_its_end():
    source = Listed(packets(udp()), [], packets(udp(), start=START + SECOND))
    pipeline = nta.Pipeline(source)
    flows, _ = everything(pipeline)
    assert [f.packets for f in flows] == [2]
    assert source.reads == 4
    assert pipeline.stats().capture.received == 2


def test_any_object_with_read_is_a_source():
    class Duck:
        name = "duck"
        dropped = 3

        def __init__(self):
            self.left = [packets(udp())]

        def read(self):
            return self.left.pop() if self.left else None

    pipeline = nta.Pipeline(Duck())
    assert len(everything(pipeline)[0]) == 1
    assert pipeline.stats().ledger.dropped == 3
    assert pipeline.stats().ledger.balances()


def test_exception_of_a_source_reaches_the_loop_and_nothing_is_lost():
    pipeline = nta.Pipeline(Listed(packets(udp()), ZeroDivisionError("boom")))
    with pytest.raises(ZeroDivisionError, match="boom"):
        next(pipeline)
    flows, _ = everything(pipeline)
    assert len(flows) == 1


@pytest.mark.parametrize("junk", [3, [b"bytes"], [None], "text", object(), {"a": 1}])
def test_junk_from_a_source_is_a_clear_type_error(junk):
    with pytest.raises(TypeError, match=r"Listed\.read\(\) must return an iterable of nta.Packet or None"):
        list(nta.Pipeline(Listed(junk)))


@pytest.mark.parametrize("source", [None, 3, object(), "x.pcap"])
def test_what_cannot_be_read_is_no_source(source):
    with pytest.raises(TypeError, match="not a packet source"):
        nta.Pipeline(source)


def test_abstract_classes_cannot_be_made():
    with pytest.raises(TypeError):
        nta.PacketSource()
    with pytest.raises(TypeError):
        nta.Detector()
    assert issubclass(nta.PcapFileReader, nta.PacketSource)
    assert issubclass(nta.PortScanDetector, nta.Detector)


# Detectors written in Python


class Counter(nta.Detector):
    name = "counter"

    def __init__(self):
        self.types = []
        self.times = []
        self.finished = 0

    def observe(self, event):
        self.types.append(event.type)
        if event.type == "ended":
            return nta.Alert(source=event.flow.source_address, summary="a flow", alert_class="policy",
                             evidence={"packets": event.flow.packets, "why": ["a", "b"]})  # fmt: skip

    def advance_to(self, time):
        self.times.append(time)

    def finish(self):
        self.finished += 1
        return [nta.Alert(summary="the end")]


def test_python_detector_sees_events_and_raises_alerts():
    counter = Counter()
    pipeline = nta.Pipeline(Listed(packets(udp(), udp("192.0.2.2", "192.0.2.1", 53, 1000))),
                            detectors=[counter])  # fmt: skip
    _, alerts = everything(pipeline)
    assert counter.types == ["started", "updated", "ended"]
    assert counter.finished == 1 and counter.times
    assert [a.summary for a in alerts] == ["a flow", "the end"]
    assert [a.id for a in alerts] == ["counter-000001", "counter-000002"]
    assert {a.detector for a in alerts} == {"counter"}
    assert alerts[0].time >= START
    assert alerts[0].evidence == {"packets": 2, "why": ["a", "b"]}
    assert alerts[0].to_dict()["evidence"]["packets"] == 2
    assert pipeline.stats().alerts == 2


def test_detector_may_keep_events_and_alerts():
    kept = []

    class Keeper:
        def observe(self, event):
            kept.append(event)

    everything(nta.Pipeline(Listed(packets(udp())), detectors=[Keeper()]))
    gc.collect()
    assert [event.flow.destination_port for event in kept] == [53, 53]


@pytest.mark.parametrize("method", ["observe", "advance_to", "finish"])
def test_exception_of_a_detector_reaches_the_loop(method):
    calls = []

    class Broken:
        def observe(self, event):
            self.at("observe")

        def advance_to(self, time):
            self.at("advance_to")

        def finish(self):
            self.at("finish")

        def at(self, name):
            if name == method:
                calls.append(name)
                raise KeyError(name)

    pipeline = nta.Pipeline(Listed(packets(udp())), detectors=[Broken()])
    with pytest.raises(KeyError, match=method):
        list(pipeline)
    assert len(calls) == 1
    assert sum(len(batch.flows) for batch in pipeline) == 1
    assert len(calls) == 1


@pytest.mark.parametrize("junk", [3, "text", [None], [3], True])
def test_junk_from_a_detector_is_a_clear_type_error(junk):
    class Junk:
        def observe(self, event):
            return junk

    with pytest.raises(TypeError, match=r"Junk\.observe\(\) must return None, an nta.Alert or"):
        list(nta.Pipeline(Listed(packets(udp())), detectors=[Junk()]))


def test_what_cannot_observe_is_no_detector(sample):
    with pytest.raises(TypeError, match="not a detector"):
        nta.Pipeline(nta.PcapFileReader(sample), detectors=[object()])


def test_pipeline_keeps_its_parts_alive_and_lets_them_go(sample):
    counter = Counter()
    gone = weakref.ref(counter)
    pipeline = nta.Pipeline(nta.PcapFileReader(sample), detectors=[counter, nta.PortScanDetector()])
    del counter
    gc.collect()
    next(pipeline)
    assert gone() is not None
    del pipeline
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("kind", ["detector", "source"])
def test_a_part_that_knows_its_pipeline_is_collected(kind):
    class Part:
        def observe(self, event):
            pass

        def read(self):
            return None

    part = Part()
    if kind == "detector":
        part.pipeline = nta.Pipeline(Listed(packets(udp())), detectors=[part])
    else:
        part.pipeline = nta.Pipeline(part)
    next(part.pipeline, None)
    gone = weakref.ref(part)
    del part
    gc.collect()
    assert gone() is None


# Signals and the end of the interpreter


def test_ctrl_c_ends_a_wait_and_the_pipeline_goes_on():
    source = nta.MemorySource(timeout=10.0)
    pipeline = nta.Pipeline(source, interval=60.0)

    def interrupt():
        source.push(udp(), START)
        signal.raise_signal(signal.SIGINT)
        source.push(udp(), START)

    thread = threading.Timer(0.05, interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        next(pipeline)
    thread.join()
    source.close()
    assert sum(f.packets for batch in pipeline for f in batch.flows) == 2


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=60)  # fmt: skip


@pytest.mark.parametrize("detector", ["nta.PortScanDetector()", "Python()"])
@pytest.mark.parametrize("source", ["nta.MemorySource(timeout=0.001)", "Endless()"])
def test_interpreter_ends_quietly_while_a_thread_still_runs(source, detector):
    """The daemon thread is somewhere between C++ and Python when the interpreter goes."""
    done = run_script(f"""
        import threading, nta
        class Python:
            def observe(self, event):
                pass
            def advance_to(self, time):
                pass
        class Endless:
            def read(self):
                return [nta.Packet(bytes(60), 1)]
        started = threading.Event()
        def work():
            for batch in nta.Pipeline({source}, detectors=[{detector}], interval=0.001):
                started.set()
        for _ in range(2):
            threading.Thread(target=work, daemon=True).start()
        started.wait()
        print("end")
        """)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "end", "")


def test_objects_left_at_the_end_do_no_harm(sample):
    done = run_script(f"""
        import nta
        class Python:
            def observe(self, event):
                self.pipeline = pipeline
        pipeline = nta.Pipeline(nta.PcapFileReader({str(sample)!r}), detectors=[Python()], batch_packets=256)
        batch = next(pipeline)
        view = memoryview(batch.flows.columns()["protocol"])
        stream = batch.flows.__arrow_c_stream__()
        print("end")
        """)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "end", "")


# Live capture


def test_interfaces_are_listed():
    names = {interface.name: interface for interface in nta.list_interfaces()}
    assert names["lo"].is_loopback and "127.0.0.1" in names["lo"].addresses


def test_unknown_interface_is_not_found():
    with pytest.raises(nta.NotFoundError, match="no-such0"):
        nta.LiveCapture("no-such0")


def test_live_capture_sees_traffic_on_loopback():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        try:
            capture = nta.LiveCapture("lo", filter=f"udp port {port}", delivery="immediate")
        except nta.PermissionDeniedError as error:
            pytest.skip(f"no permission to capture: {error}")
        with capture:
            pipeline = nta.Pipeline(capture, interval=0.05)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"hello", ("127.0.0.1", port))
            seen = 0
            deadline = time.monotonic() + 20
            while seen == 0 and time.monotonic() < deadline:
                seen += next(pipeline).packets
            pipeline.stop()
            (flow,) = [flow for batch in pipeline for flow in batch.flows]
    assert (flow.destination_address, flow.destination_port) == ("127.0.0.1", port)
    assert flow.forward_payload_bytes == 5


def test_bad_capture_filter_is_refused():
    try:
        nta.LiveCapture("lo")
    except nta.PermissionDeniedError as error:
        pytest.skip(f"no permission to capture: {error}")
    with pytest.raises(nta.InvalidArgumentError):
        nta.LiveCapture("lo", filter="prot 80")


def test_a_class_in_place_of_a_detector_is_told(sample):
    with pytest.raises(TypeError, match="PortScanDetector is a class.*call it"):
        nta.Pipeline(nta.PcapFileReader(sample), detectors=[nta.PortScanDetector])
