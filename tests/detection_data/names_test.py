#!/usr/bin/env python3
"""Names of DNS tunnels through nta.dns_tunnel_score, which learnt from none. usage: names_test.py (PYTHONPATH holds nta)"""

import nta
from scores import Gates, auc, corpus, recall_at


def main():
    gates = Gates()
    for name in ("train.csv", "validate.csv"):
        with open(corpus("dns-tunnel", name), encoding="utf-8") as lines:
            rows = [line.strip().split(",", 1) for line in lines if line.strip()]
        labels = [label == "1" for label, _ in rows]
        scores = [nta.dns_tunnel_score(query) for _, query in rows]
        print(f"{name}: {len(rows)} names, recall at 0.1 % false alarms {recall_at(scores, labels, 0.001):.3f}")
        gates.at_least(f"area under the curve, {name}", auc(scores, labels), 0.98)
    gates.finish()


if __name__ == "__main__":
    main()
