// What Arrow exports are made of: structs of the C data interface that own what they point to.
#ifndef NTA_BINDINGS_PYTHON_ARROW_NODE_H_
#define NTA_BINDINGS_PYTHON_ARROW_NODE_H_

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "arrow_c_data.h"

namespace nta::python {

// What release() of an exported struct frees: its children, dictionary and buffers.
template <typename Struct>
struct Node {
  std::vector<Struct> children;
  std::vector<Struct*> child_pointers;
  Struct dictionary{};
  std::shared_ptr<const void> owner;  // of borrowed buffers
  std::array<const void*, 3> buffers{};
  std::vector<std::uint8_t> bitmap;
  std::vector<std::uint8_t> numbers;
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

inline void FinishText(Node<ArrowArray>* node) {
  node->buffers[1] = node->offsets.data();
  node->buffers[2] = node->text.data();
}

inline Node<ArrowSchema>* NewField(const char* format, const char* name, ArrowSchema* out) {
  Node<ArrowSchema>* node = NewNode(out);
  out->format = format;
  out->name = name;
  return node;
}

// `schema` fills in the schema; `next` the next array, or nothing at the end.
struct ArrowStreamState {
  std::function<void(ArrowSchema*)> schema;
  std::function<void(ArrowArray*)> next;
};

// The callbacks of a stream cross a C interface: nothing may be thrown through them.
template <typename Struct>
int Guarded(const std::function<void(Struct*)>& fill, Struct* out) {
  *out = {};
  try {
    fill(out);
    return 0;
  } catch (const std::bad_alloc&) {
    if (out->release != nullptr) out->release(out);
    return ENOMEM;
  }
}

inline void MakeArrowStream(std::function<void(ArrowSchema*)> schema,
                            std::function<void(ArrowArray*)> next, ArrowArrayStream* out) {
  out->private_data = new ArrowStreamState{std::move(schema), std::move(next)};
  out->get_schema = [](ArrowArrayStream* stream, ArrowSchema* filled) {
    return Guarded(static_cast<ArrowStreamState*>(stream->private_data)->schema, filled);
  };
  out->get_next = [](ArrowArrayStream* stream, ArrowArray* filled) {
    return Guarded(static_cast<ArrowStreamState*>(stream->private_data)->next, filled);
  };
  out->get_last_error = [](ArrowArrayStream*) -> const char* { return "out of memory"; };
  out->release = [](ArrowArrayStream* stream) {
    delete static_cast<ArrowStreamState*>(stream->private_data);
    stream->release = nullptr;
  };
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_ARROW_NODE_H_
