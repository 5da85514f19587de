#include "store/tar_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/status.h"

namespace nta::store {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostBytes = std::uint64_t{077777777777};  // eleven octal digits

// Offsets and widths of the header's fields.
//
//   name 0+100 | mode 100+8 | uid 108+8 | gid 116+8 | size 124+12 | mtime 136+12 | chksum 148+8 |
//   typeflag 156 | linkname 157+100 | magic 257+6 | version 263+2 | uname 265+32 | gname 297+32
using Header = std::array<char, kBlock>;

// Octal digits and a NUL, as wide as the field.
void PutOctal(Header& header, std::size_t offset, std::size_t width, std::uint64_t value) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%0*llo", static_cast<int>(width - 1),
                static_cast<unsigned long long>(value));
  std::memcpy(header.data() + offset, digits.data(), width);
}

Header MakeHeader(std::string_view name, std::uint64_t size, std::uint64_t seconds) {
  Header header{};
  std::memcpy(header.data(), name.data(), name.size());
  PutOctal(header, 100, 8, 0644);
  PutOctal(header, 108, 8, 0);
  PutOctal(header, 116, 8, 0);
  PutOctal(header, 124, 12, size);
  PutOctal(header, 136, 12, seconds);
  header[156] = '0';
  std::memcpy(header.data() + 257, "ustar", 6);
  std::memcpy(header.data() + 263, "00", 2);
  // The sum is taken with the field itself full of blanks.
  std::memset(header.data() + 148, ' ', 8);
  std::uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  PutOctal(header, 148, 7, sum);
  return header;
}

}  // namespace

absl::Status TarWriter::Begin(std::string_view name, std::uint64_t size) {
  constexpr std::size_t kMaxName = 100;
  if (name.empty() || name.size() > kMaxName || size > kMostBytes) {
    return base::InvalidArgument("no file for a tar archive: \"" + std::string(name) + "\"");
  }
  NTA_RETURN_IF_ERROR(Pad());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time_).time_since_epoch().count();
  const Header header = MakeHeader(
      name, size,
      std::min(kMostBytes, static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds))));
  return write_({header.data(), header.size()});
}

absl::Status TarWriter::Append(std::string_view bytes) {
  in_file_ += bytes.size();
  return write_(bytes);
}

absl::Status TarWriter::Add(std::string_view name, std::string_view bytes) {
  NTA_RETURN_IF_ERROR(Begin(name, bytes.size()));
  return Append(bytes);
}

absl::Status TarWriter::Pad() {
  constexpr Header kZeros{};
  const std::size_t over = in_file_ % kBlock;
  in_file_ = 0;
  return over == 0 ? absl::OkStatus() : write_({kZeros.data(), kBlock - over});
}

absl::Status TarWriter::Finish() {
  constexpr std::array<char, 2 * kBlock> kEnd{};
  NTA_RETURN_IF_ERROR(Pad());
  return write_({kEnd.data(), kEnd.size()});
}

}  // namespace nta::store
