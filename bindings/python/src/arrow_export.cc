#include "arrow_export.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "nta/flow/flow_record.h"
#include "nta/net/ip_address.h"

namespace nta::python {
namespace {

using ColumnsPtr = std::shared_ptr<const FlowColumns>;
using AddressColumn = std::vector<std::array<std::uint8_t, 16>>;

// What release() of an exported struct frees: its children, dictionary and buffers.
template <typename Struct>
struct Node {
  std::vector<Struct> children;
  std::vector<Struct*> child_pointers;
  Struct dictionary{};
  ColumnsPtr columns;  // keeps borrowed buffers alive
  std::array<const void*, 3> buffers{};
  std::vector<std::uint8_t> bitmap;
  std::vector<std::uint16_t> numbers;
  std::vector<std::int32_t> offsets;
  std::string text;
};

template <typename Struct>
void Release(Struct* exported) {
  auto* node = static_cast<Node<Struct>*>(exported->private_data);
  // A consumer may have moved a child away; a moved one has no release.
  for (Struct& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (node->dictionary.release != nullptr) node->dictionary.release(&node->dictionary);
  delete node;
  exported->release = nullptr;
}

template <typename Struct>
Node<Struct>* NewNode(Struct* out) {
  *out = {};
  auto* node = new Node<Struct>();
  out->private_data = node;
  out->release = Release<Struct>;
  return node;
}

template <typename Struct>
void AddChildren(Struct* out, std::size_t count) {
  auto* node = static_cast<Node<Struct>*>(out->private_data);
  node->children.resize(count);
  for (Struct& child : node->children) node->child_pointers.push_back(&child);
  out->n_children = static_cast<std::int64_t>(count);
  out->children = node->child_pointers.data();
}

// The rows [begin, begin + rows) of one set of columns.
struct Slice {
  ColumnsPtr columns;
  std::size_t begin;
  std::size_t rows;
};

Node<ArrowArray>* NewArray(const Slice& slice, std::int64_t buffers, ArrowArray* out) {
  Node<ArrowArray>* node = NewNode(out);
  node->columns = slice.columns;
  out->length = static_cast<std::int64_t>(slice.rows);
  out->n_buffers = buffers;
  out->buffers = node->buffers.data();
  return node;
}

template <auto kColumn>
void ExportNumbers(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 2, out);
  node->buffers[1] = ((*slice.columns).*kColumn).data() + slice.begin;
}

void FinishText(Node<ArrowArray>* node) {
  node->buffers[1] = node->offsets.data();
  node->buffers[2] = node->text.data();
}

template <AddressColumn FlowColumns::*kColumn>
void ExportAddresses(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 3, out);
  const AddressColumn& column = (*slice.columns).*kColumn;
  node->offsets.reserve(slice.rows + 1);
  node->offsets.push_back(0);
  for (std::size_t i = slice.begin; i < slice.begin + slice.rows; ++i) {
    const std::span<const std::uint8_t, 16> bytes(column[i]);
    const bool is_v4 = slice.columns->ip_version[i] == 4;
    node->text += (is_v4 ? IpAddress::V4(bytes.last<4>()) : IpAddress::V6(bytes)).ToString();
    node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
  }
  FinishText(node);
}

void ExportVlan(const Slice& slice, ArrowArray* out) {
  Node<ArrowArray>* node = NewArray(slice, 2, out);
  node->numbers.resize(slice.rows);
  node->bitmap.resize((slice.rows + 7) / 8);
  for (std::size_t i = 0; i < slice.rows; ++i) {
    const std::int32_t vlan = slice.columns->vlan[slice.begin + i];
    if (vlan < 0) {
      ++out->null_count;
      continue;
    }
    node->numbers[i] = static_cast<std::uint16_t>(vlan);
    node->bitmap[i / 8] = static_cast<std::uint8_t>(node->bitmap[i / 8] | (1U << (i % 8)));
  }
  node->buffers[0] = node->bitmap.data();
  node->buffers[1] = node->numbers.data();
}

// The names of an enum whose numbers run from 0 to kLast: the numbers are the dictionary's indices.
template <auto kColumn, typename Enum, Enum kLast>
void ExportNames(const Slice& slice, ArrowArray* out) {
  ExportNumbers<kColumn>(slice, out);
  auto* owner = static_cast<Node<ArrowArray>*>(out->private_data);
  const std::size_t names = static_cast<std::size_t>(kLast) + 1;
  Node<ArrowArray>* node = NewArray({nullptr, 0, names}, 3, &owner->dictionary);
  out->dictionary = &owner->dictionary;
  node->offsets.push_back(0);
  for (std::size_t i = 0; i < names; ++i) {
    node->text += ToString(static_cast<Enum>(i));
    node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
  }
  FinishText(node);
}

struct ArrowColumn {
  const char* name;
  const char* format;
  void (*export_array)(const Slice&, ArrowArray*);
  std::int64_t flags = 0;
  const char* dictionary_format = nullptr;
};

using Columns = FlowColumns;
constexpr ArrowColumn kColumns[] = {
    {"first_seen", "tsn:UTC", ExportNumbers<&Columns::first_seen>},
    {"last_seen", "tsn:UTC", ExportNumbers<&Columns::last_seen>},
    {"protocol", "C", ExportNumbers<&Columns::protocol>},
    {"source_address", "u", ExportAddresses<&Columns::source_address>},
    {"source_port", "S", ExportNumbers<&Columns::source_port>},
    {"destination_address", "u", ExportAddresses<&Columns::destination_address>},
    {"destination_port", "S", ExportNumbers<&Columns::destination_port>},
    {"ip_version", "C", ExportNumbers<&Columns::ip_version>},
    {"vlan", "S", ExportVlan, ARROW_FLAG_NULLABLE},
    {"forward_packets", "L", ExportNumbers<&Columns::forward_packets>},
    {"forward_wire_bytes", "L", ExportNumbers<&Columns::forward_wire_bytes>},
    {"forward_ip_bytes", "L", ExportNumbers<&Columns::forward_ip_bytes>},
    {"forward_payload_bytes", "L", ExportNumbers<&Columns::forward_payload_bytes>},
    {"reverse_packets", "L", ExportNumbers<&Columns::reverse_packets>},
    {"reverse_wire_bytes", "L", ExportNumbers<&Columns::reverse_wire_bytes>},
    {"reverse_ip_bytes", "L", ExportNumbers<&Columns::reverse_ip_bytes>},
    {"reverse_payload_bytes", "L", ExportNumbers<&Columns::reverse_payload_bytes>},
    {"forward_tcp_flags", "C", ExportNumbers<&Columns::forward_tcp_flags>},
    {"reverse_tcp_flags", "C", ExportNumbers<&Columns::reverse_tcp_flags>},
    {"outcome", "C", ExportNames<&Columns::outcome, ContactOutcome, ContactOutcome::kUnreachable>,
     0, "u"},
    {"end_reason", "C",
     ExportNames<&Columns::end_reason, FlowEndReason, FlowEndReason::kLackOfResources>, 0, "u"},
};

void ExportBatch(const Slice& slice, ArrowArray* out) {
  NewArray(slice, 1, out);
  AddChildren(out, std::size(kColumns));
  for (std::size_t i = 0; i < std::size(kColumns); ++i) {
    kColumns[i].export_array(slice, out->children[i]);
  }
}

struct Stream {
  ColumnsPtr columns;
  std::size_t chunk_rows;
  std::size_t next = 0;
};

// The callbacks of the stream cross a C interface: nothing may be thrown through them.
template <typename Struct, typename F>
int Guarded(Struct* out, const F& f) {
  *out = {};
  try {
    f();
    return 0;
  } catch (const std::bad_alloc&) {
    if (out->release != nullptr) out->release(out);
    return ENOMEM;
  }
}

int GetSchema(ArrowArrayStream*, ArrowSchema* out) {
  return Guarded(out, [&] { ExportSchema(out); });
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  auto* state = static_cast<Stream*>(stream->private_data);
  return Guarded(out, [&] {
    const std::size_t rows = std::min(state->chunk_rows, state->columns->size() - state->next);
    if (rows == 0) return;  // a released array marks the end
    ExportBatch({state->columns, state->next, rows}, out);
    state->next += rows;
  });
}

const char* GetLastError(ArrowArrayStream*) { return "out of memory"; }

void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<Stream*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void ExportSchema(ArrowSchema* out) {
  NewNode(out);
  out->format = "+s";
  out->name = "";
  AddChildren(out, std::size(kColumns));
  for (std::size_t i = 0; i < std::size(kColumns); ++i) {
    ArrowSchema* child = out->children[i];
    Node<ArrowSchema>* node = NewNode(child);
    child->format = kColumns[i].format;
    child->name = kColumns[i].name;
    child->flags = kColumns[i].flags;
    if (kColumns[i].dictionary_format == nullptr) continue;
    child->dictionary = &node->dictionary;
    NewNode(child->dictionary);
    child->dictionary->format = kColumns[i].dictionary_format;
    child->dictionary->name = "";
  }
}

void ExportStream(ColumnsPtr columns, std::size_t chunk_rows, ArrowArrayStream* out) {
  out->private_data = new Stream{std::move(columns), chunk_rows};
  out->get_schema = GetSchema;
  out->get_next = GetNext;
  out->get_last_error = GetLastError;
  out->release = ReleaseStream;
}

}  // namespace nta::python
