// What a store answers, as columns.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "column.h"
#include "convert.h"
#include "flow_batch.h"
#include "progress_callback.h"
#include "store_queries.h"
#include "table.h"

namespace nta::python {
namespace {

using python::ToDict;

constexpr std::size_t kMaxPage = 10'000;

// How a question is asked: with a progress that Python hears, and perhaps a time limit of its own.
class Asking {
 public:
  Asking(py::object progress, const std::optional<double>& timeout)
      : callback_(std::move(progress)) {
    control_.stop = callback_.stop();
    control_.progress = callback_.function();
    if (timeout) {
      control_.timeout =
          std::chrono::ceil<std::chrono::milliseconds>(ToDuration(*timeout, "timeout"));
    }
  }

  template <typename F>
  auto Ask(const StoreHandle& store, const F& question) {
    auto answer = store.With([&](Store& s) { return question(s, control_); });
    callback_.Rethrow();
    return ValueOrRaise(std::move(answer));
  }

 private:
  ProgressCallback callback_;
  QueryControl control_;
};

py::dict ToDict(const TrafficTotals& totals) {
  py::dict dict;
  dict["bytes"] = totals.bytes;
  dict["packets"] = totals.packets;
  dict["flows"] = totals.flows;
  return dict;
}

FlowOrder ToOrder(const std::string& name) {
  if (name == "newest") return FlowOrder::kNewestFirst;
  if (name == "oldest") return FlowOrder::kOldestFirst;
  if (name == "bytes") return FlowOrder::kMostBytes;
  if (name == "packets") return FlowOrder::kMostPackets;
  RaiseInvalidArgument("unknown order \"" + name + "\" (newest, oldest, bytes or packets)");
}

FlowBatch Flows(const StoreHandle& store, py::handle since, py::handle until, py::handle where,
                std::optional<std::size_t> limit, const std::string& order, py::object progress,
                std::optional<double> timeout) {
  FlowQuery query;
  query.interval = ToInterval(since, until);
  query.filter = ToFilter(where);
  query.order = ToOrder(order);
  Asking asking(std::move(progress), timeout);
  const std::size_t wanted = limit.value_or(std::numeric_limits<std::size_t>::max());
  FlowColumns columns;
  CaptureCounts capture;
  while (columns.size() < wanted) {
    query.limit = std::min(kMaxPage, wanted - columns.size());
    const FlowPage page = asking.Ask(
        store, [&](Store& s, const QueryControl& control) { return s.Flows(query, control); });
    for (const StoredFlow& stored : page.flows) columns.Append(stored.flow);
    capture = page.capture;
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  return FlowBatch(std::move(columns), capture);
}

// Page after page, for more flows than fit in memory.
class FlowPages {
 public:
  FlowPages(std::shared_ptr<Store> store, FlowQuery query)
      : store_(std::move(store)), query_(std::move(query)) {}

  FlowBatch Next() {
    if (ended_) throw py::stop_iteration();
    const FlowPage page = ValueOrRaise(WithoutGil([this] { return store_->Flows(query_); }));
    query_.cursor = page.next_cursor;
    ended_ = page.next_cursor.empty();
    if (page.flows.empty()) throw py::stop_iteration();
    FlowColumns columns;
    columns.Reserve(page.flows.size());
    for (const StoredFlow& stored : page.flows) columns.Append(stored.flow);
    return FlowBatch(std::move(columns), page.capture);
  }
  // None after the last page.
  std::optional<std::string> cursor() const {
    if (ended_) return std::nullopt;
    return query_.cursor;
  }

 private:
  const std::shared_ptr<Store> store_;
  FlowQuery query_;
  bool ended_ = false;
};

FlowPages PagesOf(const StoreHandle& store, py::handle since, py::handle until, py::handle where,
                  std::size_t page, const std::string& order, const std::string& cursor) {
  FlowQuery query;
  query.interval = ToInterval(since, until);
  query.filter = ToFilter(where);
  query.order = ToOrder(order);
  query.limit = page;
  query.cursor = cursor;
  return FlowPages(store.shared(), std::move(query));
}

NullableColumn BytesOf(const std::vector<TopRow>& rows,
                       std::optional<std::uint64_t> TopRow::*member) {
  NullableColumn column;
  for (const TopRow& row : rows) {
    column.values.push_back(row.*member ? static_cast<std::int64_t>(*(row.*member)) : -1);
  }
  return column;
}

NullableColumn GuessedOf(const std::vector<TopRow>& rows, std::uint64_t TrafficTotals::*member) {
  NullableColumn column;
  for (const TopRow& row : rows) {
    column.values.push_back(row.guessed ? static_cast<std::int64_t>((*row.guessed).*member) : -1);
  }
  return column;
}

// The columns key, bytes, packets and flows of any kind of row.
Table ToTable(const std::vector<TopRow>& rows) {
  TextColumn keys;
  CountColumn bytes;
  CountColumn packets;
  CountColumn flows;
  for (const TopRow& row : rows) {
    keys.push_back(row.key);
    bytes.push_back(row.totals.bytes);
    packets.push_back(row.totals.packets);
    flows.push_back(row.totals.flows);
  }
  Table::Columns columns = {{"key", std::move(keys)},
                            {"bytes", std::move(bytes)},
                            {"packets", std::move(packets)},
                            {"flows", std::move(flows)},
                            {"sent_bytes", BytesOf(rows, &TopRow::sent_bytes)},
                            {"received_bytes", BytesOf(rows, &TopRow::received_bytes)}};
  // Only applications and categories can be guessed.
  if (!rows.empty() && rows.front().guessed) {
    columns.push_back({"guessed_bytes", GuessedOf(rows, &TrafficTotals::bytes)});
    columns.push_back({"guessed_packets", GuessedOf(rows, &TrafficTotals::packets)});
    columns.push_back({"guessed_flows", GuessedOf(rows, &TrafficTotals::flows)});
  }
  return Table(rows.size(), std::move(columns));
}

Table ToTable(const std::vector<Conversation>& rows) {
  TextColumn a;
  TextColumn b;
  std::vector<CountColumn> counts(6);
  for (const Conversation& row : rows) {
    a.push_back(row.a.ToString());
    b.push_back(row.b.ToString());
    const std::uint64_t values[] = {row.totals.bytes, row.totals.packets, row.totals.flows,
                                    row.bytes_from_a, row.bytes_from_b,   row.flows_from_a};
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i].push_back(values[i]);
  }
  return Table(rows.size(), {{"a", std::move(a)},
                             {"b", std::move(b)},
                             {"bytes", std::move(counts[0])},
                             {"packets", std::move(counts[1])},
                             {"flows", std::move(counts[2])},
                             {"bytes_from_a", std::move(counts[3])},
                             {"bytes_from_b", std::move(counts[4])},
                             {"flows_from_a", std::move(counts[5])}});
}

Table ToTable(const SeriesResult& result) {
  TimeColumn times;
  for (const Timestamp time : result.times) times.values.push_back(ToNanoseconds(time));
  Table::Columns columns = {{"time", std::move(times)}};
  for (const SeriesLine& line : result.lines) {
    NullableColumn column;
    for (const auto& value : line.values) {
      column.values.push_back(value ? static_cast<std::int64_t>(*value) : -1);
    }
    columns.push_back({line.key, std::move(column)});
  }
  return Table(result.times.size(), std::move(columns));
}

// The members that every answer has.
template <typename Result>
py::dict About(const Result& result) {
  py::dict about;
  about["since"] = ToNanoseconds(result.interval.since);
  about["until"] = ToNanoseconds(result.interval.until);
  about["capture"] = ToDict(result.capture);
  about["source"] = ToStr(ToString(result.source));
  return about;
}

py::object ResultClass(const char* name) { return py::module_::import("nta._results").attr(name); }

py::object Top(const StoreHandle& store, const std::string& dimension, const std::string& by,
               std::size_t limit, py::handle since, py::handle until, py::handle where,
               py::object progress, std::optional<double> timeout) {
  TopQuery query;
  query.interval = ToInterval(since, until);
  query.dimension = ValueOrRaise(ParseTopDimension(dimension));
  query.by = ValueOrRaise(ParseMeasure(by));
  query.limit = limit;
  query.filter = ToFilter(where);
  const TopResult result =
      Asking(std::move(progress), timeout).Ask(store, [&](Store& s, const QueryControl& control) {
        return s.Top(query, control);
      });
  py::dict about = About(result);
  about["total"] = ToDict(result.total);
  about["other"] = result.other ? py::object(ToDict(*result.other)) : py::none();
  return ResultClass("TopResult")(ToTable(result.rows), **about);
}

py::object Series(const StoreHandle& store, py::handle since, py::handle until, double step,
                  const std::optional<std::string>& by, const std::string& measure,
                  py::handle address, py::handle where, py::object progress,
                  std::optional<double> timeout) {
  SeriesQuery query;
  query.interval = ToInterval(since, until);
  const Duration step_duration = ToDuration(step, "step");
  query.step = std::chrono::floor<std::chrono::seconds>(step_duration);
  if (query.step != step_duration) RaiseInvalidArgument("step must be whole seconds");
  query.by = by ? ValueOrRaise(ParseSeriesBy(*by)) : SeriesBy::kNone;
  query.measure = ValueOrRaise(ParseMeasure(measure));
  if (!address.is_none()) query.address = ToAddress(address);
  query.filter = ToFilter(where);
  const SeriesResult result =
      Asking(std::move(progress), timeout).Ask(store, [&](Store& s, const QueryControl& control) {
        return s.Series(query, control);
      });
  py::dict about = About(result);
  about["step"] = result.step.count();
  py::dict guessed;
  for (const SeriesLine& line : result.lines) {
    if (!line.guessed.empty()) guessed[py::str(line.key)] = line.guessed;
  }
  about["guessed"] = guessed;
  return ResultClass("SeriesResult")(ToTable(result), **about);
}

py::object Conversations(const StoreHandle& store, const std::string& by, std::size_t limit,
                         py::handle since, py::handle until, py::handle where, py::object progress,
                         std::optional<double> timeout) {
  ConversationQuery query;
  query.interval = ToInterval(since, until);
  query.by = ValueOrRaise(ParseMeasure(by));
  query.limit = limit;
  query.filter = ToFilter(where);
  const ConversationResult result =
      Asking(std::move(progress), timeout).Ask(store, [&](Store& s, const QueryControl& control) {
        return s.Conversations(query, control);
      });
  py::dict about = About(result);
  about["total"] = ToDict(result.total);
  return ResultClass("ConversationResult")(ToTable(result.rows), **about);
}

py::dict Summary(const StoreHandle& store, py::handle since, py::handle until, py::object progress,
                 std::optional<double> timeout) {
  const TimeInterval interval = ToInterval(since, until);
  const TrafficSummary summary =
      Asking(std::move(progress), timeout).Ask(store, [&](Store& s, const QueryControl& control) {
        return s.Summary(interval, control);
      });
  const auto rows = [](const std::vector<TopRow>& list) {
    return ResultClass("Rows")(ToTable(list));
  };
  const double packets = static_cast<double>(summary.total.packets);
  py::dict dict = ToDict(summary.total);
  dict["mean_packet_bytes"] =
      packets > 0 ? static_cast<double>(summary.total.bytes) / packets : 0.0;
  dict["since"] = ToNanoseconds(summary.interval.since);
  dict["until"] = ToNanoseconds(summary.interval.until);
  dict["alerts"] = summary.alerts;
  dict["protocols"] = rows(summary.protocols);
  dict["top_sources"] = rows(summary.top_sources);
  dict["top_destinations"] = rows(summary.top_destinations);
  dict["top_destination_ports"] = rows(summary.top_destination_ports);
  dict["capture"] = ToDict(summary.capture);
  return dict;
}

py::dict Names(const StoreHandle& store, const py::iterable& addresses, py::handle since,
               py::handle until, std::size_t limit, py::object progress,
               std::optional<double> timeout) {
  const TimeInterval interval = ToInterval(since, until);
  NameQuery query{.since = interval.since, .until = interval.until, .limit = limit};
  for (const py::handle address : addresses) query.addresses.push_back(ToAddress(address));
  const NameResult result =
      Asking(std::move(progress), timeout).Ask(store, [&](Store& s, const QueryControl& control) {
        return s.Names(query, control);
      });
  py::dict rows;
  for (const AddressNames& row : result.rows) {
    py::list names;
    for (const AddressName& name : row.names) {
      py::dict entry;
      entry["name"] = name.name;
      entry["origin"] = ToStr(ToString(name.origin));
      entry["first_seen"] = ToNanoseconds(name.first_seen);
      entry["last_seen"] = ToNanoseconds(name.last_seen);
      names.append(std::move(entry));
    }
    rows[py::str(row.address.ToString())] = std::move(names);
  }
  return rows;
}

// The buffer of numbers, or a list of str.
struct ToColumn {
  const std::shared_ptr<const Table::Columns>& owner;

