#!/usr/bin/env python3
"""Compares the applications that pcap_to_flows names with what nDPI, Zeek and Arkime publish for the same captures.

usage: compare_applications.py PCAP_TO_FLOWS CORPUS_DIR [--minimum SHARE] [--ndpi] [--verbose]

Reads CORPUS_DIR/thirdparty/TOOL/CAPTURE[.VARIANT].csv (columns proto, addr_a, port_a, addr_b, port_b, label). A flow counts
when its label names a protocol of our list (include/nta/flow/application.h) and when we have a flow with its 5-tuple. Where a
label names several protocols, one inside the other, one of them is enough. Only what we know counts, never a port's guess.
Exits with 1 when fewer than SHARE (default 0.9) of the flows agree.
"""

import argparse
import collections
import csv
import io
import ipaddress
import pathlib
import re
import subprocess
import sys

PROTOCOLS = {"icmp": {"1"}, "icmp6": {"58"}, "icmpv6": {"58"}, "tcp": {"6"}, "udp": {"17"}}
TIMEOUTS = ["--idle-timeout", "86400", "--active-timeout", "86400"]

# Names of the other tools, in lower case, for ours. A name that several of ours fit stands for all of them.
NAMES = {
    "bacnet": ["bacnet"], "bgp": ["bgp"], "bittorrent": ["bittorrent"], "coap": ["coap"], "dce_rpc": ["rpc", "smb"],
    "dcerpc": ["rpc", "smb"], "dhcp": ["dhcp"], "dhcpv6": ["dhcpv6"], "dnp3": ["dnp3"], "dnp3_tcp": ["dnp3"],
    "dns": ["dns", "mdns", "llmnr", "netbios"], "dtls": ["dtls"], "enip": ["ethernet_ip"], "ethernetip": ["ethernet_ip"],
    "ftp": ["ftp"], "ftp-data": ["ftp_data"], "ftp_control": ["ftp"], "ftp_data": ["ftp_data"], "gssapi": [], "gtp": ["gtp"],
    "gtp_u": ["gtp"], "gtp_c": ["gtp"], "gtpv1": ["gtp"], "h323": [], "http": ["http", "websocket", "http2"],
    "http2": ["http2"], "http_connect": ["http"], "http_proxy": ["http"], "icmp": ["icmp"], "icmpv6": ["icmp"],
    "imap": ["imap"], "imaps": ["tls"], "irc": ["irc"], "ipsec": ["ike"], "isakmp": ["ike"], "jabber": ["xmpp"],
    "kerberos": ["kerberos"], "krb": ["kerberos"], "krb5": ["kerberos"], "krb_tcp": ["kerberos"], "ldap": ["ldap"],
    "ldap_tcp": ["ldap"], "ldap_udp": ["ldap"], "llmnr": ["llmnr"], "mdns": ["mdns"], "memcached": ["memcached"],
    "modbus": ["modbus"], "mongo": ["mongodb"], "mongodb": ["mongodb"], "mqtt": ["mqtt"], "mssql-tds": ["mssql"],
    "mysql": ["mysql"], "nbns": ["netbios"], "nbds": ["netbios"], "netbios": ["netbios"], "netflow": ["netflow"],
    "nfs": ["nfs"], "ntp": ["ntp"], "openvpn": ["openvpn"], "oracle": ["oracle"], "pop3": ["pop3"], "pops": ["tls"],
    "postgresql": ["postgresql"], "postgres": ["postgresql"], "quic": ["quic"], "radius": ["radius"], "rdp": ["rdp"],
    "redis": ["redis"], "resp": ["redis"], "rpc": ["rpc"], "rtcp": ["rtcp"], "rtmp": ["rtmp"], "rtp": ["rtp"],
    "rtsp": ["rtsp"], "s7comm": ["s7comm"], "sip": ["sip"], "smb": ["smb"], "smbv1": ["smb"], "smbv23": ["smb"],
    "smtp": ["smtp"], "smtps": ["tls"], "snmp": ["snmp"], "socks": ["socks"], "spicy_ldap_tcp": ["ldap"], "ssdp": ["ssdp"],
    "ssh": ["ssh"], "ssl": ["tls", "dtls"], "stun": ["stun"], "syslog": ["syslog"], "tds": ["mssql"], "telnet": ["telnet"],
    "teredo": ["teredo"], "tftp": ["tftp"], "tls": ["tls"], "vnc": ["vnc"], "rfb": ["vnc"], "vxlan": ["vxlan"],
    "websocket": ["websocket"], "wireguard": ["wireguard"], "xmpp": ["xmpp"],
}


