#include "detect/alert_life.h"

#include <algorithm>

#include "detect/saturating_time.h"

namespace nta::detect {

void AlertLife::Raise(double magnitude, Duration hold_for, Timestamp now,
                      const AlertTrackerOptions& options, AlertTrackerStats& stats,
                      std::vector<Alert>& alerts) {
  last_raised = std::max(last_raised, now);
  hold = hold_for;
  if (!open) {
    open = true;
    pending = false;
    reported_magnitude = magnitude;
    reported_severity = alert.severity;
    ++alert.count;
    Report(AlertState::kOpen, now, alerts);
    return;
  }
  // Whoever sleeps through a medium alert has to hear at once that it became critical. There are
  // five severities, so this cannot happen often.
  const bool is_worse = alert.severity > reported_severity;
  if (is_worse || magnitude >= reported_magnitude * options.update_growth) {
    pending = true;
    reported_magnitude = std::max(reported_magnitude, magnitude);
    reported_severity = std::max(reported_severity, alert.severity);
  }
  if (!pending) return;
  if (!is_worse && Since(last_report, now) < options.update_interval) return;
  ++stats.updated;
  ++alert.count;
  Report(AlertState::kUpdated, now, alerts);
}

void AlertLife::Close(Timestamp now, AlertTrackerStats& stats, std::vector<Alert>& alerts) {
  open = false;
  pending = false;
  closed = now;
  ++stats.closed;
  Report(AlertState::kClosed, now, alerts);
}

void AlertLife::Report(AlertState state, Timestamp time, std::vector<Alert>& alerts) {
  last_report = time;
  pending = false;
  alert.time = time;
  alert.state = state;
  alerts.push_back(alert);
}

Timestamp AlertLife::Due(const AlertTrackerOptions& options) const {
  if (!open) return After(closed, options.reopen_within);
  const Timestamp closes = hold == Duration::max() ? Timestamp::max() : After(last_raised, hold);
  return pending ? std::min(closes, After(last_report, options.update_interval)) : closes;
}

bool AlertLife::Happen(const AlertTrackerOptions& options, AlertTrackerStats& stats,
                       std::vector<Alert>& alerts) {
  if (!open) return true;
  const Timestamp due = Due(options);
  if (hold != Duration::max() && After(last_raised, hold) <= due) {
    Close(due, stats, alerts);
  } else {
    ++stats.updated;
    ++alert.count;
    Report(AlertState::kUpdated, due, alerts);
  }
  return false;
}

std::size_t AlertLife::memory_bytes() const { return sizeof(*this) + HeapBytes(alert); }

std::size_t HeapBytes(const Alert& alert) {
  constexpr std::size_t kNode = 64;  // of a map, with what the allocator adds
  const auto text = [](const std::string& value) {
    return value.capacity() > 15 ? value.capacity() + 17 : 0;
  };
  std::size_t bytes = text(alert.id) + text(alert.detector) + text(alert.unit) +
                      text(alert.technique) + text(alert.summary) + text(alert.advice) +
                      text(alert.suppressed_by) + alert.peers.capacity() * sizeof(AlertPeer);
  if (alert.entity.service) bytes += text(*alert.entity.service);
  for (const AlertPeer& peer : alert.peers) bytes += text(peer.name);
  for (const auto& [name, value] : alert.evidence) {
    bytes += kNode + sizeof(std::string) + sizeof(EvidenceValue) + text(name);
    if (const auto* one = std::get_if<std::string>(&value)) bytes += text(*one);
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      bytes += list->capacity() * sizeof(std::string);
      for (const std::string& item : *list) bytes += text(item);
    }
  }
  return bytes;
}

}  // namespace nta::detect
