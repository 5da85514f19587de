#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  NetFlow 1, 5, 7: | version (16) | records (16) | ... | records of fixed size |
//  NetFlow 9 (RFC 3954): | 9 | count | uptime | seconds | sequence | source |  sets
//  IPFIX (RFC 7011):     | 10 | length, of all | seconds | sequence | domain |  sets
//  set: | id (16) | length, of all of it (16) | ... |
struct FixedVersion {
  std::uint16_t version;
  std::size_t header_bytes;
  std::size_t record_bytes;
};
constexpr FixedVersion kFixedVersions[] = {{1, 16, 52}, {5, 24, 48}, {7, 24, 52}};

bool AreSets(base::ByteCursor cursor, bool is_whole) {
  int sets = 0;
  while (cursor.remaining() >= 4) {
    const std::uint16_t id = cursor.U16();
    const std::uint16_t length = cursor.U16();
    if (length < 4 || (id > 3 && id < 256)) return false;
    cursor.Skip(length - 4u);
    if (!cursor.ok()) return !is_whole;
    ++sets;
  }
  return sets > 0 && (cursor.remaining() == 0 || !is_whole);
}

bool IsNetflow(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint16_t version = cursor.U16();
  const std::size_t count = cursor.U16();
  if (!cursor.ok()) return false;
  for (const FixedVersion& fixed : kFixedVersions) {
    if (version != fixed.version) continue;
    return count >= 1 && count <= 30 &&
           fixed.header_bytes + count * fixed.record_bytes == payload.wire_size();
  }
  if (version == 9) {
    cursor.Skip(16);
    return cursor.ok() && count > 0 && AreSets(cursor, IsWhole(payload));
  }
  cursor.Skip(12);
  return cursor.ok() && version == 10 && count == payload.wire_size() &&
         AreSets(cursor, IsWhole(payload));
}

void ReadNetflow(const Payload& payload, Findings& findings) {
  const std::uint16_t version = base::ByteCursor(payload.bytes).U16();
  if (version == 10) {
    SetFirst(findings, VersionOf(payload), "IPFIX");
  } else {
    SetFirstNumber(findings, VersionOf(payload), "NetFlow", version);
  }
}

}  // namespace

constinit const Parser kNetflowParser = {
    .application = Application::kNetflow,
    .match = MatchEach<IsNetflow>,
    .parse = ReadEach<ReadNetflow>,
    .first_bytes = FirstBytes::Of({0}),
};

}  // namespace nta::internal
