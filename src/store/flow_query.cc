#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/blocks.h"
#include "store/cursor.h"
#include "store/filter_eval.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

char KindOf(FlowOrder order) {
  switch (order) {
    case FlowOrder::kNewestFirst:
      return 'n';
    case FlowOrder::kOldestFirst:
      return 'o';
    case FlowOrder::kMostBytes:
      return 'b';
    case FlowOrder::kMostPackets:
      return 'p';
  }
  return 'n';
}

// What flows are ordered by, the greatest first: for the oldest first, times count backwards.
struct Place {
  std::int64_t key = 0;
  std::int64_t id = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

// A page begins behind the last place of the page before, which flows that were written since do
// not move.
class PageFinder {
 public:
  PageFinder(Connection& connection, const FlowQuery& query)
      : connection_(connection), query_(query), reader_(connection) {}

  absl::StatusOr<FlowPage> Find() {
    NTA_RETURN_IF_ERROR(ReadCursor());
    NTA_ASSIGN_OR_RETURN(std::vector<BlockInfo> blocks, Candidates());
    std::size_t searched = 0;
    for (const BlockInfo& block : blocks) {
      connection_.ReportProgress(searched++, blocks.size());
      // One more than asked for tells whether there is a next page.
      const bool full = found_.size() > query_.limit;
      if (full && BestKey(block) < found_.front().place.key) break;
      NTA_RETURN_IF_ERROR(connection_.CheckDeadline());
      NTA_RETURN_IF_ERROR(Search(block));
    }
    std::sort(found_.begin(), found_.end(),
              [](const Found& a, const Found& b) { return a.place > b.place; });
    return MakePage();
  }

 private:
  struct Found {
    Place place;
    BlockInfo block;
    std::uint32_t row = 0;
  };
  static bool IsWorse(const Found& a, const Found& b) { return a.place > b.place; }

  bool is_by_time() const {
    return query_.order == FlowOrder::kNewestFirst || query_.order == FlowOrder::kOldestFirst;
  }
  std::int64_t sign() const { return query_.order == FlowOrder::kOldestFirst ? -1 : 1; }

  absl::Status ReadCursor() {
    if (query_.cursor.empty()) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const Cursor cursor, DecodeCursor(KindOf(query_.order), query_.cursor));
    NTA_ASSIGN_OR_RETURN(const std::int64_t id, ParseInteger(cursor.id));
    after_ = Place{sign() * cursor.value, sign() * id};
    return absl::OkStatus();
  }

  // No flow of the block comes before this.
  std::int64_t BestKey(const BlockInfo& block) const {
    switch (query_.order) {
      case FlowOrder::kNewestFirst:
        return ToInteger(block.max_last_seen);
      case FlowOrder::kOldestFirst:
        return -ToInteger(block.min_last_seen);
      case FlowOrder::kMostBytes:
        return static_cast<std::int64_t>(block.max_bytes);
      case FlowOrder::kMostPackets:
        return static_cast<std::int64_t>(block.max_packets);
    }
    return 0;
  }

  // The blocks that may have flows of the page, those with the first ones first.
  absl::StatusOr<std::vector<BlockInfo>> Candidates() {
    NTA_ASSIGN_OR_RETURN(std::vector<BlockInfo> blocks, reader_.List());
    std::erase_if(blocks, [this](const BlockInfo& block) {
      if (block.max_last_seen < query_.interval.since ||
          block.min_last_seen >= query_.interval.until) {
        return true;
      }
      if (!after_ || !is_by_time()) return false;
      const std::int64_t last = query_.order == FlowOrder::kNewestFirst
                                    ? ToInteger(block.min_last_seen)
                                    : -ToInteger(block.max_last_seen);
      return last > after_->key;
    });
    std::stable_sort(blocks.begin(), blocks.end(), [this](const BlockInfo& a, const BlockInfo& b) {
      return BestKey(a) > BestKey(b);
    });
    return blocks;
  }

