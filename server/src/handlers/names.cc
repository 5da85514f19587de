// By what addresses were known.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "http/parameters.h"

namespace nta::server {
namespace {

// A list of hosts shows them beside other answers: better some names at once than all of them late.
constexpr std::chrono::milliseconds kPatience{2'000};

absl::StatusOr<std::vector<IpAddress>> ReadAddresses(const Call& call) {
  std::vector<IpAddress> addresses;
  std::string_view text = call.Query("address");
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto address = IpAddress::Parse(text.substr(0, comma));
    if (!address.ok()) {
      return base::InvalidArgument("parameter \"address\" is not a list of IP addresses");
    }
    addresses.push_back(*address);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  if (addresses.empty() || addresses.size() > 64) {
    return base::InvalidArgument("parameter \"address\" must name 1 to 64 addresses");
  }
  return addresses;
}

absl::StatusOr<NameQuery> ReadQuery(Services& services, const Call& call) {
  NameQuery query;
  NTA_ASSIGN_OR_RETURN(query.addresses, ReadAddresses(call));
  NTA_ASSIGN_OR_RETURN(const TimeInterval interval, ReadInterval(call, services.clock.wall()));
  query.since = interval.since;
  query.until = interval.until;
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 1, .max = 64}));
  return query;
}

std::string ToJson(const AddressName& name) {
  return JsonObject()
      .Add("name", name.name)
      .Add("origin", nta::ToString(name.origin))
      .Add("first_seen", nta::ToString(name.first_seen))
      .Add("last_seen", nta::ToString(name.last_seen))
      .Take();
}

std::string ToJson(const AddressNames& row) {
  return JsonObject()
      .Add("address", row.address.ToString())
      .AddJson("names", JsonList(row.names, [](const AddressName& name) { return ToJson(name); }))
      .Take();
}

Response GetNames(Services& services, const Call& call) {
  const auto query = ReadQuery(services, call);
  if (!query.ok()) return FromStatus(query.status());
  QueryControl control = ControlOf(call);
  control.timeout = kPatience;
  const auto result = services.store.Names(*query, control);
  if (!result.ok()) return FromStatus(result.status());
  return Json(JsonObject()
                  .Add("since", nta::ToString(query->since))
                  .Add("until", nta::ToString(query->until))
                  .AddJson("complete", result->complete ? "true" : "false")
                  .AddJson("rows", JsonList(result->rows,
                                            [](const AddressNames& row) { return ToJson(row); }))
                  .Take());
}

}  // namespace

std::vector<Route> NameRoutes() {
  return {Reading("/api/v1/names", GetNames, "By what addresses were known when their flows ran",
                  WithInterval({{"address", "1 to 64 addresses, comma between", {}},
                                {"limit", "names of each, 1 to 64, default 1: the latest", {}}}),
                  "since, until, complete, rows (address, names)")};
}

}  // namespace nta::server
