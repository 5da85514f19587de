#include "firewall/kernel_sets.h"

// clang-format off: <linux/netfilter.h> needs what <arpa/inet.h> defines.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
// clang-format on
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/status.h"

namespace nta::firewall {

// What goes to and comes from the kernel: a key, for interval sets the start or the end of one.
struct KernelSets::Element {
  IpAddress key{};
  bool is_end = false;
  std::optional<std::chrono::milliseconds> remaining{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

namespace {

// A list attribute holds at most 64 KiB; an element takes at most 44 bytes.
constexpr std::size_t kElementsPerMessage = 1000;
constexpr std::size_t kBytesPerElement = 44;
constexpr int kSendBufferBytes = 64 << 20;

std::uint16_t MessageType(int type) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

nfgenmsg InetHeader() {
  return {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0, .res_id = 0};
}

void AppendControl(NetlinkMessages& batch, int type) {
  batch.Begin(static_cast<std::uint16_t>(type), NLM_F_REQUEST, 0);
  batch.Header(nfgenmsg{
      .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)});
  batch.End();
}

std::optional<IpAddress> AddressOf(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) return IpAddress::V4(bytes.first<4>());
  if (bytes.size() == 16) return IpAddress::V6(bytes.first<16>());
  return std::nullopt;
}

void ReadCounter(std::span<const std::uint8_t> expression, std::uint64_t& packets,
                 std::uint64_t& bytes) {
  if (Text(expression, NFTA_EXPR_NAME) != "counter") return;
  const auto data = FindAttribute(expression, NFTA_EXPR_DATA);
  if (!data) return;
  packets = Number64(*data, NFTA_COUNTER_PACKETS);
  bytes = Number64(*data, NFTA_COUNTER_BYTES);
}

}  // namespace

absl::StatusOr<KernelSets> KernelSets::Open(std::string table) {
  NTA_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_NETFILTER));
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes,
                 sizeof(kSendBufferBytes)) != 0) {
    setsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof(kSendBufferBytes));
  }
  int bytes = 0;
  socklen_t size = sizeof(bytes);
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUF, &bytes, &size) != 0) {
    return base::ErrnoStatus(errno, "cannot ask for the size of a netlink socket's buffer");
  }
  return KernelSets(std::move(socket), std::move(table), static_cast<std::size_t>(bytes));
}

absl::StatusOr<bool> KernelSets::TableExists() {
  NetlinkMessages request;
  const std::uint32_t sequence = socket_.NextSequence();
  request.Begin(MessageType(NFT_MSG_GETTABLE), NLM_F_REQUEST, sequence);
  request.Header(InetHeader());
  request.Text(NFTA_TABLE_NAME, table_);
  request.End();
  const absl::Status status = socket_.Dump(request.bytes(), sequence, [](const NetlinkMessage&) {});
  if (absl::IsNotFound(status)) return false;
  NTA_RETURN_IF_ERROR(status);
  return true;
}

