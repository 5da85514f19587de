#include "store/filter_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

// Whole numbers from first to last; none when first > last.
struct Range {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
};

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr double kTwoTo64 = 18446744073709551616.0;

// The whole numbers x with "x op value".
Range RangeOf(FilterOperator op, double value) {
  const bool is_whole = std::floor(value) == value;
  const auto floor = [&] { return static_cast<std::uint64_t>(value); };
  switch (op) {
    case FilterOperator::kEqual:
    case FilterOperator::kNotEqual:
      if (!is_whole || value < 0 || value >= kTwoTo64) return {};
      return {floor(), floor()};
    case FilterOperator::kLess:
    case FilterOperator::kLessEqual:
      if (value < 0) return {};
      if (value >= kTwoTo64) return {0, kMost};
      if (op == FilterOperator::kLessEqual || !is_whole) return {0, floor()};
      return value == 0 ? Range{} : Range{0, floor() - 1};
    case FilterOperator::kGreater:
    case FilterOperator::kGreaterEqual:
      if (value < 0) return {0, kMost};
      if (value >= kTwoTo64) return {};
      if (op == FilterOperator::kGreaterEqual && is_whole) return {floor(), kMost};
      return floor() == kMost ? Range{} : Range{floor() + 1, kMost};
  }
  return {};
}

class Evaluator {
 public:
  explicit Evaluator(FlowBatch& batch) : batch_(batch) {}

  absl::StatusOr<Mask> Node(const FilterNode& node) {
    switch (node.kind) {
      case FilterNode::Kind::kAnd:
        return Children(node, [](std::uint8_t a, std::uint8_t b) -> std::uint8_t { return a & b; });
      case FilterNode::Kind::kOr:
        return Children(node, [](std::uint8_t a, std::uint8_t b) -> std::uint8_t { return a | b; });
      case FilterNode::Kind::kNot:
        return Not(Node(node.children.front()));
      case FilterNode::Kind::kCompare:
        return node.op == FilterOperator::kNotEqual ? Not(AnyValue(node)) : AnyValue(node);
    }
    return base::MakeStatus(absl::StatusCode::kInternal, "an unknown kind of filter");
  }

