from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import stat
import subprocess
import sys

import pytest

import nta


def run(*arguments, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "nta", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120, **options)  # fmt: skip


@pytest.fixture(scope="module")
def database(sample, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "nta.db"
    with nta.Store.open(path) as store:
        store.write(nta.read_flows(sample))
    return path


def test_flows_prints_csv_and_the_ledger(sample):
    done = run("flows", sample)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0
    assert done.stdout == nta.read_flows(sample, applications=True).to_csv()
    assert sum(int(r["forward_packets"]) + int(r["reverse_packets"]) for r in rows) > 2000
    ledger = json.loads(done.stderr)
    assert ledger["received"] == 2748 and ledger["flows"] == len(rows)


def test_flows_prints_json_of_chosen_flows(sample, database):
    where = "dst=198.51.100.22 and dport<=120"
    for file in (sample, database):
        done = run("flows", file, "--where", where, "--format", "json", "--quiet")
        assert done.returncode == 0 and done.stderr == ""
        flows = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(flows) == len(nta.read_flows(sample, where=where)) >= 120
        assert {flow["source_address"] for flow in flows} >= {"192.0.2.66"}


def test_flows_are_chosen_by_fingerprint_live_and_stored(sample, tmp_path):
    path = tmp_path / "nta.db"
    with nta.Store.open(path) as store:
        store.write(nta.read_flows(sample, applications=True))
    for file in (sample, path):
        done = run("flows", file, "--where", "ja4=T1* and ja3s!=0123", "--format", "json", "--quiet")
        assert done.returncode == 0 and done.stderr == ""
        (flow,) = [json.loads(line) for line in done.stdout.splitlines()]
        assert flow["metadata"]["ja4"].startswith("t1") and flow["evidence"] == "payload"
    assert json.loads(run("top", path, "application", "--where", "ja4=*", "--format", "json").stdout)["flows"] == 1
    assert run("flows", path, "--where", "ja4>t1").returncode == 2


def test_flows_and_top_say_what_flows_carry(sample, tmp_path):
    rows = list(csv.DictReader(io.StringIO(run("flows", sample, "--quiet").stdout)))
    assert {"http", "dns"} <= {row["application"] for row in rows}
    top = run("top", sample, "application", "--by", "flows", "--format", "json", "--quiet").stdout.splitlines()
    assert sum(json.loads(row)["flows"] for row in top) <= len(rows)
    assert "guessed_flows" in json.loads(top[0])
    assert run("top", sample, "category", "--quiet").stdout.splitlines()[1].split()[0] != "(other)"
    series = run("series", sample, "--by", "application", "--format", "csv", "--quiet").stdout
    assert "http" in series.splitlines()[0].split(",")


def test_top_of_ports_tells_the_rest(sample):
    lines = run("top", sample, "source_port", "--quiet").stdout.splitlines()
    assert lines[-1].split()[0] == "(other)"


def test_flows_reads_standard_input(sample):
    with open(sample, "rb") as file:
        done = run("flows", "-", "--quiet", stdin=file)
    assert done.stdout == nta.read_flows(sample, applications=True).to_csv()


def test_flows_can_be_limited_in_time(sample, database):
    for file in (sample, database):
        done = run("flows", file, "--since", "-9999d", "--until", "2026-11-22T08:00:00Z", "--quiet")
        assert done.returncode == 0 and done.stdout.count("\n") == 1
        done = run("flows", file, "--since", "2026-11-22T09:00:00Z", "--until",
                   "2026-11-22T08:00:00Z", "--quiet")  # fmt: skip
        assert done.returncode == 2 and done.stderr.startswith("nta: ")


def test_detect_prints_alerts_as_json_lines(sample):
    done = run("detect", sample)
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {alert["class"] for alert in alerts} == {"port_scan", "host_sweep"}
    assert {alert["entity"]["source"] for alert in alerts} == {"192.0.2.66"}


def test_top_says_the_same_of_a_file_and_its_store(sample, database):
    answers = [run("top", file, "source_address", "--by", "packets", "--format", "json", "--quiet")
               for file in (sample, database)]  # fmt: skip
    assert answers[0].stdout == answers[1].stdout
    assert json.loads(answers[0].stdout.splitlines()[0])["packets"] > 0


def test_top_prints_a_table(database):
    done = run("top", database, "--limit", "2")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["key", "bytes", "packets", "flows"]
    assert lines[1].split()[:2] == ["198.51.100.80", "1051283"]
    assert len(lines) == 3
    assert run("top", database, "--format", "csv").stdout.startswith("key,bytes,packets,flows\n")


def test_a_capture_is_brought_into_a_store(tmp_path, sample):
    path = str(tmp_path / "filled.db")
    done = run("capture", sample, "--database", path, "--detect")
    assert done.returncode == 0, done.stderr
    ledger = json.loads(done.stderr)
    assert done.stdout == f"{ledger['flows']} flows stored in {path}\n" and ledger["received"] == 2748
    with nta.Store.open(path) as store:
        assert len(store.alerts()) > 0 and store.summary()["capture"]["packets_seen"] == 2748
    for wrong in (["capture", "--database", path], ["capture", sample, "--interface", "lo", "--database", path]):
        assert run(*wrong).returncode == 2


def test_an_interface_is_brought_into_a_store(tmp_path):
    path = str(tmp_path / "live.db")
    done = run("capture", "--interface", "lo", "--seconds", "0.5", "--database", path)
    if done.returncode != 0:
        pytest.skip(done.stderr)
    assert " flows stored in " in done.stdout
    assert nta.Store.open(path).summary()["capture"]["packets_dropped"] == 0


def test_questions_about_a_store_have_one_answer_everywhere(sample, database):
    for command in (["series", "--by", "none"], ["conversations", "--limit", "3"], ["summary"]):
        form = [] if command[0] == "summary" else ["--format", "json"]
        answers = [run(command[0], file, *command[1:], *form, "--quiet").stdout for file in (sample, database)]
        if command[0] == "summary":
            answers = [{**json.loads(a), "alerts": 0, "capture": 0} for a in answers]
        assert answers[0] == answers[1] and answers[0]
    table = run("series", database, "--where", "proto=tcp").stdout.splitlines()
    assert table[0].split() == ["time", "tcp"] and table[1].startswith("2026-11-22T08:21:00")
    about = json.loads(run("top", database).stderr)
    assert about["source"] == "rollup" and about["packets_dropped"] == 0
    assert about["since"] is None and about["until"] is None
    interval = json.loads(run("series", database).stderr)
    assert interval["since"] == "2026-11-22T08:21:00.000000000Z"
    assert json.loads(run("top", database, "--where", "port=80").stderr)["source"] == "raw"
    assert run("conversations", database, "--where", "prot=tcp").returncode == 2


def test_damaged_file_prints_what_could_be_read(sample, damaged_capture):
    done = run("flows", damaged_capture)
    assert done.returncode == 1
    message, ledger = done.stderr.splitlines()
    assert message.startswith("nta: ")
    assert json.loads(ledger)["received"] == 2747
    assert done.stdout.count("\n") > 100


@pytest.mark.parametrize("arguments", [
    ["flows", "no-such-file.pcap"], ["detect", __file__], ["top", "no-such-file.pcap"],
])  # fmt: skip
def test_errors_are_one_line_and_status_1(arguments):
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("nta: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    [], ["dance"], ["flows"], ["flows", "x", "--nonsense"], ["top", "x", "colour"],
    ["logs", "x", "--since", "soon"], ["audit", "show", "x", "--until", "soon"],
    ["firewall", "rehearse", "x", "y", "--since", "soon"],
])  # fmt: skip
def test_wrong_command_lines_are_status_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and "usage: nta" in done.stderr


