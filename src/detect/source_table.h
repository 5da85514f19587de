// SourceTable: the sources under watch, a bounded number of them.
#ifndef NTA_SRC_DETECT_SOURCE_TABLE_H_
#define NTA_SRC_DETECT_SOURCE_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "base/keyed_hash.h"
#include "detect/scan_source.h"

namespace nta::detect {

// Two lists by time of use: sources with a single failure, and those with more. A source is
// forgotten from the first as long as that holds at least an eighth of all, so that a flood of
// invented sources, which fail once each, does not push out a slow scanner.
class SourceTable {
 public:
  SourceTable(std::size_t max_sources, std::uint64_t hash_seed);

  // Null when it is not watched. Pointers stay valid until the source is forgotten.
  ScanSource* Find(const IpAddress& address);
  // Makes room first if need be and tells `forget` which source goes.
  ScanSource& FindOrAdd(const IpAddress& address, absl::FunctionRef<void(ScanSource&)> forget);
  // `source` is the latest one used; `repeated` moves it to the list of those with more than one
  // failure.
  void Touch(ScanSource& source, bool repeated);
  // Accounts for what `source` holds now instead of `bytes_before`, and forgets others (never
  // `source`) while the budget is exceeded.
  void Settle(ScanSource& source, std::size_t bytes_before,
              absl::FunctionRef<void(ScanSource&)> forget);

  std::size_t size() const { return index_.size(); }
  std::size_t memory_bytes() const;
  // All sources; those forgotten first come first in each list: single failures, then the others.
  void ForEach(absl::FunctionRef<void(const ScanSource&)> visit) const;
  // Appends `source` as the latest of its list. For saved states.
  ScanSource& Restore(ScanSource source);

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  // On the heap, on average over max_sources. A source with one failure takes about 450.
  static constexpr std::size_t kHeapBytesPerSource = 640;
  struct List {
    std::uint32_t oldest = kNone;
    std::uint32_t latest = kNone;
    std::size_t size = 0;
  };
  struct AddressHash {
    base::KeyedHash hash;
    std::size_t operator()(const IpAddress& address) const;
  };

  void Append(std::uint32_t slot);
  void Unlink(std::uint32_t slot);
  std::uint32_t TakeSlot();
  // False when only `keep` is left.
  bool ForgetOne(const ScanSource* keep, absl::FunctionRef<void(ScanSource&)> forget);

  std::size_t max_sources_;
  std::size_t max_heap_bytes_;
  std::size_t heap_bytes_ = 0;
  std::deque<ScanSource> slots_;  // a deque, because growing moves nothing
  std::vector<std::uint32_t> free_;
  std::array<List, 2> lists_;
  absl::flat_hash_map<IpAddress, std::uint32_t, AddressHash> index_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SOURCE_TABLE_H_
