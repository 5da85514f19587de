#include <array>
#include <string>
#include <utility>

#include "base/status.h"
#include "nta/store/store.h"

namespace nta {
namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<QuerySource, 2> kQuerySources{
    {{QuerySource::kRollup, "rollup"}, {QuerySource::kRaw, "raw"}}};
constexpr Names<Measure, 3> kMeasures{
    {{Measure::kBytes, "bytes"}, {Measure::kPackets, "packets"}, {Measure::kFlows, "flows"}}};
constexpr Names<TopDimension, 10> kTopDimensions{
    {{TopDimension::kAddress, "address"},
     {TopDimension::kSourceAddress, "source_address"},
     {TopDimension::kDestinationAddress, "destination_address"},
     {TopDimension::kProtocol, "protocol"},
     {TopDimension::kSourcePort, "source_port"},
     {TopDimension::kDestinationPort, "destination_port"},
     {TopDimension::kApplication, "application"},
     {TopDimension::kCategory, "category"},
     {TopDimension::kServerName, "server_name"},
     {TopDimension::kVlan, "vlan"}}};
constexpr Names<SeriesBy, 4> kSeriesBy{{{SeriesBy::kNone, "none"},
                                        {SeriesBy::kProtocol, "protocol"},
                                        {SeriesBy::kApplication, "application"},
                                        {SeriesBy::kCategory, "category"}}};

template <typename Enum, std::size_t N>
std::string_view NameOf(const Names<Enum, N>& names, Enum value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
absl::StatusOr<Enum> ValueOf(const Names<Enum, N>& names, std::string_view text,
                             std::string_view what) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return base::InvalidArgument("unknown " + std::string(what) + " \"" + std::string(text) +
                               "\" (known: " + known + ")");
}

}  // namespace

std::string_view ToString(QuerySource source) { return NameOf(kQuerySources, source); }
std::string_view ToString(Measure measure) { return NameOf(kMeasures, measure); }
std::string_view ToString(TopDimension dimension) { return NameOf(kTopDimensions, dimension); }
std::string_view ToString(SeriesBy by) { return NameOf(kSeriesBy, by); }

absl::StatusOr<Measure> ParseMeasure(std::string_view text) {
  return ValueOf(kMeasures, text, "measure");
}
absl::StatusOr<TopDimension> ParseTopDimension(std::string_view text) {
  return ValueOf(kTopDimensions, text, "dimension");
}
absl::StatusOr<SeriesBy> ParseSeriesBy(std::string_view text) {
  return ValueOf(kSeriesBy, text, "breakdown of a series");
}

}  // namespace nta
