#include "store/filter_sql.h"

#include <cmath>
#include <span>

#include "base/status.h"

namespace nta::store {
namespace {

class Translator {
 public:
  explicit Translator(FilterSql& out) : out_(out) {}

  std::string Node(const FilterNode& node) {
    switch (node.kind) {
      case FilterNode::Kind::kAnd:
        return Children(node, " AND ");
      case FilterNode::Kind::kOr:
        return Children(node, " OR ");
      case FilterNode::Kind::kNot:
        return "NOT (" + Node(node.children.front()) + ")";
      case FilterNode::Kind::kCompare:
        return node.op == FilterOperator::kNotEqual ? "NOT (" + AnyValue(node) + ")"
                                                    : AnyValue(node);
    }
    return "0";
  }

 private:
  std::string Children(const FilterNode& node, const char* joint) {
    std::vector<std::string> terms;
    for (const FilterNode& child : node.children) terms.push_back(Node(child));
    return Join(terms, joint);
  }

  // As a balanced tree, because SQLite limits the depth of expressions to 1000.
  static std::string Join(std::span<const std::string> terms, const char* joint) {
    if (terms.size() == 1) return terms.front();
    const std::size_t half = terms.size() / 2;
    return "(" + Join(terms.first(half), joint) + joint + Join(terms.subspan(half), joint) + ")";
  }

  // True when the field is equal to, or ordered as asked to, any of the values.
  std::string AnyValue(const FilterNode& node) {
    switch (node.field) {
      case FlowField::kSource:
        return Address("source_address", node);
      case FlowField::kDestination:
        return Address("destination_address", node);
      case FlowField::kHost:
        return Either(Address("source_address", node), Address("destination_address", node));
      case FlowField::kSourcePort:
        return Number("source_port", node);
      case FlowField::kDestinationPort:
        return Number("destination_port", node);
      case FlowField::kPort:
        return Either(Number("source_port", node), Number("destination_port", node));
      case FlowField::kProtocol:
        return Number("protocol", node);
      case FlowField::kVlan:
        return "(vlan IS NOT NULL AND " + Number("vlan", node) + ")";
      case FlowField::kBytes:
        return Number("(forward_wire_bytes + reverse_wire_bytes)", node);
      case FlowField::kPackets:
        return Number("(forward_packets + reverse_packets)", node);
      case FlowField::kDuration:
        return Number("(last_seen - first_seen)", node);
      case FlowField::kEndReason:
        return Number("end_reason", node);
      case FlowField::kApplication:
      case FlowField::kCategory:
      case FlowField::kTcpState:
      case FlowField::kServerName:
      case FlowField::kIcmpType:
        out_.has_unknown_field = true;
        return "0";
    }
    return "0";
  }

  static std::string Either(const std::string& a, const std::string& b) {
    return "(" + a + " OR " + b + ")";
  }

  std::string Address(const std::string& column, const FilterNode& node) {
    std::vector<std::string> terms;
    std::string hosts;
    for (const FilterValue& value : node.values) {
      const auto& prefix = std::get<IpPrefix>(value);
      const std::size_t size = prefix.address().bytes().size();
      if (static_cast<std::size_t>(prefix.length()) == size * 8) {
        hosts += hosts.empty() ? Blob(prefix.address()) : "," + Blob(prefix.address());
        continue;
      }
      const std::string low = Blob(prefix.address());
      const std::string high = Blob(prefix.Last());
      // Without the length an IPv6 address could lie between two IPv4 addresses.
      terms.push_back("(length(" + column + ") = " + std::to_string(size) + " AND " + column +
                      " BETWEEN " + low + " AND " + high + ")");
    }
    if (!hosts.empty()) terms.push_back(column + " IN (" + hosts + ")");
    return Join(terms, " OR ");
  }

  std::string Number(const std::string& column, const FilterNode& node) {
    if (node.op != FilterOperator::kEqual && node.op != FilterOperator::kNotEqual) {
      return column + Operator(node.op) + Value(std::get<double>(node.values.front()));
    }
    std::string list;
    for (const FilterValue& value : node.values) {
      list += (list.empty() ? "" : ",") + Value(std::get<double>(value));
    }
    return column + " IN (" + list + ")";
  }

  static const char* Operator(FilterOperator op) {
    switch (op) {
      case FilterOperator::kLess:
        return " < ";
      case FilterOperator::kLessEqual:
        return " <= ";
      case FilterOperator::kGreater:
        return " > ";
      case FilterOperator::kGreaterEqual:
        return " >= ";
      default:
        return " = ";
    }
  }

  std::string Value(double number) {
    constexpr double kMaxExactInteger = 9007199254740992.0;
    if (number == std::floor(number) && number <= kMaxExactInteger) {
      out_.values.emplace_back(static_cast<std::int64_t>(number));
    } else {
      out_.values.emplace_back(number);
    }
    return Parameter();
  }
  std::string Blob(const IpAddress& address) {
    const auto bytes = address.bytes();
    out_.values.emplace_back(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
    return Parameter();
  }
  // Numbered, because terms are joined in another order than they are made.
  std::string Parameter() const {
    return "?" +
           std::to_string(FilterSql::kFirstParameter - 1 + static_cast<int>(out_.values.size()));
  }

  FilterSql& out_;
};

}  // namespace

absl::StatusOr<FilterSql> ToSql(const FlowFilter& filter) {
  FilterSql sql;
  if (filter.root() != nullptr) sql.condition = Translator(sql).Node(*filter.root());
  if (sql.has_unknown_field) {
    return base::InvalidArgument("the database does not keep a field of this filter: " +
                                 filter.ToString());
  }
  return sql;
}

void FilterSql::BindTo(Statement& statement) const {
  statement.From(kFirstParameter);
  for (const auto& value : values) {
    std::visit(
        [&statement](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::uint8_t>>) {
            statement.Bind(std::span<const std::uint8_t>(v));
          } else {
            statement.Bind(v);
          }
        },
        value);
  }
}

}  // namespace nta::store
