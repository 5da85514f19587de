// Flow columns through the Arrow C stream interface, without libarrow and without Python.
//
//   ArrowArrayStream stream;
//   ExportStream(columns, kArrowChunkRows, &stream);   // the consumer calls stream.release
#ifndef NTA_BINDINGS_PYTHON_ARROW_EXPORT_H_
#define NTA_BINDINGS_PYTHON_ARROW_EXPORT_H_

#include <cstddef>
#include <memory>

#include "arrow_c_data.h"
#include "nta/export/flow_columns.h"

namespace nta::python {

// Rows in one record batch at the most. Address texts have 32-bit offsets and at most 39 bytes, so
// a batch of this size stays far below 2 GiB, and only one batch of texts exists at a time.
inline constexpr std::size_t kArrowChunkRows = std::size_t{1} << 20;

// A struct of one field per column: timestamp[ns, UTC], utf8 addresses in RFC 5952 form, unsigned
// counters, vlan and ICMP nullable, enums dictionaries of utf8, some metadata as nullable utf8, and
// statistics when the columns have them. Numbers are views into `columns`, which every exported
// array keeps alive; texts and nullable numbers are built a batch at a time.
void ExportSchema(const FlowColumns& columns, ArrowSchema* out);
void ExportStream(std::shared_ptr<const FlowColumns> columns, std::size_t chunk_rows,
                  ArrowArrayStream* out);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_ARROW_EXPORT_H_
