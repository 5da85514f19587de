"""Scorers of series, contacts, vectors and names, and models of one's own."""

import math
import random

import pytest

import nta

SECOND = 1_000_000_000


def test_a_level_that_jumps_surprises_more_than_anything_before():
    scorer = nta.SeriesScorer()
    rng = random.Random(1)
    usual = [scorer.add(i * 60 * SECOND, 100 + rng.gauss(0, 3)) for i in range(2000)]
    jump = scorer.add(2000 * 60 * SECOND, 200)
    assert jump.score > max(score.score for score in usual[200:])
    assert jump.band_low < 100 < jump.band_high < 200
    assert jump.is_warm and not usual[0].is_warm


def test_series_scorer_goes_on_where_its_state_was_saved():
    first, second = nta.SeriesScorer(detail="compact"), nta.SeriesScorer(detail="compact")
    for i in range(500):
        first.add(i * 60 * SECOND, math.sin(i / 20) * 10 + 20)
    second.load(first.save())
    assert second.add(501 * 60 * SECOND, 55).bits == first.add(501 * 60 * SECOND, 55).bits
    with pytest.raises(nta.Error):
        second.load(first.save()[:-1] + b"x")
    with pytest.raises(ValueError, match="another detail"):
        nta.SeriesScorer().load(first.save())


def test_unknown_options_are_refused_by_name():
    with pytest.raises(TypeError, match="no option 'warmup'"):
        nta.SeriesScorer(warmup=3)
    with pytest.raises(ValueError, match="dimensions"):
        nta.VectorScorer()


def test_a_burst_of_contacts_scores_higher_than_the_habit():
    scorer = nta.EdgeScorer()
    habit = [scorer.add(1, 2, minute) for minute in range(500)]
    burst = [scorer.add(3, 2, 500) for _ in range(200)]
    assert burst[-1] > max(habit[100:]) + 5
    copy = nta.EdgeScorer()
    copy.load(scorer.save())
    assert copy.add(3, 2, 501) == scorer.add(3, 2, 501)


def vectors(count, seed=1):
    rng = random.Random(seed)
    return [[rng.gauss(0, 1), rng.gauss(5, 2), rng.choice((0.0, 1.0)), rng.random()] for _ in range(count)]


@pytest.mark.parametrize("options", [{}, {"half_space_trees": True}, {"autoencoders": True}])
def test_an_outlier_surprises_and_is_quarantined(options):
    scorer = nta.VectorScorer(dimensions=4, warm_up=500, **options)
    for vector in vectors(3000):
        scorer.add(vector, source=1)
    outlier = scorer.add([9, -30, 0.5, 40], source=2)
    assert outlier.bits > 8 and not outlier.is_learnt
    assert scorer.quarantined >= 1
    scorer.reject(2)
    (index, share), *_ = scorer.explain([0, 5, 0, 40])
    assert 0 < share <= 1 and 0 <= index < 4


def test_an_attack_in_masses_does_not_become_normal():
    scorer = nta.VectorScorer(dimensions=4, warm_up=500)
    for i, vector in enumerate(vectors(3000)):
        scorer.add(vector, source=1 + i % 50)
    attack = [6.0, 20.0, 1.0, 5.0]
    first = scorer.add(attack, source=99).bits
    for _ in range(20000):
        scorer.add(attack, source=99)
    assert scorer.score(attack).bits > first / 2


class Distance:
    """A model of one's own: the distance from the mean of what was learnt."""

    name = "distance"

    def __init__(self):
        self.sum, self.count = None, 0

    def begin(self, rows):
        for row in rows:
            self.learn(row, 1)

    def learn(self, vector, weight):
        self.sum = [a + b for a, b in zip(self.sum or [0] * len(vector), vector)]
        self.count += 1

    def score(self, vector):
        return math.dist(vector, [s / self.count for s in self.sum])


def test_a_model_of_ones_own_is_asked():
    scorer = nta.VectorScorer(dimensions=4, loda=False, models=[Distance()], warm_up=200)
    for vector in vectors(1000):
        scorer.add(vector)
    assert scorer.score([9, -30, 0.5, 40]).bits > scorer.score(vectors(1, 5)[0]).bits


def test_an_error_of_ones_own_model_comes_back():
    class Broken:
        def score(self, vector):
            raise ZeroDivisionError("mine")

    scorer = nta.VectorScorer(dimensions=1, models=[Broken()], warm_up=32)
    with pytest.raises(ZeroDivisionError, match="mine"):
        for _ in range(40):
            scorer.add([1.0])
    with pytest.raises(TypeError, match="score"):
        nta.VectorScorer(dimensions=1, models=[object()])


def test_names_and_intervals():
    assert nta.dns_tunnel_score("www.example.com") < 0.1
    assert nta.dns_tunnel_score("q+Z8BHwcBAaQ0wZ91.example.com") > 0.5
    rng = random.Random(3)
    regular = nta.beacon_score([60 * rng.uniform(0.8, 1.2) for _ in range(40)], [500.0] * 40)
    chance = nta.beacon_score([rng.expovariate(1 / 60) for _ in range(40)], [rng.uniform(1, 9e4) for _ in range(40)])
    assert regular["score"] > 0.85 and regular["bits"] > 16
    assert chance["score"] < 0.6 and chance["bits"] < 16


@pytest.mark.parametrize(
    "detector, name",
    [
        (nta.BaselineDetector(max_hosts=10), "baseline"),
        (nta.BeaconDetector(min_calls=30, allowed_ports=[8080]), "beacon"),
        (nta.DnsTunnelDetector(allowed_domains=["example.net"]), "dns_tunnel"),
        (nta.ExfiltrationDetector(min_bytes=1000), "exfiltration"),
        (nta.RarePeerDetector(warm_up=3600), "rare_peer"),
        (nta.FlowAnomalyDetector(models=[Distance()]), "flow_anomaly"),
    ],
)
def test_detectors_are_detectors(detector, name):
    assert isinstance(detector, nta.Detector)
    assert detector.name == name
    assert 0 < detector.memory_bytes <= detector.memory_limit_bytes
    detector.load(detector.save())
    assert len(nta.flow_feature_names()) == 28
