// LoadAnew(): a detector takes over a saved state, or stays as it was.
#ifndef NTA_SRC_DETECT_LOAD_ANEW_H_
#define NTA_SRC_DETECT_LOAD_ANEW_H_

#include <memory>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace nta::detect {

template <typename Impl>
absl::Status LoadAnew(std::unique_ptr<Impl>& impl, std::string_view state) {
  auto loaded = std::make_unique<Impl>(impl->options());
  NTA_RETURN_IF_ERROR(loaded->Load(state));
  impl = std::move(loaded);
  return absl::OkStatus();
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_LOAD_ANEW_H_