  absl::Status Search(const BlockInfo& block) {
    NTA_ASSIGN_OR_RETURN(const bool may_match, reader_.MayMatch(block, query_.filter));
    if (!may_match) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const auto batch, reader_.Open(block));
    NTA_ASSIGN_OR_RETURN(const Mask mask, Select(query_.filter, *batch));
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const NumberColumn* ids, batch->Numbers(ColumnId::kId));
    NTA_ASSIGN_OR_RETURN(const NumberColumn* times, batch->Numbers(ColumnId::kLastSeen));
    NTA_ASSIGN_OR_RETURN(const NumberColumn keys, Keys(*batch));
    for (std::uint32_t i = 0; i < mask.size(); ++i) {
      if (mask[i] == 0) continue;
      const Timestamp time = ToTimestamp(static_cast<std::int64_t>((*times)[i]));
      if (time < query_.interval.since || time >= query_.interval.until) continue;
      const Place place{sign() * static_cast<std::int64_t>(keys[i]),
                        sign() * static_cast<std::int64_t>((*ids)[i])};
      if (after_ && !(place < *after_)) continue;
      Keep({place, block, i});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<NumberColumn> Keys(FlowBatch& batch) {
    using enum ColumnId;
    if (is_by_time()) {
      NTA_ASSIGN_OR_RETURN(const NumberColumn* times, batch.Numbers(kLastSeen));
      return *times;
    }
    const bool bytes = query_.order == FlowOrder::kMostBytes;
    NTA_ASSIGN_OR_RETURN(const NumberColumn* forward,
                         batch.Numbers(bytes ? kForwardWireBytes : kForwardPackets));
    NTA_ASSIGN_OR_RETURN(const NumberColumn* reverse,
                         batch.Numbers(bytes ? kReverseWireBytes : kReversePackets));
    NumberColumn keys = *forward;
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] += (*reverse)[i];
    return keys;
  }

  // The worst of those found is in front.
  void Keep(const Found& found) {
    if (found_.size() > query_.limit) {
      if (found.place < found_.front().place) return;
      std::pop_heap(found_.begin(), found_.end(), IsWorse);
      found_.pop_back();
    }
    found_.push_back(found);
    std::push_heap(found_.begin(), found_.end(), IsWorse);
  }

  // Block by block, because opening one costs more than a row.
  absl::StatusOr<FlowPage> MakePage() {
    const bool more = found_.size() > query_.limit;
    if (more) found_.pop_back();
    FlowPage page;
    page.flows.resize(found_.size());
    std::map<std::pair<bool, std::int64_t>, std::vector<std::size_t>> by_block;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      by_block[{found_[i].block.is_tail, found_[i].block.id}].push_back(i);
    }
    for (const auto& [key, places] : by_block) {
      NTA_RETURN_IF_ERROR(connection_.CheckDeadline());
      std::vector<std::uint32_t> rows;
      for (const std::size_t place : places) rows.push_back(found_[place].row);
      std::vector<StoredFlow> flows;
      NTA_ASSIGN_OR_RETURN(const auto batch, reader_.Open(found_[places.front()].block));
      NTA_RETURN_IF_ERROR(batch->Rows(rows, flows));
      for (std::size_t i = 0; i < places.size(); ++i) page.flows[places[i]] = std::move(flows[i]);
    }
    if (more) {
      const Place& last = found_.back().place;
      page.next_cursor =
          EncodeCursor(KindOf(query_.order), {sign() * last.key, std::to_string(sign() * last.id)});
    }
    return page;
  }

  Connection& connection_;
  const FlowQuery& query_;
  BlockReader reader_;
  std::optional<Place> after_;
  std::vector<Found> found_;
};

}  // namespace

absl::StatusOr<FlowPage> QueryFlows(Connection& connection, const FlowQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  // Blocks and their columns are of one moment.
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(FlowPage page, PageFinder(connection, query).Find());
  NTA_ASSIGN_OR_RETURN(page.capture, SumCaptureCounts(connection, query.interval));
  return page;
}

}  // namespace nta::store