  py::object operator()(const TimeColumn& c) const { return py::cast(MakeColumn(owner, c.values)); }
  py::object operator()(const CountColumn& c) const { return py::cast(MakeColumn(owner, c)); }
  py::object operator()(const NullableColumn& c) const {
    return py::cast(MakeColumn(owner, c.values));
  }
  py::object operator()(const TextColumn& c) const { return py::cast(c); }
};

struct ToCell {
  std::size_t row;

  py::object operator()(const TimeColumn& c) const { return py::int_(c.values[row]); }
  py::object operator()(const CountColumn& c) const { return py::int_(c[row]); }
  py::object operator()(const NullableColumn& c) const {
    return c.values[row] < 0 ? py::object(py::none()) : py::int_(c.values[row]);
  }
  py::object operator()(const TextColumn& c) const { return py::str(c[row]); }
};

py::dict ColumnsOf(const Table& table) {
  py::dict columns;
  for (const Table::Named& column : *table.columns()) {
    columns[py::str(column.name)] = std::visit(ToColumn{table.columns()}, column.values);
  }
  return columns;
}

py::dict RowOf(const Table& table, py::ssize_t index) {
  const auto rows = static_cast<py::ssize_t>(table.rows());
  if (index < 0) index += rows;
  if (index < 0 || index >= rows) throw py::index_error("row index out of range");
  py::dict row;
  for (const Table::Named& column : *table.columns()) {
    row[py::str(column.name)] = std::visit(ToCell{static_cast<std::size_t>(index)}, column.values);
  }
  return row;
}

// With None where there is no value.
py::list ValuesOf(const Table& table, const std::string& name) {
  for (const Table::Named& column : *table.columns()) {
    if (column.name != name) continue;
    py::list list(table.rows());
    for (std::size_t i = 0; i < table.rows(); ++i) list[i] = std::visit(ToCell{i}, column.values);
    return list;
  }
  throw py::key_error(name);
}

py::list NamesOf(const Table& table) {
  py::list names;
  for (const Table::Named& column : *table.columns()) names.append(py::str(column.name));
  return names;
}

py::capsule SchemaOf(const Table& table) {
  auto schema = std::make_unique<ArrowSchema>();
  ExportTableSchema(table, schema.get());
  return MakeCapsule(std::move(schema), "arrow_schema");
}

py::capsule StreamOf(const Table& table, const py::object& /*requested_schema*/) {
  auto stream = std::make_unique<ArrowArrayStream>();
  ExportTableStream(table, stream.get());
  return MakeCapsule(std::move(stream), "arrow_array_stream");
}

}  // namespace

py::dict ToDict(const CaptureCounts& counts) {
  py::dict dict;
  dict["packets_seen"] = counts.packets_seen;
  dict["packets_dropped"] = counts.packets_dropped;
  dict["flows_evicted"] = counts.flows_evicted;
  dict["flows_dropped"] = counts.flows_dropped;
  return dict;
}

void BindTable(py::module_& module) {
  py::class_<Table>(module, "Table", "Columns of one length that never change.")
      .def("__len__", &Table::rows)
      .def("columns", &ColumnsOf, "The columns by name: buffers of numbers, lists of str.")
      .def("row", &RowOf, py::arg("index"))
      .def("values", &ValuesOf, py::arg("name"),
           "A column as a list, with None where there is no value.")
      .def_property_readonly("names", &NamesOf)
      .def("__arrow_c_schema__", &SchemaOf)
      .def("__arrow_c_stream__", &StreamOf, py::arg("requested_schema") = py::none());
  py::class_<FlowPages>(module, "FlowPages", "Pages of flows, each a FlowBatch.")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &FlowPages::Next)
      .def_property_readonly("cursor", &FlowPages::cursor,
                             "Where the next page begins; None after the last one.");
}

