#include "store/row_scan.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace nta::store {
namespace {

constexpr std::uint8_t kIndexInterior = 2;
constexpr std::uint8_t kTableInterior = 5;
constexpr std::uint8_t kIndexLeaf = 10;
constexpr std::uint8_t kTableLeaf = 13;

std::uint32_t Word(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

// A number of one to nine bytes, the highest bits first; moves `at` behind it.
bool Varint(std::span<const std::uint8_t> bytes, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at >= bytes.size()) return false;
    const std::uint8_t byte = bytes[at++];
    if (i == 8) {
      value = value << 8 | byte;
      return true;
    }
    value = value << 7 | (byte & 0x7f);
    if ((byte & 0x80) == 0) return true;
  }
  return true;
}

// A page of a tree.
struct TreePage {
  std::uint8_t type = 0;
  std::vector<std::uint16_t> cells;
  std::uint32_t right = 0;  // of an interior page
};

// Absent when it is none, or damaged.
std::optional<TreePage> ParsePage(std::uint32_t number, const Bytes& bytes) {
  const std::size_t header = number == 1 ? 100 : 0;
  TreePage page{.type = bytes[header], .cells = {}, .right = 0};
  const bool is_interior = page.type == kIndexInterior || page.type == kTableInterior;
  if (!is_interior && page.type != kIndexLeaf && page.type != kTableLeaf) return std::nullopt;
  const std::size_t count = std::size_t{bytes[header + 3]} << 8 | bytes[header + 4];
  const std::size_t pointers = header + (is_interior ? 12 : 8);
  if (pointers + 2 * count > bytes.size()) return std::nullopt;
  if (is_interior) page.right = Word(bytes, header + 8);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = pointers + 2 * i;
    const auto cell = static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
    if (cell < pointers + 2 * count || cell + 4u > bytes.size()) return std::nullopt;
    page.cells.push_back(cell);
  }
  return page;
}

// What a cell of a leaf, or of the inside of an index, begins with.
struct Cell {
  std::uint64_t payload = 0;  // bytes
  std::int64_t id = 0;
  std::size_t at = 0;  // of the payload
  std::size_t local = 0;
  std::uint32_t overflow = 0;
};

std::optional<Cell> ParseCell(std::uint8_t type, std::span<const std::uint8_t> bytes,
                              std::size_t at) {
  Cell cell;
  if (type == kIndexInterior) at += 4;
  if (!Varint(bytes, at, cell.payload)) return std::nullopt;
  std::uint64_t id = 0;
  if (type == kTableLeaf && !Varint(bytes, at, id)) return std::nullopt;
  cell.id = static_cast<std::int64_t>(id);
  cell.at = at;
  const std::size_t usable = bytes.size();
  const std::size_t most = type == kTableLeaf ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  const std::size_t least = (usable - 12) * 32 / 255 - 23;
  cell.local = static_cast<std::size_t>(std::min<std::uint64_t>(cell.payload, most));
  if (cell.payload > most) {
    const std::size_t fitting = least + (cell.payload - least) % (usable - 4);
    cell.local = fitting <= most ? fitting : least;
    if (at + cell.local + 4 > usable) return std::nullopt;
    cell.overflow = Word(bytes, at + cell.local);
  }
  if (at + cell.local > usable) return std::nullopt;
  return cell;
}

// The serial types that a row begins with; leaves `at` behind them.
bool ParseTypes(std::span<const std::uint8_t> payload, std::size_t& at,
                std::vector<std::uint64_t>& types) {
  std::uint64_t header = 0;
  at = 0;
  if (!Varint(payload, at, header) || header > payload.size()) return false;
  while (at < header) {
    std::uint64_t type = 0;
    if (!Varint(payload, at, type) || type == 10 || type == 11) return false;
    types.push_back(type);
  }
  return at == header;
}

ValueKind KindOf(std::uint64_t type) {
  if (type == 0) return ValueKind::kNull;
  if (type == 7) return ValueKind::kReal;
  if (type < 12) return ValueKind::kInteger;
  return type % 2 == 0 ? ValueKind::kBlob : ValueKind::kText;
}

std::uint64_t BytesOf(std::uint64_t type) {
  constexpr std::uint8_t kBytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kBytes[type] : (type - 12) / 2;
}

ScannedValue ValueOf(std::uint64_t type, std::span<const std::uint8_t> bytes) {
  ScannedValue value{.kind = KindOf(type), .integer = 0, .real = 0, .bytes = {}};
  if (type >= 12) {
    value.bytes = bytes;
  } else if (type == 8 || type == 9) {
    value.integer = type == 9 ? 1 : 0;
  } else {
    std::uint64_t number = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    value.integer = static_cast<std::int64_t>(number);
    if (type == 7) value.real = std::bit_cast<double>(number);
  }
  return value;
}

