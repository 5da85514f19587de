#include "arrow_export.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "arrow_node.h"
#include "nta/flow/flow_record.h"
#include "nta/net/ip_address.h"

namespace nta::python {
namespace {

using ColumnsPtr = std::shared_ptr<const FlowColumns>;
using AddressColumn = std::vector<std::array<std::uint8_t, 16>>;

// The rows [begin, begin + rows) of one set of columns.
struct Slice {
  ColumnsPtr columns;
  std::size_t begin;
  std::size_t rows;
};

Node<ArrowArray>* NewArray(const Slice& slice, std::int64_t buffers, ArrowArray* out) {
  Node<ArrowArray>* node = NewNode(out);
  node->owner = slice.columns;
  out->length = static_cast<std::int64_t>(slice.rows);
  out->n_buffers = buffers;
  out->buffers = node->buffers.data();
  return node;
}

template <auto kColumn>
void ExportNumbers(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 2, out);
  node->buffers[1] = ((*slice.columns).*kColumn).data() + slice.begin;
}

template <AddressColumn FlowColumns::*kColumn>
void ExportAddresses(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 3, out);
  const AddressColumn& column = (*slice.columns).*kColumn;
  node->offsets.reserve(slice.rows + 1);
  node->offsets.push_back(0);
  for (std::size_t i = slice.begin; i < slice.begin + slice.rows; ++i) {
    const std::span<const std::uint8_t, 16> bytes(column[i]);
    const bool is_v4 = slice.columns->ip_version[i] == 4;
    node->text += (is_v4 ? IpAddress::V4(bytes.last<4>()) : IpAddress::V6(bytes)).ToString();
    node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
  }
  FinishText(node);
}

// Numbers of a column in which negative ones mean that there is none.
template <auto kColumn, typename Number>
void ExportNullable(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 2, out);
  node->numbers.resize(slice.rows * sizeof(Number));
  node->bitmap.resize((slice.rows + 7) / 8);
  for (std::size_t i = 0; i < slice.rows; ++i) {
    const auto value = ((*slice.columns).*kColumn)[slice.begin + i];
    if (value < 0) {
      ++out->null_count;
      continue;
    }
    const auto number = static_cast<Number>(value);
    std::memcpy(node->numbers.data() + i * sizeof(Number), &number, sizeof(Number));
    node->bitmap[i / 8] = static_cast<std::uint8_t>(node->bitmap[i / 8] | (1U << (i % 8)));
  }
  node->buffers[0] = node->bitmap.data();
  node->buffers[1] = node->numbers.data();
}

template <MetadataField kField>
void ExportMetadata(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 3, out);
  node->bitmap.resize((slice.rows + 7) / 8);
  node->offsets.reserve(slice.rows + 1);
  node->offsets.push_back(0);
  for (std::size_t i = 0; i < slice.rows; ++i) {
    const auto& all = slice.columns->metadata;
    const FlowMetadata* const metadata = all.empty() ? nullptr : all[slice.begin + i].get();
    const std::string_view text = metadata == nullptr ? "" : metadata->Get(kField);
    if (text.empty()) {
      ++out->null_count;
    } else {
      node->bitmap[i / 8] = static_cast<std::uint8_t>(node->bitmap[i / 8] | (1U << (i % 8)));
      node->text += text;
    }
    node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
  }
  node->buffers[0] = node->bitmap.data();
  FinishText(node);
}

template <typename Number>
void ExportStatistics(const Slice& slice, const FlowStatisticsColumns::Column<Number>& column,
                      ArrowArray* out) {
  NewArray(slice, 2, out)->buffers[1] = column.values.data() + slice.begin;
}

// The names of an enum whose numbers run from 0 to kLast: the numbers are the dictionary's indices.
template <auto kColumn, typename Enum, Enum kLast>
void ExportNames(const Slice& slice, ArrowArray* out) {
  ExportNumbers<kColumn>(slice, out);
  auto* owner = static_cast<Node<ArrowArray>*>(out->private_data);
  const std::size_t names = static_cast<std::size_t>(kLast) + 1;
  Node<ArrowArray>* node = NewArray({nullptr, 0, names}, 3, &owner->dictionary);
  out->dictionary = &owner->dictionary;
  node->offsets.push_back(0);
  for (std::size_t i = 0; i < names; ++i) {
    node->text += ToString(static_cast<Enum>(i));
    node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
  }
  FinishText(node);
}

struct ArrowColumn {
  const char* name;
  const char* format;
  void (*export_array)(const Slice&, ArrowArray*);
  std::int64_t flags = 0;
  const char* dictionary_format = nullptr;
};

