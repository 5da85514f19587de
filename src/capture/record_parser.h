// RecordParser: one record of a capture file at a time, from bytes in memory.
#ifndef NTA_CAPTURE_RECORD_PARSER_H_
#define NTA_CAPTURE_RECORD_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/packet/packet.h"

namespace nta::internal {

// What stands at the beginning of some bytes.
struct Record {
  enum class Kind {
    kPacket,    // `packet`, borrowing from the bytes; `size` bytes in all
    kOther,     // a record without a packet, `size` bytes in all, of which not all need to be there
    kNeedMore,  // the record needs `size` bytes, more than there are
    kDamaged,   // `error`
  };
  Kind kind = Kind::kNeedMore;
  std::uint64_t size = 0;
  PacketView packet;
  std::string error;
};

class RecordParser {
 public:
  virtual ~RecordParser() = default;
  virtual Record Next(std::span<const std::uint8_t> bytes) = 0;

  // The parser for a file that begins with these bytes (16 or all there are). InvalidArgument when
  // there is none.
  static absl::StatusOr<std::unique_ptr<RecordParser>> ForFile(std::span<const std::uint8_t> head);
};

std::unique_ptr<RecordParser> MakePcapParser(std::span<const std::uint8_t> head);
std::unique_ptr<RecordParser> MakePcapngParser();

}  // namespace nta::internal

#endif  // NTA_CAPTURE_RECORD_PARSER_H_
