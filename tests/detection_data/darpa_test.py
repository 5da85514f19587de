#!/usr/bin/env python3
"""DARPA edges through score_edges. usage: darpa_test.py SCORE_EDGES

4.5 million edges of 1998 (source, destination, minute), 60 % of them attacks. Prints the area under the ROC curve and the
recall of each attack at 0.1 % and 1 % false alarms.
"""

import collections
import subprocess
import sys
import tempfile
import zipfile

from scores import Gates, auc, corpus, threshold_at


def read_edges(archive):
    """Text for score_edges and the attack of each line; nodes and minutes numbered by their text's order."""
    with zipfile.ZipFile(archive) as zipped, zipped.open(zipped.namelist()[0]) as lines:
        rows = [line.decode().rstrip("\r\n").split(",") for line in lines]
    node = {name: i for i, name in enumerate(sorted({row[0] for row in rows} | {row[1] for row in rows}))}
    tick = {name: i + 1 for i, name in enumerate(sorted({row[2] for row in rows}))}
    text = "".join(f"{node[source]} {node[destination]} {tick[minute]}\n" for source, destination, minute, _ in rows)
    return text, [row[3] for row in rows]


def main():
    text, attacks = read_edges(corpus("midas-darpa", "darpa_original.zip"))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as edges:
        edges.write(text)
        edges.flush()
        output = subprocess.run([sys.argv[1], edges.name], check=True, capture_output=True, text=True).stdout
    scores = [float(line) for line in output.split()]
    labels = [attack != "-" for attack in attacks]
    assert len(scores) == len(labels)
    area = auc(scores, labels)
    thresholds = [threshold_at(scores, labels, rate) for rate in (0.001, 0.01)]
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for score, attack in zip(scores, attacks):
        for name in (attack, "all attacks") if attack != "-" else ():
            counts[name][0] += 1
            for i, threshold in enumerate(thresholds):
                counts[name][i + 1] += score > threshold
    print(f"{'attack':18} {'edges':>8} {'0.1 %':>7} {'1 %':>7}")
    for name, (edges, strict, loose) in sorted(counts.items(), key=lambda item: -item[1][0])[:30]:
        print(f"{name:18} {edges:8} {strict / edges:7.3f} {loose / edges:7.3f}")
    gates = Gates()
    gates.at_least("DARPA area under the curve", area, 0.985)
    gates.finish()


if __name__ == "__main__":
    main()
