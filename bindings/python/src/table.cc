#include "table.h"

#include "arrow_node.h"

namespace nta::python {
namespace {

Node<ArrowArray>* NewColumn(const std::shared_ptr<const Table::Columns>& owner, std::size_t rows,
                            std::int64_t buffers, ArrowArray* out) {
  Node<ArrowArray>* node = NewNode(out);
  node->owner = owner;
  out->length = static_cast<std::int64_t>(rows);
  out->n_buffers = buffers;
  out->buffers = node->buffers.data();
  return node;
}

class ColumnExport {
 public:
  ColumnExport(const std::shared_ptr<const Table::Columns>& owner, ArrowArray* out)
      : owner_(owner), out_(out) {}

  void operator()(const TimeColumn& column) const { Borrow(column.values); }
  void operator()(const CountColumn& column) const { Borrow(column); }
  void operator()(const NullableColumn& column) const {
    Node<ArrowArray>* node = Borrow(column.values);
    node->bitmap.resize((column.values.size() + 7) / 8);
    for (std::size_t i = 0; i < column.values.size(); ++i) {
      if (column.values[i] < 0) {
        ++out_->null_count;
      } else {
        node->bitmap[i / 8] = static_cast<std::uint8_t>(node->bitmap[i / 8] | (1U << (i % 8)));
      }
    }
    node->buffers[0] = node->bitmap.data();
  }
  void operator()(const TextColumn& column) const {
    Node<ArrowArray>* node = NewColumn(owner_, column.size(), 3, out_);
    node->offsets.push_back(0);
    for (const std::string& text : column) {
      node->text += text;
      node->offsets.push_back(static_cast<std::int32_t>(node->text.size()));
    }
    FinishText(node);
  }

 private:
  template <typename Number>
  Node<ArrowArray>* Borrow(const std::vector<Number>& values) const {
    Node<ArrowArray>* node = NewColumn(owner_, values.size(), 2, out_);
    node->buffers[1] = values.data();
    return node;
  }

  const std::shared_ptr<const Table::Columns>& owner_;
  ArrowArray* out_;
};

const char* FormatOf(const Table::Values& values) {
  constexpr const char* kFormats[] = {"tsn:UTC", "L", "l", "u"};
  return kFormats[values.index()];
}

}  // namespace

void ExportTableSchema(const Table& table, ArrowSchema* out) {
  NewField("+s", "", out);
  AddChildren(out, table.columns()->size());
  ArrowSchema** child = out->children;
  for (const Table::Named& column : *table.columns()) {
    Node<ArrowSchema>* node = NewField(FormatOf(column.values), "", *child);
    node->text = column.name;
    (*child)->name = node->text.c_str();
    const bool nullable = std::holds_alternative<NullableColumn>(column.values);
    (*child)->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    ++child;
  }
}

void ExportTableStream(const Table& table, ArrowArrayStream* out) {
  bool done = table.rows() == 0;
  const auto next = [table, done](ArrowArray* array) mutable {
    if (std::exchange(done, true)) return;
    NewColumn(table.columns(), table.rows(), 1, array);
    AddChildren(array, table.columns()->size());
    ArrowArray** child = array->children;
    for (const Table::Named& column : *table.columns()) {
      std::visit(ColumnExport(table.columns(), *child++), column.values);
    }
  };
  MakeArrowStream([table](ArrowSchema* schema) { ExportTableSchema(table, schema); }, next, out);
}

}  // namespace nta::python
