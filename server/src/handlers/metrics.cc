// Metrics: what the server counts, in the text format that Prometheus reads.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app.h"

namespace nta::server {
namespace {

// The exposition format 0.0.4. Labels are words of our own, so that nothing has to be escaped.
class MetricsText {
 public:
  using Labelled = std::pair<std::string_view, std::uint64_t>;

  void Counter(std::string_view name, std::string_view help, std::uint64_t value) {
    Family(name, "counter", help);
    Sample(name, "", std::to_string(value));
  }
  void Counters(std::string_view name, std::string_view help, std::string_view label,
                const std::vector<Labelled>& values) {
    Family(name, "counter", help);
    for (const auto& [word, value] : values) {
      const std::string labels = "{" + std::string(label) + "=\"" + std::string(word) + "\"}";
      Sample(name, labels, std::to_string(value));
    }
  }
  void Seconds(std::string_view name, std::string_view help, Duration value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", std::chrono::duration<double>(value).count());
    Family(name, "counter", help);
    Sample(name, "", text.data());
  }
  void Gauge(std::string_view name, std::string_view help, std::uint64_t value,
             std::string_view labels = {}) {
    Family(name, "gauge", help);
    Sample(name, labels, std::to_string(value));
  }
  std::string Take() { return std::move(text_); }

 private:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
  }
  void Sample(std::string_view name, std::string_view labels, std::string_view value) {
    text_.append(name).append(labels).append(" ").append(value).append("\n");
  }

  std::string text_;
};

void AddCapture(const CaptureStatus& capture, MetricsText& text) {
  const PacketLedger& ledger = capture.ledger;
  text.Gauge("nta_capture_running", "1 while packets are read, 0 when the source ended or failed.",
             capture.state == CaptureState::kRunning ? 1 : 0);
  text.Counter("nta_packets_received_total", "Packets that came, the lost ones included.",
               ledger.received);
  text.Counters("nta_packets_total", "What became of them; the sum is nta_packets_received_total.",
                "outcome",
                {{"decoded", ledger.decoded},
                 {"malformed", ledger.malformed},
                 {"unsupported", ledger.unsupported},
                 {"filtered", ledger.filtered},
                 {"dropped", ledger.dropped}});
  text.Counters("nta_capture_dropped_packets_total", "Packets lost before they were read.", "where",
                {{"buffer", capture.capture.dropped_buffer},
                 {"interface", capture.capture.dropped_interface}});
  text.Counter("nta_capture_outages_total", "Times that the interface was away.",
               capture.capture.outages);
  text.Seconds("nta_capture_outage_seconds_total", "For how long in all.",
               capture.capture.outage_time);
}

void AddFlows(const FlowTableStats& table, MetricsText& text) {
  text.Gauge("nta_flows_active", "Flows in memory.", table.active);
  text.Gauge("nta_flows_capacity", "The most there may be in memory.", table.capacity);
  text.Counter("nta_flows_started_total", "Records begun.", table.started);
  text.Counters("nta_flows_ended_total", "Records ended, by the reason.", "reason",
                {{"idle_timeout", table.ended_idle},
                 {"active_timeout", table.ended_active},
                 {"end_of_flow", table.ended_tcp},
                 {"forced_end", table.ended_forced},
                 {"lack_of_resources", table.evicted}});
}

void AddStore(const StoreWriterStats& store, bool is_well, MetricsText& text) {
  text.Gauge("nta_store_up", "1 while the store can be written, else 0.",
             is_well && store.last_error.ok() ? 1 : 0);
  text.Gauge("nta_store_queue_flows", "Flows that wait to be written.", store.queue);
  text.Counter("nta_store_flows_written_total", "Flows written.", store.flows_written);
  text.Counter("nta_store_flows_dropped_total", "Flows that could not be written.",
               store.flows_dropped);
  text.Counter("nta_store_alerts_written_total", "States of alerts written.", store.alerts_written);
  text.Counter("nta_store_alerts_dropped_total", "States of alerts that could not be written.",
               store.alerts_dropped);
}

Response GetMetrics(Services& services, const Call&) {
  MetricsText text;
  text.Gauge("nta_build_info", "The version.", 1, "{version=\"" NTA_VERSION "\"}");
  const CaptureStatus capture = services.capture();
  AddCapture(capture, text);
  AddFlows(capture.flow_table, text);
  AddStore(capture.store, services.store_health.is_well(), text);
  const LatencySnapshot api = services.operations.latency.Snapshot();
  text.Counter("nta_http_requests_total", "Requests of the API answered.", api.all.count());
  text.Counter("nta_http_server_errors_total", "Of these, answers of 500 and more.",
               api.server_errors);
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text.Take();
  return response;
}

}  // namespace

std::vector<Route> MetricsRoutes() {
  Route route = Reading("/metrics", GetMetrics, "Counters for Prometheus", {},
                        "text format 0.0.4: counts, never addresses or names");
  // As /healthz: whoever may connect may ask, because scrapers cannot renew a session.
  route.access = Access::kAnyone;
  route.work = Work::kInline;
  return {std::move(route)};
}

}  // namespace nta::server
