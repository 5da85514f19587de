// The bytes of a backup; docs/backup.md has the table.
//
//   magic[8]  u32 header_bytes  header  sha256[32] of all before  frames  sha256[32] of all before
//   frame = u32 (bytes, bit 31: the last one)  bytes
//   frames, decrypted, joined, decompressed = u32 manifest_bytes  manifest  sha256[32]  parts
//
// Integers are little-endian.
#ifndef NTA_BACKUP_FORMAT_H_
#define NTA_BACKUP_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nta::backup {

inline constexpr std::uint64_t kFormatVersion = 1;
// The last byte is the version; a newer one is told apart from a foreign file.
inline constexpr std::array<std::uint8_t, 8> kMagic = {'N', 'T', 'A', 'B', 'K', 'U', 'P', 1};
inline constexpr std::string_view kFileSuffix = ".ntabackup";
inline constexpr std::string_view kVerdictSuffix = ".verdict";
inline constexpr std::string_view kDataPart = "data";

inline constexpr std::size_t kMaxHeaderBytes = 64 << 10;
inline constexpr std::size_t kMaxManifestBytes = 4 << 20;
inline constexpr std::size_t kMaxExtraBytes = 64 << 20;  // of all extras
inline constexpr std::size_t kFrameBytes = 256 << 10;    // before encryption
inline constexpr std::uint32_t kLastFrame = std::uint32_t{1} << 31;

inline constexpr std::string_view kCipher = "xchacha20-poly1305-secretstream";
inline constexpr std::string_view kKeyDerivation = "argon2id13";
inline constexpr std::size_t kSaltBytes = 16;
inline constexpr std::size_t kStreamHeaderBytes = 24;
inline constexpr std::size_t kFrameOverhead = 17;
// A file may not make us work harder than this for its key.
inline constexpr std::uint64_t kMaxKeyOperations = 16;
inline constexpr std::uint64_t kMaxKeyMemory = std::uint64_t{1} << 30;

// What is unpacked may be so many times as large as what was read, and this much beside: databases
// are compressed to a hundredth at the very best, bombs to less than a ten-thousandth.
inline constexpr std::uint64_t kMaxRatio = 1000;
inline constexpr std::uint64_t kRatioFreeBytes = 16 << 20;

inline std::array<std::uint8_t, 4> EncodeCount(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

inline std::uint32_t DecodeCount(std::span<const std::uint8_t, 4> bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

}  // namespace nta::backup

#endif  // NTA_BACKUP_FORMAT_H_
