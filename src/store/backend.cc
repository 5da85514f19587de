#include "store/backend.h"

#include <array>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"

namespace nta::store {
namespace {

constexpr std::size_t kPage = 10'000;

// The flows of a page as columns.
class PageColumns {
 public:
  explicit PageColumns(const std::vector<StoredFlow>& flows) : selected_(flows.size(), 1) {
    for (const StoredFlow& stored : flows) Add(stored.flow);
  }

  StoredColumns View() const {
    return {.source_addresses = source_.addresses,
            .source = source_.index,
            .destination_addresses = destination_.addresses,
            .destination = destination_.index,
            .protocol = numbers_[0],
            .source_port = numbers_[1],
            .destination_port = numbers_[2],
            .icmp_type = numbers_[3],
            .tcp_state = numbers_[4],
            .forward_packets = numbers_[5],
            .reverse_packets = numbers_[6],
            .forward_bytes = numbers_[7],
            .reverse_bytes = numbers_[8],
            .selected = selected_};
  }

 private:
  struct Side {
    void Add(const IpAddress& address) {
      const auto [found, is_new] =
          places.emplace(address, static_cast<std::uint32_t>(addresses.size()));
      if (is_new) addresses.push_back(address);
      index.push_back(found->second);
    }
    std::vector<IpAddress> addresses;
    std::vector<std::uint32_t> index;
    absl::flat_hash_map<IpAddress, std::uint32_t> places;
  };

  void Add(const FlowRecord& flow) {
    source_.Add(flow.source.address);
    destination_.Add(flow.destination.address);
    const std::uint64_t numbers[] = {flow.protocol,
                                     flow.source.port,
                                     flow.destination.port,
                                     flow.icmp ? flow.icmp->type + std::uint64_t{1} : 0,
                                     static_cast<std::uint64_t>(flow.tcp_state),
                                     flow.forward.packets,
                                     flow.reverse.packets,
                                     flow.forward.wire_bytes,
                                     flow.reverse.wire_bytes};
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers_[i].push_back(numbers[i]);
  }

  Side source_;
  Side destination_;
  std::array<std::vector<std::uint64_t>, 9> numbers_;
  std::vector<std::uint8_t> selected_;
};

}  // namespace

absl::Status Backend::ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                                absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                                const QueryControl& control) {
  FlowQuery query{.interval = interval, .filter = filter, .limit = kPage};
  while (true) {
    NTA_ASSIGN_OR_RETURN(FlowPage page, Flows(query, control));
    const PageColumns columns(page.flows);
    if (!page.flows.empty()) NTA_RETURN_IF_ERROR(visit(columns.View()));
    if (page.next_cursor.empty()) return absl::OkStatus();
    query.cursor = std::move(page.next_cursor);
  }
}

}  // namespace nta::store
