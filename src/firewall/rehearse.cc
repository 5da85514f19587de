#include "nta/firewall/rehearse.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "firewall/classifier.h"
#include "firewall/rehearsal_tally.h"

namespace nta {
namespace firewall {
namespace {

constexpr std::size_t kMaxTop = 1'000;

// What an address is to the machine, beside the rules.
struct Place {
  bool own = false;
  bool translated = false;
  bool group = false;  // multicast, or the broadcast address
};

// How a flow may have passed the machine.
struct Passage {
  RuleDirection direction = RuleDirection::kIn;
  bool source_known = true;
  bool destination_known = true;
};

class Passages {
 public:
  void Add(Passage passage) { all_[count_++] = passage; }
  const Passage* begin() const { return all_.data(); }
  const Passage* end() const { return all_.data() + count_; }
  bool perhaps_elsewhere = false;
  bool direction_known = true;

 private:
  std::array<Passage, 6> all_{};
  std::size_t count_ = 0;
};

struct FlowFacts {
  Service service{};
  bool began = true;   // the source is who began
  bool error = false;  // an ICMP error: part of another connection, or of none
  bool answered = false;
  bool more_packets = false;  // after the answer
};

// Types of ICMP messages that quote another packet.
bool IsIcmpError(std::uint8_t protocol, std::uint8_t type) {
  if (protocol == kProtocolIcmpV6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

// Both must pass.
Answer Then(const Answer& first, const Answer& next) {
  Answer both = first;
  if (next.may_cut && !first.may_cut) both.rule = next.rule;
  both.may_cut |= next.may_cut;
  both.may_pass &= next.may_pass;
  both.missing = both.missing | next.missing;
  return both;
}

RuleDirection Opposite(RuleDirection direction) {
  if (direction == RuleDirection::kIn) return RuleDirection::kOut;
  return direction == RuleDirection::kOut ? RuleDirection::kIn : direction;
}

Service Opposite(Service service) {
  std::swap(service.source_port, service.destination_port);
  return service;
}

Question Reversed(Question question) {
  question.direction = Opposite(question.direction);
  std::swap(question.source, question.destination);
  std::swap(question.source_known, question.destination_known);
  question.service = Opposite(question.service);
  return question;
}

// The packets of a connection that `first` begins.
Answer JudgeConnection(const Classifier& classifier, const Question& first,
                       const FlowFacts& facts) {
  Answer answer = classifier.Ask(first);
  if (!answer.may_pass || !facts.answered) return answer;
  Question later = first;
  later.state = StateKnown::kEstablished;
  if (classifier.tells_states() && facts.more_packets) {
    answer = Then(answer, classifier.Ask(later));
  }
  if (!classifier.rules().protected_set().replies) {
    Question reply = Reversed(later);
    reply.is_reply = true;
    answer = Then(answer, classifier.Ask(reply));
  }
  return answer;
}

JudgedFlow Judge(const Classifier& classifier, const Passages& passages, const AddressInfo& source,
                 const AddressInfo& destination, const FlowFacts& facts) {
  Answer merged;
  bool several = false;
  for (const Passage& passage : passages) {
    Question question{.direction = passage.direction,
                      .source = &source,
                      .destination = &destination,
                      .source_known = passage.source_known,
                      .destination_known = passage.destination_known,
                      .service = facts.service};
    question.is_reply = false;
    if (facts.error) {
      question.state = StateKnown::kUnknown;
      question.is_reply.reset();
      merged.Merge(classifier.Ask(question));
      continue;
    }
    merged.Merge(JudgeConnection(classifier, question, facts));
    if (facts.began) continue;
    // Who began is not known: it may have been the other side.
    several = true;
    merged.Merge(JudgeConnection(classifier, Reversed(question), facts));
  }
  if (passages.perhaps_elsewhere) merged.may_pass = true;
  if (merged.may_pass && merged.may_cut) {
    if (!passages.direction_known) merged.missing = merged.missing | MissingFact::kDirection;
    if (several) merged.missing = merged.missing | MissingFact::kState;
    for (const Passage& passage : passages) {
      if (!passage.source_known) merged.missing = merged.missing | MissingFact::kSource;
      if (!passage.destination_known) merged.missing = merged.missing | MissingFact::kDestination;
    }
    return {FlowVerdict::kUndecidable, merged.rule, merged.missing};
  }
  return {merged.may_cut ? FlowVerdict::kCut : FlowVerdict::kPassed, merged.rule,
          MissingFact::kNothing};
}

// The addresses of one side of a batch, looked up once each.
struct LookedUp {
  std::vector<Place> places;
  std::vector<AddressInfo> proposed;
  std::vector<AddressInfo> in_force;
  std::vector<RehearsalCount> cut;
};

FlowFacts FactsOf(std::uint8_t protocol, std::uint16_t source_port, std::uint16_t destination_port,
                  std::uint64_t icmp_type_plus_one, TcpState tcp_state,
                  std::uint64_t forward_packets, std::uint64_t reverse_packets) {
  FlowFacts facts;
  facts.service.protocol = protocol;
  // Later fragments have neither port.
  if (HasPorts(protocol) && (source_port != 0 || destination_port != 0)) {
    facts.service.source_port = source_port;
    facts.service.destination_port = destination_port;
  }
  if (icmp_type_plus_one > 0) {
    const auto type = static_cast<std::uint8_t>(icmp_type_plus_one - 1);
    facts.service.icmp_type = type;
    facts.error = IsIcmpError(protocol, type);
  }
  facts.began = protocol != kProtocolTcp ||
                (tcp_state != TcpState::kMidstream && tcp_state != TcpState::kNone);
  facts.answered = reverse_packets > 0;
  facts.more_packets = forward_packets > 1;
  return facts;
}

}  // namespace
}  // namespace firewall

using firewall::AddressInfo;
using firewall::FlowFacts;
using firewall::FlowVerdict;
using firewall::JudgedFlow;
using firewall::LookedUp;
using firewall::Passages;
using firewall::Place;

class Rehearsal::Impl {
 public:
  Impl(const RuleSet& rules, RehearsalOptions options)
      : rules_(rules),
        options_(std::move(options)),
        proposed_(rules, options_.now, options_.interface),
        translated_(options_.translated),
        tally_(proposed_.rules().rules().size(), options_.max_hosts) {
    if (options_.in_force) {
      in_force_.emplace(*options_.in_force, options_.now, options_.interface);
    }
    std::sort(options_.own_addresses.begin(), options_.own_addresses.end());
  }