def words_of(label):
    """The protocol names of a label: "http/tcp", "SF|dns,http", "TLS.Google", "Zoom/QUIC"."""
    return {word.strip().lower() for word in re.split(r"[|/,.;\s]+", label) if word.strip()}


def expected_names(label):
    names = set()
    for word in words_of(label):
        names.update(NAMES.get(word, []))
    return names


def key_of(protocol, a, a_port, b, b_port):
    ends = sorted([(str(ipaddress.ip_address(a)), int(a_port)), (str(ipaddress.ip_address(b)), int(b_port))])
    return (protocol, *ends)


def our_flows(program, capture, more):
    """{key: set of application names, "" for none}."""
    command = [program, capture, "--no-defragment", *TIMEOUTS, *more]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    flows = collections.defaultdict(set)
    for row in csv.DictReader(io.StringIO(result.stdout)):
        is_icmp = row["protocol"] in ("1", "58")
        ports = ("0", "0") if is_icmp else (row["source_port"], row["destination_port"])
        key = key_of(row["protocol"], row["source_address"], ports[0], row["destination_address"], ports[1])
        flows[key].add(row["application"])
    return flows


def their_flows(path):
    """[(key, label)] for flows whose transport we know."""
    flows = []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            for protocol in PROTOCOLS.get(row["proto"], ()):
                ports = ("0", "0") if row["proto"].startswith("icmp") else (row["port_a"], row["port_b"])
                flows.append((key_of(protocol, row["addr_a"], ports[0], row["addr_b"], ports[1]), row["label"]))
    return flows


def capture_of(corpus, path, tool_root):
    """The capture that a file of results belongs to: its name without .csv and without the variant's name."""
    name = path.relative_to(tool_root).as_posix()[: -len(".csv")]
    while name:
        if (corpus / "captures" / name).is_file():
            return corpus / "captures" / name
        if "." not in name:
            return None
        name = name.rsplit(".", 1)[0]
    return None


def tuples_seen_once(flows):
    """Variants of one capture repeat its flows: each flow and label counts once."""
    return list(dict.fromkeys(flows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--minimum", type=float, default=0.9)
    parser.add_argument("--ndpi", action="store_true", help="of a program that was built with nDPI")
    parser.add_argument("--verbose", action="store_true", help="name each flow that disagrees")
    arguments = parser.parse_args()

    counts = collections.Counter()
    classes = collections.Counter()
    theirs = collections.defaultdict(list)
    for tool_root in sorted((arguments.corpus / "thirdparty").iterdir()):
        for path in sorted(tool_root.rglob("*.csv")):
            capture = capture_of(arguments.corpus, path, tool_root)
            if capture is not None:
                theirs[(tool_root.name, capture)] += their_flows(path)
    for (tool, capture), flows in theirs.items():
        ours = our_flows(arguments.program, capture, ["--ndpi"] if arguments.ndpi else [])
        for key, label in tuples_seen_once(flows):
            expected = expected_names(label)
            if not expected:
                continue
            if key not in ours:
                counts[tool, "no such flow"] += 1
                continue
            agrees = bool(expected & ours[key])
            counts[tool, "agrees" if agrees else "disagrees"] += 1
            if not agrees:
                classes[tool, label, "/".join(sorted(ours[key])) or "-"] += 1
                if arguments.verbose:
                    print(f"{capture.name}: {key}: {tool} says {label}, we say {sorted(ours[key])}")

    for (tool, label, our), count in sorted(classes.items(), key=lambda item: -item[1]):
        print(f"{count:5} {tool:8} {label:30} ours: {our}")
    agreed = compared = 0
    for tool in sorted({tool for tool, _ in counts}):
        yes, no = counts[tool, "agrees"], counts[tool, "disagrees"]
        agreed, compared = agreed + yes, compared + yes + no
        print(f"{tool}: {yes} of {yes + no} flows agree ({counts[tool, 'no such flow']} are no flows of ours)")
    share = agreed / compared if compared else 0
    print(f"all: {agreed} of {compared} flows agree ({share:.1%})")
    sys.exit(0 if compared and share >= arguments.minimum else 1)


if __name__ == "__main__":
    main()