void BindStoreQueries(py::class_<StoreHandle, std::shared_ptr<StoreHandle>>& store) {
  const auto since = py::arg("since") = py::none();
  const auto until = py::arg("until") = py::none();
  const auto where = py::arg("where") = py::none();
  const auto progress = py::arg("progress") = py::none();
  const auto timeout = py::arg("timeout") = py::none();
  store
      .def("flows", &Flows, py::kw_only(), since, until, where, py::arg("limit") = py::none(),
           py::arg("order") = "newest", progress, timeout,
           "The flows with since <= last_seen < until, as a FlowBatch of columns.\n\n"
           "`order` is \"newest\", \"oldest\", \"bytes\" or \"packets\"; `limit` None is all of "
           "them. `.capture` of the answer is what capture saw and lost in the interval. "
           "`progress` is called with 0 to 1; `timeout` is in seconds, for each 10,000 flows.")
      .def("flow_pages", &PagesOf, py::kw_only(), since, until, where, py::arg("page") = kMaxPage,
           py::arg("order") = "newest", py::arg("cursor") = "",
           "As flows(), but page after page: an iterator of FlowBatch with up to `page` (1 to "
           "10,000) flows each. Its `cursor` goes on later, also in another process.")
      .def("top", &Top, py::arg("dimension") = "address", py::kw_only(), py::arg("by") = "bytes",
           py::arg("limit") = 10, since, until, where, progress, timeout,
           "The busiest keys of a dimension, the greatest first: a TopResult with the columns key "
           "(str), bytes (on the wire), packets, flows, for addresses sent_bytes and "
           "received_bytes, for applications and categories guessed_bytes, guessed_packets and "
           "guessed_flows: what a port only guesses. Shape: (up to `limit` rows, at most 1,000).")
      .def("series", &Series, py::kw_only(), since, until, py::arg("step") = 60.0,
           py::arg("by") = "protocol", py::arg("measure") = "bytes",
           py::arg("address") = py::none(), where, progress, timeout,
           "Traffic over time: a SeriesResult with the column time (start of each step) and one "
           "column a protocol, application or category (`by`), or \"all\" (None): bytes, packets "
           "or flows in the step. `step` is in "
           "seconds, a multiple of 60. Shape: (steps,), at most 10,000 of them.")
      .def("conversations", &Conversations, py::kw_only(), py::arg("by") = "bytes",
           py::arg("limit") = 10, since, until, where, progress, timeout,
           "Pairs of addresses that spoke with each other, the busiest first: a "
           "ConversationResult with the columns a, b (str, a is the lower address), bytes, "
           "packets, flows, bytes_from_a, bytes_from_b and flows_from_a (in which a spoke first).")
      .def("names", &Names, py::arg("addresses"), py::kw_only(), since, until,
           py::arg("limit") = 64, progress, timeout,
           "By what up to 64 addresses were known when their flows ran: a dict of lists of dicts "
           "with name, origin (\"known_as\" or \"asked_for\"), first_seen and last_seen, the "
           "latest first. When the time is up, what was found until then.")
      .def("summary", &Summary, py::kw_only(), since, until, progress, timeout,
           "bytes, packets, flows, mean_packet_bytes, alerts, capture, and the five busiest "
           "protocols, top_sources, top_destinations and top_destination_ports, as a dict.");
}

}  // namespace nta::python
