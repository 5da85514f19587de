#include "store/postgres/flows.h"

#include <cmath>
#include <variant>

#include "base/status.h"

namespace nta::store {
namespace {

// The binary format of COPY begins with a signature, flags and the length of an extension.
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::uint64_t kEndOfData = 0xffff;
constexpr std::size_t kFlowsAtOnce = 256;

void Append(std::string& out, std::string_view bytes) {
  out += EncodeInteger(bytes.size(), 4);
  out += bytes;
}
void AppendNull(std::string& out) { out += EncodeInteger(0xffffffff, 4); }

void AppendFlow(std::string& out, const FlowRecord& flow, std::int64_t id) {
  const auto columns = FlowColumns();
  out += EncodeInteger(columns.size(), 2);
  for (const FlowColumn& column : columns) {
    if (column.id == ColumnId::kId) {
      Append(out, EncodeInteger(static_cast<std::uint64_t>(id), 8));
    } else if (column.type == ColumnType::kAddress) {
      Append(out, EncodeInet(column.get_address(flow)));
    } else if (column.is_number()) {
      std::uint64_t number = 0;
      column.get_numbers({&flow, 1}, &number);
      if (column.type == ColumnType::kInteger) {
        Append(out, EncodeInteger(number, 8));
      } else if (number == 0) {
        AppendNull(out);
      } else {
        Append(out, EncodeInteger(number - 1, 4));
      }
    } else {
      const std::string text = column.get_text(column, flow);
      text.empty() ? AppendNull(out) : Append(out, text);
    }
  }
}

absl::Status Damaged(const FlowColumn& column) {
  return base::MakeStatus(
      absl::StatusCode::kDataLoss,
      "the store is damaged: no flow has such a value of " + std::string(column.name));
}

// Takes the next `size` bytes off; empty when there are not so many.
std::string_view Take(std::string_view& bytes, std::size_t size) {
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(taken.size());
  return taken;
}

}  // namespace

absl::Status CopyFlowsIn(PgConnection& connection, std::span<const FlowRecord> flows,
                         std::int64_t first_id, const std::string& table) {
  // By name: columns that came later stand last in older databases.
  const std::string columns = FlowSelection(true).sql();
  std::size_t done = 0;
  bool begun = false;
  bool ended = false;
  return connection.CopyIn(
      "COPY " + table + "(" + columns + ") FROM STDIN (FORMAT binary)", [&](std::string& out) {
        if (!begun) out += kSignature;
        begun = true;
        for (std::size_t i = 0; i < kFlowsAtOnce && done < flows.size(); ++i, ++done) {
          AppendFlow(out, flows[done], first_id + static_cast<std::int64_t>(done));
        }
        if (done < flows.size() || ended) return;
        out += EncodeInteger(kEndOfData, 2);
        ended = true;
      });
}

FlowSelection::FlowSelection(bool everything) {
  for (const FlowColumn& column : FlowColumns()) {
    if (column.is_text() && !everything) continue;
    columns_.push_back(&column);
    if (!sql_.empty()) sql_ += ", ";
    sql_ += column.name;
  }
}

absl::Status FlowSelection::Set(std::size_t index, std::string_view bytes, StoredFlow& flow) const {
  const FlowColumn& column = *columns_[index];
  if (column.id == ColumnId::kId) {
    flow.id = static_cast<std::int64_t>(DecodeInteger(bytes));
    return absl::OkStatus();
  }
  if (column.type == ColumnType::kAddress) {
    const std::optional<IpAddress> address = DecodeInet(bytes);
    if (!address) return Damaged(column);
    column.set_address(flow.flow, *address);
    return absl::OkStatus();
  }
  if (column.is_text()) {
    return column.set_text(column, flow.flow, std::string(bytes)) ? absl::OkStatus()
                                                                  : Damaged(column);
  }
  const std::uint64_t number =
      DecodeInteger(bytes) + (column.type == ColumnType::kOptional ? 1 : 0);
  return column.set_number(flow.flow, number) ? absl::OkStatus() : Damaged(column);
}

absl::Status FlowSelection::Read(const PgRows& rows, int row, StoredFlow& flow) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const int column = static_cast<int>(i);
    if (rows.IsNull(row, column)) continue;
    NTA_RETURN_IF_ERROR(Set(i, rows.Bytes(row, column), flow));
  }
  return absl::OkStatus();
}

