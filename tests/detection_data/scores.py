"""What the evaluations share: area under the ROC curve, recall at a share of false alarms, gates."""

import math
import os
import sys


def corpus(*parts):
    """A path in the corpus; ends the program with 77 (skipped) when there is none."""
    root = os.environ.get("NTA_CORPUS_DIR")
    path = os.path.join(root, "anomaly", *parts) if root else ""
    if not root or not os.path.exists(path):
        print(f"SKIPPED: {path or 'NTA_CORPUS_DIR is not set'}: no such data here")
        sys.exit(77)
    return path


def auc(scores, labels):
    """Chance that a positive scores higher than a negative; ties count half."""
    positives = sorted(s for s, label in zip(scores, labels) if label)
    negatives = sorted(s for s, label in zip(scores, labels) if not label)
    if not positives or not negatives:
        return math.nan
    below = equal = 0
    first = last = 0
    for score in positives:
        while first < len(negatives) and negatives[first] < score:
            first += 1
        last = max(last, first)
        while last < len(negatives) and negatives[last] <= score:
            last += 1
        below += first
        equal += last - first
    return (below + equal / 2) / (len(positives) * len(negatives))


def threshold_at(scores, labels, false_positive_rate):
    """The score that this share of the negatives exceeds at most."""
    negatives = sorted((s for s, label in zip(scores, labels) if not label), reverse=True)
    return negatives[int(len(negatives) * false_positive_rate)]


def recall_at(scores, labels, false_positive_rate):
    threshold = threshold_at(scores, labels, false_positive_rate)
    found = sum(1 for s, label in zip(scores, labels) if label and s > threshold)
    return found / max(1, sum(1 for label in labels if label))


def mean_and_deviation(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


class Gates:
    def __init__(self):
        self.failed = False

    def at_least(self, what, value, least):
        ok = value >= least
        print(f"{'ok' if ok else 'FAILED'}: {what} = {value:.4f} (at least {least})")
        self.failed |= not ok

    def finish(self):
        sys.exit(1 if self.failed else 0)