  void Add(const RehearsalColumns& flows) {
    LookedUp source = Look(flows.source_addresses);
    LookedUp destination = Look(flows.destination_addresses);
    for (std::size_t i = 0; i < flows.protocol.size(); ++i) {
      if (!flows.selected.empty() && flows.selected[i] == 0) continue;
      const FlowFacts facts =
          firewall::FactsOf(static_cast<std::uint8_t>(flows.protocol[i]),
                            static_cast<std::uint16_t>(flows.source_port[i]),
                            static_cast<std::uint16_t>(flows.destination_port[i]),
                            flows.icmp_type[i], static_cast<TcpState>(flows.tcp_state[i]),
                            flows.forward_packets[i], flows.reverse_packets[i]);
      AddOne(source, flows.source[i], destination, flows.destination[i], facts,
             flows.forward_bytes[i] + flows.reverse_bytes[i]);
    }
    AddHosts(flows.source_addresses, source);
    AddHosts(flows.destination_addresses, destination);
  }

  RehearsalResult Finish() const {
    RehearsalResult result;
    tally_.FillIn(proposed_.rules(), options_.top, result);
    if (in_force_) result.difference = tally_.difference();
    for (const AdministratorSession& session : options_.sessions) {
      result.sessions.push_back(JudgeSession(session));
    }
    return result;
  }

 private:
  LookedUp Look(std::span<const IpAddress> addresses) const {
    LookedUp found;
    found.places.reserve(addresses.size());
    found.proposed.reserve(addresses.size());
    found.cut.resize(addresses.size());
    for (const IpAddress& address : addresses) {
      found.places.push_back(PlaceOf(address));
      found.proposed.push_back(proposed_.Look(address));
      if (in_force_) found.in_force.push_back(in_force_->Look(address));
    }
    return found;
  }

  Place PlaceOf(const IpAddress& address) const {
    static constexpr IpAddress kBroadcast = IpAddress::V4(255, 255, 255, 255);
    const IpPrefix host = *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
    return {
        .own = address.is_loopback() || std::binary_search(options_.own_addresses.begin(),
                                                           options_.own_addresses.end(), address),
        .translated = translated_.Contains(host),
        .group = address.is_multicast() || address == kBroadcast};
  }

