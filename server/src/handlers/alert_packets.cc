#include "handlers/alert_packets.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "base/status.h"

namespace nta::server {

absl::StatusOr<BodyFile> PacketsBefore(Services& services, std::string_view alert) {
  const auto stored = services.store.GetAlert(std::string(alert));
  if (absl::IsNotFound(stored.status())) {
    return base::MakeStatus(absl::StatusCode::kNotFound, "there is no such alert");
  }
  NTA_RETURN_IF_ERROR(stored.status());
  NTA_ASSIGN_OR_RETURN(BodyFile file, BodyFile::Create(services.scratch_directory));
  const absl::Status written = services.write_packets
                                   ? services.write_packets(stored->id, file.path())
                                   : absl::NotFoundError("nothing is captured");
  if (absl::IsNotFound(written)) {
    return base::MakeStatus(
        absl::StatusCode::kNotFound,
        "the packets before this alert are not, or no longer, kept; they last while the server "
        "runs and until newer alerts need the room");
  }
  NTA_RETURN_IF_ERROR(written);
  return file;
}

absl::StatusOr<std::string> ReadPacketsBefore(Services& services, std::string_view alert) {
  NTA_ASSIGN_OR_RETURN(const BodyFile file, PacketsBefore(services, alert));
  std::ifstream bytes(file.path(), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(bytes), {});
}

Response RefusePackets(const absl::Status& status) {
  if (absl::IsNotFound(status)) return Problem(404, std::string(status.message()));
  return FromStatus(status);
}

}  // namespace nta::server
