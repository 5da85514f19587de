// RuleGroup: what a rule counts for one value of its "per" fields.
#ifndef NTA_SRC_DETECT_RULE_GROUP_H_
#define NTA_SRC_DETECT_RULE_GROUP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "detect/rule_value.h"
#include "nta/net/five_tuple.h"
#include "nta/net/time.h"

namespace nta::detect {

// How windows lie on the time line: steps of equal length, so many to a window.
struct RuleSteps {
  Duration step{};
  std::int64_t window = 1;  // steps to a window
  std::int64_t kept = 1;    // steps that are remembered, the newest included

  std::int64_t IndexOf(Timestamp time) const;
  Timestamp Begin(std::int64_t index) const { return Timestamp(step * index); }
};

struct RuleStep {
  std::int64_t index = 0;
  double amount = 0;
};

// The best window that a change touched.
struct WindowValue {
  double value = 0;
  std::int64_t last_step = 0;  // of the window
};

struct RulePeer {
  IpAddress address;
  double amount = 0;
};

class RuleGroup {
 public:
  explicit RuleGroup(RuleKey group_key) : key(std::move(group_key)) {}

  // Adds `amount` to one step. False when it lies before what is remembered.
  bool Add(const RuleSteps& steps, std::int64_t index, double amount);
  // Spreads `amount` evenly over the time; false when part of it lies before what is remembered.
  bool Spread(const RuleSteps& steps, Timestamp first, Timestamp last, double amount);
  // Counts a value among the different ones; false when there is no room for it.
  enum class Counted : std::uint8_t { kYes, kLate, kFull };
  Counted AddValue(const RuleSteps& steps, std::int64_t index, RuleValue value);
  // The greatest of the windows that hold a step from `first` to `last`.
  WindowValue Greatest(const RuleSteps& steps, std::int64_t first, std::int64_t last) const;
  void NotePeer(const IpAddress& address, double amount);
  void NoteSample(const FiveTuple& tuple);
  std::int64_t newest() const { return steps_.empty() ? INT64_MIN : steps_.back().index; }
  std::size_t memory_bytes() const;

  template <typename Archive>
  void Write(Archive& archive) const;
  template <typename Archive>
  void Read(Archive& archive);

  RuleKey key;
  double peak = 0;
  // The last finding, so that a busy group does not make one for each flow.
  bool raised = false;
  double raised_value = 0;
  std::int64_t raised_step = 0;
  std::vector<RulePeer> peers;     // who takes part on the other side
  std::vector<FiveTuple> samples;  // the last few flows

 private:
  void Trim(const RuleSteps& steps);
  RuleStep& StepAt(std::int64_t index);

  std::vector<RuleStep> steps_;  // ordered; without those in which nothing happened
  absl::flat_hash_map<RuleValue, std::int64_t> values_;  // the last step of each
  static constexpr std::size_t kFirstCleaning = 64;
  std::size_t value_bytes_ = 0;  // on the heap
  std::size_t clean_at_ = kFirstCleaning;
};

template <typename Archive>
void RuleGroup::Write(Archive& archive) const {
  for (const RuleValue& value : key) WriteValue(archive, value);
  archive.Size(steps_.size(), steps_.size());
  for (const RuleStep& step : steps_) {
    archive(step.index);
    archive(step.amount);
  }
  archive.Size(values_.size(), values_.size());
  for (const auto& [value, index] : values_) {
    WriteValue(archive, value);
    archive(index);
  }
  archive(peak);
  archive(static_cast<std::uint8_t>(raised));
  archive(raised_value);
  archive(raised_step);
  archive.Size(peers.size(), peers.size());
  for (const RulePeer& peer : peers) {
    archive(peer.address);
    archive(peer.amount);
  }
}

template <typename Archive>
void RuleGroup::Read(Archive& archive) {
  constexpr std::size_t kMost = 1 << 20;
  for (RuleValue& value : key) ReadValue(archive, value);
  std::size_t size = 0;
  archive.Size(size, kMost);
  for (std::size_t i = 0; i < size && archive.ok(); ++i) {
    RuleStep step;
    archive(step.index);
    archive(step.amount);
    if (!steps_.empty() && step.index <= steps_.back().index) return archive.Fail();
    steps_.push_back(step);
  }
  archive.Size(size, kMost);
  for (std::size_t i = 0; i < size && archive.ok(); ++i) {
    RuleValue value;
    ReadValue(archive, value);
    std::int64_t index = 0;
    archive(index);
    value_bytes_ += HeapBytes(value);
    values_.emplace(std::move(value), index);
  }
  archive(peak);
  archive(raised);
  archive(raised_value);
  archive(raised_step);
  archive.Size(size, 16);
  for (std::size_t i = 0; i < size && archive.ok(); ++i) {
    RulePeer peer;
    archive(peer.address);
    archive(peer.amount);
    peers.push_back(peer);
  }
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_RULE_GROUP_H_
