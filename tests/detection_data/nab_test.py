#!/usr/bin/env python3
"""NAB through score_series. usage: nab_test.py SCORE_SERIES

Prints the standard profile of all files of the corpus, of the even-indexed ones (by name), on which structure was chosen,
and of the others. The rule is that of Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015.
"""

import csv
import datetime
import json
import math
import os
import subprocess
import sys

from scores import Gates, corpus


def sigmoid(x):
    return -1.0 if x > 3 else 2 / (1 + math.exp(5 * x)) - 1


class File:
    """Rows of one series: for each, which window it lies in and what a detection there is worth."""

    def __init__(self, path, windows):
        with open(path, encoding="utf-8") as data:
            times = [datetime.datetime.fromisoformat(row["timestamp"]) for row in csv.DictReader(data)]
        spans = []
        for start, end in windows:
            inside = [i for i, time in enumerate(times) if start <= time <= end]
            if inside:
                spans.append((inside[0], inside[-1]))
        self.windows = len(spans)
        self.probation = min(math.floor(0.15 * len(times)), 750)
        self.rows = [self.value(i, spans) for i in range(len(times))]

    @staticmethod
    def value(i, spans):
        before = None
        for k, (first, last) in enumerate(spans):
            if first <= i <= last:
                return k, sigmoid(-(last - i + 1) / (last - first + 1)) / sigmoid(-1.0)
            if last < i:
                before = (first, last)
        if before is None:
            return None, -1.0
        width = before[1] - before[0]
        return None, sigmoid((i - before[1]) / width) if width else -1.0


def standard_score(files, scores, threshold=None):
    """The best threshold's score and that threshold, or the score of a given one."""
    rows, windows = [], 0
    for file, file_scores in zip(files, scores):
        for i in range(file.probation, len(file.rows)):
            window, worth = file.rows[i]
            rows.append((file_scores[i], None if window is None else windows + window, worth))
        windows += file.windows
    rows.sort(key=lambda row: -row[0])
    raw, part = -float(windows), [-1.0] * windows
    best, chosen = raw, math.inf
    for index, (score, window, worth) in enumerate(rows):
        if threshold is not None and score < threshold:
            break
        if window is None:
            raw += 0.11 * worth
        elif worth > part[window]:
            raw += worth - part[window]
            part[window] = worth
        is_last_of_score = index + 1 == len(rows) or rows[index + 1][0] != score
        if is_last_of_score and raw > best:
            best, chosen = raw, score
    result = raw if threshold is not None else best
    return 100 * (result + windows) / (2 * windows), chosen


def main():
    nab = corpus("nab")
    with open(os.path.join(nab, "labels", "combined_windows.json"), encoding="utf-8") as labels:
        windows = json.load(labels)
    names = [n for n in sorted(windows) if os.path.exists(os.path.join(nab, "data", n))]
    files, scores = [], []
    for name in names:
        path = os.path.join(nab, "data", name)
        spans = [tuple(map(datetime.datetime.fromisoformat, window)) for window in windows[name]]
        files.append(File(path, spans))
        output = subprocess.run([sys.argv[1], path], check=True, capture_output=True, text=True).stdout
        scores.append([float(line) for line in output.split()])
        assert len(scores[-1]) == len(files[-1].rows), name
    score, _ = standard_score(files, scores)
    even, threshold = standard_score(files[::2], scores[::2])
    odd, _ = standard_score(files[1::2], scores[1::2])
    held_out, _ = standard_score(files[1::2], scores[1::2], threshold)
    print(f"NAB standard profile, {len(files)} files: {score:.2f}")
    print(f"  even-indexed files {even:.2f}, the others {odd:.2f}, the others at the first ones' threshold {held_out:.2f}")
    gates = Gates()
    gates.at_least("NAB standard profile", score, 66)
    gates.at_least("NAB standard profile of the odd-indexed files", odd, 62)
    gates.finish()


if __name__ == "__main__":
    main()