  // How a flow between these two passes the machine, as far as one can know.
  Passages PassagesOf(const Place& source, const Place& destination) const {
    Passages passages;
    if (options_.own_addresses.empty() && !source.own && !destination.own) {
      passages.direction_known = false;
      for (const RuleDirection direction :
           {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
        passages.Add({direction});
      }
      passages.perhaps_elsewhere = true;
    } else if (source.own) {
      passages.Add({RuleDirection::kOut});
      if (destination.own) passages.Add({RuleDirection::kIn});
    } else if (destination.own || destination.group) {
      passages.Add({RuleDirection::kIn});
    } else if (options_.role != MachineRole::kHost) {
      passages.Add({RuleDirection::kForward});
      passages.perhaps_elsewhere = options_.role == MachineRole::kUnknown;
      passages.direction_known = options_.role == MachineRole::kRouter;
    }
    if (options_.role == MachineRole::kHost) return passages;
    if (source.translated) passages.Add({RuleDirection::kForward, false, true});
    if (destination.translated) passages.Add({RuleDirection::kForward, true, false});
    return passages;
  }

  void AddOne(LookedUp& source, std::uint32_t from, LookedUp& destination, std::uint32_t to,
              const FlowFacts& facts, std::uint64_t bytes) {
    const Passages passages = PassagesOf(source.places[from], destination.places[to]);
    const std::uint8_t protocol = facts.service.protocol;
    if (passages.begin() == passages.end()) {
      return tally_.Count({.verdict = FlowVerdict::kElsewhere}, bytes, protocol, 0);
    }
    const JudgedFlow judged = firewall::Judge(proposed_, passages, source.proposed[from],
                                              destination.proposed[to], facts);
    tally_.Count(judged, bytes, protocol, facts.service.destination_port.value_or(0));
    if (judged.verdict == FlowVerdict::kCut) {
      for (RehearsalCount* count : {&source.cut[from], &destination.cut[to]}) {
        ++count->flows;
        count->bytes += bytes;
      }
    }
    if (!in_force_) return;
    const JudgedFlow then = firewall::Judge(*in_force_, passages, source.in_force[from],
                                            destination.in_force[to], facts);
    tally_.CountDifference(judged.verdict, then.verdict, bytes);
  }

  void AddHosts(std::span<const IpAddress> addresses, const LookedUp& found) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (found.cut[i].flows > 0 && !found.places[i].own) {
        tally_.AddHost(addresses[i], found.cut[i]);
      }
    }
  }

  // The connection stands, so packets of both states come from the peer.
  RehearsedSession JudgeSession(const AdministratorSession& session) const {
    RehearsedSession judged{.session = session};
    PacketFacts packet{.direction = RuleDirection::kIn,
                       .source = session.peer,
                       .destination = session.server.address,
                       .protocol = kProtocolTcp};
    packet.destination_port = session.server.port;
    packet.in_interface = options_.interface;
    packet.is_reply = false;
    packet.time = options_.now;
    for (const ConnectionState state : {ConnectionState::kNew, ConnectionState::kEstablished}) {
      packet.state = state;
      const Evaluation answer = Evaluate(rules_, packet);
      judged.decision = answer.decision;
      judged.rule_id = std::string(answer.rule_id);
      judged.by_protected_set = answer.by_protected_set;
      if (answer.decision != Decision::kAccept) break;
    }
    return judged;
  }

