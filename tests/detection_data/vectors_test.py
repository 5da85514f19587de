#!/usr/bin/env python3
"""NSL-KDD and MAWI windows through nta.VectorScorer. usage: vectors_test.py (PYTHONPATH holds nta)

NSL-KDD: trained on the normal rows of the 20 % training file, and again with one tenth of attacks among them; scored on all
of Test+. 1998 traffic, so a comparison of methods and no promise for a network of today. MAWI: one day of 2017 in windows of
50 ms, scored online and without labels; the second half is reported apart.
"""

import csv
import gzip
import math
import random

import nta
from scores import Gates, auc, corpus, mean_and_deviation, recall_at

CATEGORIES = (1, 2, 3)  # protocol, service, flag


def read_rows(name):
    with gzip.open(corpus("nsl-kdd", name), "rt") as lines:
        return [line.strip().split(",") for line in lines if line.strip()]


def is_attack(row):
    return row[41] != "normal"


def encoder(rows):
    """Numbers by their logarithm, categories as one feature for each value that was seen."""
    values = [sorted({row[c] for row in rows}) for c in CATEGORIES]

    def encode(row):
        numbers = [float(row[i]) for i in range(41) if i not in CATEGORIES]
        features = [math.log1p(n) if n > 1 else n for n in numbers]
        for c, known in zip(CATEGORIES, values):
            features += [1.0 if row[c] == value else 0.0 for value in known]
        return features

    return encode


def nsl_kdd(rows, test, seed):
    encode = encoder(rows)
    vectors = [encode(row) for row in rows]
    scorer = nta.VectorScorer(dimensions=len(vectors[0]), seed=seed)
    for second, vector in enumerate(vectors):
        scorer.add(vector, time=second * 1_000_000_000)
    scores = [scorer.score(encode(row)).bits for row in test]
    return auc(scores, [is_attack(row) for row in test]), recall_at(scores, [is_attack(row) for row in test], 0.001)


def report(name, rows, test, least, gates):
    results = [nsl_kdd(rows, test, seed) for seed in range(1, 6)]
    areas, recalls = zip(*results)
    mean, deviation = mean_and_deviation(areas)
    print(f"{name}: AUC {mean:.4f} +- {deviation:.4f} (5 seeds), recall at 0.1 % false alarms {mean_and_deviation(recalls)[0]:.3f}")
    gates.at_least(f"{name}, worst of 5 seeds", min(areas), least)


def mawi(gates):
    with open(corpus("spot-mawi", "mawi_170812_50_50.csv"), encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["nFlows"]]
    labels = [float(row["nSYNatt"] or 0) > 0 for row in rows]
    scorer = nta.VectorScorer(dimensions=12)
    scores = []
    for i, row in enumerate(rows):
        get = {key: float(value or 0) for key, value in row.items() if key}
        syn = get["rSYN"] * get["packet_rate"]
        counts = ("nFlows", "nDsts", "nSrcs", "nDstPorts", "nSrcPorts", "packet_rate", "avgPktsSize")
        features = [math.log1p(get[key]) for key in counts]
        features += [math.log1p(100 * syn), math.log1p(1000 * get["rSYN"]), math.log1p(1000 * get["rICMP"])]
        features += [math.log(max(1, get["nDsts"]) / max(1, get["nSrcs"])), get["rSrcDst"]]
        scores.append(scorer.add(features, time=i * 50_000_000).bits)
    half = len(rows) // 2
    areas = [auc(s, l) for s, l in ((scores, labels), (scores[:half], labels[:half]), (scores[half:], labels[half:]))]
    print(f"MAWI: AUC {areas[0]:.4f}, first half {areas[1]:.4f}, second half {areas[2]:.4f}, "
          f"recall at 1 % false alarms {recall_at(scores, labels, 0.01):.3f}")
    gates.at_least("MAWI area under the curve", areas[0], 0.97)


def main():
    train, test = read_rows("KDDTrain+_20Percent.txt.gz"), read_rows("KDDTest+.txt.gz")
    normal = [row for row in train if not is_attack(row)]
    attacks = [row for row in train if is_attack(row)]
    rng = random.Random(7)
    mixed = normal + rng.sample(attacks, len(normal) // 9)
    rng.shuffle(mixed)
    gates = Gates()
    report("NSL-KDD Test+, normal rows only", normal, test, 0.95, gates)
    report("NSL-KDD Test+, 10 % attacks mixed in", mixed, test, 0.92, gates)
    mawi(gates)
    gates.finish()


if __name__ == "__main__":
    main()
