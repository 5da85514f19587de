// Retention: how long the server keeps what, and the job that deletes the rest.
#ifndef NTA_SERVER_OPERATIONS_RETENTION_H_
#define NTA_SERVER_OPERATIONS_RETENTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/store/store.h"

namespace nta::server {

// Absent: kept for good.
struct RetentionSettings {
  std::optional<std::uint32_t> flow_days{};  // 1 to 36,500
  std::optional<std::uint32_t> alert_days{};
  std::optional<std::uint32_t> sample_days = 30;  // health
  std::optional<std::uint32_t> incident_days{};   // since they ended
  std::optional<std::uint64_t> flow_bytes{};      // what each kind may take; 1 MiB to 1 EiB
  std::optional<std::uint64_t> alert_bytes{};
  std::optional<std::uint64_t> sample_bytes{};
  std::optional<std::uint64_t> incident_bytes{};
  std::optional<std::uint64_t> max_bytes{};  // of the database; 16 MiB to 1 EiB

  friend bool operator==(const RetentionSettings&, const RetentionSettings&) = default;
};

absl::Status CheckRetention(const RetentionSettings& settings);
std::string ToJson(const RetentionSettings& settings);

// The same as the store takes it.
RetentionPolicy PolicyOf(const RetentionSettings& settings);
// `settings` with the member of this name set to a number or, absent, to "for good".
// InvalidArgument for a number that it cannot be; false when there is no such member.
absl::StatusOr<bool> SetMember(RetentionSettings& settings, std::string_view name,
                               std::optional<std::uint64_t> value);

// Thread-safe.
class Retention {
 public:
  static constexpr std::string_view kSetting = "server.retention";

  // Borrows `store`.
  explicit Retention(Store& store) : store_(store) {}

  // What was set; the defaults when nothing was. DataLoss when that cannot be read.
  absl::StatusOr<RetentionSettings> Get() const;
  absl::Status Set(const RetentionSettings& settings);
  absl::StatusOr<RetentionPreview> Preview(const RetentionSettings& settings, Timestamp now) const;
  // Deletes; what was deleted, in words. Settings that cannot be read delete nothing.
  absl::StatusOr<std::string> Run(Timestamp now);

 private:
  Store& store_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_RETENTION_H_