def test_an_unknown_option_shows_the_usage_of_its_command():
    assert "usage: nta backup prune" in run("backup", "prune", "--nonsense").stderr


def test_help_tells_every_default():
    said = " ".join(run("top", "--help").stdout.split())
    for words in ("silence that ends a flow [120]", "[1800]", "[1000000]", "--limit LIMIT [10]", "[outer]"):
        assert words in said
    assert "[60]" in run("series", "--help").stdout
    assert run("firewall", "list", "--help").stdout.count("[nta]") == 1


def test_system_errors_are_told_as_the_library_tells_them(tmp_path):
    done = run("import", tmp_path / "new.db", tmp_path)
    assert done.stderr == f'nta: cannot open "{tmp_path}": Is a directory\n'


def test_wrong_filter_is_status_2(sample):
    done = run("flows", sample, "--where", "dprt=80")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "dport" in done.stderr


def test_reader_that_leaves_early_is_no_error(sample):
    process = subprocess.Popen([sys.executable, "-m", "nta", "flows", sample, "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1


def test_full_disk_is_one_line(sample):
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "nta", "flows", sample, "--quiet"], stdout=full,
                              stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "nta: cannot write to standard output: No space left on device\n"


def test_version():
    assert run("--version").stdout == f"nta {nta.__version__}\n"


def test_serve_starts_the_server_with_the_arguments(tmp_path):
    """A stand-in in PATH shows what is started; the real server is tested with the server."""
    from nta import _cli

    if _cli._find_server() not in (None, __import__("shutil").which("nta-server")):
        pytest.skip("nta-server stands beside the package")
    program = tmp_path / "nta-server"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = run("serve", "--port", "0", "--help", env=environment)
    assert (done.returncode, done.stdout) == (0, "--port 0 --help\n")


def test_serve_without_a_server_says_so(tmp_path):
    from nta import _cli

    if _cli._find_server() is not None:
        pytest.skip("nta-server is installed")
    done = run("serve")
    assert done.returncode == 1 and "nta-server" in done.stderr


def test_export_and_import_carry_a_store_over(database, tmp_path):
    path = tmp_path / "flows.csv"
    done = run("export", database, path, "--where", "proto=tcp")
    assert done.returncode == 0, done.stderr
    with nta.Store.open(database) as store:
        count = len(store.flows(where="proto=tcp"))
    assert done.stdout == f"{count} flows written to {path}\n"
    done = run("import", tmp_path / "copy.db", path)
    assert done.stdout == f"{count} of {count} flows stored\n", done.stderr
    with open(path, "a") as file:
        file.write("1,2\n")
    done = run("import", tmp_path / "other.db", path)
    assert (done.returncode, done.stdout) == (1, f"0 of {count + 1} flows stored\n")
    assert f"{path}:{count + 2}: 2 fields" in done.stderr


def test_export_and_import_go_through_pipes(sample, tmp_path):
    path = tmp_path / "pipe.db"
    flows = nta.read_flows(sample)
    with nta.Store.open(path) as store:
        store.write(flows)
    exported = run("export", path, "-")
    assert exported.returncode == 0 and exported.stderr == f"{len(flows)} flows written\n"
    assert len(exported.stdout.splitlines()) == len(flows) + 1
    brought = run("import", tmp_path / "copy.db", "-", input=exported.stdout)
    assert (brought.returncode, brought.stdout) == (0, f"{len(flows)} of {len(flows)} flows stored\n")
    wrong = run("import", tmp_path / "wrong.db", "-", "--format", "jsonl", input="{}\n")
    assert wrong.returncode == 1 and "stdin:1: " in wrong.stderr and "Traceback" not in wrong.stderr


def test_top_of_server_names_as_csv_is_no_formula(database, tmp_path):
    lines = tmp_path / "names.jsonl"
    assert run("export", database, lines).returncode == 0
    flow = json.loads(lines.read_text().splitlines()[0])
    flow["metadata"] = {"server_name": '=cmd(),"x"'}
    lines.write_text(json.dumps(flow) + "\n")
    done = run("import", tmp_path / "names.db", lines)
    assert done.returncode == 0, done.stderr
    top = run("top", tmp_path / "names.db", "server_name", "--format", "csv")
    assert top.returncode == 0 and '"\'=cmd(),""x"""' in top.stdout, top.stdout


def test_export_of_a_store_that_is_not_there_makes_nothing(tmp_path):
    done = run("export", tmp_path / "missing.db", tmp_path / "flows.csv")
    assert done.returncode == 1 and "missing.db" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_export_does_not_write_over_the_store_that_it_reads(sample, tmp_path):
    path = tmp_path / "ex.db"
    with nta.Store.open(path) as store:
        store.write(nta.read_flows(sample))
    before = path.read_bytes()
    os.link(path, tmp_path / "link.csv")
    for name in ("ex.db", "link.csv", "ex.db-wal", "ex.db-reserve"):
        refused = run("export", path, tmp_path / name)
        assert refused.returncode == 1 and "belongs to the store" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert path.read_bytes() == before


def test_progress_is_told_on_a_terminal_only(sample):
    # Without waiting for the moment after which it is shown.
    code = "import sys, nta._cli, nta._cli_progress as p; p._SECONDS_BETWEEN = 0; sys.exit(nta._cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "top", str(sample)]
    quiet = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert len(quiet.stderr.splitlines()) == 1, "nothing but the ledger"
    terminal, side = pty.openpty()
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=side) as process:
            os.close(side)
            shown = b""
            with contextlib.suppress(OSError):  # the program has closed its side
                while part := os.read(terminal, 65536):
                    shown += part
            assert process.wait() == 0
    finally:
        os.close(terminal)
    assert re.search(rb"\d%, \d+ packets", shown)
    ledger = shown.decode().split("\x1b[K")[-1]
    assert json.loads(ledger)["received"] == 2748, "its line is gone before what stays"


