#include "detect/state_archive.h"

#include "base/status.h"

namespace nta::detect {
namespace {

constexpr std::string_view kMagic = "NTAstate";
constexpr std::size_t kChecksumBytes = 8;

std::uint64_t Fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

absl::Status Damaged(std::string_view why) {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the saved detector state is damaged: " + std::string(why));
}

}  // namespace

// magic[8] version[2] length of name[1] name payload checksum[8], numbers little-endian
std::string SealState(std::string_view detector, std::uint16_t version, std::string_view payload) {
  StateWriter header;
  header(version);
  header(static_cast<std::uint8_t>(detector.size()));
  std::string state(kMagic);
  state += std::move(header).bytes();
  state += detector;
  state += payload;
  StateWriter checksum;
  checksum(Fnv1a(state));
  return state + std::move(checksum).bytes();
}

absl::StatusOr<std::span<const std::uint8_t>> OpenState(std::string_view detector,
                                                        std::uint16_t version,
                                                        std::string_view state) {
  if (state.substr(0, kMagic.size()) != kMagic) {
    return base::InvalidArgument("not a saved detector state");
  }
  if (state.size() < kMagic.size() + 3 + kChecksumBytes) return Damaged("it is cut short");
  const std::string_view content = state.substr(0, state.size() - kChecksumBytes);
  std::uint64_t checksum = 0;
  StateReader end(AsBytes(state.substr(content.size())));
  end(checksum);
  if (checksum != Fnv1a(content)) return Damaged("the checksum does not match");

  std::uint16_t found_version = 0;
  std::uint8_t name_size = 0;
  StateReader header(AsBytes(content.substr(kMagic.size())));
  header(found_version);
  header(name_size);
  const std::size_t payload_at = kMagic.size() + 3 + name_size;
  if (payload_at > content.size()) return Damaged("the name is cut short");
  const std::string_view name = content.substr(kMagic.size() + 3, name_size);
  if (name != detector) {
    return base::InvalidArgument("a state of the detector \"" + std::string(name) +
                                 "\", not of \"" + std::string(detector) + "\"");
  }
  if (found_version != version) {
    return base::InvalidArgument("a state of version " + std::to_string(found_version) +
                                 "; this library reads version " + std::to_string(version));
  }
  return AsBytes(content.substr(payload_at));
}

}  // namespace nta::detect
