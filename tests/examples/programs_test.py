#!/usr/bin/env python3
"""Runs one of the example programs (NTA_PROGRAM) on the sample capture and on bad input.

usage: programs_test.py [-v] NAME      NAME chooses the test cases: pcap_to_flows, detect, ...
"""

import csv
import gzip
import io
import json
import os
import pathlib
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get("NTA_PROGRAM", "")
SAMPLE = pathlib.Path(os.environ.get("NTA_TEST_DATA_DIR", ".")) / "sample.pcap"
SAMPLE_PACKETS = 2748
SAMPLE_WIRE_BYTES = 1_392_983
COLUMNS = (
    "first_seen,last_seen,protocol,source_address,source_port,destination_address,destination_port,vlan,"
    "forward_packets,forward_wire_bytes,forward_ip_bytes,forward_payload_bytes,"
    "reverse_packets,reverse_wire_bytes,reverse_ip_bytes,reverse_payload_bytes,"
    "forward_tcp_flags,reverse_tcp_flags,application,end_reason"
).split(",")


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=120, **options)


def ledger_of(result):
    return json.loads(result.stderr.decode().splitlines()[-1])


class Help:
    def test_help_goes_to_stdout(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertIn(os.path.basename(PROGRAM).encode(), result.stdout)


class BadInput(Help):
    """What every program that reads a capture file owes its users."""

    def check_failure(self, result, *words):
        self.assertEqual(result.returncode, 1, result)
        lines = [line for line in result.stderr.decode().splitlines() if not line.startswith("{")]
        self.assertEqual(len(lines), 1, lines)
        for word in words:
            self.assertIn(word, lines[0])

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def file(self, content):
        path = self.directory / "file.pcap"
        path.write_bytes(content)
        return path

    def test_a_missing_file_is_named(self):
        self.check_failure(run(self.directory / "none.pcap"), "none.pcap", "No such file")

    def test_a_directory_is_no_capture(self):
        self.check_failure(run(self.directory), "Is a directory")

    def test_an_empty_file_is_no_capture(self):
        self.check_failure(run(self.file(b"")), "not a capture file", "empty")

    def test_text_is_no_capture(self):
        self.check_failure(run(self.file(b"this is not a capture file at all\n")), "not a capture file")

    def test_a_damaged_compressed_file_is_called_damaged(self):
        self.check_failure(run(self.file(b"\x1f\x8b" + bytes(100))), "damaged")
        packed = gzip.compress(SAMPLE.read_bytes())
        self.check_failure(run(self.file(packed[: len(packed) // 2])), "damaged", "ends early")

    def test_an_unknown_compression_is_named(self):
        self.check_failure(run(self.file(b"BZh9" + bytes(100))), "bzip2")

    def test_a_truncated_file_is_called_damaged(self):
        self.check_failure(run(self.file(SAMPLE.read_bytes()[:-7])), "damaged", "ends inside a record")

    def test_no_argument_is_wrong_usage(self):
        self.assertEqual(run().returncode, 2)


class PcapToFlows(BadInput, unittest.TestCase):
    def rows(self, *arguments, **options):
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return list(csv.DictReader(io.StringIO(result.stdout.decode()))), ledger_of(result)

    def check_ledger(self, ledger):
        parts = ("decoded", "malformed", "unsupported", "filtered", "dropped")
        self.assertEqual(ledger["received"], sum(ledger[part] for part in parts))

    def test_header_and_ledger_are_those_of_the_formats_page(self):
        result = run(SAMPLE)
        self.assertEqual(result.stdout.decode().splitlines()[0], ",".join(COLUMNS))
        ledger = ledger_of(result)
        self.assertEqual(
            list(ledger),
            ["received", "decoded", "malformed", "unsupported", "filtered", "dropped", "flows", "evicted", "seconds"],
        )
        self.assertEqual(ledger["received"], SAMPLE_PACKETS)
        self.check_ledger(ledger)

    def test_every_ip_packet_of_the_sample_is_in_a_flow(self):
        rows, ledger = self.rows(SAMPLE)
        packets = sum(int(row["forward_packets"]) + int(row["reverse_packets"]) for row in rows)
        self.assertEqual(packets, SAMPLE_PACKETS - 50)  # 50 ARP packets
        self.assertEqual(ledger["flows"], len(rows))
        for row in rows:
            self.assertLessEqual(int(row["first_seen"]), int(row["last_seen"]))

    def test_the_download_is_one_flow(self):
        rows, _ = self.rows(SAMPLE)
        flows = [row for row in rows if row["source_address"] == "192.0.2.12" and row["source_port"] == "54702"]
        self.assertEqual(len(flows), 1)
        self.assertEqual(int(flows[0]["forward_packets"]) + int(flows[0]["reverse_packets"]), 855)
        self.assertEqual(flows[0]["end_reason"], "end_of_flow")

    def test_workers_do_not_change_the_records(self):
        one, _ = self.rows(SAMPLE)
        for workers in ("2", "5"):
            several, ledger = self.rows(SAMPLE, "--workers", workers)
            self.assertEqual(sorted(map(tuple_of, one)), sorted(map(tuple_of, several)))
            self.check_ledger(ledger)

    def test_a_short_idle_timeout_splits_flows(self):
        rows, _ = self.rows(SAMPLE, "--idle-timeout", "1")
        self.assertGreater(sum(row["end_reason"] == "idle_timeout" for row in rows), 50)

    def test_a_small_table_evicts_and_counts(self):
        rows, ledger = self.rows(SAMPLE, "--max-flows", "4")
        self.assertGreater(ledger["evicted"], 0)
        self.assertEqual(ledger["evicted"], sum(row["end_reason"] == "lack_of_resources" for row in rows))
        packets = sum(int(row["forward_packets"]) + int(row["reverse_packets"]) for row in rows)
        self.assertEqual(packets, SAMPLE_PACKETS - 50)

    def test_later_fragments_can_be_left_out(self):
        rows, _ = self.rows(SAMPLE, "--no-defragment")
        packets = sum(int(row["forward_packets"]) + int(row["reverse_packets"]) for row in rows)
        self.assertLess(packets, SAMPLE_PACKETS - 50)

    def test_output_none_prints_the_ledger_only(self):
        result = run(SAMPLE, "--output", "none")
        self.assertEqual(result.stdout, b"")
        self.assertEqual(ledger_of(result)["received"], SAMPLE_PACKETS)

    def test_standard_input_is_a_file_too(self):
        _, ledger = self.rows("-", input=SAMPLE.read_bytes())
        self.assertEqual(ledger["received"], SAMPLE_PACKETS)

    def test_a_compressed_file_gives_the_same(self):
        packed = gzip.compress(SAMPLE.read_bytes())
        self.assertEqual(run(self.file(packed)).stdout, run(SAMPLE).stdout)
        self.assertEqual(run("-", input=packed).stdout, run(SAMPLE).stdout)

    def test_several_files_are_merged_by_time(self):
        data = SAMPLE.read_bytes()
        header, records, offset = data[:24], [], 24
        while offset < len(data):
            size = 16 + int.from_bytes(data[offset + 8 : offset + 12], "little")
            records.append(data[offset : offset + size])
            offset += size
        paths = [self.directory / name for name in ("odd.pcap", "even.pcap.gz")]
        paths[0].write_bytes(header + b"".join(records[1::2]))
        paths[1].write_bytes(gzip.compress(header + b"".join(records[::2])))
        self.assertEqual(sorted(run(*paths).stdout.splitlines()), sorted(run(SAMPLE).stdout.splitlines()))
        self.check_failure(run(SAMPLE, self.directory / "none.pcap"), "none.pcap")

    def test_progress_is_shown_on_a_terminal_only(self):
        quiet = run(SAMPLE, "--output", "none", "--progress")
        self.assertEqual(len(quiet.stderr.splitlines()), 1)
        terminal, program_side = pty.openpty()
        self.addCleanup(os.close, terminal)
        big = self.directory / "big.pcap"
        big.write_bytes(SAMPLE.read_bytes() + 50 * SAMPLE.read_bytes()[24:])
        with subprocess.Popen([PROGRAM, str(big), "--output", "none", "--progress"], stderr=program_side) as process:
            os.close(program_side)
            shown = b""
            while True:
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # the program has closed its side
                    break
                shown += part
            self.assertEqual(process.wait(), 0)
        self.assertRegex(shown.decode(), r"\d %, \d+ packets")
        self.assertEqual(json.loads(shown.decode().splitlines()[-1].split("\x1b[K")[-1])["received"], 51 * SAMPLE_PACKETS)

    def test_what_a_truncated_file_held_is_printed(self):
        result = run(self.file(SAMPLE.read_bytes()[:-7]))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(ledger_of(result)["received"], SAMPLE_PACKETS - 1)
        self.assertGreater(len(result.stdout.splitlines()), 300)

    def test_a_huge_length_does_not_make_it_allocate(self):
        header = SAMPLE.read_bytes()[:24]
        result = run(self.file(header + struct.pack("<IIII", 1, 1, 0xFFFFFFF0, 0xFFFFFFF0) + bytes(60)))
        self.check_failure(result, "damaged", "4294967280 bytes")

    def test_a_wrong_option_is_wrong_usage(self):
        for arguments in (
            ["--view", "sideways"],
            ["--workers", "0"],
            ["--nonsense"],
            ["--idle-timeout", "0"],
            ["--active-timeout", "1e300"],
            ["--max-flows", "0"],
        ):
            result = run(SAMPLE, *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertEqual(result.stdout, b"")

    def test_a_timeout_that_is_no_number_is_refused(self):
        self.assertGreater(run(SAMPLE, "--idle-timeout", "nan").returncode, 0)

    def test_a_full_disk_is_reported(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("/dev/full is missing")
        with open("/dev/full", "wb") as full:
            result = subprocess.run([PROGRAM, SAMPLE], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output", result.stderr.decode())


def tuple_of(row):
    return tuple(row[column] for column in COLUMNS)


class Detect(BadInput, unittest.TestCase):
    def alerts(self, path):
        result = run(path)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.decode().splitlines()]

    def test_the_scan_of_the_sample_is_found_and_nothing_else(self):
        alerts = self.alerts(SAMPLE)
        self.assertEqual({alert["entity"]["source"] for alert in alerts}, {"192.0.2.66"})
        self.assertEqual({alert["class"] for alert in alerts}, {"port_scan", "host_sweep"})
        first = alerts[0]
        self.assertEqual(first["class"], "port_scan")
        self.assertEqual(first["entity"]["destination"], "198.51.100.22")
        self.assertEqual(first["state"], "open")
        self.assertLessEqual(first["evidence"]["failed_contacts"], 10)

    def test_each_alert_has_the_fields_of_the_formats_page(self):
        for alert in self.alerts(SAMPLE):
            self.assertEqual(
                set(alert),
                {"id", "time", "detector", "class", "severity", "score", "observed", "expected", "unit", "entity",
                 "window_seconds", "evidence", "technique", "state", "count", "summary", "confidence", "band_low",
                 "band_high", "first_seen", "last_seen", "peers", "advice", "suppressed_by"},
            )
            self.assertTrue(alert["summary"])

    def test_every_alert_closes(self):
        states = {}
        for alert in self.alerts(SAMPLE):
            states.setdefault(alert["id"], []).append(alert["state"])
        for history in states.values():
            self.assertEqual(history[0], "open")
            self.assertEqual(history[-1], "closed")


class PrintFlows(unittest.TestCase):
    def test_it_prints_flows_and_the_scan(self):
        output = run(SAMPLE).stdout.decode()
        self.assertIn("tcp 192.0.2.12:54702 -> 198.51.100.80:80", output)
        self.assertIn("192.0.2.66", output)

    def test_a_missing_file_is_named(self):
        result = run("none.pcap")
        self.assertEqual(result.returncode, 1)
        self.assertIn("none.pcap", result.stderr.decode())


    def test_a_damaged_file_is_called_damaged(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(SAMPLE.read_bytes()[:-7])
            file.flush()
            result = run(file.name)
        self.assertEqual(result.returncode, 1)
        self.assertIn("damaged", result.stderr.decode())


class OwnDetector(Help, unittest.TestCase):
    def test_it_finds_the_upload_and_closes_its_alert(self):
        lines = run(SAMPLE).stdout.decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["open", "closed"])
        self.assertIn("192.0.2.14", lines[0])

    def test_a_missing_file_is_named(self):
        result = run("none.pcap")
        self.assertEqual(result.returncode, 1)
        self.assertIn("none.pcap", result.stderr.decode())
        self.assertEqual(run().returncode, 2)


class MergeCaptures(Help, unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def test_the_merged_file_has_every_packet_of_each(self):
        merged = self.directory / "merged.pcapng.zst"
        result = run(merged, SAMPLE, SAMPLE)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(merged.read_bytes()[:4], b"\x28\xb5\x2f\xfd")
        again = self.directory / "again.pcapng"
        self.assertEqual(run(again, merged).returncode, 0)
        if shutil.which("capinfos") is None:
            self.skipTest("capinfos is not installed: no other program has looked at the file")
        seen = subprocess.run(["capinfos", "-c", "-M", merged], capture_output=True, text=True, timeout=60)
        self.assertIn(str(2 * SAMPLE_PACKETS), seen.stdout)

    def test_mistakes_are_told(self):
        self.assertEqual(run(self.directory / "x").returncode, 2)
        result = run(self.directory / "x", self.directory / "none.pcap")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"none.pcap", result.stderr)

    def test_no_input_is_written_over_and_a_failure_leaves_what_was_there(self):
        mine = self.directory / "mine.pcap"
        shutil.copy(SAMPLE, mine)
        link = self.directory / "link.pcap"
        os.link(mine, link)
        for out in (mine, link):
            result = run(out, SAMPLE, mine)
            self.assertEqual(result.returncode, 1)
            self.assertIn(b"one of the files to be merged", result.stderr)
        self.assertEqual(mine.read_bytes(), SAMPLE.read_bytes())
        broken = self.directory / "broken.pcap"
        broken.write_bytes(SAMPLE.read_bytes()[:100_000])
        before = sorted(os.listdir(self.directory))
        self.assertEqual(run(mine, broken).returncode, 1)
        self.assertEqual(mine.read_bytes(), SAMPLE.read_bytes())
        self.assertEqual(sorted(os.listdir(self.directory)), before)


class ScoreEdges(Help, unittest.TestCase):
    def test_each_edge_has_a_score(self):
        result = run("-", input=b"1 2 1\n1 2 2\n3 4 2\n")
        self.assertEqual((result.returncode, len(result.stdout.split())), (0, 3))

    def test_a_wrong_line_and_wrong_use_are_told(self):
        wrong = run("-", input=b"1 2 1\n1 two 2\n")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(b"line 2", wrong.stderr)
        self.assertEqual(run().returncode, 2)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "-"], input=b"1 2 1\n", stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (1, b"score_edges: cannot write to standard output\n"))


class ScoreSeries(Help, unittest.TestCase):
    def test_each_value_has_a_score(self):
        result = run("-", input=b"timestamp,value\n2026-01-01 00:00:00,1\n2026-01-01 00:05:00,2\n")
        self.assertEqual((result.returncode, len(result.stdout.split())), (0, 2))

    def test_a_wrong_row_and_wrong_use_are_told(self):
        wrong = run("-", input=b"timestamp,value\n2026-01-01 00:00:00,one\n")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(b"2", wrong.stderr)
        self.assertEqual(run().returncode, 2)


class LiveTopTalkers(Help, unittest.TestCase):
    def test_a_replay_shows_the_busiest_address(self):
        result = run("--replay", SAMPLE, "--speed", "100", "--refresh", "0.2")
        self.assertEqual(result.returncode, 0, result.stderr)
        last = result.stdout.decode().rsplit("address (last minute)", 1)[1].splitlines()
        self.assertIn("198.51.100.80", last[1])

    def test_an_interrupt_ends_it_cleanly(self):
        with subprocess.Popen([PROGRAM, "--replay", SAMPLE, "--refresh", "0.1"], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            self.assertEqual(process.wait(timeout=20), 0)

    def test_an_unknown_interface_names_the_known_ones(self):
        result = run("--interface", "no-such-if0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no such interface (have: ", result.stderr.decode())

    def test_a_long_name_is_an_unknown_interface(self):
        self.assertIn("no such interface", run("--interface", "x" * 300).stderr.decode())

    def test_without_permission_the_capability_is_named(self):
        if os.geteuid() != 0:
            result = run("--interface", "lo")
        elif shutil.which("setpriv"):
            # The program may lie where only root can read, so nobody runs a copy.
            directory = pathlib.Path(tempfile.mkdtemp())
            self.addCleanup(shutil.rmtree, directory)
            directory.chmod(0o755)
            copy = shutil.copy(PROGRAM, directory / "program")
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", copy]
            result = subprocess.run([*command, "--interface", "lo"], capture_output=True, timeout=30)
        else:
            self.skipTest("setpriv is missing")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("CAP_NET_RAW", result.stderr.decode())

    def test_a_wrong_filter_is_quoted(self):
        result = run("--interface", "lo", "--filter", "tcp and or")
        if "CAP_NET_RAW" in result.stderr.decode():
            self.skipTest("capturing needs CAP_NET_RAW")
        self.assertEqual(result.returncode, 1)
        self.assertIn('"tcp and or"', result.stderr.decode())

    def test_exactly_one_source_is_wanted(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("--interface", "lo", "--replay", SAMPLE).returncode, 2)


class WatchHealth(Help, unittest.TestCase):
    def test_no_number_of_seconds_is_wrong_usage(self):
        for wrong in ("soon", "0", "-5"):
            self.assertEqual(run(wrong).returncode, 2, wrong)

    def test_measures_every_second(self):
        result = run(4)
        self.assertEqual(result.returncode, 0, result)
        lines = [line for line in result.stdout.decode().splitlines() if line.startswith("cpu ")]
        # The first look has no rate; a busy machine may be late for others.
        self.assertGreaterEqual(len(lines), 1)
        usage, values = lines[0][4:].split(", ")
        self.assertTrue(0 <= float(usage) <= 1, lines)
        self.assertGreater(int(values.split()[0]), 15)


class CaptureToStore(Help, unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def test_the_store_has_all_flows_and_what_was_lost(self):
        database = self.directory / "x.db"
        result = run(SAMPLE, database)
        self.assertEqual(result.returncode, 0, result)
        first, *rows = result.stdout.decode().splitlines()
        self.assertRegex(first, rf"^318 flows, \d+ bytes; {SAMPLE_PACKETS} packets seen, 0 dropped$")
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows[0], "198.51.100.80 1051283")
        self.assertEqual(database.read_bytes()[:15], b"SQLite format 3")

    def test_what_is_no_capture_and_no_interface_is_named(self):
        broken = self.directory / "broken.pcap"
        broken.write_bytes(b"no capture")
        for name in ("no-such-source", broken):
            result = run(name, self.directory / "x.db")
            self.assertEqual(result.returncode, 1, result)
            self.assertIn(str(name), result.stderr.decode())

    def test_wrong_use_is_told(self):
        self.assertEqual(run(SAMPLE).returncode, 2)


CASES = {
    "pcap_to_flows": PcapToFlows,
    "merge_captures": MergeCaptures,
    "detect": Detect,
    "print_flows": PrintFlows,
    "live_top_talkers": LiveTopTalkers,
    "watch_health": WatchHealth,
    "capture_to_store": CaptureToStore,
    "own_detector": OwnDetector,
    "score_edges": ScoreEdges,
    "score_series": ScoreSeries,
}

if __name__ == "__main__":
    case = CASES[sys.argv.pop()]
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    outcome = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1).run(suite)
    sys.exit(0 if outcome.wasSuccessful() else 1)