 private:
  template <typename Join>
  absl::StatusOr<Mask> Children(const FilterNode& node, Join join) {
    NTA_ASSIGN_OR_RETURN(Mask mask, Node(node.children.front()));
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      // What is decided already needs no more columns.
      const std::uint8_t undecided = join(0, 1) == 0 ? 1 : 0;
      if (std::find(mask.begin(), mask.end(), undecided) == mask.end()) return mask;
      NTA_ASSIGN_OR_RETURN(const Mask other, Node(node.children[i]));
      for (std::size_t k = 0; k < mask.size(); ++k) mask[k] = join(mask[k], other[k]);
    }
    return mask;
  }

  static absl::StatusOr<Mask> Not(absl::StatusOr<Mask> mask) {
    if (mask.ok()) {
      for (std::uint8_t& selected : *mask) selected ^= 1;
    }
    return mask;
  }

  // True when the field is equal to, or ordered as asked to, any of the values.
  absl::StatusOr<Mask> AnyValue(const FilterNode& node) {
    using enum ColumnId;
    switch (node.field) {
      case FlowField::kSource:
        return Address(node, kSourceAddress);
      case FlowField::kDestination:
        return Address(node, kDestinationAddress);
      case FlowField::kHost:
        return Either(Address(node, kSourceAddress), Address(node, kDestinationAddress));
      case FlowField::kSourcePort:
        return Number(node, kSourcePort);
      case FlowField::kDestinationPort:
        return Number(node, kDestinationPort);
      case FlowField::kPort:
        return Either(Number(node, kSourcePort), Number(node, kDestinationPort));
      case FlowField::kProtocol:
        return Number(node, kProtocol);
      case FlowField::kVlan:
        return Optional(node, kVlan);
      case FlowField::kBytes:
        return Sum(node, kForwardWireBytes, kReverseWireBytes, 1);
      case FlowField::kPackets:
        return Sum(node, kForwardPackets, kReversePackets, 1);
      case FlowField::kDuration:
        return Sum(node, kLastSeen, kFirstSeen, ~std::uint64_t{0});
      case FlowField::kEndReason:
        return Number(node, kEndReason);
      case FlowField::kApplication:
        return Number(node, kApplication);
      case FlowField::kCategory:
        return Number(node, kCategory);
      case FlowField::kTcpState:
        return Number(node, kTcpState);
      case FlowField::kIcmpType:
        return Optional(node, kIcmpType);
      case FlowField::kEvidence:
        return Number(node, kEvidence);
      case FlowField::kServerName:
      case FlowField::kSourceName:
      case FlowField::kDestinationName:
      case FlowField::kName:
      case FlowField::kJa3:
      case FlowField::kJa3s:
      case FlowField::kJa4:
      case FlowField::kHassh:
      case FlowField::kHasshServer:
        return AnyText(node);
    }
    return base::MakeStatus(absl::StatusCode::kInternal, "an unknown field of a filter");
  }

  static absl::StatusOr<Mask> Either(absl::StatusOr<Mask> a, absl::StatusOr<Mask> b) {
    if (!a.ok()) return a;
    if (!b.ok()) return b;
    for (std::size_t i = 0; i < a->size(); ++i) (*a)[i] |= (*b)[i];
    return a;
  }

  absl::StatusOr<Mask> Address(const FilterNode& node, ColumnId id) {
    NTA_ASSIGN_OR_RETURN(const AddressColumn* addresses, batch_.Addresses(id));
    Mask of_address(addresses->dictionary.size());
    for (std::size_t i = 0; i < of_address.size(); ++i) {
      of_address[i] =
          std::any_of(node.values.begin(), node.values.end(),
                      [&](const FilterValue& value) {
                        return std::get<IpPrefix>(value).Contains(addresses->dictionary[i]);
                      })
              ? 1
              : 0;
    }
    Mask mask(batch_.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = of_address[addresses->index[i]];
    return mask;
  }

  // `value_of(i)` for each flow i against the values of the node.
  template <typename ValueOf>
  Mask Compare(const FilterNode& node, ValueOf value_of) {
    std::vector<Range> ranges;
    for (const FilterValue& value : node.values) {
      const Range range = RangeOf(node.op, std::get<double>(value));
      if (range.first <= range.last) ranges.push_back(range);
    }
    Mask mask(batch_.size());
    constexpr std::size_t kFew = 8;
    if (ranges.size() <= kFew) {
      for (const Range& range : ranges) {
        for (std::size_t i = 0; i < mask.size(); ++i) {
          // One comparison: smaller numbers wrap around to greater ones.
          mask[i] = mask[i] | static_cast<std::uint8_t>(value_of(i) - range.first <=
                                                        range.last - range.first);
        }
      }
      return mask;
    }
    // So many are single numbers of a list.
    std::vector<std::uint64_t> numbers;
    for (const Range& range : ranges) numbers.push_back(range.first);
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < mask.size(); ++i) {
      mask[i] = std::binary_search(numbers.begin(), numbers.end(), value_of(i)) ? 1 : 0;
    }
    return mask;
  }

  absl::StatusOr<Mask> Number(const FilterNode& node, ColumnId id) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* numbers, batch_.Numbers(id));
    return Compare(node, [numbers](std::size_t i) { return (*numbers)[i]; });
  }

  absl::StatusOr<Mask> Optional(const FilterNode& node, ColumnId id) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* numbers, batch_.Numbers(id));
    Mask mask = Compare(node, [numbers](std::size_t i) { return (*numbers)[i] - 1; });
    for (std::size_t i = 0; i < mask.size(); ++i)
      mask[i] = mask[i] & static_cast<std::uint8_t>((*numbers)[i] != 0);
    return mask;
  }

  // a + factor * b.
  absl::StatusOr<Mask> Sum(const FilterNode& node, ColumnId a, ColumnId b, std::uint64_t factor) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* x, batch_.Numbers(a));
    NTA_ASSIGN_OR_RETURN(const NumberColumn* y, batch_.Numbers(b));
    return Compare(node, [=](std::size_t i) { return (*x)[i] + factor * (*y)[i]; });
  }

  absl::StatusOr<Mask> AnyText(const FilterNode& node) {
    absl::StatusOr<Mask> mask = Mask(batch_.size());
    for (const MetadataField field : MetadataFieldsOf(node.field)) {
      mask = Either(std::move(mask), Text(node, MetadataColumn(field)));
    }
    return mask;
  }

  absl::StatusOr<Mask> Text(const FilterNode& node, ColumnId id) {
    NTA_ASSIGN_OR_RETURN(const TextColumn* texts, batch_.Texts(id));
    Mask mask(batch_.size());
    if (texts == nullptr) return mask;
    Mask of_text(texts->dictionary.size());
    for (std::size_t i = 0; i < of_text.size(); ++i) {
      const std::string& text = texts->dictionary[i];
      // A flow without the text equals none.
      const bool matches =
          !text.empty() &&
          std::any_of(node.values.begin(), node.values.end(), [&text](const FilterValue& value) {
            return MatchesTextPattern(text, std::get<std::string>(value));
          });
      of_text[i] = matches ? 1 : 0;
    }
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = of_text[texts->index[i]];
    return mask;
  }

  FlowBatch& batch_;
};

}  // namespace

absl::StatusOr<Mask> Select(const FlowFilter& filter, FlowBatch& batch) {
  if (filter.root() == nullptr) return Mask(batch.size(), 1);
  return Evaluator(batch).Node(*filter.root());
}

}  // namespace nta::store
