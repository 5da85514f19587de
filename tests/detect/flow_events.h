// Flow events as a flow table would give them, without packets.
#ifndef NTA_TESTS_DETECT_FLOW_EVENTS_H_
#define NTA_TESTS_DETECT_FLOW_EVENTS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nta/detect/detector.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/flow/flow_record.h"
#include "nta/net/five_tuple.h"
#include "nta/packet/decode.h"

namespace nta::testing {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline Timestamp At(Duration since_start) {
  return Timestamp(std::chrono::seconds(1'700'000'000)) + since_start;
}

// 10.0.0.0/8, counted through.
inline IpAddress Host(std::uint32_t number) {
  return IpAddress::V4(10, static_cast<std::uint8_t>(number >> 16),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

struct Attempt {
  Duration at{};
  IpAddress from = IpAddress::V4(192, 0, 2, 9);
  IpAddress to = IpAddress::V4(198, 51, 100, 7);
  std::uint16_t port = 80;
  ContactOutcome outcome = ContactOutcome::kPending;  // in the end
  std::uint8_t protocol = kProtocolTcp;
  std::uint16_t source_port = 40000;
  Duration answer_after = milliseconds(20);
  Duration idle_timeout = seconds(120);
};

inline FlowRecord RecordOf(const Attempt& attempt, ContactOutcome outcome) {
  FlowRecord flow;
  flow.first_seen = flow.last_seen = At(attempt.at);
  flow.protocol = attempt.protocol;
  const bool has_ports = attempt.protocol != kProtocolIcmp && attempt.protocol != kProtocolIcmpV6;
  flow.source = {attempt.from, has_ports ? attempt.source_port : std::uint16_t{0}};
  flow.destination = {attempt.to, has_ports ? attempt.port : std::uint16_t{0}};
  flow.outcome = outcome;
  flow.forward.packets = 1;
  if (attempt.protocol == kProtocolTcp) flow.forward.tcp_flags = kTcpSyn;
  return flow;
}

// Started, perhaps updated, ended.
inline std::vector<FlowEvent> EventsOf(const Attempt& attempt) {
  const bool has_answer =
      attempt.outcome != ContactOutcome::kPending && attempt.outcome != ContactOutcome::kUnknown;
  const ContactOutcome first = has_answer ? ContactOutcome::kPending : attempt.outcome;
  std::vector<FlowEvent> events;
  events.push_back({FlowEventType::kStarted, At(attempt.at), RecordOf(attempt, first)});
  FlowRecord last = RecordOf(attempt, attempt.outcome);
  if (has_answer) {
    last.last_seen = At(attempt.at + attempt.answer_after);
    last.reverse.packets = 1;
    events.push_back({FlowEventType::kUpdated, last.last_seen, last});
  }
  last.end_reason = FlowEndReason::kIdleTimeout;
  events.push_back({FlowEventType::kEnded, last.last_seen + attempt.idle_timeout, last});
  return events;
}

// Gives `sink` the events of all attempts in the order of their time, holding only those in flight.
template <typename Sink>
void Play(std::vector<Attempt> attempts, Sink sink) {
  std::stable_sort(attempts.begin(), attempts.end(),
                   [](const Attempt& a, const Attempt& b) { return a.at < b.at; });
  std::multimap<Timestamp, FlowEvent> in_flight;
  for (const Attempt& attempt : attempts) {
    while (!in_flight.empty() && in_flight.begin()->first <= At(attempt.at)) {
      sink(in_flight.begin()->second);
      in_flight.erase(in_flight.begin());
    }
    for (const FlowEvent& event : EventsOf(attempt)) in_flight.emplace(event.time, event);
  }
  for (const auto& [time, event] : in_flight) sink(event);
}

inline std::vector<FlowEvent> EventsOf(const std::vector<Attempt>& attempts) {
  std::vector<FlowEvent> events;
  Play(attempts, [&events](const FlowEvent& event) { events.push_back(event); });
  return events;
}

inline std::vector<Alert> AlertsOf(Detector& detector, const std::vector<FlowEvent>& events) {
  std::vector<Alert> alerts;
  for (const FlowEvent& event : events) detector.Observe(event, alerts);
  detector.Finish(alerts);
  return alerts;
}

// What the port scan detector says of these attempts.
inline std::vector<Alert> Detect(const std::vector<Attempt>& attempts,
                                 PortScanOptions options = {}) {
  PortScanDetector detector(options);
  return AlertsOf(detector, EventsOf(attempts));
}

// Of the first alert; fails the test when there is none.
inline Alert FirstOf(const std::vector<Alert>& alerts) {
  EXPECT_FALSE(alerts.empty());
  return alerts.empty() ? Alert{} : alerts.front();
}

// `count` attempts that differ by what `vary` does to the n-th.
template <typename Vary>
std::vector<Attempt> Repeat(int count, Attempt base, Duration pause, Vary vary) {
  std::vector<Attempt> attempts;
  for (int i = 0; i < count; ++i) {
    Attempt attempt = base;
    attempt.at += i * pause;
    vary(attempt, i);
    attempts.push_back(attempt);
  }
  return attempts;
}

inline std::vector<Attempt> PortScan(int ports, Duration pause = milliseconds(100),
                                     ContactOutcome outcome = ContactOutcome::kRefused) {
  return Repeat(ports, {.outcome = outcome}, pause,
                [](Attempt& attempt, int i) { attempt.port = static_cast<std::uint16_t>(1 + i); });
}

inline std::vector<Attempt> HostSweep(int hosts, Duration pause = milliseconds(100),
                                      ContactOutcome outcome = ContactOutcome::kPending) {
  return Repeat(hosts, {.port = 445, .outcome = outcome}, pause, [](Attempt& attempt, int i) {
    attempt.to = IpAddress::V4(10, 1, static_cast<std::uint8_t>(i / 250),
                               static_cast<std::uint8_t>(1 + i % 250));
  });
}

// Names that clients ask for: datagrams with answers.
inline std::vector<Attempt> Lookups(Duration length) {
  return Repeat(static_cast<int>(length / minutes(1)),
                {.port = 53, .outcome = ContactOutcome::kAnswered, .protocol = kProtocolUdp},
                minutes(1), [](Attempt& attempt, int i) {
                  attempt.from = IpAddress::V4(192, 168, 3, static_cast<std::uint8_t>(i % 20));
                  attempt.to = IpAddress::V4(192, 168, 3, static_cast<std::uint8_t>(250 + i % 3));
                });
}

inline std::vector<Attempt> operator+(std::vector<Attempt> a, const std::vector<Attempt>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <typename T>
T EvidenceOf(const Alert& alert, const std::string& key) {
  return std::get<T>(alert.evidence.at(key));
}

}  // namespace nta::testing

#endif  // NTA_TESTS_DETECT_FLOW_EVENTS_H_
