// IEEE 802.11 frames and the capture headers in front of them.
#include "packet/decoder.h"

namespace nta::internal {

//  0         2          4           10          16          22        24
// +---------+----------+-----------+-----------+-----------+---------+-----
// | control | duration | address 1 | address 2 | address 3 | sequence| ...   address 4, QoS, HT
// control
// +---------+----------+-----------+-----------+-----------+---------+-----
Next Decoder::Ieee80211() {
  if (!Has(2)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint8_t control = cursor_[0];
  const std::uint8_t flags = cursor_[1];
  const bool is_data = (control & 0x0c) == 0x08;
  const bool is_null = (control & 0x40) != 0;
  const bool is_encrypted = (flags & 0x40) != 0;
  if (!is_data || is_null || is_encrypted) {
    return Unsupported(DecodeReason::kNonDataFrame,
                       static_cast<std::uint16_t>(control << 8 | flags));
  }

  const bool to_ds = (flags & 0x01) != 0;
  const bool from_ds = (flags & 0x02) != 0;
  const bool has_qos = (control & 0x80) != 0;
  const std::size_t base = to_ds && from_ds ? 30 : 24;
  std::size_t size = base;
  if (has_qos) size += (flags & 0x80) != 0 ? 6 : 2;
  if (!Has(size)) return Malformed(DecodeReason::kTruncatedLink);

  const std::uint8_t* destination = to_ds ? cursor_ + 16 : cursor_ + 4;
  const std::uint8_t* source = cursor_ + 10;
  if (from_ds) source = to_ds ? cursor_ + 24 : cursor_ + 16;
  SetMacs(destination, source);
  const bool is_aggregate = has_qos && (cursor_[base] & 0x80) != 0;
  Skip(size);
  if (is_aggregate) {
    // A-MSDU: destination, source, length for each sub-frame; the first one stands for the frame.
    if (!Has(14)) return Malformed(DecodeReason::kTruncatedLink);
    const std::size_t length = Load16(cursor_ + 12);
    Skip(14);
    Limit(length);
  }
  return Next::kLlc;
}

// www.radiotap.org: version, pad, length (little endian), presence bitmaps; fields follow in bit
// order, aligned.
Next Decoder::Radiotap() {
  if (!Has(8)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint8_t* const start = cursor_;
  const std::size_t length = Load16LittleEndian(start + 2);
  if (length < 8) return Malformed(DecodeReason::kBadLinkHeader);
  if (!Has(length)) return Malformed(DecodeReason::kTruncatedLink);

  // Only TSFT (bit 0, 8 bytes) stands before the flags (bit 1) that say whether a checksum ends the
  // frame.
  std::size_t field = 8;
  const std::uint8_t present = start[4];
  for (std::size_t word = 4; (start[word + 3] & 0x80) != 0; word += 4) {
    field = word + 8;
    if (field > length) return Malformed(DecodeReason::kBadLinkHeader);
  }
  if ((present & 0x01) != 0) field = ((field + 7) & ~std::size_t{7}) + 8;
  std::uint8_t flags = 0;
  if ((present & 0x02) != 0 && field < length) flags = start[field];

  Skip(length);
  const bool has_checksum = (flags & 0x10) != 0;
  if (has_checksum && wire_rest_ == 0) Limit(available() >= 4 ? available() - 4 : 0);
  return Next::kIeee80211;
}

// Per-Packet Information: version, flags, length and link type (little endian).
Next Decoder::Ppi() {
  if (!Has(8)) return Malformed(DecodeReason::kTruncatedLink);
  const std::size_t length = Load16LittleEndian(cursor_ + 2);
  const std::uint16_t inner = Load16LittleEndian(cursor_ + 4);
  if (length < 8) return Malformed(DecodeReason::kBadLinkHeader);
  if (!Has(length)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(length);
  if (inner == link_type_) return Malformed(DecodeReason::kBadLinkHeader);
  link_type_ = inner;
  return Next::kLink;
}

// AVS: magic 4, length 4 (big endian).
Next Decoder::Avs() {
  if (!Has(8)) return Malformed(DecodeReason::kTruncatedLink);
  const std::size_t length = Load32(cursor_ + 4);
  if (length < 8) return Malformed(DecodeReason::kBadLinkHeader);
  if (!Has(length)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(length);
  return Next::kIeee80211;
}

// Prism: 144 bytes; some drivers write AVS under this link type.
Next Decoder::Prism() {
  constexpr std::size_t kPrismBytes = 144;
  if (Has(4) && Load32(cursor_) == 0x80211001) return Avs();
  if (!Has(kPrismBytes)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(kPrismBytes);
  return Next::kIeee80211;
}

}  // namespace nta::internal
