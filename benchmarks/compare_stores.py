#!/usr/bin/env python3
"""compare_stores.py: the same flows and the same questions, in one run, in a store of libnta (SQLite and PostgreSQL), in plain
rows of SQLite, in PostgreSQL and in ClickHouse. What is not installed is left out and said; `apt-get install postgresql
clickhouse-server clickhouse-client` is all that it takes (scripts/compare_stores.sh does that and builds).

Servers run from a directory of their own, on a socket or on loopback, with the settings they come with but for durability:
PostgreSQL and both of SQLite sync every transaction of 50,000 flows; ClickHouse does not sync at all."""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

ROOT = Path(__file__).resolve().parent.parent
START = 1_795_334_400  # of SiteFlows, in seconds
MINUTE = 60_000_000_000
DAYS = 10
HOST = "10.0.1.7"
COLUMNS = (
    "first_seen last_seen protocol source_address source_port destination_address destination_port forward_packets "
    "forward_wire_bytes forward_ip_bytes forward_payload_bytes reverse_packets reverse_wire_bytes reverse_ip_bytes "
    "reverse_payload_bytes forward_tcp_flags reverse_tcp_flags outcome end_reason tcp_state"
).split()
COUNTERS = [name for name in COLUMNS if name.endswith(("packets", "bytes"))]
HOURS = (START * 10**9 + 1_517 * MINUTE, START * 10**9 + 3_733 * MINUTE)
SECOND_DAY = ((START + 86_400) * 10**9, (START + 2 * 86_400) * 10**9)
FIRST_MIDNIGHT = START + 16 * 3_600  # UTC
QUESTIONS = {
    "top_all_totals": "top 10 sources of everything, from totals, ms",
    "top_all": "top 10 sources of everything, from the flows, ms",
    "top_hours_totals": "top 10 sources of 37 hours, from totals, ms",
    "top_hours": "top 10 sources of 37 hours, from the flows, ms",
    "host_day": "all flows of one host on a day, ms",
    "drop_day": "dropping the oldest day, ms",
}

Ask = Callable[[str], Any]


