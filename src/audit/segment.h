// The files of a trail: 8 bytes that say what they are, then records, the first of kind kSegment.
#ifndef NTA_AUDIT_SEGMENT_H_
#define NTA_AUDIT_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "audit/chain.h"
#include "audit/record_codec.h"
#include "base/descriptor.h"

namespace nta::audit {

inline constexpr std::string_view kMagic = "NTAAUDT1";

struct SegmentFile {
  std::uint64_t number = 0;
  std::string path;
};
// "audit.000001.log"
std::string SegmentPath(const std::string& directory, std::uint64_t number);
// By number. NotFound when there is no such directory.
absl::StatusOr<std::vector<SegmentFile>> ListSegments(const std::string& directory);
// Makes the names in a directory last.
absl::Status SyncDirectory(const std::string& directory);

// What the first record of a file says in its details.
struct SegmentHead {
  ChainId chain{};
  std::uint64_t number = 0;
  Digest previous{};  // hash of the record before
  std::string reason;
};
AuditEvent ToEvent(const SegmentHead& head, Timestamp time);
std::optional<SegmentHead> ParseSegmentHead(const RawRecord& record);

enum class Step : std::uint8_t {
  kRecord,
  kEnd,
  kTorn,       // the file ends within a record
  kMalformed,  // what stands here is no record
  kForeign,    // the file does not begin as one of ours
};

// Reads records one after the other, in large blocks.
class SegmentReader {
 public:
  static absl::StatusOr<SegmentReader> Open(const std::string& path);

  // `record` is good until the next call. After kTorn the next call looks again.
  absl::StatusOr<Step> Next(RawRecord& record);
  // Where the record of the last call begins, or what kept it from being one.
  std::uint64_t offset() const { return offset_; }
  // Of the file, so far.
  std::uint64_t bytes_read() const { return base_ + end_; }

 private:
  SegmentReader(base::Descriptor file, std::uint64_t size);
  absl::StatusOr<bool> Refill();

  base::Descriptor file_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t base_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool started_ = false;
};

}  // namespace nta::audit

#endif  // NTA_AUDIT_SEGMENT_H_
