// The packets before an alert, for who downloads them, tests detectors on them or keeps them.
#ifndef NTA_SERVER_HANDLERS_ALERT_PACKETS_H_
#define NTA_SERVER_HANDLERS_ALERT_PACKETS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "app.h"
#include "http/body_file.h"

namespace nta::server {

// As a pcapng file: 200 packets of 256 bytes at the most. NotFound, in words for people, when there
// is no such alert or its packets are not, or no longer, kept.
absl::StatusOr<BodyFile> PacketsBefore(Services& services, std::string_view alert);
// The same as bytes.
absl::StatusOr<std::string> ReadPacketsBefore(Services& services, std::string_view alert);
Response RefusePackets(const absl::Status& status);

}  // namespace nta::server

#endif  // NTA_SERVER_HANDLERS_ALERT_PACKETS_H_
