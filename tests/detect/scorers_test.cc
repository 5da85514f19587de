#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "detect/dns_question.h"
#include "nta/detect/beacon_score.h"
#include "nta/detect/edge_scorer.h"
#include "nta/detect/name_score.h"
#include "nta/detect/series_scorer.h"
#include "nta/detect/tail_calibrator.h"
#include "nta/detect/vector_scorer.h"

namespace nta {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Timestamp Minute(int number) { return Timestamp(seconds(1'700'000'000)) + minutes(number); }

TEST(TailCalibrator, BitsAreTheLogarithmOfTheShareThatExceeds) {
  TailCalibrator calibrator;
  std::mt19937 random(1);
  std::exponential_distribution<double> scores(1);
  for (int i = 0; i < 20000; ++i) calibrator.Add(scores(random));
  EXPECT_NEAR(calibrator.Bits(std::log(2.0)), 1, 0.15);       // half are larger
  EXPECT_NEAR(calibrator.Bits(std::log(1000.0)), 9.97, 0.7);  // one in a thousand
  EXPECT_NEAR(calibrator.ScoreAt(9.97), std::log(1000.0), 0.6);
  EXPECT_GT(calibrator.Bits(50), calibrator.Bits(20));
  EXPECT_EQ(TailCalibrator().Bits(5), 0) << "nothing is known yet";
}

TEST(TailCalibrator, OldScoresAreForgotten) {
  TailCalibrator calibrator;
  for (int i = 0; i < 60000; ++i) calibrator.Add(1);
  const double before = calibrator.Bits(100);
  for (int i = 0; i < 200000; ++i) calibrator.Add(100);
  EXPECT_LT(calibrator.Bits(100), 1);
  EXPECT_GT(before, 12);
  EXPECT_LT(calibrator.samples(), 65536u);
}

// A day's rhythm in steps of ten minutes.
double Daily(int step) { return 1000 + 800 * std::sin(2 * M_PI * step / 144); }

TEST(SeriesScorer, TheDailyRhythmIsExpectedAndItsAbsenceIsNot) {
  SeriesScorer scorer;
  std::mt19937 random(2);
  std::normal_distribution<double> noise(0, 20);
  for (int i = 0; i < 144 * 28; ++i) scorer.Add(Minute(10 * i), Daily(i) + noise(random));
  const int peak = 144 * 28 + 36;
  EXPECT_NEAR(scorer.Expected(Minute(10 * peak)), 1800, 200);
  double most = 0;
  for (int i = 144 * 28; i < peak + 12; ++i) {
    most = std::max(most, scorer.Add(Minute(10 * i), Daily(0) + noise(random)).bits);
  }
  EXPECT_GT(most, 10) << "the morning did not come";
}

TEST(SeriesScorer, OneIncidentGivesOnePeak) {
  SeriesScorer scorer;
  std::mt19937 random(3);
  std::normal_distribution<double> noise(100, 5);
  for (int i = 0; i < 3000; ++i) scorer.Add(Minute(i), noise(random));
  EXPECT_GT(scorer.Add(Minute(3000), 300).score, 10);
  EXPECT_LT(scorer.Add(Minute(3001), 300).score, 5);
}

TEST(SeriesScorer, GapsAndTimesThatGoBackDoNoHarm) {
  SeriesScorer scorer;
  EXPECT_EQ(scorer.Add(Minute(5), std::nan("")).score, 0);
  EXPECT_EQ(scorer.values(), 0u);
  scorer.Add(Minute(5), 1);
  scorer.Add(Minute(1), 1);
  scorer.Add(Timestamp::max(), 1e300);
  scorer.Add(Timestamp::min(), -1e300);
  EXPECT_TRUE(std::isfinite(scorer.Add(Minute(9), 0).score));
}

TEST(SeriesScorer, AnAttackTeachesLittleUntilItIsTheNewNormal) {
  SeriesScorerOptions options{.gate_bits = 8, .regime_change = std::chrono::hours(6)};
  options.detail = SeriesScorerOptions::Detail::kCompact;
  SeriesScorer scorer(options);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(1, 0.05);
  for (int i = 0; i < 3000; ++i) scorer.Add(Minute(i), 1000 * noise(random));
  for (int i = 3000; i < 3030; ++i) scorer.Add(Minute(i), 50000 * noise(random));
  EXPECT_LT(scorer.Expected(Minute(3030)), 3000);
  for (int i = 3030; i < 3000 + 3000; ++i) scorer.Add(Minute(i), 50000 * noise(random));
  EXPECT_GT(scorer.Expected(Minute(6000)), 20000);
}

template <typename Scorer>
void ExpectDamageIsRefused(const Scorer& scorer) {
  const std::string state = scorer.Save();
  Scorer fresh;
  for (std::size_t cut = 0; cut < state.size(); cut += 1 + state.size() / 50) {
    EXPECT_FALSE(fresh.Load(state.substr(0, cut)).ok());
    std::string damaged = state;
    damaged[cut] = static_cast<char>(damaged[cut] ^ 0x41);
    EXPECT_FALSE(fresh.Load(damaged).ok());
  }
  ASSERT_TRUE(fresh.Load(state).ok());
  EXPECT_EQ(fresh.Save(), state);
}

TEST(Scorers, DamagedStatesAreRefusedAndSoundOnesRestored) {
  EdgeScorer edges;
  SeriesScorer series;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    edges.Add(i % 7, i % 13, i / 10);
    series.Add(Minute(static_cast<int>(i)), static_cast<double>(i % 50));
  }
  ExpectDamageIsRefused(edges);
  ExpectDamageIsRefused(series);
}

TEST(EdgeScorer, ATickOfSilenceCostsNothingAndForgetsTheRecentCount) {
  EdgeScorer scorer;
  for (std::uint64_t minute = 0; minute < 1000; ++minute) scorer.Add(1, 2, minute);
  const EdgeScorer::Result later = scorer.Observe(1, 2, 1'000'000'000);
  EXPECT_NEAR(later.observed, 1, 0.01);
  EXPECT_TRUE(std::isfinite(later.score));
  EXPECT_TRUE(std::isfinite(scorer.Add(1, 2, 0))) << "a tick of the past counts as the latest";
}

TEST(EdgeScorer, AFloodDoesNotBecomeNormal) {
  EdgeScorer scorer;
  for (std::uint64_t minute = 0; minute < 2000; ++minute) scorer.Add(minute % 50, 7, minute);
  double first = 0;
  double last = 0;
  for (std::uint64_t minute = 2000; minute < 2100; ++minute) {
    for (int i = 0; i < 500; ++i) last = scorer.Add(99, 7, minute);
    if (minute == 2001) first = last;
  }
  EXPECT_GT(last, first - 1);
}

std::vector<double> Normal(std::mt19937& random) {
  std::normal_distribution<double> value;
  return {value(random), 10 + 3 * value(random), value(random) > 1 ? 1.0 : 0.0};
}

TEST(VectorScorer, MemoryIsBoundedAndQuarantineReleasesAfterADay) {
  auto scorer = VectorScorer::Create({.dimensions = 3, .warm_up = 256, .max_quarantined = 16});
  ASSERT_TRUE(scorer.ok());
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) scorer->Add(Normal(random), 1, Minute(i));
  const std::size_t before = scorer->memory_bytes();
  const std::vector<double> odd = {9, -60, 0.5};
  for (int i = 0; i < 1000; ++i) scorer->Add(odd, 7, Minute(2000 + i / 100));
  EXPECT_LE(scorer->quarantined(), 16u);
  EXPECT_GT(scorer->quarantined(), 0u);
  EXPECT_LE(scorer->memory_bytes(), before + 16 * 200);
  for (int i = 0; i < 3000; ++i) scorer->Add(Normal(random), 1, Minute(2000 + 3000 + i));
  const std::size_t others = scorer->quarantined();  // a few of the normal ones, by chance
  scorer->Reject(7);
  EXPECT_EQ(scorer->quarantined(), others) << "the old ones had been released";
}

double MeanBits(VectorScorer& scorer, unsigned seed) {
  std::mt19937 random(seed);
  double sum = 0;
  for (int i = 0; i < 2000; ++i) sum += scorer.Score(Normal(random)).bits;
  return sum / 2000;
}

// Sources that nobody has seen, so that no source has more than its share.
TEST(VectorScorer, ACrowdAtOneTargetDoesNotMakeOthersUnusual) {
  std::array<double, 2> bits{};
  for (const std::uint64_t target : {0u, 1u}) {
    auto scorer =
        VectorScorer::Create({.dimensions = 3, .warm_up = 1024, .free_duplicates = 1 << 20});
    std::mt19937 random(5);
    for (std::uint64_t i = 0; i < 20'000; ++i)
      scorer->Add(Normal(random), i, Minute(0), 100 + i % 50);
    std::normal_distribution<double> noise(0, 0.05);
    for (std::uint64_t i = 0; i < 60'000; ++i) {
      const std::vector<double> alike = {0.5 + noise(random), 11 + noise(random), 0};
      scorer->Add(alike, 1'000'000 + i, Minute(1), target);
    }
    bits[target] = MeanBits(*scorer, 6);
  }
  EXPECT_LT(bits[1], 2.0);
  EXPECT_GT(bits[0], bits[1] + 1) << "without a share of targets the crowd is all that is usual";
}

// From what is normal to what is not, a little further each time.
TEST(VectorScorer, ASlowRampOfOneSourceDoesNotTeachItsEnd) {
  for (const bool others : {false, true}) {
    auto scorer = VectorScorer::Create(
        {.dimensions = 3, .half_space_trees = others, .autoencoders = others, .warm_up = 1024});
    std::mt19937 random(7);
    const std::vector<double> end = {7, 45, 0.5};
    for (std::uint64_t i = 0; i < 8000; ++i) scorer->Add(Normal(random), 1 + i % 500, Minute(0));
    const double before = scorer->Score(end).bits;
    constexpr int kSteps = 20'000;
    for (int i = 0; i < kSteps; ++i) {
      for (std::uint64_t n = 0; n < 3; ++n)
        scorer->Add(Normal(random), 1 + random() % 500, Minute(1));
      const double part = static_cast<double>(i) / kSteps;
      scorer->Add(std::vector<double>{7 * part, 10 + 35 * part, part / 2}, 9999, Minute(1));
    }
    EXPECT_GE(before, 8);
    EXPECT_GE(scorer->Score(end).bits, 8) << "others: " << others;
  }
}

TEST(VectorScorer, TheSameVectorOverAndOverDoesNotBecomeNormal) {
  std::array<double, 2> bits{};
  const std::vector<double> odd = {2.2, -2.2, 2.2, -2.2, 2.2, -2.2};
  for (const std::size_t guarded : {0u, 1u}) {
    auto scorer = VectorScorer::Create({.dimensions = 6,
                                        .warm_up = 1024,
                                        .gate_bits = 1000,  // the share alone
                                        .free_duplicates = guarded != 0 ? 16u : 1u << 20});
    std::mt19937 random(8);
    std::normal_distribution<double> value;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      std::vector<double> usual(6);
      for (double& feature : usual) feature = value(random);
      scorer->Add(usual, i, Minute(0));
      // Whatever comes during the warm-up is taken for normal.
      if (i > 2000 && i % 2 == 0) scorer->Add(odd, 1'000'000 + i, Minute(0));
    }
    bits[guarded] = scorer->Score(odd).bits;
  }
  EXPECT_GE(bits[1], 6);
  EXPECT_LE(bits[0], 3) << "without the guard it is one of three that come";
}

TEST(VectorScorer, RefusesWhatCannotWork) {
  EXPECT_EQ(VectorScorer::Create({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(VectorScorer::Create({.dimensions = 3, .loda = false}).ok());
  auto scorer = VectorScorer::Create({.dimensions = 3, .warm_up = 64});
  auto other = VectorScorer::Create({.dimensions = 4, .warm_up = 64});
  const auto status = other->Load(scorer->Save());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

TEST(VectorScorer, GoesOnWhereItsStateWasSaved) {
  VectorScorerOptions options{.dimensions = 3, .half_space_trees = true, .autoencoders = true};
  options.warm_up = 256;
  auto first = VectorScorer::Create(options);
  auto second = VectorScorer::Create(options);
  std::mt19937 random(6);
  for (int i = 0; i < 1000; ++i) first->Add(Normal(random), 1 + i % 9, Minute(i));
  ASSERT_TRUE(second->Load(first->Save()).ok());
  for (int i = 0; i < 100; ++i) {
    const std::vector<double> vector = Normal(random);
    EXPECT_EQ(first->Add(vector, 3, Minute(1000 + i)).bits,
              second->Add(vector, 3, Minute(1000 + i)).bits);
  }
}

TEST(DnsTunnelScore, PeoplesNamesAreNamesAndDataIsData) {
  for (const char* name : {"www.example.com", "mail.example.co.uk", "a1234.g.akamai.net",
                           "_ldap._tcp.dc._msdcs.corp.example.com", "4.3.2.1.in-addr.arpa",
                           "example.com", "com", "", "."}) {
    EXPECT_LT(DnsTunnelScore(name), 0.2) << name;
  }
  for (const char* name :
       {"q+Z8BHwcBAaQ0wZ91.example.com", "laegpumiplhhpz12ynd1efljwlkjcgwy.example.com",
        "1a2b3c4d5e6f7081920a1b2c3d4e5f60718293a4b5c6d7e8f9.example.com"}) {
    EXPECT_GT(DnsTunnelScore(name), 0.5) << name;
  }
  EXPECT_EQ(RegisteredDomain("a.b.example.co.uk."), "example.co.uk");
  EXPECT_EQ(RegisteredDomain("www.example.com"), "example.com");
}

TEST(DnsQuestion, IsReadWithinItsBytesOnly) {
  const std::string query(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
      "example\x03"
      "com\x00\x00\x10\x00\x01",
      33);
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(query.data()), query.size());
  detect::DnsQuestionText question;
  ASSERT_TRUE(detect::ReadDnsQuestion(bytes, false, question));
  EXPECT_EQ(question.name(), "www.example.com");
  EXPECT_EQ(question.type, 16);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(detect::ReadDnsQuestion(bytes.first(cut), false, question)) << cut;
  }
}

TEST(BeaconScore, JitterLowersItAndChanceIsNoBeacon) {
  std::mt19937 random(7);
  double before = 1.1;
  for (const double jitter : {0.0, 0.1, 0.3, 0.5}) {
    std::uniform_real_distribution<float> pause(static_cast<float>(60 * (1 - jitter)),
                                                static_cast<float>(60 * (1 + jitter)));
    std::vector<float> intervals(60);
    for (float& interval : intervals) interval = pause(random);
    const BeaconScore score = ScoreBeacon(intervals, std::vector<float>(60, 512));
    EXPECT_LT(score.score, before);
    EXPECT_GT(score.score, 0.75) << jitter;
    before = score.score;
  }
  std::exponential_distribution<float> pause(1.0F / 60);
  std::uniform_real_distribution<float> size(100, 100000);
  int alarms = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<float> intervals(60);
    std::vector<float> sizes(60);
    for (float& interval : intervals) interval = pause(random);
    for (float& bytes : sizes) bytes = size(random);
    const BeaconScore score = ScoreBeacon(intervals, sizes);
    alarms += score.score >= 0.8 && score.bits >= 16;
  }
  EXPECT_EQ(alarms, 0);
}

}  // namespace
}  // namespace nta