absl::Status KernelSets::DeleteTable() {
  NetlinkMessages batch;
  batch.Begin(MessageType(NFT_MSG_DELTABLE), NLM_F_REQUEST | NLM_F_ACK, socket_.NextSequence());
  batch.Header(InetHeader());
  batch.Text(NFTA_TABLE_NAME, table_);
  batch.End();
  const absl::Status status = Commit(batch, "");
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status KernelSets::DeleteSet(std::string_view set) {
  NetlinkMessages batch;
  batch.Begin(MessageType(NFT_MSG_DELSET), NLM_F_REQUEST | NLM_F_ACK, socket_.NextSequence());
  batch.Header(InetHeader());
  batch.Text(NFTA_SET_TABLE, table_);
  batch.Text(NFTA_SET_NAME, set);
  batch.End();
  return Commit(batch, set);
}

absl::StatusOr<std::vector<std::string>> KernelSets::SetNames() {
  NetlinkMessages request;
  const std::uint32_t sequence = socket_.NextSequence();
  request.Begin(MessageType(NFT_MSG_GETSET), NLM_F_REQUEST | NLM_F_DUMP, sequence);
  request.Header(InetHeader());
  request.Text(NFTA_SET_TABLE, table_);
  request.End();
  std::vector<std::string> names;
  NTA_RETURN_IF_ERROR(socket_.Dump(request.bytes(), sequence, [&](const NetlinkMessage& message) {
    if (message.payload.size() < sizeof(nfgenmsg)) return;
    const auto attributes = message.payload.subspan(sizeof(nfgenmsg));
    if (Text(attributes, NFTA_SET_TABLE) != table_) return;
    if ((Number32(attributes, NFTA_SET_FLAGS) & NFT_SET_ANONYMOUS) != 0) return;
    names.emplace_back(Text(attributes, NFTA_SET_NAME));
  }));
  return names;
}

absl::StatusOr<std::vector<KernelCounter>> KernelSets::Counters() {
  NetlinkMessages request;
  const std::uint32_t sequence = socket_.NextSequence();
  request.Begin(MessageType(NFT_MSG_GETOBJ), NLM_F_REQUEST | NLM_F_DUMP, sequence);
  request.Header(InetHeader());
  request.Text(NFTA_OBJ_TABLE, table_);
  request.Number32(NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
  request.End();
  std::vector<KernelCounter> counters;
  NTA_RETURN_IF_ERROR(socket_.Dump(request.bytes(), sequence, [&](const NetlinkMessage& message) {
    if (message.payload.size() < sizeof(nfgenmsg)) return;
    const auto attributes = message.payload.subspan(sizeof(nfgenmsg));
    const auto data = FindAttribute(attributes, NFTA_OBJ_DATA);
    if (!data || Text(attributes, NFTA_OBJ_TABLE) != table_) return;
    counters.push_back({.name = std::string(Text(attributes, NFTA_OBJ_NAME)),
                        .packets = Number64(*data, NFTA_COUNTER_PACKETS),
                        .bytes = Number64(*data, NFTA_COUNTER_BYTES)});
  }));
  return counters;
}

void KernelSets::AppendElements(NetlinkMessages& batch, std::uint16_t type, std::string_view set,
                                std::span<const Element> elements) {
  const std::uint16_t create = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
  while (!elements.empty()) {
    const auto part = elements.first(std::min(elements.size(), kElementsPerMessage));
    elements = elements.subspan(part.size());
    batch.Begin(MessageType(type), static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | create),
                socket_.NextSequence());
    batch.Header(InetHeader());
    batch.Text(NFTA_SET_ELEM_LIST_TABLE, table_);
    batch.Text(NFTA_SET_ELEM_LIST_SET, set);
    const std::size_t list = batch.OpenNest(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const Element& element : part) {
      const std::size_t one = batch.OpenNest(NFTA_LIST_ELEM);
      if (element.is_end) batch.Number32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
      const std::size_t key = batch.OpenNest(NFTA_SET_ELEM_KEY);
      batch.Attribute(NFTA_DATA_VALUE, element.key.bytes());
      batch.CloseNest(key);
      if (element.remaining && create != 0) {
        batch.Number64(NFTA_SET_ELEM_TIMEOUT,
                       static_cast<std::uint64_t>(element.remaining->count()));
      }
      batch.CloseNest(one);
    }
    batch.CloseNest(list);
    batch.End();
  }
}

absl::Status KernelSets::Commit(const NetlinkMessages& batch, std::string_view set) {
  NetlinkMessages whole;
  AppendControl(whole, NFNL_MSG_BATCH_BEGIN);
  const std::size_t head = whole.size();
  std::vector<std::uint8_t> bytes(whole.bytes().begin(), whole.bytes().end());
  bytes.insert(bytes.end(), batch.bytes().begin(), batch.bytes().end());
  AppendControl(whole, NFNL_MSG_BATCH_END);
  const auto tail = whole.bytes().subspan(head);
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  const std::uint32_t last = socket_.LastSequence();
  for (int attempt = 0;; ++attempt) {
    int error = 0;
    const absl::Status status = socket_.Transact(bytes, last, &error);
    // EAGAIN: another transaction came in between.
    if (error == EAGAIN && attempt < 3) continue;
    if (status.ok()) return status;
    const std::string what = set.empty() ? std::string() : "set \"" + std::string(set) + "\" of ";
    return base::MakeStatus(status.code(), "cannot change " + what + "table inet " + table_ + ": " +
                                               std::string(status.message()));
  }
}

absl::Status KernelSets::ChangeHosts(std::string_view set, std::span<const KernelHost> hosts,
                                     HostChange change, std::size_t* done) {
  // Three messages for one element at most, see below.
  const std::size_t per_batch =
      std::max<std::size_t>(1, (send_bytes_ - 4096) / (3 * kBytesPerElement));
  while (*done < hosts.size()) {
    const auto part = hosts.subspan(*done, std::min(per_batch, hosts.size() - *done));
    std::vector<Element> elements;
    elements.reserve(part.size());
    for (const KernelHost& host : part) {
      elements.push_back({.key = host.address, .remaining = host.remaining});
    }
    // Removing what is missing would fail the whole transaction, and kernels before 6.12 keep the
    // old time of what is there: so it is added, removed, and added anew, all in one.
    NetlinkMessages batch;
    AppendElements(batch, NFT_MSG_NEWSETELEM, set, elements);
    AppendElements(batch, NFT_MSG_DELSETELEM, set, elements);
    if (change == HostChange::kAdd) AppendElements(batch, NFT_MSG_NEWSETELEM, set, elements);
    NTA_RETURN_IF_ERROR(Commit(batch, set));
    *done += part.size();
  }
  return absl::OkStatus();
}

absl::Status KernelSets::AddHosts(std::string_view set, std::span<const KernelHost> hosts) {
  std::size_t done = 0;
  absl::Status status = ChangeHosts(set, hosts, HostChange::kAdd, &done);
  if (!status.ok() && done > 0) {
    std::size_t undone = 0;
    // The first error is the one to tell.
    ChangeHosts(set, hosts.first(done), HostChange::kRemove, &undone).IgnoreError();
  }
  return status;
}

absl::Status KernelSets::RemoveHosts(std::string_view set, std::span<const KernelHost> hosts) {
  std::size_t done = 0;
  return ChangeHosts(set, hosts, HostChange::kRemove, &done);
}

absl::StatusOr<std::vector<KernelSets::Element>> KernelSets::Elements(std::string_view set) {
  NetlinkMessages request;
  const std::uint32_t sequence = socket_.NextSequence();
  request.Begin(MessageType(NFT_MSG_GETSETELEM), NLM_F_REQUEST | NLM_F_DUMP, sequence);
  request.Header(InetHeader());
  request.Text(NFTA_SET_ELEM_LIST_TABLE, table_);
  request.Text(NFTA_SET_ELEM_LIST_SET, set);
  request.End();
  return ReadElements(request, sequence);
}

absl::StatusOr<std::vector<KernelSets::Element>> KernelSets::ReadElements(
    const NetlinkMessages& request, std::uint32_t sequence) {
  std::vector<Element> elements;
  const auto read_one = [&](std::uint16_t, std::span<const std::uint8_t> attributes) {
    Element element;
    const auto key = FindAttribute(attributes, NFTA_SET_ELEM_KEY);
    const auto value = key ? FindAttribute(*key, NFTA_DATA_VALUE) : std::nullopt;
    const auto address = value ? AddressOf(*value) : std::nullopt;
    if (!address) return;
    element.key = *address;
    element.is_end = (Number32(attributes, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END) != 0;
    if (FindAttribute(attributes, NFTA_SET_ELEM_EXPIRATION)) {
      element.remaining = std::chrono::milliseconds(
          static_cast<std::int64_t>(Number64(attributes, NFTA_SET_ELEM_EXPIRATION)));
    }
    const auto read_counter = [&](std::uint16_t, std::span<const std::uint8_t> expression) {
      ReadCounter(expression, element.packets, element.bytes);
    };
    if (const auto one = FindAttribute(attributes, NFTA_SET_ELEM_EXPR)) read_counter(0, *one);
    if (const auto list = FindAttribute(attributes, NFTA_SET_ELEM_EXPRESSIONS)) {
      ForEachAttribute(*list, read_counter);
    }
    elements.push_back(element);
  };
  NTA_RETURN_IF_ERROR(socket_.Dump(request.bytes(), sequence, [&](const NetlinkMessage& message) {
    if (message.payload.size() < sizeof(nfgenmsg)) return;
    const auto list =
        FindAttribute(message.payload.subspan(sizeof(nfgenmsg)), NFTA_SET_ELEM_LIST_ELEMENTS);
    if (list) ForEachAttribute(*list, read_one);
  }));
  return elements;
}

KernelHost KernelSets::ToHost(const Element& element) {
  return {.address = element.key,
          .remaining = element.remaining,
          .packets = element.packets,
          .bytes = element.bytes};
}

absl::StatusOr<std::vector<KernelHost>> KernelSets::Hosts(std::string_view set) {
  NTA_ASSIGN_OR_RETURN(const std::vector<Element> elements, Elements(set));
  std::vector<KernelHost> hosts;
  hosts.reserve(elements.size());
  for (const Element& element : elements) hosts.push_back(ToHost(element));
  std::sort(hosts.begin(), hosts.end(),
            [](const KernelHost& a, const KernelHost& b) { return a.address < b.address; });
  return hosts;
}

absl::StatusOr<std::vector<AddressRange>> KernelSets::Intervals(std::string_view set, int version) {
  NTA_ASSIGN_OR_RETURN(std::vector<Element> elements, Elements(set));
  // An end is the address after the last one, so at the same key it comes before a start.
  std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) {
    return a.key != b.key ? a.key < b.key : a.is_end > b.is_end;
  });
  std::vector<AddressRange> ranges;
  std::optional<IpAddress> start;
  for (const Element& element : elements) {
    if (element.key.version() != version) continue;
    const auto before = element.is_end ? Predecessor(element.key) : std::nullopt;
    if (element.is_end && start && before) ranges.push_back({*start, *before});
    if (element.is_end) start.reset();
    if (!element.is_end) start = element.key;
  }
  if (start) {
    NTA_ASSIGN_OR_RETURN(const IpPrefix everything, IpPrefix::Create(*start, 0));
    ranges.push_back({*start, everything.Last()});
  }
  return Union(std::move(ranges));
}

