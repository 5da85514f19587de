#include "store/numbers.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace nta::store {
namespace {

// How the bytes of a plane are kept.
constexpr std::uint8_t kRaw = 0;
constexpr std::uint8_t kConstant = 1;
constexpr std::uint8_t kZstd = 2;

constexpr int kZstdLevel = 1;

bool IsConstant(std::span<const std::uint8_t> bytes) {
  return bytes.size() > 1 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

// Times often come in whole micro- or milliseconds.
std::uint64_t CommonScale(std::span<const std::uint64_t> values) {
  for (const std::uint64_t scale : {kMillisecond, kMicrosecond}) {
    if (std::all_of(values.begin(), values.end(),
                    [scale](std::uint64_t value) { return value % scale == 0; })) {
      return scale;
    }
  }
  return 1;
}

template <std::size_t kWidth>
void Combine(const std::array<const std::uint8_t*, 8>& planes, std::uint64_t minimum,
             std::uint64_t scale, std::span<std::uint64_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint64_t value = 0;
    for (std::size_t k = 0; k < kWidth; ++k) value |= std::uint64_t{planes[k][i]} << (8 * k);
    values[i] = minimum + scale * value;
  }
}

using CombineFunction = void (*)(const std::array<const std::uint8_t*, 8>&, std::uint64_t,
                                 std::uint64_t, std::span<std::uint64_t>);
constexpr CombineFunction kCombine[] = {&Combine<0>, &Combine<1>, &Combine<2>,
                                        &Combine<3>, &Combine<4>, &Combine<5>,
                                        &Combine<6>, &Combine<7>, &Combine<8>};

}  // namespace