using Columns = FlowColumns;
constexpr ArrowColumn kColumns[] = {
    {"first_seen", "tsn:UTC", ExportNumbers<&Columns::first_seen>},
    {"last_seen", "tsn:UTC", ExportNumbers<&Columns::last_seen>},
    {"protocol", "C", ExportNumbers<&Columns::protocol>},
    {"source_address", "u", ExportAddresses<&Columns::source_address>},
    {"source_port", "S", ExportNumbers<&Columns::source_port>},
    {"destination_address", "u", ExportAddresses<&Columns::destination_address>},
    {"destination_port", "S", ExportNumbers<&Columns::destination_port>},
    {"ip_version", "C", ExportNumbers<&Columns::ip_version>},
    {"vlan", "S", ExportNullable<&Columns::vlan, std::uint16_t>, ARROW_FLAG_NULLABLE},
    {"forward_packets", "L", ExportNumbers<&Columns::forward_packets>},
    {"forward_wire_bytes", "L", ExportNumbers<&Columns::forward_wire_bytes>},
    {"forward_ip_bytes", "L", ExportNumbers<&Columns::forward_ip_bytes>},
    {"forward_payload_bytes", "L", ExportNumbers<&Columns::forward_payload_bytes>},
    {"reverse_packets", "L", ExportNumbers<&Columns::reverse_packets>},
    {"reverse_wire_bytes", "L", ExportNumbers<&Columns::reverse_wire_bytes>},
    {"reverse_ip_bytes", "L", ExportNumbers<&Columns::reverse_ip_bytes>},
    {"reverse_payload_bytes", "L", ExportNumbers<&Columns::reverse_payload_bytes>},
    {"forward_tcp_flags", "C", ExportNumbers<&Columns::forward_tcp_flags>},
    {"reverse_tcp_flags", "C", ExportNumbers<&Columns::reverse_tcp_flags>},
    {"outcome", "C", ExportNames<&Columns::outcome, ContactOutcome, ContactOutcome::kUnreachable>,
     0, "u"},
    {"end_reason", "C",
     ExportNames<&Columns::end_reason, FlowEndReason, FlowEndReason::kLackOfResources>, 0, "u"},
    {"tcp_state", "C", ExportNames<&Columns::tcp_state, TcpState, TcpState::kReset>, 0, "u"},
    {"icmp_type", "C", ExportNullable<&Columns::icmp_type, std::uint8_t>, ARROW_FLAG_NULLABLE},
    {"icmp_code", "C", ExportNullable<&Columns::icmp_code, std::uint8_t>, ARROW_FLAG_NULLABLE},
    {"application", "S", ExportNames<&Columns::application, Application, Application::kIcmp>, 0,
     "u"},
    {"category", "C",
     ExportNames<&Columns::category, ApplicationCategory, ApplicationCategory::kIndustrial>, 0,
     "u"},
    {"evidence", "C",
     ExportNames<&Columns::evidence, ApplicationEvidence, ApplicationEvidence::kPayload>, 0, "u"},
    {"server_name", "u", ExportMetadata<MetadataField::kServerName>, ARROW_FLAG_NULLABLE},
    {"source_name", "u", ExportMetadata<MetadataField::kSourceName>, ARROW_FLAG_NULLABLE},
    {"destination_name", "u", ExportMetadata<MetadataField::kDestinationName>, ARROW_FLAG_NULLABLE},
    {"alpn", "u", ExportMetadata<MetadataField::kAlpn>, ARROW_FLAG_NULLABLE},
    {"ja3", "u", ExportMetadata<MetadataField::kJa3>, ARROW_FLAG_NULLABLE},
    {"ja3s", "u", ExportMetadata<MetadataField::kJa3s>, ARROW_FLAG_NULLABLE},
    {"ja4", "u", ExportMetadata<MetadataField::kJa4>, ARROW_FLAG_NULLABLE},
    {"hassh", "u", ExportMetadata<MetadataField::kHassh>, ARROW_FLAG_NULLABLE},
    {"hassh_server", "u", ExportMetadata<MetadataField::kHasshServer>, ARROW_FLAG_NULLABLE},
    {"user_agent", "u", ExportMetadata<MetadataField::kUserAgent>, ARROW_FLAG_NULLABLE},
    {"user_name", "u", ExportMetadata<MetadataField::kUserName>, ARROW_FLAG_NULLABLE},
};

void ExportBatch(const Slice& slice, ArrowArray* out) {
  NewArray(slice, 1, out);
  const FlowStatisticsColumns& statistics = slice.columns->statistics_columns;
  AddChildren(out, std::size(kColumns) + statistics.integers.size() + statistics.numbers.size());
  ArrowArray** child = out->children;
  for (const ArrowColumn& column : kColumns) column.export_array(slice, *child++);
  for (const auto& column : statistics.integers) ExportStatistics(slice, column, *child++);
  for (const auto& column : statistics.numbers) ExportStatistics(slice, column, *child++);
}

}  // namespace

void ExportSchema(const FlowColumns& columns, ArrowSchema* out) {
  NewNode(out);
  out->format = "+s";
  out->name = "";
  const FlowStatisticsColumns& statistics = columns.statistics_columns;
  AddChildren(out, std::size(kColumns) + statistics.integers.size() + statistics.numbers.size());
  ArrowSchema** child = out->children;
  for (const ArrowColumn& column : kColumns) {
    Node<ArrowSchema>* const node = NewField(column.format, column.name, *child);
    (*child)->flags = column.flags;
    if (column.dictionary_format != nullptr) {
      (*child)->dictionary = &node->dictionary;
      NewField(column.dictionary_format, "", (*child)->dictionary);
    }
    ++child;
  }
  // Their names are literals, which end in a zero.
  for (const auto& column : statistics.integers) NewField("l", column.name.data(), *child++);
  for (const auto& column : statistics.numbers) NewField("g", column.name.data(), *child++);
}

void ExportStream(ColumnsPtr columns, std::size_t chunk_rows, ArrowArrayStream* out) {
  std::size_t next = 0;
  MakeArrowStream([columns](ArrowSchema* schema) { ExportSchema(*columns, schema); },
                  [columns, chunk_rows, next](ArrowArray* array) mutable {
                    const std::size_t rows = std::min(chunk_rows, columns->size() - next);
                    if (rows == 0) return;
                    ExportBatch({columns, next, rows}, array);
                    next += rows;
                  },
                  out);
}

}  // namespace nta::python
