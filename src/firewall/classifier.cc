#include "firewall/classifier.h"

#include <algorithm>

namespace nta::firewall {
namespace {

constexpr std::size_t kPorts = 65'536;

Networks PeersOf(const ProtectedSet& protected_set, bool own) {
  std::vector<IpPrefix> prefixes;
  for (const ProtectedPeer& peer : protected_set.peers) {
    if ((peer.role == ProtectedRole::kOwn) == own) prefixes.push_back(peer.prefix);
  }
  return Networks(std::move(prefixes));
}

IpPrefix HostOf(const IpAddress& address) {
  return *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
}

bool IsIcmp(std::uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
}

bool Allows(const Rule& rule, ConnectionState state) {
  return rule.states.empty() || std::binary_search(rule.states.begin(), rule.states.end(), state);
}

}  // namespace

Classifier::Classifier(const RuleSet& rules, Timestamp now,
                       const std::optional<std::string>& interface)
    : rules_(rules.WithoutExpired(now)),
      bits_(rules_.rules().size()),
      sets_(bits_),
      peers_(PeersOf(rules_.protected_set(), false)),
      own_(PeersOf(rules_.protected_set(), true)) {
  std::vector<Word> all(sets_.words());
  for (std::size_t i = 0; i < bits_; ++i) SetBit(all, i);
  all_ = sets_.Intern(all);
  std::vector<ResolvedRule> resolved;
  resolved.reserve(bits_);
  for (const Rule& rule : rules_.rules()) resolved.emplace_back(rules_, rule, now);
  CompileAddresses(resolved);
  CompileServices();
  CompileStates(interface);
  MarkAsking(interface);
}

void Classifier::CompileAddresses(const std::vector<ResolvedRule>& resolved) {
  for (const bool source : {true, false}) {
    std::vector<Word> any(sets_.words());
    AddressClasses::Admitted admitted;
    for (std::size_t i = 0; i < bits_; ++i) {
      const Rule& rule = rules_.rules()[i];
      if ((source ? rule.source : rule.destination).is_any()) {
        SetBit(any, i);
      } else {
        admitted.emplace_back(i, source ? &resolved[i].source : &resolved[i].destination);
      }
    }
    (source ? sources_ : destinations_).emplace(admitted, any, sets_);
    for (const bool v4 : {false, true}) {
      std::vector<Word> some = any;
      for (const auto& [rule, networks] : admitted) {
        if (v4 ? networks->has_v4() : networks->has_v6()) SetBit(some, rule);
      }
      (source ? some_source_ : some_destination_)[v4] = sets_.Intern(some);
    }
  }
}

std::unique_ptr<Classifier::PortTable> Classifier::PortsOf(std::uint8_t protocol, bool destination,
                                                           bool& used) {
  const auto ports_of = [&](const Rule& rule) -> const std::vector<PortRange>& {
    return destination ? rule.destination_ports : rule.source_ports;
  };
  used = std::any_of(rules_.rules().begin(), rules_.rules().end(), [&](const Rule& rule) {
    return rule.protocol == protocol && !ports_of(rule).empty();
  });
  if (!used) return nullptr;
  // Rules flip at the borders of their ranges, which are disjoint.
  std::vector<Word> bits(sets_.words());
  std::vector<Word> unknown(sets_.words());
  std::vector<std::vector<std::size_t>> flips(kPorts + 1);
  for (std::size_t i = 0; i < bits_; ++i) {
    const Rule& rule = rules_.rules()[i];
    if (rule.protocol && rule.protocol != protocol) continue;
    SetBit(unknown, i);
    if (!rule.protocol || ports_of(rule).empty()) {
      SetBit(bits, i);
      continue;
    }
    for (const PortRange& range : ports_of(rule)) {
      flips[range.first].push_back(i);
      flips[std::size_t{range.last} + 1].push_back(i);
    }
  }
  auto table = std::make_unique<PortTable>();
  table->unknown = sets_.Intern(unknown);
  table->by_port.resize(kPorts);
  std::uint32_t id = sets_.Intern(bits);
  for (std::size_t port = 0; port < kPorts; ++port) {
    if (!flips[port].empty()) {
      for (const std::size_t rule : flips[port]) FlipBit(bits, rule);
      id = sets_.Intern(bits);
    }
    table->by_port[port] = id;
  }
  return table;
}

std::unique_ptr<Classifier::PortTable> Classifier::TypesOf(std::uint8_t protocol) {
  auto table = std::make_unique<PortTable>();
  table->by_port.resize(256);
  std::vector<Word> unknown(sets_.words());
  for (std::uint32_t type = 0; type < 256; ++type) {
    std::vector<Word> bits(sets_.words());
    for (std::size_t i = 0; i < bits_; ++i) {
      const Rule& rule = rules_.rules()[i];
      if (rule.protocol && rule.protocol != protocol) continue;
      SetBit(unknown, i);
      if (!rule.protocol || rule.icmp_types.empty() ||
          std::count(rule.icmp_types.begin(), rule.icmp_types.end(), type) > 0) {
        SetBit(bits, i);
      }
    }
    table->by_port[type] = sets_.Intern(bits);
  }
  table->unknown = sets_.Intern(unknown);
  return table;
}

void Classifier::CompileServices() {
  std::array<bool, 256> named{};
  std::vector<Word> none(sets_.words());
  for (std::size_t i = 0; i < bits_; ++i) {
    if (const auto& protocol = rules_.rules()[i].protocol) {
      named[*protocol] = true;
    } else {
      SetBit(none, i);
    }
  }
  no_protocol_ = sets_.Intern(none);
  for (std::size_t number = 0; number < protocols_.size(); ++number) {
    ProtocolTables& tables = protocols_[number];
    tables.any = no_protocol_;
    if (!named[number]) continue;
    const auto protocol = static_cast<std::uint8_t>(number);
    std::vector<Word> bits = none;
    for (std::size_t i = 0; i < bits_; ++i) {
      if (rules_.rules()[i].protocol == protocol) SetBit(bits, i);
    }
    tables.any = sets_.Intern(bits);
    if (IsIcmp(protocol)) {
      tables.destination = TypesOf(protocol);
    } else if (HasPorts(protocol)) {
      bool used = false;
      tables.destination = PortsOf(protocol, true, used);
      tables.source = PortsOf(protocol, false, used);
    }
  }
}

void Classifier::CompileStates(const std::optional<std::string>& interface) {
  for (std::size_t direction = 0; direction < 3; ++direction) {
    for (std::size_t state = 0; state < 3; ++state) {
      std::vector<Word> bits(sets_.words());
      for (std::size_t i = 0; i < bits_; ++i) {
        const Rule& rule = rules_.rules()[i];
        if (rule.direction != static_cast<RuleDirection>(direction)) continue;
        if (state == 0 && !Allows(rule, ConnectionState::kNew)) continue;
        if (state == 1 && !Allows(rule, ConnectionState::kEstablished)) continue;
        // Forwarded packets have two interfaces, and one name does not tell which it is.
        const auto other = [&](const std::optional<std::string>& wanted) {
          return interface && wanted && wanted != interface &&
                 rule.direction != RuleDirection::kForward;
        };
        if (other(rule.in_interface) || other(rule.out_interface)) continue;
        SetBit(bits, i);
      }
      directions_[direction][state] = sets_.Intern(bits);
    }
  }
  tells_states_ = std::any_of(rules_.rules().begin(), rules_.rules().end(), [](const Rule& rule) {
    return Allows(rule, ConnectionState::kNew) != Allows(rule, ConnectionState::kEstablished);
  });
}

void Classifier::MarkAsking(const std::optional<std::string>& interface) {
  for (std::vector<Word>& bits : asking_) bits.resize(sets_.words());
  cutting_.resize(sets_.words());
  for (std::size_t i = 0; i < bits_; ++i) {
    const Rule& rule = rules_.rules()[i];
    const bool known = interface && rule.direction != RuleDirection::kForward;
    const bool ask[] = {
        !rule.source.is_any(),
        !rule.destination.is_any(),
        !rule.source_ports.empty() || !rule.destination_ports.empty() || !rule.icmp_types.empty(),
        !rule.states.empty(),
        (rule.in_interface || rule.out_interface) && !known,
        rule.verdict == RuleVerdict::kRateLimit};
    for (std::size_t what = 0; what < kAskings; ++what) {
      if (ask[what]) SetBit(asking_[what], i);
    }
    if (rule.verdict != RuleVerdict::kAccept) SetBit(cutting_, i);
  }
  for (std::size_t unknowns = 0; unknowns < uncertain_.size(); ++unknowns) {
    uncertain_[unknowns].resize(sets_.words());
    for (std::size_t w = 0; w < sets_.words(); ++w) {
      // The rate is never known, nor is the interface where a rule still asks for it.
      Word word = asking_[kAskInterface][w] | asking_[kAskRate][w];
      for (std::size_t what = 0; what < 4; ++what) {
        if ((unknowns >> what & 1) != 0) word |= asking_[what][w];
      }
      uncertain_[unknowns][w] = word;
    }
  }
}

AddressInfo Classifier::Look(const IpAddress& address) const {
  const IpPrefix host = HostOf(address);
  return {.source_class = sources_->ClassOf(address),
          .destination_class = destinations_->ClassOf(address),
          .is_v4 = address.is_v4(),
          .loopback = address.is_loopback(),
          .own = own_.Contains(host),
          .peer = peers_.Contains(host)};
}

// True: settled.
bool Classifier::ByProtection(const Question& question, Answer& answer) const {
  const ProtectedSet& safe = rules_.protected_set();
  const auto perhaps = [&answer](MissingFact fact) {
    answer.may_pass = true;
    answer.missing = answer.missing | fact;
  };
  const bool both_known = question.source_known && question.destination_known;
  if (safe.loopback && both_known && question.source->loopback && question.destination->loopback) {
    return true;
  }
  if (question.direction != RuleDirection::kForward) {
    if (both_known && question.source->own && question.destination->own) return true;
    const bool in = question.direction == RuleDirection::kIn;
    const bool far_known = in ? question.source_known : question.destination_known;
    if (far_known && (in ? question.source : question.destination)->peer) return true;
    const bool has_peers = !peers_.prefixes().empty() || !own_.prefixes().empty();
    if (!far_known && has_peers) {
      perhaps(in ? MissingFact::kSource : MissingFact::kDestination);
    }
    const AddressInfo& known = question.source_known ? *question.source : *question.destination;
    if (safe.neighbour_discovery && question.service.protocol == kProtocolIcmpV6 && !known.is_v4) {
      const auto type = question.service.icmp_type;
      if (type && *type >= 133 && *type <= 136) return true;
      if (!type) perhaps(MissingFact::kIcmpType);
    }
  }
  if (!safe.replies || question.is_reply == false || question.state == StateKnown::kNew) {
    return false;
  }
  if (question.is_reply == true && question.state == StateKnown::kEstablished) return true;
  perhaps(MissingFact::kState);
  return false;
}

MissingFact Classifier::Missing(std::uint32_t rule, const Question& question,
                                bool service_known) const {
  const auto asks = [&](Asking what) { return (asking_[what][rule / 64] >> (rule % 64) & 1) != 0; };
  MissingFact missing = MissingFact::kNothing;
  const auto add = [&](bool lacking, Asking what, MissingFact fact) {
    if (lacking && asks(what)) missing = missing | fact;
  };
  add(!question.source_known, kAskSource, MissingFact::kSource);
  add(!question.destination_known, kAskDestination, MissingFact::kDestination);
  add(!service_known, kAskPorts,
      IsIcmp(question.service.protocol) ? MissingFact::kIcmpType : MissingFact::kPorts);
  add(question.state == StateKnown::kUnknown, kAskState, MissingFact::kState);
  add(true, kAskInterface, MissingFact::kInterface);
  add(true, kAskRate, MissingFact::kRate);
  return missing;
}

Answer Classifier::Ask(const Question& question) const {
  Answer answer;
  if (ByProtection(question, answer)) return {.may_pass = true};
  const Service& service = question.service;
  const ProtocolTables& tables = protocols_[service.protocol];
  // ICMP is of IPv4 and ICMPv6 of IPv6; the other way round it is no protocol that a rule names.
  const bool v4 = (question.source_known ? question.source : question.destination)->is_v4;
  const bool misplaced =
      (service.protocol == kProtocolIcmp && !v4) || (service.protocol == kProtocolIcmpV6 && v4);
  bool service_known = true;
  std::uint32_t by_service = misplaced ? no_protocol_ : tables.any;
  std::uint32_t by_source_port = all_;
  const auto look = [&service_known](const PortTable& table, std::optional<std::uint16_t> port) {
    service_known &= port.has_value();
    return port ? table.by_port[*port] : table.unknown;
  };
  if (tables.destination && !misplaced) {
    by_service = look(*tables.destination,
                      IsIcmp(service.protocol) ? service.icmp_type : service.destination_port);
  }
  if (tables.source) by_source_port = look(*tables.source, service.source_port);
  const Word* a =
      sets_.at(question.source_known ? question.source->source_class : some_source_[v4]);
  const Word* b = sets_.at(question.destination_known ? question.destination->destination_class
                                                      : some_destination_[v4]);
  const Word* c = sets_.at(by_service);
  const Word* d = sets_.at(by_source_port);
  const Word* e = sets_.at(directions_[static_cast<std::size_t>(question.direction)]
                                      [static_cast<std::size_t>(question.state)]);
  const std::size_t unknowns = (question.source_known ? 0U : 1U) |
                               (question.destination_known ? 0U : 2U) | (service_known ? 0U : 4U) |
                               (question.state == StateKnown::kUnknown ? 8U : 0U);
  const std::vector<Word>& uncertain = uncertain_[unknowns];
  for (std::size_t w = 0; w < sets_.words(); ++w) {
    Word left = a[w] & b[w] & c[w] & d[w] & e[w];
    while (left != 0) {
      const auto bit = static_cast<unsigned>(std::countr_zero(left));
      left &= left - 1;
      const auto rule = static_cast<std::uint32_t>(w * 64 + bit);
      const bool cuts = (cutting_[w] >> bit & 1) != 0;
      if (cuts && !answer.may_cut) answer.rule = rule;
      (cuts ? answer.may_cut : answer.may_pass) = true;
      if ((uncertain[w] >> bit & 1) == 0) return answer;
      answer.missing = answer.missing | Missing(rule, question, service_known);
    }
  }
  const bool passes = rules_.defaults().of(question.direction) == RuleVerdict::kAccept;
  (passes ? answer.may_pass : answer.may_cut) = true;
  return answer;
}

}  // namespace nta::firewall
