// Compressor: packs a stream of bytes.
#ifndef NTA_CAPTURE_COMPRESSOR_H_
#define NTA_CAPTURE_COMPRESSOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/capture/compression.h"

namespace nta::internal {

class Compressor {
 public:
  virtual ~Compressor() = default;
  // Appends what `input` becomes; the rest of it comes with later calls, all with the last one.
  virtual absl::Status Run(std::span<const std::uint8_t> input, bool is_last,
                           std::vector<std::uint8_t>& output) = 0;

  // Null for kNone. InvalidArgument for a level that there is not.
  static absl::StatusOr<std::unique_ptr<Compressor>> Create(Compression compression,
                                                            std::optional<int> level);
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_COMPRESSOR_H_
