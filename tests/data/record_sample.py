#!/usr/bin/env python3
"""Record tests/data/sample.pcap: a small network of namespaces with real traffic.

The script builds a private network (one namespace per host, two bridges and a
router between them), starts real servers and clients inside it, and records
the client network with tcpdump. Nothing leaves the namespaces. When the script
ends, also after an error, every process it started is stopped, the namespaces
go away with them, and the temporary directory is removed.

    sudo ./record_sample.py --output sample.pcap --seconds 75

Needs root. Addresses come from the documentation ranges (RFC 5737, RFC 3849),
hardware addresses from the documentation block 00:00:5e:00:53:xx (RFC 7042).
"""

import argparse
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SNAPLEN = 256
NOMINAL_SECONDS = 75  # the timeline below is written for this length
LAN, DMZ = "lan", "dmz"


class Host(NamedTuple):
    name: str
    net: str
    v4: str
    v6: str
    mac: int  # last octet


HOSTS = [
    Host("gateway", LAN, "192.0.2.1", "2001:db8:1::1", 0x01),
    Host("client1", LAN, "192.0.2.11", "2001:db8:1::11", 0x11),
    Host("client2", LAN, "192.0.2.12", "2001:db8:1::12", 0x12),
    Host("client3", LAN, "192.0.2.13", "2001:db8:1::13", 0x13),
    Host("client4", LAN, "192.0.2.14", "2001:db8:1::14", 0x14),
    Host("dns", LAN, "192.0.2.53", "2001:db8:1::53", 0x53),
    Host("scanner", LAN, "192.0.2.66", "2001:db8:1::66", 0x66),
    Host("ssh", DMZ, "198.51.100.22", "2001:db8:2::22", 0x22),
    Host("www", DMZ, "198.51.100.80", "2001:db8:2::80", 0x80),
    Host("infra", DMZ, "198.51.100.123", "2001:db8:2::123", 0xA3),
]
BY_NAME = {host.name: host for host in HOSTS}
GATEWAY_DMZ = ("198.51.100.1", "2001:db8:2::1", 0x02)
CLIENTS = ["client1", "client2", "client3", "client4"]

PROGRAMS = {  # program: the Debian package it comes from
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "dnsmasq": "dnsmasq-base",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "logger": "bsdutils",
    "mount": "mount",
    "nginx": "nginx-light",
    "nmap": "nmap",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "tcpdump": "tcpdump",
    "unshare": "util-linux",
}

FILES = {  # what the web server offers: path and size in bytes
    "index.html": 600,
    "news.html": 2_500,
    "map.svg": 9_000,
    "data.json": 24_000,
    "report.pdf": 120_000,
    "image.iso": 700_000,
}

NGINX_CONF = """
user root;
worker_processes 1;
daemon off;
pid {tmp}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {tmp}/body;
    proxy_temp_path {tmp}/proxy;
    fastcgi_temp_path {tmp}/fastcgi;
    uwsgi_temp_path {tmp}/uwsgi;
    scgi_temp_path {tmp}/scgi;
    types {{ text/html html; image/svg+xml svg; application/json json; }}
    server {{
        listen 80;
        listen [::]:80;
        listen 443 ssl;
        listen [::]:443 ssl;
        ssl_certificate {tmp}/cert.pem;
        ssl_certificate_key {tmp}/cert.key;
        root {tmp}/www;
        location /upload {{ return 204; }}
        location /image.iso {{ limit_rate 140k; }}
    }}
}}
"""

# Answers SNTP requests on port 123 and takes in syslog messages on port 514.
UDP_SERVER = """
import select, socket, struct, time
def listen(port):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    return s
def stamp():
    now = time.time() + 2208988800
    return struct.pack("!II", int(now), int(now % 1 * 2**32))
ntp, log = listen(123), listen(514)
while True:
    for s in select.select([ntp, log], [], [])[0]:
        data, peer = s.recvfrom(2048)
        if s is ntp and len(data) >= 48:
            now = stamp()
            head = struct.pack("!BBbbII4s", 0x24, 2, 6, -20, 0, 0, b"LOCL")
            s.sendto(head + now + data[40:48] + now + stamp(), peer)
"""

