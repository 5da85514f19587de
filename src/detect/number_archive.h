// Signed numbers and arrays of them in a saved state.
#ifndef NTA_SRC_DETECT_NUMBER_ARCHIVE_H_
#define NTA_SRC_DETECT_NUMBER_ARCHIVE_H_

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/status.h"
#include "detect/state_archive.h"
#include "nta/detect/alert_tracker.h"

namespace nta::detect {

// Refuses what is not finite.
template <typename Archive, typename T>
requires std::is_floating_point_v<std::remove_const_t<T>>
void Real(Archive& archive, T& value) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  Bits bits{};
  if constexpr (!Archive::kReads) bits = std::bit_cast<Bits>(value);
  archive(bits);
  if constexpr (Archive::kReads) {
    value = std::bit_cast<T>(bits);
    if (!std::isfinite(value)) archive.Fail();
  }
}

template <typename Archive, typename Range>
void Reals(Archive& archive, Range& values) {
  for (auto& value : values) Real(archive, value);
}

// Of at most `most` entries.
template <typename Archive, typename T>
void RealVector(Archive& archive, T& values, std::size_t most) {
  std::size_t size = values.size();
  archive.Size(size, most);
  if constexpr (Archive::kReads) values.assign(size, {});
  Reals(archive, values);
}

// The end of a detector's Load: its alerts, and whether everything fitted.
inline absl::Status FinishLoad(const StateReader& reader, AlertTracker& tracker,
                               std::string_view alerts) {
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return tracker.Load(alerts);
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_NUMBER_ARCHIVE_H_