  const RuleSet rules_;
  RehearsalOptions options_;
  const firewall::Classifier proposed_;
  std::optional<firewall::Classifier> in_force_;
  const firewall::Networks translated_;
  firewall::RehearsalTally tally_;
};

namespace {

absl::Status CheckColumns(const RehearsalColumns& flows) {
  const std::size_t size = flows.protocol.size();
  const std::size_t sizes[] = {flows.source.size(),          flows.destination.size(),
                               flows.source_port.size(),     flows.destination_port.size(),
                               flows.icmp_type.size(),       flows.tcp_state.size(),
                               flows.forward_packets.size(), flows.reverse_packets.size(),
                               flows.forward_bytes.size(),   flows.reverse_bytes.size()};
  const bool equal = std::all_of(std::begin(sizes), std::end(sizes),
                                 [size](std::size_t other) { return other == size; });
  if (!equal || (!flows.selected.empty() && flows.selected.size() != size)) {
    return base::InvalidArgument("rehearsal: the columns have unequal lengths");
  }
  const auto within = [](std::span<const std::uint32_t> places, std::size_t limit) {
    return std::all_of(places.begin(), places.end(),
                       [limit](std::uint32_t place) { return place < limit; });
  };
  if (!within(flows.source, flows.source_addresses.size()) ||
      !within(flows.destination, flows.destination_addresses.size())) {
    return base::InvalidArgument("rehearsal: a place is beyond the addresses");
  }
  return absl::OkStatus();
}

// Flows turned into columns, so many at a time.
class ColumnBuffer {
 public:
  void Add(const FlowRecord& flow) {
    source_.push_back(PlaceIn(source_addresses_, source_places_, flow.source.address));
    destination_.push_back(
        PlaceIn(destination_addresses_, destination_places_, flow.destination.address));
    const std::uint64_t numbers[] = {flow.protocol,
                                     flow.source.port,
                                     flow.destination.port,
                                     flow.icmp ? flow.icmp->type + std::uint64_t{1} : 0,
                                     static_cast<std::uint64_t>(flow.tcp_state),
                                     flow.forward.packets,
                                     flow.reverse.packets,
                                     flow.forward.wire_bytes,
                                     flow.reverse.wire_bytes};
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].push_back(numbers[i]);
  }
  RehearsalColumns View() const {
    return {source_addresses_, source_,     destination_addresses_,
            destination_,      columns_[0], columns_[1],
            columns_[2],       columns_[3], columns_[4],
            columns_[5],       columns_[6], columns_[7],
            columns_[8],       {}};
  }

 private:
  using Places = absl::flat_hash_map<IpAddress, std::uint32_t>;
  static std::uint32_t PlaceIn(std::vector<IpAddress>& addresses, Places& places,
                               const IpAddress& address) {
    const auto [found, is_new] =
        places.emplace(address, static_cast<std::uint32_t>(addresses.size()));
    if (is_new) addresses.push_back(address);
    return found->second;
  }

  std::vector<IpAddress> source_addresses_;
  std::vector<IpAddress> destination_addresses_;
  Places source_places_;
  Places destination_places_;
  std::vector<std::uint32_t> source_;
  std::vector<std::uint32_t> destination_;
  std::array<std::vector<std::uint64_t>, 9> columns_;
};

}  // namespace

absl::StatusOr<Rehearsal> Rehearsal::Create(const RuleSet& rules, RehearsalOptions options) {
  if (options.top > firewall::kMaxTop) {
    return base::InvalidArgument("rehearsal: top is " + std::to_string(options.top) +
                                 "; at most 1000 are named");
  }
  if (options.interface) NTA_RETURN_IF_ERROR(CheckInterfaceName(*options.interface));
  return Rehearsal(std::make_unique<Impl>(rules, std::move(options)));
}

Rehearsal::Rehearsal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rehearsal::~Rehearsal() = default;
Rehearsal::Rehearsal(Rehearsal&&) noexcept = default;
Rehearsal& Rehearsal::operator=(Rehearsal&&) noexcept = default;

void Rehearsal::Add(std::span<const FlowRecord> flows) {
  constexpr std::size_t kBatch = 32'768;
  for (std::size_t begin = 0; begin < flows.size(); begin += kBatch) {
    ColumnBuffer buffer;
    for (const FlowRecord& flow : flows.subspan(begin, std::min(kBatch, flows.size() - begin))) {
      buffer.Add(flow);
    }
    impl_->Add(buffer.View());
  }
}

absl::Status Rehearsal::Add(const RehearsalColumns& flows) {
  NTA_RETURN_IF_ERROR(CheckColumns(flows));
  impl_->Add(flows);
  return absl::OkStatus();
}

RehearsalResult Rehearsal::Finish() const { return impl_->Finish(); }

absl::StatusOr<RehearsalResult> Rehearse(const RuleSet& rules, std::span<const FlowRecord> flows,
                                         RehearsalOptions options) {
  NTA_ASSIGN_OR_RETURN(Rehearsal rehearsal, Rehearsal::Create(rules, std::move(options)));
  rehearsal.Add(flows);
  return rehearsal.Finish();
}

}  // namespace nta
