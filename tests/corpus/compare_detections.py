#!/usr/bin/env python3
"""Compares what the example `detect` says of captures with labels that others gave them.

usage: compare_detections.py DETECT_PROGRAM CORPUS_DIR
"""

import collections
import json
import pathlib
import subprocess
import sys

# What a label may be called by us.
CLASSES = {
    "syn_flood": {"syn_flood"},
    "reflection_synack": {"amplification"},
    "amplification_snmp": {"amplification"},
    "port_scan_vertical": {"port_scan"},
    "port_scan_horizontal": {"host_sweep"},
    "brute_force_ftp": {"brute_force"},
    "arp_scan": {"host_sweep"},
    "icmp_sweep": {"host_sweep"},
    "dhcp_flood": {"udp_flood"},
    "beacon_jittered": {"beacon"},
    "dns_tunnel": {"dns_tunnel"},
    "negative_below_threshold": set(),
}
# Password guessing at SSH, by file; each must be found within so many sessions.
GUESSES = {
    "anomaly/ssh-bruteforce/hydra-1_tasks.pcap": "240.0.1.2",
    "anomaly/ssh-bruteforce/medusa-1_tasks.pcap": "240.0.2.2",
    "anomaly/ssh-bruteforce/ncrack-polite.pcap": "240.0.3.4",
    "anomaly/zeek-auth/ssh-sshguess.pcap": "192.168.56.1",
}
MAX_FAILED_CONTACTS = 10
MAX_SESSIONS = 15
# Captures without a label in which something is to be seen, checked by hand.
KNOWN = {}


def alerts_of(program, capture):
    result = subprocess.run([program, str(capture)], capture_output=True, text=True, timeout=300)
    return [json.loads(line) for line in result.stdout.splitlines()]


def opened(alerts):
    return [alert for alert in alerts if alert["state"] == "open"]


def check_label(label, alerts):
    wanted = CLASSES[label["kind"]]
    opens = opened(alerts)
    classes = {alert["class"] for alert in opens}
    if not wanted:
        return f"must be silent, says {sorted(classes)}" if classes else None
    if classes != wanted:
        return f"expected {sorted(wanted)}, says {sorted(classes)}"
    alert = opens[0]
    attacker = label["attacker"]
    source = alert["entity"]["source"]
    if "(" in attacker or attacker == "0.0.0.0":
        if source is not None and source != "0.0.0.0":
            return f"blames {source} though the sources are many"
        if "(" in attacker and alert["evidence"].get("distinct_sources", 0) < 100:
            return "does not see how many sources there are"
    elif source != attacker:
        return f"blames {source}, not {attacker}"
    victim = label["victim"].split()[0]
    # A tunnel goes to a domain, whoever resolves its names.
    if victim[0].isdigit() and "." in victim and "/" not in victim and wanted != {"dns_tunnel"}:
        if alert["entity"]["destination"] != victim:
            return f"names {alert['entity']['destination']} as the victim, not {victim}"
    if alert["class"] in ("port_scan", "host_sweep") and alert["unit"] != "pings":
        if alert["observed"] > MAX_FAILED_CONTACTS:
            return f"needed {alert['observed']} failed contacts"
    if alert["class"] == "brute_force" and alert["observed"] > MAX_SESSIONS:
        return f"needed {alert['observed']} failed log-ins"
    return None


def labels_of(corpus):
    lines = (corpus / "detection_labels.tsv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:] if line]


def check_labels(program, corpus, failures):
    labelled = set()
    for label in labels_of(corpus):
        labelled.add(label["capture"])
        if label["kind"] not in CLASSES:
            failures.append(f"{label['capture']}: no class is known for {label['kind']}")
            continue
        problem = check_label(label, alerts_of(program, corpus / "captures" / label["capture"]))
        print(f"{'FAIL' if problem else 'ok  '} {label['kind']:26} {label['capture']}")
        if problem:
            failures.append(f"{label['capture']}: {problem}")
    return labelled


def check_guesses(program, corpus, failures):
    for name, attacker in GUESSES.items():
        opens = opened(alerts_of(program, corpus / name))
        good = [
            alert
            for alert in opens
            if alert["class"] == "brute_force"
            and alert["entity"]["source"] == attacker
            and alert["observed"] <= MAX_SESSIONS
        ]
        print(f"{'ok  ' if good else 'FAIL'} {'brute_force_ssh':26} {name}")
        if not good or len(opens) != 1:
            failures.append(f"{name}: {[alert['summary'] for alert in opens]}")


def check_others(program, corpus, labelled, failures):
    """All other captures of the corpus are samples of protocols: nothing is to be seen in them."""
    count = 0
    said = collections.Counter()
    for path in sorted((corpus / "captures").rglob("*")):
        name = str(path.relative_to(corpus / "captures"))
        if not path.is_file() or path.suffix not in (".pcap", ".pcapng", ".cap") or name in labelled:
            continue
        count += 1
        for alert in opened(alerts_of(program, path)):
            if alert["class"] in KNOWN.get(name, ()):
                continue
            said[alert["class"]] += 1
            failures.append(f"{name}: {alert['summary']}")
    print(f"{count} captures without a label, alerts in them: {dict(said)}")


def main():
    program, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    failures = []
    labelled = check_labels(program, corpus, failures)
    check_guesses(program, corpus, failures)
    check_others(program, corpus, labelled, failures)
    for failure in failures:
        print("FAILED " + failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
