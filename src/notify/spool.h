// Spool: the queue of notifications on disk, a file each.
//
// A file is written beside its place, synced and renamed, so that it is whole or not there:
//   "nta1" | FNV-1a of the rest, 8 bytes | fields, each a length of 4 bytes and its bytes
#ifndef NTA_SRC_NOTIFY_SPOOL_H_
#define NTA_SRC_NOTIFY_SPOOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/notify/notification.h"

namespace nta::notify {

struct Entry {
  std::uint64_t number = 0;  // orders entries; the name of the file
  std::string channel;
  std::string route;
  Timestamp offered{};
  Timestamp due{};  // not to be sent before
  Notification news;
  std::size_t bytes = 0;  // of the file; about, before it is written
};

std::string Encode(const Entry& entry);
// Nothing when the bytes are damaged.
std::optional<Entry> Decode(std::string_view bytes);

class Spool {
 public:
  // `entries` are those that are there, in order.
  static absl::StatusOr<Spool> Open(std::string directory, std::vector<Entry>& entries,
                                    std::uint64_t& damaged);

  absl::Status Write(const Entry& entry);
  void Remove(const Entry& entry);

 private:
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}
  std::string PathOf(std::uint64_t number) const;

  std::string directory_;
};

}  // namespace nta::notify

#endif  // NTA_SRC_NOTIFY_SPOOL_H_
