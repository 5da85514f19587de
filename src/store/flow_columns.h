// The columns of a flow: the one table that blocks, queries and the virtual table share.
//
//   for (const FlowColumn& column : FlowColumns()) ...
#ifndef NTA_STORE_FLOW_COLUMNS_H_
#define NTA_STORE_FLOW_COLUMNS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nta/flow/flow_record.h"

namespace nta::store {

// Numbers are persisted: never change or reuse one.
enum class ColumnId : std::uint8_t {
  kId = 0,  // of the stored flow, not of the record
  kFirstSeen = 1,
  kLastSeen = 2,
  kProtocol = 3,
  kSourceAddress = 4,
  kSourcePort = 5,
  kDestinationAddress = 6,
  kDestinationPort = 7,
  kVlan = 8,
  kForwardPackets = 9,
  kForwardWireBytes = 10,
  kForwardIpBytes = 11,
  kForwardPayloadBytes = 12,
  kReversePackets = 13,
  kReverseWireBytes = 14,
  kReverseIpBytes = 15,
  kReversePayloadBytes = 16,
  kForwardTcpFlags = 17,
  kReverseTcpFlags = 18,
  kOutcome = 19,
  kEndReason = 20,
  kTcpState = 21,
  kIcmpType = 22,
  kIcmpCode = 23,
  kApplication = 24,
  kCategory = 25,
  kEvidence = 26,
  kStatistics = 90,
  kFirstMetadata = 100,  // and 100 + n for the metadata field n
};
inline constexpr std::size_t kMaxColumns = 256;

// Numbers are persisted.
enum class ColumnType : std::uint8_t {
  kInteger = 1,   // a number of 64 bits; times are nanoseconds since 1970
  kOptional = 2,  // as kInteger; 0 is absent and every other number one more than it says
  kAddress = 3,
  kText = 4,   // empty is absent
  kBytes = 5,  // as kText, not for people
};

// A column whose numbers mostly are those of `base` less `coefficient` for each of `unit` is kept
// as the difference to that. Both must have smaller needs: no column may depend on itself.
struct Prediction {
  ColumnId base;
  ColumnId unit;
  std::int64_t coefficient;
};

struct FlowColumn {
  ColumnId id;
  std::string_view name;  // as in FlowRecord
  ColumnType type = ColumnType::kInteger;
  bool grows = false;  // mostly, from flow to flow
  std::optional<Prediction> prediction{};

  // What the type calls for; the others are null. kId has none.
  void (*get_numbers)(std::span<const FlowRecord> flows, std::uint64_t* numbers) = nullptr;
  // False for a number that no flow has there.
  bool (*set_number)(FlowRecord& flow, std::uint64_t number) = nullptr;
  const IpAddress& (*get_address)(const FlowRecord& flow) = nullptr;
  void (*set_address)(FlowRecord& flow, const IpAddress& address) = nullptr;
  std::string (*get_text)(const FlowColumn& column, const FlowRecord& flow) = nullptr;
  bool (*set_text)(const FlowColumn& column, FlowRecord& flow, const std::string& text) = nullptr;

  bool is_number() const { return type == ColumnType::kInteger || type == ColumnType::kOptional; }
  bool is_text() const { return type == ColumnType::kText || type == ColumnType::kBytes; }
};

// All columns, ordered by id.
std::span<const FlowColumn> FlowColumns();
// Null for an id that is not one of them.
const FlowColumn* FindColumn(std::size_t id);
inline const FlowColumn& ColumnOf(ColumnId id) { return *FindColumn(static_cast<std::size_t>(id)); }
inline ColumnId MetadataColumn(MetadataField field) {
  return static_cast<ColumnId>(static_cast<std::size_t>(ColumnId::kFirstMetadata) +
                               static_cast<std::size_t>(field));
}

}  // namespace nta::store

#endif  // NTA_STORE_FLOW_COLUMNS_H_
