#include "backup/manifest.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "backup/format.h"
#include "base/status.h"

namespace nta::backup {
namespace {

using Json = nlohmann::json;

// Any deviation is the same to a reader: these are not our bytes.
struct Unexpected {};

template <typename T>
T Take(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw Unexpected();
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) throw Unexpected();
  } else if constexpr (std::is_unsigned_v<T>) {
    if (!found->is_number_unsigned()) throw Unexpected();
  } else {
    if (!found->is_number_integer()) throw Unexpected();
  }
  return found->get<T>();
}

BackupTime TakeTime(const Json& object) {
  return BackupTime(std::chrono::nanoseconds(Take<std::int64_t>(object, "time")));
}

std::vector<std::uint8_t> TakeBytes(const Json& object, const char* name, std::size_t bytes) {
  auto value = FromHex(Take<std::string>(object, name), bytes);
  if (!value) throw Unexpected();
  return *std::move(value);
}

Digest TakeDigest(const Json& object, const char* name) {
  const std::vector<std::uint8_t> bytes = TakeBytes(object, name, sizeof(Digest));
  Digest digest{};
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

// nlohmann throws; nothing is thrown across our border.
template <typename T, typename Read>
absl::StatusOr<T> Parse(std::string_view text, std::string_view what, const Read& read) {
  try {
    const Json object = Json::parse(text);
    if (!object.is_object()) throw Unexpected();
    return read(object);
  } catch (const Json::exception&) {
  } catch (const Unexpected&) {
  }
  return base::MakeStatus(absl::StatusCode::kDataLoss, "its " + std::string(what) + " is damaged");
}

Encryption ReadEncryption(const Json& object) {
  Encryption encryption;
  encryption.operations = Take<std::uint64_t>(object, "operations");
  encryption.memory_bytes = Take<std::uint64_t>(object, "memory_bytes");
  encryption.salt = TakeBytes(object, "salt", kSaltBytes);
  encryption.stream_header = TakeBytes(object, "stream_header", kStreamHeaderBytes);
  if (Take<std::string>(object, "cipher") != kCipher) throw Unexpected();
  if (Take<std::string>(object, "kdf") != kKeyDerivation) throw Unexpected();
  return encryption;
}

Header ReadHeader(const Json& object) {
  Header header;
  header.time = TakeTime(object);
  header.tool = Take<std::string>(object, "tool");
  header.kind = Take<std::string>(object, "kind");
  header.application_id = Take<std::int64_t>(object, "application_id");
  header.schema_version = Take<std::int64_t>(object, "schema_version");
  header.content_bytes = Take<std::uint64_t>(object, "content_bytes");
  const std::string compression = Take<std::string>(object, "compression");
  if (compression != "zstd" && compression != "none") throw Unexpected();
  header.compression = compression == "zstd" ? BackupCompression::kZstd : BackupCompression::kNone;
  if (object.contains("encryption")) header.encryption = ReadEncryption(object.at("encryption"));
  return header;
}

Manifest ReadManifest(const Json& object) {
  Manifest manifest;
  manifest.time = TakeTime(object);
  manifest.summary.application_id = Take<std::int64_t>(object, "application_id");
  manifest.summary.schema_version = Take<std::int64_t>(object, "schema_version");
  for (const auto& [table, rows] : object.at("rows").items()) {
    if (!rows.is_number_unsigned()) throw Unexpected();
    manifest.summary.rows[table] = rows.get<std::uint64_t>();
  }
  for (const Json& part : object.at("parts")) {
    manifest.parts.push_back({.name = Take<std::string>(part, "name"),
                              .bytes = Take<std::uint64_t>(part, "bytes"),
                              .sha256 = TakeDigest(part, "sha256")});
  }
  if (manifest.parts.empty() || manifest.parts.front().name != kDataPart) throw Unexpected();
  for (std::size_t i = 1; i < manifest.parts.size(); ++i) {
    const std::string& name = manifest.parts[i].name;
    const bool again =
        std::any_of(manifest.parts.begin(), manifest.parts.begin() + std::ptrdiff_t(i),
                    [&](const Part& other) { return other.name == name; });
    if (again || !IsExtraName(name)) throw Unexpected();
  }
  return manifest;
}

}  // namespace

std::string ToText(const Header& header) {
  Json object = {{"format", kFormatVersion},
                 {"time", header.time.time_since_epoch().count()},
                 {"tool", header.tool},
                 {"kind", header.kind},
                 {"application_id", header.application_id},
                 {"schema_version", header.schema_version},
                 {"content_bytes", header.content_bytes},
                 {"compression", ToString(header.compression)}};
  if (header.encryption) {
    object["encryption"] = {{"cipher", kCipher},
                            {"kdf", kKeyDerivation},
                            {"operations", header.encryption->operations},
                            {"memory_bytes", header.encryption->memory_bytes},
                            {"salt", ToHex(header.encryption->salt)},
                            {"stream_header", ToHex(header.encryption->stream_header)}};
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToText(const Manifest& manifest) {
  Json parts = Json::array();
  for (const Part& part : manifest.parts) {
    parts.push_back({{"name", part.name}, {"bytes", part.bytes}, {"sha256", ToHex(part.sha256)}});
  }
  const Json object = {{"time", manifest.time.time_since_epoch().count()},
                       {"application_id", manifest.summary.application_id},
                       {"schema_version", manifest.summary.schema_version},
                       {"rows", Json(manifest.summary.rows)},
                       {"parts", std::move(parts)}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToText(const Verdict& verdict) {
  const Json object = {{"time", verdict.time.time_since_epoch().count()},
                       {"header", ToHex(verdict.header)},
                       {"stored_bytes", verdict.stored_bytes},
                       {"problem", verdict.problem}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Header> ParseHeader(std::string_view text) {
  return Parse<Header>(text, "header", ReadHeader);
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  return Parse<Manifest>(text, "manifest", ReadManifest);
}

absl::StatusOr<Verdict> ParseVerdict(std::string_view text) {
  return Parse<Verdict>(text, "verdict", [](const Json& object) {
    return Verdict{.time = TakeTime(object),
                   .header = TakeDigest(object, "header"),
                   .stored_bytes = Take<std::uint64_t>(object, "stored_bytes"),
                   .problem = Take<std::string>(object, "problem")};
  });
}

bool IsExtraName(std::string_view name) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name != kDataPart &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace nta::backup
