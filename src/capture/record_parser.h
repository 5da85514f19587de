// RecordParser: the packets of a capture file, from bytes in memory.
#ifndef NTA_CAPTURE_RECORD_PARSER_H_
#define NTA_CAPTURE_RECORD_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/capture/packet_source.h"
#include "nta/capture/pcap_file_reader.h"

namespace nta::internal {

// Where a parser stopped, and why.
struct ParseStop {
  enum class Reason {
    kBatchFull,
    kNeedMore,  // the next record has `size` bytes, more than there are
    kSkip,      // a record of `size` bytes, more than there are, is to be passed over
    kDamaged,   // `error`
  };
  Reason reason = Reason::kBatchFull;
  std::size_t consumed = 0;  // bytes before the record at which it stopped
  std::uint64_t size = 0;
  std::string error{};
};

class RecordParser {
 public:
  virtual ~RecordParser() = default;

  // Appends packets, which borrow from `bytes`, until `batch` has max_packets. `bytes` begins with
  // a record. Called again without progress it stops at the same place for the same reason.
  virtual ParseStop Parse(std::span<const std::uint8_t> bytes, std::size_t max_packets,
                          PacketBatch& batch) = 0;

  // Those that were described so far, and the comments on packets of the last Parse.
  virtual std::span<const CaptureInterface> interfaces() const = 0;
  virtual std::span<const PacketComment> comments() const { return {}; }
  // Adds the losses of which the file tells.
  virtual void AddDrops(CaptureStats&) const {}

  // The parser for a file that begins with these bytes (16 or all there are). InvalidArgument when
  // there is none.
  static absl::StatusOr<std::unique_ptr<RecordParser>> ForFile(std::span<const std::uint8_t> head);
};

std::unique_ptr<RecordParser> MakePcapParser(std::span<const std::uint8_t> head);
std::unique_ptr<RecordParser> MakePcapngParser();

}  // namespace nta::internal

#endif  // NTA_CAPTURE_RECORD_PARSER_H_