class Left(Exception):
    """Why a store is left out."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = act()
    return time.perf_counter() - begin, result


def middle(act: Callable[[], Any]) -> tuple[float, Any]:
    """The middle of five, in ms."""
    runs = [timed(act) for _ in range(5)]
    return statistics.median(seconds for seconds, _ in runs) * 1_000, runs[-1][1]


def memory_of(pid: int) -> int:
    """What the processes of a group share counts once."""
    total = 0
    for status in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state parent group ...
            fields = Path(status).read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) != pid and int(status.split("/")[2]) != pid and int(fields[1]) != pid:
                continue
            rollup = Path(status).with_name("smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1_024
    return total


def top_sql(sums: str, since: int = 0, until: int = 2**63 - 1) -> str:
    return (
        f"SELECT source_address, sum({sums}) AS total FROM flows WHERE last_seen >= {since} AND last_seen < {until} "
        "GROUP BY source_address ORDER BY total DESC LIMIT 10"
    )


def ask_all(ask: Ask, host_condition: str, address: Callable[[Any], str], drop: Callable[[], int]) -> dict[str, Any]:
    times: dict[str, float] = {}
    bytes_of = "forward_wire_bytes + reverse_wire_bytes"
    times["top_all"], top = middle(lambda: ask(top_sql(bytes_of)))
    times["top_hours"], _ = middle(lambda: ask(top_sql(bytes_of, *HOURS)))
    since, until = SECOND_DAY
    times["host_day"], flows = middle(
        lambda: ask(f"SELECT * FROM flows WHERE {host_condition} AND last_seen >= {since} AND last_seen < {until} "
                    "ORDER BY last_seen DESC"))  # fmt: skip
    seconds, dropped = timed(drop)
    times["drop_day"] = seconds * 1_000
    answer = {"top": [[address(key), int(total)] for key, total in top], "host_flows": len(flows), "dropped": dropped}
    return {"milliseconds": times, "answer": answer}


@contextlib.contextmanager
def process(command: list[str], log: Path, is_up: Callable[[], bool]) -> Iterator[int]:
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=log.parent, start_new_session=True)
    try:
        for _ in range(600):
            if server.poll() is not None:
                raise Left(f"it does not start: {log.read_text(errors='replace')[-300:]}")
            if is_up():
                break
            time.sleep(0.05)
        else:
            raise Left("it does not answer")
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextlib.contextmanager
def postgres(directory: Path) -> Iterator[tuple[str, int]]:
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    if not binaries or not (Path(binaries[-1]) / "initdb").exists():
        raise Left("PostgreSQL is not installed")
    home = directory / "postgres"
    home.mkdir()
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    subprocess.run([*owner(), f"{binaries[-1]}/initdb", "-D", home / "data", "-U", "nta", "-A", "trust", "-E", "UTF8",
                    "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd=home)  # fmt: skip
    url = f"postgresql://nta@/postgres?host={home}"
    up = lambda: subprocess.run(["psql", "-qc", "SELECT 1", url], capture_output=True).returncode == 0
    command = [*owner(), f"{binaries[-1]}/postgres", "-D", str(home / "data"), "-c", "listen_addresses=",
               "-c", f"unix_socket_directories={home}", "-c", "max_wal_size=4GB"]  # fmt: skip
    with process(command, directory / "postgres.log", up) as pid:
        yield url, pid


class Psql:
    """One session, so that what is timed is the question."""

    def __init__(self, url: str) -> None:
        self._psql = subprocess.Popen(["psql", "-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1", url], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip

    def __call__(self, sql: str) -> list[list[str]]:
        assert self._psql.stdin and self._psql.stdout
        self._psql.stdin.write(sql + ";\n\\echo end-of-answer\n")
        self._psql.stdin.flush()
        rows = []
        for line in self._psql.stdout:
            if line == "end-of-answer\n":
                return rows
            rows.append(line.rstrip("\n").split("\t"))
        raise RuntimeError(f"psql ended: {sql}")

    def close(self) -> None:
        self._psql.communicate()


def compare_postgres(directory: Path, rows: Path) -> dict[str, Any]:
    with postgres(directory) as (url, pid):
        ask = Psql(url)
        types = {name: "smallint" for name in COLUMNS} | {name: "bigint" for name in [*COUNTERS, "first_seen", "last_seen"]}
        types |= {"source_address": "inet", "destination_address": "inet", "source_port": "integer",
                  "destination_port": "integer"}  # fmt: skip
        ask("CREATE TABLE flows(" + ", ".join(f"{name} {types[name]}" for name in COLUMNS) + ") PARTITION BY RANGE (last_seen)")
        bounds = [0, *(FIRST_MIDNIGHT + day * 86_400 for day in range(DAYS + 1))]
        for day, (since, until) in enumerate(zip(bounds, bounds[1:])):
            ask(f"CREATE TABLE day{day} PARTITION OF flows FOR VALUES FROM ({since * 10**9}) TO ({until * 10**9})")
        for index in ("last_seen", "source_address, last_seen", "destination_address, last_seen"):
            ask(f"CREATE INDEX ON flows({index})")
        seconds, _ = timed(lambda: copy_in_batches(url, rows))
        ask("ANALYZE flows")

        def size() -> int:
            return int(ask("SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND "
                           "relnamespace = 'public'::regnamespace")[0][0])  # fmt: skip

        before = size()
        peak = memory_of(pid)

        def drop() -> int:
            nonlocal gone
            ask("DROP TABLE day0")
            return gone

        gone = int(ask("SELECT count(*) FROM day0")[0][0])
        host = f"(source_address = '{HOST}' OR destination_address = '{HOST}')"
        result = ask_all(ask, host, str, drop)
        peak = max(peak, memory_of(pid))
        result |= {"load_seconds": seconds, "bytes": before, "bytes_after": size(), "memory_bytes": peak}
        ask.close()
        return result


def copy_in_batches(url: str, rows: Path) -> None:
    """As the others: transactions of 50,000."""
    batch = 50_000
    command = f"split -l {batch} --filter='psql -qX -v ON_ERROR_STOP=1 -c \"COPY flows FROM STDIN\" \"{url}\"' {rows}"
    subprocess.run(command, shell=True, check=True)


def compare_clickhouse(directory: Path, rows: Path) -> dict[str, Any]:
    if not shutil.which("clickhouse-server") or not shutil.which("clickhouse-client"):
        raise Left("clickhouse-server and clickhouse-client are not installed")
    home = directory / "clickhouse"
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "config.xml").write_text(
        f"<yandex><logger><level>warning</level><log>{home}/server.log</log><errorlog>{home}/error.log</errorlog></logger>"
        f"<tcp_port>{port}</tcp_port><listen_host>127.0.0.1</listen_host><path>{home}/data/</path><tmp_path>{home}/tmp/"
        f"</tmp_path><user_files_path>{home}/files/</user_files_path><format_schema_path>{home}/formats/</format_schema_path>"
        "<mark_cache_size>5368709120</mark_cache_size><users_config>users.xml</users_config><default_profile>default"
        "</default_profile><default_database>default</default_database></yandex>"
    )
    (home / "users.xml").write_text(
        "<yandex><profiles><default/></profiles><users><default><password></password><networks><ip>127.0.0.1</ip></networks>"
        "<profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>"
    )
    (home / "data").mkdir()
    client = ["clickhouse-client", "--host", "127.0.0.1", "--port", str(port)]

    def ask(sql: str) -> list[list[str]]:
        done = subprocess.run([*client, "--query", sql], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    up = lambda: subprocess.run([*client, "--query", "SELECT 1"], capture_output=True).returncode == 0
    command = ["clickhouse-server", f"--config-file={home}/config.xml"]
    with process(command, directory / "clickhouse.log", up) as pid:
        types = {name: "UInt8" for name in COLUMNS} | {name: "UInt64" for name in COUNTERS}
        types |= {"first_seen": "Int64", "last_seen": "Int64", "source_port": "UInt16", "destination_port": "UInt16",
                  "source_address": "UInt32", "destination_address": "UInt32"}  # fmt: skip
        # Addresses are kept as numbers, which this traffic of version 4 alone allows.
        ask("CREATE TABLE flows(" + ", ".join(f"{name} {types[name]}" for name in COLUMNS) + ") ENGINE = MergeTree "
            "PARTITION BY intDiv(last_seen, 86400000000000) ORDER BY last_seen")  # fmt: skip
        numbers = directory / "numbers.tsv"
        with rows.open() as given, numbers.open("w") as out:
            subprocess.run(["awk", "-F\t", "-v", "OFS=\t", "function n(a, p){split(a, p, \".\"); return p[1] * 16777216 "
                            "+ p[2] * 65536 + p[3] * 256 + p[4]} {$4 = n($4); $6 = n($6); print}"],
                           stdin=given, stdout=out, check=True)  # fmt: skip
        with numbers.open() as given:
            seconds, _ = timed(lambda: subprocess.run([*client, "--query", "INSERT INTO flows FORMAT TabSeparated"],
                                                      stdin=given, check=True))  # fmt: skip
        numbers.unlink()
        peak = memory_of(pid)
        ask("OPTIMIZE TABLE flows")

        def size() -> int:
            return int(ask("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'flows'")[0][0])

        def partitions() -> dict[str, int]:
            return {key: int(number) for key, number in
                    ask("SELECT partition, sum(rows) FROM system.parts WHERE active AND table = 'flows' GROUP BY partition")}

        before = size()
        oldest, gone = min(partitions().items(), key=lambda item: int(item[0]))

        def drop() -> int:
            ask(f"ALTER TABLE flows DROP PARTITION {oldest}")
            return gone

        number = int.from_bytes(socket.inet_aton(HOST), "big")
        # What starting the client takes is not the database's.
        idle, _ = middle(lambda: ask("SELECT 1"))
        result = ask_all(ask, f"(source_address = {number} OR destination_address = {number})",
                         lambda key: socket.inet_ntoa(int(key).to_bytes(4, "big")), drop)  # fmt: skip
        result["milliseconds"] = {name: max(ms - idle, 0.1) for name, ms in result["milliseconds"].items()}
        peak = max(peak, memory_of(pid))
        return result | {"load_seconds": seconds, "bytes": before, "bytes_after": size(), "memory_bytes": peak}


def compare_program(program: Path, kind: str, count: int, place: str) -> dict[str, Any]:
    done = subprocess.run([program, kind, str(count), place], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def compare_libnta_postgres(program: Path, directory: Path, count: int) -> dict[str, Any]:
    with postgres(directory) as (url, pid):
        result = compare_program(program, "libnta", count, url)
        result["memory_bytes"] += memory_of(pid)
        return result


def check_answers(results: dict[str, dict[str, Any]]) -> None:
    answers = {name: json.dumps(result["answer"]) for name, result in results.items()}
    if len(set(answers.values())) > 1:
        sys.exit("compare_stores.py: the answers differ:\n" + "\n".join(f"{name}: {text}" for name, text in answers.items()))


def table(results: dict[str, dict[str, Any]], count: int) -> str:
    def number(value: Optional[float]) -> str:
        return "" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"

    lines = [["", *results], ["---"] * (len(results) + 1)]
    lines.append(["flows/s stored", *(number(count / one["load_seconds"]) for one in results.values())])
    lines.append(["bytes a flow", *(number(one["bytes"] / count) for one in results.values())])
    for name, label in QUESTIONS.items():
        lines.append([label, *(number(one["milliseconds"].get(name)) for one in results.values())])
    lines.append(["... of its space returned, %", *(
        number(100 * (one["bytes"] - one["bytes_after"]) / (one["bytes"] * one["answer"]["dropped"] / count))
        for one in results.values())])  # fmt: skip
    lines.append(["memory, MB", *(number(one["memory_bytes"] / 1e6) for one in results.values())])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flows", type=int, default=1_000_000, help="1,000,000 by default; 10,000,000 for docs/benchmarks.md")
    parser.add_argument("--programs", type=Path, default=ROOT / "build/release/bin", help="where store_comparison is")
    parser.add_argument("--directory", help="where the databases are made; the system's temporary one by default")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this store; may be repeated")
    options = parser.parse_args()
    program = options.programs / "store_comparison"
    if not program.exists():
        sys.exit(f"compare_stores.py: {program} is missing: cmake --build --preset release --target store_comparison")
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="nta_compare_", dir=options.directory) as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL's user reads the rows
        rows = directory / "rows.tsv"
        count = options.flows
        stores: dict[str, Callable[[Path], dict[str, Any]]] = {
            "libnta": lambda own: compare_program(program, "libnta", count, str(own / "nta.db")),
            "libnta in PostgreSQL": lambda own: compare_libnta_postgres(program, own, count),
            "SQLite, rows": lambda own: compare_program(program, "sqlite", count, str(own / "rows.db")),
            "PostgreSQL": lambda own: compare_postgres(own, rows),
            "ClickHouse": lambda own: compare_clickhouse(own, rows),
        }
        with rows.open("wb") as out:
            subprocess.run([program, "rows", str(count)], stdout=out, check=True)
        for number, (title, compare) in enumerate(stores.items()):
            if options.only and title not in options.only:
                continue
            own = directory / str(number)
            own.mkdir()
            own.chmod(0o755)
            try:
                seconds, results[title] = timed(lambda: compare(own))
                say(f"{title}: done in {seconds:.0f} s")
            except Left as reason:
                say(f"{title}: LEFT OUT: {reason}")
            shutil.rmtree(own)
    check_answers(results)
    print(f"{options.flows:,} flows of {DAYS} days; all answers equal\n")
    print(table(results, options.flows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
