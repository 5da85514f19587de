// BlockList: addresses, networks and domain names that nobody here should talk to.
//
//   auto list = nta::BlockList::Read({"/etc/nta/blocked.txt"});
//   if (const std::string* entry = list->Match(address)) ...
#ifndef NTA_DETECT_BLOCK_LIST_H_
#define NTA_DETECT_BLOCK_LIST_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"

namespace nta {

// Text, one entry a line: an address, a network ("198.51.100.0/24") or a domain name, which stands
// for all names below it as well. "#" and ";" begin a comment; what hosts files and RPZ add
// ("0.0.0.0 name", "name.") is understood. Immutable once made.
class BlockList {
 public:
  static constexpr std::size_t kMaxEntries = 1'000'000;

  BlockList();  // empty
  // InvalidArgument names the line that is no entry. ResourceExhausted beyond `max_entries`.
  static absl::StatusOr<BlockList> Parse(std::string_view text, std::string_view origin,
                                         std::size_t max_entries = kMaxEntries);
  // All files together. NotFound or PermissionDenied name the file.
  static absl::StatusOr<BlockList> Read(const std::vector<std::string>& files,
                                        std::size_t max_entries = kMaxEntries);
  ~BlockList();
  BlockList(BlockList&&) noexcept;
  BlockList& operator=(BlockList&&) noexcept;

  // The entry that holds it, most specific first; absent when none does.
  std::optional<std::string> Match(const IpAddress& address) const;
  std::optional<std::string> Match(std::string_view domain) const;

  std::size_t size() const;
  std::size_t memory_bytes() const;

 private:
  struct Entries;
  explicit BlockList(std::unique_ptr<Entries> entries);
  std::unique_ptr<Entries> entries_;
};

}  // namespace nta

#endif  // NTA_DETECT_BLOCK_LIST_H_