bool ReadPayload(const PageFile& pages, std::span<const std::uint8_t> page, const Cell& cell,
                 Bytes& payload) {
  if (cell.payload > std::uint64_t{pages.page_count()} * pages.page_bytes()) return false;
  payload.assign(page.begin() + static_cast<std::ptrdiff_t>(cell.at),
                 page.begin() + static_cast<std::ptrdiff_t>(cell.at + cell.local));
  Bytes more;
  // Each step adds something, so that a circle ends, too.
  for (std::uint32_t next = cell.overflow; payload.size() < cell.payload;) {
    if (!pages.Read(next, more)) return false;
    next = Word(more, 0);
    const auto count = static_cast<std::ptrdiff_t>(
        std::min<std::uint64_t>(more.size() - 4, cell.payload - payload.size()));
    payload.insert(payload.end(), more.begin() + 4, more.begin() + 4 + count);
  }
  return true;
}

void VisitRows(std::uint32_t number, const TreePage& page, const Bytes& bytes,
               absl::FunctionRef<void(const RowHead&)> visit) {
  for (const std::uint16_t offset : page.cells) {
    const std::optional<Cell> cell = ParseCell(page.type, bytes, offset);
    if (!cell) continue;
    std::vector<std::uint64_t> types;
    std::size_t at = 0;
    if (!ParseTypes(std::span(bytes).subspan(cell->at, cell->local), at, types)) continue;
    RowHead head{
        .place = {number, offset}, .has_id = page.type == kTableLeaf, .id = cell->id, .kinds = {}};
    for (const std::uint64_t type : types) head.kinds.push_back(KindOf(type));
    visit(head);
  }
}

// The pages below one inside a table, and the ids that they have.
struct Child {
  std::uint32_t page;
  LostIds ids;
};
using Children = std::vector<Child>;  // of one page

Children ChildrenOf(const TreePage& page, const Bytes& bytes) {
  Children children;
  std::int64_t after = std::numeric_limits<std::int64_t>::min();
  for (const std::uint16_t cell : page.cells) {
    std::size_t at = cell + std::size_t{4};
    std::uint64_t key = 0;
    if (!Varint(bytes, at, key)) return children;
    children.push_back({Word(bytes, cell), {after, static_cast<std::int64_t>(key), 0}});
    after = static_cast<std::int64_t>(key);
  }
  children.push_back({page.right, {after, std::numeric_limits<std::int64_t>::max(), 0}});
  return children;
}

// What is known of a page after all were looked at.
enum class PageState : std::uint8_t { kUnreadable, kInterior, kLeaf };

void AddLost(const Children& children, const std::vector<PageState>& states,
             std::vector<LostIds>& lost) {
  const auto state = [&states](const Child& child) {
    return child.page < states.size() ? states[child.page] : PageState::kUnreadable;
  };
  std::uint32_t sibling = 0;
  for (const Child& child : children) {
    // All leaves of a tree are equally deep: what led to leaves has lost none itself.
    if (state(child) == PageState::kInterior) return;
    if (state(child) == PageState::kLeaf) sibling = child.page;
  }
  for (const Child& child : children) {
    if (state(child) != PageState::kUnreadable) continue;
    lost.push_back(child.ids);
    lost.back().sibling = sibling;
  }
}

}  // namespace

std::vector<LostIds> ScanRows(const PageFile& pages,
                              absl::FunctionRef<void(const RowHead&)> visit) {
  std::vector<Children> families;
  std::vector<PageState> states(std::size_t{pages.page_count()} + 1);
  Bytes bytes;
  for (std::uint32_t number = 1; number <= pages.page_count(); ++number) {
    if (!pages.MayHaveRows(number) || !pages.Read(number, bytes)) continue;
    const std::optional<TreePage> page = ParsePage(number, bytes);
    if (!page) continue;
    states[number] = page->type == kTableInterior ? PageState::kInterior : PageState::kLeaf;
    if (page->type == kTableInterior) {
      families.push_back(ChildrenOf(*page, bytes));
    } else {
      VisitRows(number, *page, bytes, visit);
    }
  }
  std::vector<LostIds> lost;
  for (const Children& family : families) AddLost(family, states, lost);
  return lost;
}

std::optional<ScannedRow> ReadRow(const PageFile& pages, const RowPlace& place) {
  Bytes bytes;
  if (!pages.Read(place.page, bytes)) return std::nullopt;
  const std::uint8_t type = bytes[place.page == 1 ? 100 : 0];
  const std::optional<Cell> cell = ParseCell(type, bytes, place.offset);
  ScannedRow row;
  if (!cell || !ReadPayload(pages, bytes, *cell, row.payload)) return std::nullopt;
  row.id = cell->id;
  std::vector<std::uint64_t> types;
  std::size_t at = 0;
  if (!ParseTypes(row.payload, at, types)) return std::nullopt;
  for (const std::uint64_t serial : types) {
    const std::uint64_t size = BytesOf(serial);
    if (size > row.payload.size() - at) return std::nullopt;
    row.values.push_back(
        ValueOf(serial, std::span(row.payload).subspan(at, static_cast<std::size_t>(size))));
    at += static_cast<std::size_t>(size);
  }
  return row;
}

}  // namespace nta::store
