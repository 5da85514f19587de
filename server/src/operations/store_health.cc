#include "operations/store_health.h"

#include <string_view>

namespace nta::server {
namespace {

constexpr std::string_view kProbeSetting = "server.probe";
constexpr std::size_t kProbeBytes = 256 << 10;

}  // namespace

bool StoreHealth::Tell(const absl::Status& status, Duration now) {
  if (status.ok()) return false;
  absl::MutexLock lock(&mutex_);
  const bool begins = trouble_.ok();
  trouble_ = status;
  last_sign_ = now;
  return begins;
}

bool StoreHealth::Probe(Store& store, Duration now) {
  bool was_well = true;
  {
    absl::MutexLock lock(&mutex_);
    was_well = trouble_.ok();
    // What is tried takes room itself: once, not again and again.
    if (!was_well && now - last_sign_ < kHold) return false;
  }
  absl::Status status =
      store.PutSetting(kProbeSetting, was_well ? "" : std::string(kProbeBytes, 'x'));
  if (status.ok() && !was_well) status = store.PutSetting(kProbeSetting, "");
  if (!status.ok()) {
    Tell(status, now);
    return false;
  }
  absl::MutexLock lock(&mutex_);
  // Somebody else may have failed meanwhile.
  if (was_well || now - last_sign_ < kHold) return false;
  trouble_ = absl::OkStatus();
  return true;
}

absl::Status StoreHealth::trouble() const {
  absl::MutexLock lock(&mutex_);
  return trouble_;
}

std::string WhyInWords(const absl::Status& trouble) {
  switch (trouble.code()) {
    case absl::StatusCode::kResourceExhausted:
      return "the disk is full";
    case absl::StatusCode::kDataLoss:
      return "it is damaged";
    case absl::StatusCode::kPermissionDenied:
      return "the server may not write it";
    default:
      return "its disk fails, or it does not answer";
  }
}

}  // namespace nta::server