absl::Status CopyFlowsOut(PgConnection& connection, const FlowSelection& selection,
                          const std::string& where,
                          absl::FunctionRef<absl::Status(StoredFlow)> visit) {
  bool begun = false;
  const auto read = [&](std::string_view message) -> absl::Status {
    // The signature comes with the first row or by itself.
    if (!begun) Take(message, kSignature.size());
    begun = true;
    while (!message.empty()) {
      const std::uint64_t fields = DecodeInteger(Take(message, 2)) & 0xffff;
      if (fields == kEndOfData) return absl::OkStatus();
      if (fields != selection.size()) {
        return base::MakeStatus(absl::StatusCode::kInternal, "PostgreSQL: a row of another shape");
      }
      StoredFlow flow;
      for (std::size_t i = 0; i < fields; ++i) {
        const auto size = static_cast<std::int64_t>(DecodeInteger(Take(message, 4)));
        if (size < 0) continue;
        NTA_RETURN_IF_ERROR(selection.Set(i, Take(message, static_cast<std::size_t>(size)), flow));
      }
      NTA_RETURN_IF_ERROR(visit(std::move(flow)));
    }
    return absl::OkStatus();
  };
  return connection.CopyOut("COPY (SELECT " + selection.sql() + " FROM flows WHERE " + where +
                                ") TO STDOUT (FORMAT binary)",
                            read);
}

namespace {

constexpr std::string_view kTrue = "true";

std::string InColumn(std::string_view column, const FilterNode& node) {
  std::string sql;
  for (const FilterValue& value : node.values) {
    if (!sql.empty()) sql += " OR ";
    if (const auto* prefix = std::get_if<IpPrefix>(&value)) {
      sql.append(column).append(" <<= '").append(prefix->ToString()).append("'");
    } else if (const auto* number = std::get_if<double>(&value)) {
      if (!std::isfinite(*number) || std::abs(*number) > 1e15 || *number != std::floor(*number)) {
        return std::string(kTrue);
      }
      sql.append(column).append(" = ").append(std::to_string(static_cast<std::int64_t>(*number)));
    } else {
      return std::string(kTrue);
    }
  }
  return "(" + sql + ")";
}

std::string CompareSql(const FilterNode& node) {
  if (node.op != FilterOperator::kEqual || node.values.empty()) return std::string(kTrue);
  const auto either = [&](std::string_view a, std::string_view b) {
    const std::string first = InColumn(a, node);
    return first == kTrue ? first : "(" + first + " OR " + InColumn(b, node) + ")";
  };
  switch (node.field) {
    case FlowField::kSource:
      return InColumn("source_address", node);
    case FlowField::kDestination:
      return InColumn("destination_address", node);
    case FlowField::kHost:
      return either("source_address", "destination_address");
    case FlowField::kSourcePort:
      return InColumn("source_port", node);
    case FlowField::kDestinationPort:
      return InColumn("destination_port", node);
    case FlowField::kPort:
      return either("source_port", "destination_port");
    case FlowField::kProtocol:
      return InColumn("protocol", node);
    case FlowField::kApplication:
      return InColumn("application", node);
    case FlowField::kCategory:
      return InColumn("category", node);
    case FlowField::kEvidence:
      return InColumn("evidence", node);
    default:
      return std::string(kTrue);
  }
}

std::string NodeSql(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kCompare) return CompareSql(node);
  if (node.kind == FilterNode::Kind::kNot) return std::string(kTrue);
  const bool is_and = node.kind == FilterNode::Kind::kAnd;
  std::string sql;
  for (const FilterNode& child : node.children) {
    const std::string part = NodeSql(child);
    if (part == kTrue && is_and) continue;
    if (part == kTrue) return part;
    if (!sql.empty()) sql += is_and ? " AND " : " OR ";
    sql += part;
  }
  return sql.empty() ? std::string(kTrue) : "(" + sql + ")";
}

bool LooksAtTexts(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kCompare) {
    return !MetadataFieldsOf(node.field).empty();
  }
  for (const FilterNode& child : node.children) {
    if (LooksAtTexts(child)) return true;
  }
  return false;
}

}  // namespace

std::string SqlCondition(const FlowFilter& filter) {
  return filter.root() == nullptr ? std::string(kTrue) : NodeSql(*filter.root());
}

bool NeedsTexts(const FlowFilter& filter) {
  return filter.root() != nullptr && LooksAtTexts(*filter.root());
}

}  // namespace nta::store
