#include "detect/flood_entry.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

namespace nta::detect {
namespace {

// A minute, of ticks with packets.
constexpr float kLearnedTicks = 240;
// Above this a sum is no accident of single ticks, and falls slowly, so that the pulses of a pulse
// wave add up.
constexpr float kPulseMemory = 6;
constexpr float kPulseDecay = -0.25f;
constexpr float kClip = 3;           // sigmas that a surprising value is taken to differ by, ...
constexpr float kGateWeight = 0.1f;  // ... and what it counts when the baseline is learned

double LinearEstimate(std::span<const std::uint64_t> words) {
  const double bits = 64.0 * static_cast<double>(words.size());
  double zeros = bits;
  for (const std::uint64_t word : words) zeros -= std::popcount(word);
  return bits * std::log(bits / std::max(zeros, 1.0));
}

}  // namespace

float FloodMetric::Dispersion(float prior) const {
  const float usual = std::max(mean, prior);
  return usual > 0 ? std::clamp(variance / usual, 1.0f, 64.0f) : 1.0f;
}

// The square root makes counts with a Poisson spread nearly normal (Anscombe 1948); wider spreads
// are divided out.
void FloodMetric::EndTick(std::uint32_t count, std::uint32_t ticks_known, float prior, float burst,
                          float threshold, FloodLearning learning) {
  if (count == 0 && sum == 0) {
    // Nothing came and nothing was going on: most kinds of most destinations.
    const float kept = 1 - 1 / std::min(static_cast<float>(ticks_known) + 1, kLearnedTicks);
    recent *= 0.5f;
    mean *= kept;
    variance = kept * (variance + (1 - kept) * mean * mean);
    return;
  }
  const auto x = static_cast<float>(count);
  recent += 0.5f * (x - recent);
  const float usual = std::max(mean, prior);
  const float dispersion = Dispersion(prior);
  const float z = 2 * (std::sqrt(x + 0.375f) - std::sqrt(usual + 0.375f)) / std::sqrt(dispersion);
  const float cap = x >= burst ? threshold + 2 * kDrift : kCap;
  float step = std::min(z, cap) - kDrift;
  if (sum > kPulseMemory) step = std::max(step, kPulseDecay);
  sum = std::clamp(sum + step, 0.0f, 4 * threshold);

  const float pace = 1 / std::min(static_cast<float>(ticks_known) + 1, kLearnedTicks);
  if (learning == FloodLearning::kOpen) sum = 0;
  const bool is_usual = z <= kClip || learning == FloodLearning::kOpen;
  const float sigma = std::sqrt(std::max(usual, 1.0f) * dispersion);
  const float learned = is_usual ? x : std::min(x, usual + kClip * sigma);
  const float weight = is_usual ? pace : kGateWeight * pace;
  const float error = learned - mean;
  mean += weight * error;
  variance += weight * (error * error * (1 - weight) - variance);
}

void FloodMetric::Rest(std::int64_t ticks) {
  const auto n = static_cast<float>(std::min<std::int64_t>(ticks, 1 << 20));
  const float kept = std::exp(-n / kLearnedTicks);
  mean *= kept;
  variance *= kept;
  recent = ticks > 32 ? 0 : recent * std::exp2(-n);
  const float decay = sum > kPulseMemory ? -kPulseDecay : kDrift;
  sum = std::max(0.0f, sum - n * decay);
}

void SynSample::Attempt(std::uint32_t fingerprint, std::int64_t now) {
  const auto time = static_cast<std::uint32_t>(now);
  // Places become free with time only.
  const std::uint32_t this_tick = time + 1;
  if (full_in == this_tick) return;
  fingerprint |= 1;
  for (std::size_t i = 0; i < kSize; ++i) {
    if (attempt[i] != 0 && time - tick[i] < kKeepTicks) continue;
    attempt[i] = fingerprint;
    tick[i] = time;
    completed &= static_cast<std::uint16_t>(~(1u << i));
    may_hold |= BitOf(fingerprint);
    full_in = 0;
    return;
  }
  full_in = this_tick;
  Derive();
}

void SynSample::Derive() {
  may_hold = 0;
  for (const std::uint32_t fingerprint : attempt) {
    if (fingerprint != 0) may_hold |= BitOf(fingerprint);
  }
}

void SynSample::Acknowledge(std::uint32_t fingerprint) {
  fingerprint |= 1;
  if ((may_hold & BitOf(fingerprint)) == 0) return;
  for (std::size_t i = 0; i < kSize; ++i) {
    if (attempt[i] == fingerprint) completed |= static_cast<std::uint16_t>(1u << i);
  }
}

double SynSample::Completion(std::int64_t now) const {
  const auto time = static_cast<std::uint32_t>(now);
  int tried = 0;
  int went_on = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    const bool is_done = (completed >> i & 1) != 0;
    if (attempt[i] == 0 || (!is_done && time == tick[i])) continue;
    ++tried;
    went_on += is_done ? 1 : 0;
  }
  return tried == 0 ? 0 : static_cast<double>(went_on) / tried;
}

void FloodEntry::CatchUp(std::int64_t now) {
  const std::int64_t rested = now - tick;
  tick = now;
  if (rested <= 0) return;
  for (FloodMetric& metric : metrics) metric.Rest(rested);
  const auto fade = static_cast<float>(rested > 32 ? 0 : std::exp2(-static_cast<double>(rested)));
  bytes_recent *= fade;
  udp_sent_recent *= fade;
  asked_recent *= fade;
  syn_sent_recent *= fade;
  tcp_sent_recent *= fade;
  if (high && rested >= 2) high = false;
  if (!dirty) return;
  // What was going on then is over.
  const bool is_over = std::all_of(metrics.begin(), metrics.end(), [](const FloodMetric& metric) {
    return metric.sum <= FloodMetric::kExcitement;
  });
  if (is_over) Calm(Timestamp(kFloodTick * now));
}

void FloodEntry::Renew(const IpAddress& new_address) {
  if (dirty || !used || sampled) {
    const bool is_listed = listed;
    *this = {};
    listed = is_listed;
  } else {
    is_prefix = active = carpet = excited = false;
    quiet = 0;
    known = weight = 0;
    counts.fill(0);
    bytes = fragments = udp_sent = asked = syn_sent = tcp_sent = 0;
    metrics.fill({});
    explained.fill(0);
    explainers.fill(0);
    bytes_recent = udp_sent_recent = asked_recent = syn_sent_recent = tcp_sent_recent = 0;
  }
  address = new_address;
  used = true;
}

void FloodEntry::Calm(Timestamp now) {
  excited = dirty = high = false;
  pulses = low_ticks = 0;
  ForgetShape();
  packets_seen = bytes_seen = fragments_seen = 0;
  peak.fill(0);
  explained.fill(0);
  explainers.fill(0);
  since = now;
}

void FloodEntry::ForgetShape() {
  ports = 0;
  hosts.fill(0);
  sources.Clear();
  source = {};
  host = {};
  source_port = destination_port = reflector_port = {};
  host_packets = 0;
  sampled_packets = 0;
}

double FloodEntry::distinct_ports() const { return LinearEstimate({&ports, 1}); }
double FloodEntry::distinct_hosts() const { return LinearEstimate(hosts); }

}  // namespace nta::detect