class Compressor::Context {
 public:
  Context() : context(ZSTD_createCCtx()) {}
  ~Context() { ZSTD_freeCCtx(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ZSTD_CCtx* const context;
};

Compressor::Compressor(Effort effort) : effort_(effort) {}
Compressor::~Compressor() = default;

void Compressor::Append(std::span<const std::uint8_t> bytes, Bytes& out) {
  ByteWriter writer(out);
  if (IsConstant(bytes)) {
    writer.U8(kConstant);
    writer.U8(bytes.front());
    return;
  }
  // Less than this is not worth a frame.
  constexpr std::size_t kSmallest = 64;
  if (effort_ != Effort::kNone && bytes.size() >= kSmallest) {
    if (context_ == nullptr) context_ = std::make_unique<Context>();
    // Random bytes stay as they are: reading them then costs nothing.
    scratch_.resize(bytes.size() - bytes.size() / 16);
    const std::size_t size = ZSTD_compressCCtx(context_->context, scratch_.data(), scratch_.size(),
                                               bytes.data(), bytes.size(), kZstdLevel);
    if (ZSTD_isError(size) == 0) {
      writer.U8(kZstd);
      writer.Varint(size);
      writer.Raw(std::span(scratch_).first(size));
      return;
    }
  }
  writer.U8(kRaw);
  writer.Raw(bytes);
}

class Decompressor::Context {
 public:
  Context() : context(ZSTD_createDCtx()) {}
  ~Context() { ZSTD_freeDCtx(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ZSTD_DCtx* const context;
};

Decompressor::Decompressor() = default;
Decompressor::~Decompressor() = default;

std::span<const std::uint8_t> Decompressor::Read(ByteReader& in, std::size_t size) {
  switch (in.U8()) {
    case kRaw:
      return in.Take(size);
    case kConstant:
      scratch_.assign(size, in.U8());
      return scratch_;
    case kZstd: {
      const std::span<const std::uint8_t> frame = in.Take(in.Varint());
      if (context_ == nullptr) context_ = std::make_unique<Context>();
      scratch_.resize(size);
      // A single call needs no window: memory is bounded by what we give.
      const std::size_t got =
          ZSTD_decompressDCtx(context_->context, scratch_.data(), size, frame.data(), frame.size());
      if (ZSTD_isError(got) != 0 || got != size) break;
      return scratch_;
    }
    default:
      break;
  }
  in.Fail();
  return {};
}

void EncodeNumbers(std::span<const std::uint64_t> values, NumberOrder order, Compressor& compressor,
                   Bytes& out) {
  ByteWriter writer(out);
  writer.U8(static_cast<std::uint8_t>(order));
  std::vector<std::uint64_t> numbers(values.begin(), values.end());
  if (order == NumberOrder::kDelta) {
    for (std::size_t i = numbers.size(); i-- > 1;) numbers[i] -= numbers[i - 1];
    writer.ZigZag(numbers.empty() ? 0 : static_cast<std::int64_t>(numbers[0]));
    // The first has no difference; whichever is cheapest stands in its place.
    if (!numbers.empty()) numbers[0] = numbers.size() > 1 ? numbers[1] : 0;
  }
  std::int64_t minimum = 0;
  if (!numbers.empty()) {
    minimum = static_cast<std::int64_t>(numbers.front());
    for (const std::uint64_t number : numbers) {
      minimum = std::min(minimum, static_cast<std::int64_t>(number));
    }
  }
  std::uint64_t all = 0;
  for (std::uint64_t& number : numbers) {
    number -= static_cast<std::uint64_t>(minimum);
    all |= number;
  }
  std::uint64_t scale = 1;
  if (all >= kMicrosecond && (scale = CommonScale(numbers)) > 1) {
    all = 0;
    for (std::uint64_t& number : numbers) all |= (number /= scale);
  }
  const auto width = static_cast<std::size_t>((std::bit_width(all) + 7) / 8);
  writer.ZigZag(minimum);
  writer.Varint(scale);
  writer.U8(static_cast<std::uint8_t>(width));
  Bytes plane(numbers.size());
  for (std::size_t k = 0; k < width; ++k) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      plane[i] = static_cast<std::uint8_t>(numbers[i] >> (8 * k));
    }
    compressor.Append(plane, out);
  }
}

namespace {

struct Header {
  bool is_delta = false;
  std::uint64_t first = 0;
  std::uint64_t minimum = 0;
  std::uint64_t scale = 1;
  std::size_t width = 0;
};

bool ReadHeader(ByteReader& in, Header& header) {
  const std::uint8_t order = in.U8();
  header.is_delta = order == static_cast<std::uint8_t>(NumberOrder::kDelta);
  header.first = header.is_delta ? static_cast<std::uint64_t>(in.ZigZag()) : 0;
  header.minimum = static_cast<std::uint64_t>(in.ZigZag());
  header.scale = in.Varint();
  header.width = in.U8();
  return in.ok() && order <= static_cast<std::uint8_t>(NumberOrder::kDelta) && header.width <= 8;
}

}  // namespace

bool DecodeNumbers(ByteReader& in, Decompressor& decompressor, std::span<std::uint64_t> values) {
  Header header;
  if (!ReadHeader(in, header)) return false;
  std::array<Bytes, 8> copies;
  std::array<const std::uint8_t*, 8> planes{};
  for (std::size_t k = 0; k < header.width; ++k) {
    const auto plane = decompressor.Read(in, values.size());
    if (!in.ok()) return false;
    // The last one may stay where it is.
    if (k + 1 < header.width) {
      copies[k].assign(plane.begin(), plane.end());
      planes[k] = copies[k].data();
    } else {
      planes[k] = plane.data();
    }
  }
  kCombine[header.width](planes, header.minimum, header.scale, values);
  if (header.is_delta && !values.empty()) {
    values[0] = header.first;
    for (std::size_t i = 1; i < values.size(); ++i) values[i] += values[i - 1];
  }
  return true;
}

bool DecodeNumbersAt(ByteReader& in, Decompressor& decompressor, std::size_t count,
                     std::span<const std::uint32_t> places, std::span<std::uint64_t> values) {
  ByteReader start = in;
  Header header;
  if (!ReadHeader(in, header)) return false;
  if (header.is_delta) {
    // Each stands on all before it.
    std::vector<std::uint64_t> all(count);
    in = start;
    if (!DecodeNumbers(in, decompressor, all)) return false;
    for (std::size_t i = 0; i < places.size(); ++i) values[i] = all[places[i]];
    return true;
  }
  std::fill(values.begin(), values.end(), 0);
  for (std::size_t k = 0; k < header.width; ++k) {
    const auto plane = decompressor.Read(in, count);
    if (!in.ok()) return false;
    for (std::size_t i = 0; i < places.size(); ++i) {
      values[i] |= std::uint64_t{plane[places[i]]} << (8 * k);
    }
  }
  for (std::uint64_t& value : values) value = header.minimum + header.scale * value;
  return true;
}

}  // namespace nta::store