absl::Status KernelSets::SetIntervals(std::string_view set, std::span<const AddressRange> wanted) {
  const auto append = [&](NetlinkMessages& batch, std::uint16_t type,
                          const std::vector<AddressRange>& ranges) {
    std::vector<Element> elements;
    for (const AddressRange& range : ranges) {
      elements.push_back({.key = range.first});
      if (const auto end = Successor(range.last)) {
        elements.push_back({.key = *end, .is_end = true});
      }
    }
    AppendElements(batch, type, set, elements);
  };
  const int version = wanted.empty() ? 0 : wanted.front().first.version();
  for (int attempt = 0;; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const std::vector<Element> elements, Elements(set));
    const int present = elements.empty() ? version : elements.front().key.version();
    NTA_ASSIGN_OR_RETURN(const std::vector<AddressRange> old, Intervals(set, present));
    std::vector<AddressRange> gone, come;
    std::set_difference(old.begin(), old.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(gone));
    std::set_difference(wanted.begin(), wanted.end(), old.begin(), old.end(),
                        std::back_inserter(come));
    if (gone.empty() && come.empty()) return absl::OkStatus();
    NetlinkMessages batch;
    append(batch, NFT_MSG_DELSETELEM, gone);
    append(batch, NFT_MSG_NEWSETELEM, come);
    const absl::Status status = Commit(batch, set);
    if (status.ok() || attempt == 3) return status;
  }
}

absl::StatusOr<std::optional<KernelHost>> KernelSets::FindHost(std::string_view set,
                                                               const IpAddress& address) {
  NetlinkMessages request;
  const std::uint32_t sequence = socket_.NextSequence();
  request.Begin(MessageType(NFT_MSG_GETSETELEM), NLM_F_REQUEST, sequence);
  request.Header(InetHeader());
  request.Text(NFTA_SET_ELEM_LIST_TABLE, table_);
  request.Text(NFTA_SET_ELEM_LIST_SET, set);
  const std::size_t list = request.OpenNest(NFTA_SET_ELEM_LIST_ELEMENTS);
  const std::size_t one = request.OpenNest(NFTA_LIST_ELEM);
  const std::size_t key = request.OpenNest(NFTA_SET_ELEM_KEY);
  request.Attribute(NFTA_DATA_VALUE, address.bytes());
  request.CloseNest(key);
  request.CloseNest(one);
  request.CloseNest(list);
  request.End();
  const auto elements = ReadElements(request, sequence);
  if (absl::IsNotFound(elements.status())) return std::nullopt;
  NTA_RETURN_IF_ERROR(elements.status());
  if (elements->empty()) return std::nullopt;
  return ToHost(elements->front());
}

}  // namespace nta::firewall