# Asks the host named in its argument for the time.
NTP_CLIENT = """
import socket, struct, sys, time
family, kind, proto, _, address = socket.getaddrinfo(
    sys.argv[1], 123, type=socket.SOCK_DGRAM)[0]
s = socket.socket(family, kind, proto)
s.settimeout(2)
now = time.time() + 2208988800
s.sendto(struct.pack("!B39xII", 0x23, int(now), int(now % 1 * 2**32)), address)
assert len(s.recv(512)) == 48
"""

HOLDER = """
echo {name} > /proc/sys/kernel/hostname
for f in resolv.conf nsswitch.conf; do
    [ ! -e /etc/$f ] || mount --bind {tmp}/$f /etc/$f
done
cd /proc/sys/net/ipv6/conf
for c in all default; do
    echo {noipv6} > $c/disable_ipv6
    echo 0 > $c/accept_dad
    echo 0 > $c/accept_ra
    echo 0 > $c/router_solicitations
done
if [ {name} = gateway ]; then
    echo 1 > all/forwarding
    echo 1 > /proc/sys/net/ipv4/ip_forward
fi
echo ready
exec sleep {limit}
"""


class Problem(Exception):
    """Something the user should read; ends the recording."""


class Lab:
    """The namespaces, and every process that runs in them."""

    def __init__(self, tmp: Path, seconds: float):
        self.tmp = tmp
        self.limit = int(seconds) + 120  # namespaces never outlive this
        self.pids: dict[str, int] = {}
        self.processes: list[subprocess.Popen] = []
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
        self.env = {"PATH": path, "HOME": str(tmp), "LC_ALL": "C"}

    def start(self, command: list, **options) -> subprocess.Popen:
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        command = [str(word) for word in command]
        process = subprocess.Popen(command, env=self.env, cwd=self.tmp, **options)
        self.processes.append(process)
        return process

    def inside(self, host: str, command: list) -> list:
        return ["nsenter", "-t", self.pids[host], "-n", "-m", "-u", "--", *command]

    def spawn(self, host: str, *command, **options) -> subprocess.Popen:
        return self.start(self.inside(host, list(command)), **options)

    def run(self, *command, host: str | None = None, text: str = "") -> None:
        words = self.inside(host, list(command)) if host else list(command)
        words = [str(word) for word in words]
        done = subprocess.run(words, input=text, text=True, env=self.env,
                              cwd=self.tmp, capture_output=True)
        if done.returncode != 0:
            raise Problem(f"failed: {' '.join(words)}\n{done.stderr.strip()}")

    def namespace(self, name: str) -> None:
        script = HOLDER.format(name=name, tmp=self.tmp, limit=self.limit,
                               noipv6=int(name == "switch"))
        holder = self.start(["unshare", "--net", "--mount", "--uts", "sh", "-ec", script],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if holder.stdout.readline() != "ready\n":
            raise Problem(f"cannot make namespace {name}: {holder.stderr.read().strip()}")
        self.pids[name] = holder.pid

    def close(self) -> None:
        running = [p for p in reversed(self.processes) if p.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def build_network(lab: Lab) -> None:
    """Two bridges in the namespace "switch", one cable from each to every host."""
    for name in ["switch", *BY_NAME]:
        lab.namespace(name)
    lab.run("ip", "-batch", "-", host="switch", text="".join(
        f"link add {net} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
        f"link set {net} up\n" for net in (LAN, DMZ)))
    for host in HOSTS:
        plug(lab, host.name, "eth0", host.net, host.v4, host.v6, host.mac)
    plug(lab, "gateway", "eth1", DMZ, *GATEWAY_DMZ)
    gateway = BY_NAME["gateway"]
    for host in HOSTS[1:]:
        v4, v6 = (gateway.v4, gateway.v6) if host.net == LAN else GATEWAY_DMZ[:2]
        lab.run("ip", "route", "add", "default", "via", v4, host=host.name)
        lab.run("ip", "-6", "route", "add", "default", "via", v6, host=host.name)


def plug(lab: Lab, name: str, device: str, net: str, v4: str, v6: str, mac: int) -> None:
    port = f"{net}-{name}"
    # Without offloads the frames on the cable have real sizes and checksums.
    offloads = [word for key in ("rx", "tx", "tso", "gso", "gro") for word in (key, "off")]
    lab.run("ip", "-batch", "-", host="switch", text=(
        f"link add {port} type veth peer name {device} netns {lab.pids[name]}\n"
        f"link set {port} master {net} up\n"))
    lab.run("ethtool", "-K", port, *offloads, host="switch")
    lab.run("ethtool", "-K", device, *offloads, host=name)
    lab.run("ip", "-batch", "-", host=name, text=(
        f"link set lo up\n"
        f"link set {device} address 00:00:5e:00:53:{mac:02x} up\n"
        f"address add {v4}/24 dev {device}\n"
        f"address add {v6}/64 dev {device} nodad\n"))


def prepare_files(tmp: Path) -> None:
    """Name service settings, and pages of random letters for the web server."""
    (tmp / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    (tmp / "nsswitch.conf").write_text(
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")
    (tmp / "nginx.conf").write_text(NGINX_CONF.format(tmp=tmp))
    (tmp / "www").mkdir()
    letters = random.Random(1)
    for name, size in FILES.items():
        text = "".join(letters.choices("abcdefghijklmnop \n", k=size))
        (tmp / "www" / name).write_text(text)


def start_servers(lab: Lab) -> None:
    tmp = lab.tmp
    lab.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-subj", "/CN=www.example.test", "-addext", "subjectAltName=DNS:www.example.test",
            "-keyout", tmp / "cert.key", "-out", tmp / "cert.pem")
    for key in ("host", "user"):
        lab.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", tmp / key)
    public_key = (tmp / "host.pub").read_text()
    (tmp / "known_hosts").write_text(f"ssh.example.test {public_key}")

    records = [f"--host-record={h.name}.example.test,{h.v4},{h.v6}" for h in HOSTS]
    # sshd wants /run/sshd, and refuses a root account that /etc/shadow locks:
    # in this namespace /run is empty and there are no shadow entries.
    sshd = " ".join([
        "mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd;",
        "mount --bind /dev/null /etc/shadow;",
        f"exec {shutil.which('sshd', path=lab.env['PATH'])} -D -e -f /dev/null -h {tmp}/host",
        f"-o AuthorizedKeysFile={tmp}/user.pub -o StrictModes=no -o PidFile=none",
        "-o UsePAM=no -o UseDNS=no -o PermitRootLogin=prohibit-password"])
    servers = {
        "dns": ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                "--no-hosts", "--user=root", "--group=root", f"--pid-file={tmp}/dnsmasq.pid",
                "--log-facility=-", "--local=/example.test/", *records,
                "--txt-record=example.test,a small network for tests",
                "--mx-host=example.test,infra.example.test,10"],
        "www": ["nginx", "-p", tmp, "-e", "stderr", "-c", tmp / "nginx.conf"],
        "ssh": ["sh", "-ec", sshd],
        "infra": [sys.executable, "-I", "-c", UDP_SERVER],
    }
    started = {}
    for host, command in servers.items():
        with open(tmp / f"{host}.log", "wb") as log:
            started[host] = lab.spawn(host, *command, stderr=log)
    time.sleep(1.5)
    for host, process in started.items():
        if process.poll() is not None:
            log = (tmp / f"{host}.log").read_text().strip()
            raise Problem(f"the server {servers[host][0]} on {host} ended early\n{log}")


class Event(NamedTuple):
    when: float
    host: str
    command: list
    expect: int = 0  # exit status


def timeline(tmp: Path, stretch: float) -> list[Event]:
    """Who does what when, in seconds of a recording of NOMINAL_SECONDS."""
    events: list[Event] = []
    jitter = random.Random(7)

    def at(when: float, host: str, *command, expect: int = 0) -> None:
        events.append(Event(when * stretch, host, list(command), expect))

    def curl(*words) -> list:
        return ["curl", "-q", "-s", "-o", "/dev/null", "--max-time", 20, *words]

    def secure(*words) -> list:
        return curl("--cacert", tmp / "cert.pem", *words)

    web, tls = "http://www.example.test", "https://www.example.test"

    # In the background, from start to end: web pages, names, pings, time, log lines.
    pages = ["/", "/news.html", "/", "/map.svg", "/news.html", "/data.json", "/missing"]
    for i in range(45):
        when = 0.8 + 1.63 * i + jitter.uniform(-0.4, 0.4)
        family = "-6" if i % 3 == 2 else "-4"
        at(when, CLIENTS[i % 4], *curl(family, web + pages[i % len(pages)]))
    queries = [
        ("www.example.test", "A"), ("www.example.test", "AAAA"), ("example.test", "TXT"),
        ("nowhere.example.test", "A"), ("example.test", "MX"), ("-x", "198.51.100.22"),
        ("outside.test", "A"),
    ]
    for i in range(14):
        server = "@2001:db8:1::53" if i % 4 == 1 else "@192.0.2.53"
        transport = "+tcp" if i % 5 == 2 else "+notcp"
        at(2.5 + 5 * i, CLIENTS[(i + 1) % 4], "dig", server, transport, *queries[i % 7])
    seconds = NOMINAL_SECONDS * stretch
    at(0.3, "client4", "ping", "-n", "-i", "2", "-c", int(seconds / 2) - 1, "198.51.100.80")
    for i in range(8):
        at(4 + 9 * i, CLIENTS[i % 4], sys.executable, "-I", "-c", NTP_CLIENT,
           "198.51.100.123" if i % 2 else "infra.example.test")
        at(6 + 9 * i, CLIENTS[(i + 2) % 4], "logger", "--udp", "--server", "198.51.100.123",
           "--port", "514", "--rfc3164", "-t", "sample", f"job {i} finished")

    # First third: encrypted web, a session over SSH, pings in fragments.
    at(9, "client1", *secure("-6", tls + "/report.pdf"))
    at(11, "client3", *secure("-4", "--tls-max", "1.2", "--no-alpn", "--ciphers",
                            "ECDHE-RSA-AES128-GCM-SHA256", tls + "/data.json"))
    typing = "for i in $(seq 40); do echo line $i of the session; sleep 0.7; done"
    ssh = (f"ssh -T -F none -i {tmp}/user -o UserKnownHostsFile={tmp}/known_hosts "
           "-o IdentitiesOnly=yes -o BatchMode=yes root@ssh.example.test cat")
    at(14, "client3", "sh", "-c", f"({typing}) | {ssh}")
    at(17, "client2", "ping", "-n", "-c", "3", "-s", "3000", "198.51.100.80")
    at(19, "client1", "ping", "-n", "-6", "-c", "3", "-s", "3000", "2001:db8:2::80")

    # A third in: the download, some five seconds long.
    at(25, "client2", *curl("-4", web + "/image.iso"))

    # Between: an upload, closed ports, a packet that dies at the gateway.
    at(34, "client4", *curl("-4", "--data-binary", f"@{tmp}/www/data.json", web + "/upload"))
    at(36, "client1", *curl("-4", "http://dns.example.test:8080/"), expect=7)
    at(37, "client1", *curl("-6", "http://ssh.example.test:8443/"), expect=7)
    at(38, "client2", "dig", "@198.51.100.80", "+tries=1", "+time=1", "example.test", expect=9)
    at(39, "client4", "dig", "@2001:db8:2::80", "+tries=1", "+time=1", "example.test", expect=9)
    at(40, "client3", "ping", "-n", "-c", "2", "-t", "1", "198.51.100.80", expect=1)
    at(41, "client1", "ping", "-n", "-6", "-c", "5", "2001:db8:2::22")
    at(42, "client2", *secure("-6", tls + "/map.svg"))
    at(46, "client4", *secure("-4", tls + "/news.html"))

    # Two thirds in: ports 1 to 120 of one host, then one port of 24 unused addresses.
    nmap = ["nmap", "-n", "-Pn", "-sS", "-r", "--max-retries", "0"]
    at(50, "scanner", *nmap, "--max-rate", "30", "-p", "1-120", "198.51.100.22")
    at(58, "scanner", *nmap, "--max-rate", "12", "-p", "22", "198.51.100.200-223")

    at(68, "client1", *secure("-4", tls + "/"))
    return sorted(events, key=lambda event: event.when)


def record(lab: Lab, seconds: float) -> None:
    """Play the timeline while tcpdump records the client network."""
    raw, messages = lab.tmp / "raw.pcap", lab.tmp / "tcpdump.log"
    with open(raw, "wb") as out, open(messages, "wb") as log:
        tcpdump = lab.spawn("switch", "tcpdump", "-n", "-i", LAN, "-s", SNAPLEN, "-w", "-",
                            stdout=out, stderr=log)
    deadline = time.monotonic() + 10
    while b"listening on" not in messages.read_bytes():
        if tcpdump.poll() is not None or time.monotonic() > deadline:
            raise Problem(f"tcpdump does not start\n{messages.read_text().strip()}")
        time.sleep(0.05)

    begin = time.monotonic()
    clients = []
    for event in timeline(lab.tmp, seconds / NOMINAL_SECONDS):
        time.sleep(max(0.0, begin + event.when - time.monotonic()))
        clients.append((event, lab.spawn(event.host, *event.command)))
    time.sleep(max(0.0, begin + seconds - time.monotonic()))

    tcpdump.send_signal(signal.SIGINT)
    tcpdump.wait(10)
    if b"\n0 packets dropped by kernel" not in messages.read_bytes():
        raise Problem(f"tcpdump lost packets\n{messages.read_text().strip()}")
    for event, process in clients:
        status = process.poll()
        if status != event.expect:
            words = " ".join(str(word) for word in event.command if "\n" not in str(word))
            state = "did not end" if status is None else f"ended with {status}"
            raise Problem(f"on {event.host} at {event.when:.1f} s, {state}: {words}")


def summary(path: Path) -> str:
    data = path.read_bytes()
    offset, packets, original, times = 24, 0, 0, []
    while offset < len(data):
        sec, usec, kept, length = struct.unpack_from("<IIII", data, offset)
        times.append(sec + usec / 1e6)
        packets, original, offset = packets + 1, original + length, offset + 16 + kept
    return (f"{packets} packets, {original} bytes on the wire, "
            f"{times[-1] - times[0]:.1f} s, file of {len(data)} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, metavar="FILE",
                        default=Path(__file__).resolve().parent / "sample.pcap")
    parser.add_argument("--seconds", type=float, default=NOMINAL_SECONDS, metavar="N",
                        help="length of the recording, 60 to 300 (default %(default)s)")
    options = parser.parse_args()
    if not 60 <= options.seconds <= 300:
        parser.error("--seconds must be from 60 to 300")
    if os.geteuid() != 0:
        parser.error("network namespaces and sshd need root")
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        packages = " ".join(sorted({PROGRAMS[name] for name in missing}))
        parser.error(f"missing {', '.join(missing)}; apt-get install {packages}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="record_sample.") as name:
        lab = Lab(Path(name), options.seconds)
        try:
            prepare_files(lab.tmp)
            print("building the network")
            build_network(lab)
            print("starting the servers")
            start_servers(lab)
            print(f"recording for {options.seconds:g} seconds")
            record(lab, options.seconds)
            shutil.copyfile(lab.tmp / "raw.pcap", options.output)
            print(f"{options.output}: {summary(options.output)}")
        except (Problem, OSError, subprocess.SubprocessError) as error:
            print(f"record_sample: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("record_sample: interrupted", file=sys.stderr)
            return 130
        finally:
            lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
