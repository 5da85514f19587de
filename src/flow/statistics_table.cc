#include "flow/statistics_table.h"

namespace nta::internal {

class StatisticsTable::Impl {};

StatisticsTable::StatisticsTable() = default;
StatisticsTable::StatisticsTable(StatisticsTable&&) noexcept = default;
StatisticsTable& StatisticsTable::operator=(StatisticsTable&&) noexcept = default;
StatisticsTable::~StatisticsTable() = default;

absl::StatusOr<StatisticsTable> StatisticsTable::Create(const FlowStatisticsOptions&, std::size_t) {
  return StatisticsTable();
}
std::size_t StatisticsTable::BytesPerFlow(const FlowStatisticsOptions&) { return 0; }
void StatisticsTable::Start(std::uint32_t) {}
void StatisticsTable::Continue(std::uint32_t) {}
void StatisticsTable::Prefetch(std::uint32_t) const {}
void StatisticsTable::Add(std::uint32_t, std::size_t, std::int64_t, const DecodedPacket&) {}
void StatisticsTable::SwapDirections(std::uint32_t) {}
std::shared_ptr<const FlowStatistics> StatisticsTable::Take(std::uint32_t, std::int64_t) const {
  return nullptr;
}

}  // namespace nta::internal