def test_alerts_of_a_store_are_listed_newest_first(sample, tmp_path):
    path = tmp_path / "nta.db"
    assert run("capture", sample, "--database", path, "--detect", "--quiet").returncode == 0
    rows = [json.loads(line) for line in run("alerts", path, "--format", "json").stdout.splitlines()]
    with nta.Store.open(path) as store:
        assert [row["id"] for row in rows] == [alert.id for alert in store.alerts()]
    (line,) = run("alerts", path, "--class", "port_scan", "--limit", 1).stdout.splitlines()
    assert "192.0.2.66" in line and rows
    assert run("alerts", path, "--min-severity", "critical", "--until=-3650d").stdout == ""
    capture = run("alerts", sample)
    assert capture.returncode == 1 and "nta detect" in capture.stderr
    missing = run("alerts", tmp_path / "none.db")
    assert missing.returncode == 1 and not (tmp_path / "none.db").exists()


def test_retention_of_a_store_shows_previews_and_deletes(sample, tmp_path):
    path = tmp_path / "nta.db"
    with nta.Store.open(path) as store:
        store.write(nta.read_flows(sample))
        count = store.size()["flows"]
    shown = run("retention", "show", "--store", path)
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert shown.returncode == 0 and lines[0] == ["kind", "count", "bytes"]
    assert lines[1][:2] == ["flows", str(count)] and int(lines[-1][1]) > 0
    everything = run("retention", "preview", "flow_bytes=1", "--store", path)
    assert "more by size" in everything.stdout.splitlines()[0]
    kept = run("retention", "preview", "flow_days=11574", "--store", path, "--format", "json")
    assert json.loads(kept.stdout)["flows"] == 0
    # Without limits nothing is meant to go.
    for nothing in ([], ["flow_days=null"]):
        done = run("retention", "run", *nothing, "--store", path)
        assert done.returncode == 2 and "name limits" in done.stderr
    done = run("retention", "run", "flow_bytes=1", "--store", path)
    assert done.returncode == 0 and done.stdout.startswith(f"deleted {count} flows, 0 alerts"), done.stderr
    with nta.Store.open(path) as store:
        assert store.size()["flows"] == 0
    long = run("retention", "run", "flow_days=11575", "--store", path)
    assert long.returncode == 2 and "11574 days" in long.stderr
    missing = run("retention", "show", "--store", tmp_path / "none.db")
    assert missing.returncode == 1 and not (tmp_path / "none.db").exists()
