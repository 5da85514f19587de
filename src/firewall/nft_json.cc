#include "firewall/nft_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/status.h"
#include "nta/net/time.h"

namespace nta::firewall {
namespace {

using Json = nlohmann::json;

std::string TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
const Json* Find(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

// Comments and names of others may hold any bytes.
std::string Shown(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::optional<std::uint32_t> NumberOf(const Json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  const auto number = json.get<std::int64_t>();
  if (number < 0 || number > 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

std::optional<AddressRange> AddressRangeOf(const Json& json) {
  if (json.is_string()) {
    const auto address = IpAddress::Parse(json.get<std::string>());
    if (!address.ok()) return std::nullopt;
    return AddressRange{*address, *address};
  }
  if (const Json* const element = Find(json, "elem")) {
    const Json* const value = Find(*element, "val");
    return value == nullptr ? std::nullopt : AddressRangeOf(*value);
  }
  if (const Json* const prefix = Find(json, "prefix")) {
    const auto address = IpAddress::Parse(TextOf(*prefix, "addr"));
    const Json* const length = Find(*prefix, "len");
    if (!address.ok() || length == nullptr || !length->is_number_integer()) return std::nullopt;
    const auto whole = IpPrefix::Create(*address, length->get<int>());
    if (!whole.ok()) return std::nullopt;
    return AddressRange{whole->address(), whole->Last()};
  }
  const Json* const range = Find(json, "range");
  if (range == nullptr || !range->is_array() || range->size() != 2) return std::nullopt;
  const auto first = AddressRangeOf((*range)[0]);
  const auto last = AddressRangeOf((*range)[1]);
  if (!first || !last || first->first.version() != last->last.version()) return std::nullopt;
  return AddressRange{first->first, last->last};
}

std::optional<PortRange> NumberRangeOf(const Json& json) {
  if (const auto number = NumberOf(json); number && *number <= 0xffff) {
    const auto port = static_cast<std::uint16_t>(*number);
    return PortRange{port, port};
  }
  const Json* const range = Find(json, "range");
  if (range == nullptr || !range->is_array() || range->size() != 2) return std::nullopt;
  const auto first = NumberRangeOf((*range)[0]);
  const auto last = NumberRangeOf((*range)[1]);
  if (!first || !last) return std::nullopt;
  return PortRange{first->first, last->first};
}

// A single value, or the members of an anonymous set.
template <typename T>
std::optional<std::vector<T>> ListOf(const Json& json, std::optional<T> (*one)(const Json&)) {
  std::vector<T> result;
  const Json* const set = Find(json, "set");
  if (set == nullptr) {
    const auto value = one(json);
    if (!value) return std::nullopt;
    return std::vector<T>{*value};
  }
  if (!set->is_array()) return std::nullopt;
  for (const Json& member : *set) {
    const auto value = one(member);
    if (!value) return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

std::optional<std::vector<std::uint8_t>> BytesOf(const Json& json) {
  const auto ranges = ListOf<PortRange>(json, NumberRangeOf);
  if (!ranges) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  for (const PortRange& range : *ranges) {
    if (range.last > 0xff) return std::nullopt;
    for (unsigned value = range.first; value <= range.last; ++value) {
      bytes.push_back(static_cast<std::uint8_t>(value));
    }
  }
  std::sort(bytes.begin(), bytes.end());
  return bytes;
}

std::optional<std::uint32_t> StateBitsOf(const Json& json, const std::string& op) {
  const Json* members = &json;
  if (const Json* const set = Find(json, "set")) members = set;
  // Lists of flags ("in") and sets of whole values ("==") mean the same for states, of which a
  // packet has one.
  if (op != "in" && op != "==") return std::nullopt;
  std::uint32_t bits = 0;
  const auto add = [&](const Json& value) {
    const auto number = NumberOf(value);
    if (number) bits |= *number;
    return number.has_value();
  };
  if (members->is_array()) {
    if (!std::all_of(members->begin(), members->end(), add)) return std::nullopt;
  } else if (!add(*members)) {
    return std::nullopt;
  }
  constexpr std::uint32_t kKnown = kStateInvalid | kStateEstablished | kStateRelated | kStateNew;
  if (bits == 0 || (bits & ~kKnown) != 0) return std::nullopt;
  return bits;
}

std::optional<std::uint8_t> ProtocolNamed(const std::string& name) {
  if (name == "icmp") return kProtocolIcmp;
  if (name == "icmpv6") return kProtocolIcmpV6;
  if (name == "tcp") return kProtocolTcp;
  if (name == "udp") return kProtocolUdp;
  if (name == "sctp") return kProtocolSctp;
  if (name == "dccp") return kProtocolDccp;
  if (name == "udplite") return kProtocolUdpLite;
  return std::nullopt;
}

// Reads one rule statement by statement; each Read... answers whether it understood.
class LineReader {
 public:
  KernelLine Read(const Json& rule) {
    line_.comment = TextOf(rule, "comment");
    const Json* const statements = Find(rule, "expr");
    if (statements == nullptr || !statements->is_array()) {
      line_.unknown.push_back("no statements");
      return line_;
    }
    for (const Json& statement : *statements) {
      if (!statement.is_object() || statement.size() != 1) {
        line_.unknown.push_back(Shown(statement));
        continue;
      }
      const auto only = statement.begin();
      const std::string& kind = only.key();
      const Json& value = only.value();
      const bool understood = line_.verdict == LineVerdict::kNone &&
                              (kind == "match" ? ReadMatch(value) : ReadAction(kind, value));
      if (!understood) line_.unknown.push_back(Shown(statement));
    }
    Complete();
    return line_;
  }

 private:
  // nft leaves out the version where the protocol of ICMP tells it.
  void Complete() {
    if (line_.version != 0 || line_.protocols.size() != 1) return;
    if (line_.protocols.front() == kProtocolIcmp) line_.version = 4;
    if (line_.protocols.front() == kProtocolIcmpV6) line_.version = 6;
  }

  bool SetProtocols(std::vector<std::uint8_t> protocols) {
    if (!line_.protocols.empty() && line_.protocols != protocols) return false;
    line_.protocols = std::move(protocols);
    return true;
  }
  bool SetVersion(int version) {
    if (line_.version != 0 && line_.version != version) return false;
    line_.version = version;
    return true;
  }

  bool ReadMatch(const Json& match) {
    const Json* const left = Find(match, "left");
    const Json* const right = Find(match, "right");
    const std::string op = TextOf(match, "op");
    if (left == nullptr || right == nullptr) return false;
    if (const Json* const payload = Find(*left, "payload")) {
      return op == "==" && ReadPayload(*payload, *right);
    }
    if (const Json* const meta = Find(*left, "meta"))
      return ReadMeta(TextOf(*meta, "key"), op, *right);
    if (const Json* const ct = Find(*left, "ct"))
      return ReadConnection(TextOf(*ct, "key"), op, *right);
    return false;
  }

  bool ReadConnection(const std::string& key, const std::string& op, const Json& right) {
    if (key == "direction" && op == "==" && right.is_number_integer() && right.get<int>() == 1) {
      line_.is_reply = true;
      return true;
    }
    const auto bits = key == "state" ? StateBitsOf(right, op) : std::nullopt;
    if (!bits || line_.states != 0) return false;
    line_.states = *bits;
    return true;
  }

  bool ReadMeta(const std::string& key, const std::string& op, const Json& right) {
    if (key == "time" && op == "<" && right.is_string()) return ReadTime(right.get<std::string>());
    if (op != "==") return false;
    if (key == "iifname" || key == "iif") return ReadInterface(line_.in_interface, right);
    if (key == "oifname" || key == "oif") return ReadInterface(line_.out_interface, right);
    const auto numbers = BytesOf(right);
    if (!numbers) return false;
    if (key == "l4proto") return SetProtocols(*numbers);
    if (key != "nfproto" || numbers->size() != 1) return false;
    if (numbers->front() == 2) return SetVersion(4);
    return numbers->front() == 10 && SetVersion(6);
  }

  static bool ReadInterface(std::string& field, const Json& right) {
    if (!right.is_string()) return false;
    const std::string name = right.get<std::string>();
    // "eth*" is a pattern.
    if (!field.empty() || !CheckInterfaceName(name).ok()) return false;
    field = name;
    return true;
  }

  bool ReadTime(std::string text) {
    if (text.size() != 19) return false;
    text[10] = 'T';
    const auto time = ParseTimestamp(text + "Z");
    if (!time.ok()) return false;
    line_.before = std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count();
    return true;
  }

  bool ReadPayload(const Json& payload, const Json& right) {
    if (TextOf(payload, "base") == "th") {
      const Json* const offset = Find(payload, "offset");
      const Json* const length = Find(payload, "len");
      if (offset == nullptr || length == nullptr || *offset != 0 || *length != 8) return false;
      return ReadIcmpTypes(right);
    }
    const std::string protocol = TextOf(payload, "protocol"), field = TextOf(payload, "field");
    if (protocol == "ip" || protocol == "ip6") {
      if (!SetVersion(protocol == "ip" ? 4 : 6)) return false;
      if (field == "saddr") return ReadAddress(line_.source, right);
      if (field == "daddr") return ReadAddress(line_.destination, right);
      const auto numbers =
          field == "protocol" || field == "nexthdr" ? BytesOf(right) : std::nullopt;
      return field == "protocol" && numbers && SetProtocols(*numbers);
    }
    if (protocol != "th") {
      const auto number = ProtocolNamed(protocol);
      if (!number || !SetProtocols({*number})) return false;
    }
    if (field == "type" && (protocol == "icmp" || protocol == "icmpv6"))
      return ReadIcmpTypes(right);
    const auto ports = ListOf<PortRange>(right, NumberRangeOf);
    if (!ports || (field != "sport" && field != "dport")) return false;
    auto& ranges = field == "sport" ? line_.source_ports : line_.destination_ports;
    if (!ranges.empty()) return false;
    ranges = Union(*ports);
    return true;
  }

  bool ReadIcmpTypes(const Json& right) {
    const auto types = BytesOf(right);
    if (!types || !line_.icmp_types.empty()) return false;
    line_.icmp_types = *types;
    return true;
  }

  bool ReadAddress(AddressMatch& match, const Json& right) {
    if (!match.is_any()) return false;
    if (right.is_string() && right.get<std::string>().starts_with("@")) {
      match.set = right.get<std::string>().substr(1);
      return true;
    }
    auto ranges = ListOf<AddressRange>(right, AddressRangeOf);
    if (!ranges || ranges->empty()) return false;
    match.ranges = Union(std::move(*ranges));
    return true;
  }

  bool ReadAction(const std::string& kind, const Json& value) {
    if (kind == "counter") {
      // An anonymous counter changes nothing of what the line does.
      if (value.is_string()) line_.counter = value.get<std::string>();
      return true;
    }
    if (kind == "log") {
      line_.log_prefix = value.is_object() ? TextOf(value, "prefix") : std::string();
      return true;
    }
    if (kind == "limit") return ReadLimit(value);
    if (kind == "accept") return SetVerdict(LineVerdict::kAccept);
    if (kind == "drop") return SetVerdict(LineVerdict::kDrop);
    if (kind == "return") return SetVerdict(LineVerdict::kReturn);
    if (kind == "reject") return ReadReject(value);
    if (kind != "jump" && kind != "goto") return false;
    line_.target = TextOf(value, "target");
    return SetVerdict(kind == "jump" ? LineVerdict::kJump : LineVerdict::kGoto);
  }

  bool SetVerdict(LineVerdict verdict) {
    line_.verdict = verdict;
    return true;
  }

  bool ReadReject(const Json& value) {
    const std::string type = TextOf(value, "type");
    if (type == "tcp reset") return SetVerdict(LineVerdict::kRejectTcpReset);
    const Json* const code = Find(value, "expr");
    const bool prohibited =
        type == "icmpx" && code != nullptr && code->is_number_integer() && *code == 3;
    return SetVerdict(prohibited ? LineVerdict::kRejectProhibited : LineVerdict::kRejectOther);
  }

  bool ReadLimit(const Json& value) {
    if (value.is_string()) {
      line_.limit = value.get<std::string>();
      return true;
    }
    const Json* const rate = Find(value, "rate");
    const auto number = rate == nullptr ? std::nullopt : NumberOf(*rate);
    if (!number || TextOf(value, "per") != "second" || !TextOf(value, "rate_unit").empty()) {
      return false;
    }
    const Json* const burst = Find(value, "burst");
    const Json* const over = Find(value, "inv");
    line_.own_limit = RateLimit{.packets_per_second = *number};
    if (burst != nullptr) line_.own_limit->burst = NumberOf(*burst).value_or(5);
    line_.own_limit_is_over = over != nullptr && over->is_boolean() && over->get<bool>();
    return true;
  }

  KernelLine line_;
};

KernelChain ReadChain(const Json& json) {
  KernelChain chain;
  chain.hook = TextOf(json, "hook");
  chain.type = TextOf(json, "type");
  const Json* const priority = Find(json, "prio");
  if (priority != nullptr && priority->is_number_integer()) chain.priority = priority->get<int>();
  chain.drops_by_default = TextOf(json, "policy") == "drop";
  return chain;
}

void ReadSet(const Json& json, NftTable& result) {
  KernelSet set;
  const std::string name = TextOf(json, "name"), type = TextOf(json, "type");
  set.version = type == "ipv6_addr" ? 6 : 4;
  std::vector<std::string> flags;
  if (const Json* const listed = Find(json, "flags")) {
    for (const Json& flag : *listed) {
      if (flag.is_string()) flags.push_back(flag.get<std::string>());
    }
  }
  std::sort(flags.begin(), flags.end());
  const Json* const statements = Find(json, "stmt");
  const bool counts = statements != nullptr && *statements == Json::parse(R"([{"counter": null}])");
  set.kind = flags == std::vector<std::string>{"interval"} ? AddressSetKind::kPrefixes
                                                           : AddressSetKind::kHosts;
  const bool right_form = set.kind == AddressSetKind::kPrefixes
                              ? statements == nullptr
                              : counts && flags == std::vector<std::string>{"timeout"};
  set.is_known_form = right_form && (type == "ipv4_addr" || type == "ipv6_addr") &&
                      Find(json, "timeout") == nullptr && Find(json, "size") == nullptr;
  std::vector<AddressRange> elements;
  if (const Json* const listed = Find(json, "elem")) {
    for (const Json& element : *listed) {
      if (const auto range = AddressRangeOf(element)) elements.push_back(*range);
    }
  }
  result.table.sets[name] = set;
  result.elements[name] = Union(std::move(elements));
}

class ListingReader {
 public:
  void Add(const std::string& kind, const Json& object) {
    if (kind == "metainfo") return;
    const std::string family = TextOf(object, "family");
    const std::string name = TextOf(object, "name");
    const std::string table_name = kind == "table" ? name : TextOf(object, "table");
    NftTable& result = At(family, table_name);
    KernelTable& table = result.table;
    if (kind == "table") {
      // "dormant": nothing of it is in force.
      if (Find(object, "flags") != nullptr) table.others.emplace_back("flags of table", name);
      return;
    }
    if (kind == "chain") {
      auto& lines = table.chains[name].lines;
      KernelChain chain = ReadChain(object);
      chain.lines = std::move(lines);
      table.chains[name] = std::move(chain);
    } else if (kind == "rule") {
      table.chains[TextOf(object, "chain")].lines.push_back(LineReader().Read(object));
    } else if (kind == "set") {
      ReadSet(object, result);
    } else if (kind == "counter") {
      table.counters.push_back(name);
    } else if (kind == "limit" && TextOf(object, "per") == "second") {
      RateLimit& limit = table.limits[name];
      if (const Json* const rate = Find(object, "rate")) {
        limit.packets_per_second = NumberOf(*rate).value_or(0);
      }
      if (const Json* const burst = Find(object, "burst"))
        limit.burst = NumberOf(*burst).value_or(0);
      const Json* const over = Find(object, "inv");
      if (over == nullptr || *over != true) table.others.emplace_back(kind, name);
    } else {
      table.others.emplace_back(kind, name);
    }
  }

  std::vector<NftTable> Take() {
    for (NftTable& one : tables_) std::sort(one.table.counters.begin(), one.table.counters.end());
    return std::move(tables_);
  }

 private:
  NftTable& At(const std::string& family, const std::string& name) {
    for (NftTable& one : tables_) {
      if (one.family == family && one.name == name) return one;
    }
    tables_.push_back({.family = family, .name = name});
    return tables_.back();
  }

  std::vector<NftTable> tables_;
};

}  // namespace

absl::StatusOr<std::vector<NftTable>> ParseNftJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Json* const list = json.is_discarded() ? nullptr : Find(json, "nftables");
  if (list == nullptr || !list->is_array()) {
    return base::InvalidArgument("that is no listing of nft in JSON");
  }
  ListingReader reader;
  for (const Json& entry : *list) {
    if (!entry.is_object() || entry.size() != 1 || !entry.begin()->is_object()) {
      return base::InvalidArgument("a listing of nft holds something that is no object");
    }
    reader.Add(entry.begin().key(), *entry.begin());
  }
  return reader.Take();
}

}  // namespace nta::firewall
