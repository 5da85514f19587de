#include "nta/firewall/nftables_backend.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "firewall/import.h"
#include "firewall/kernel_sets.h"
#include "firewall/nft_client.h"
#include "firewall/own_table.h"
#include "firewall/render.h"
#include "firewall/table_contents.h"

namespace nta {

using firewall::AddressRange;
using firewall::ContentsOf;
using firewall::CounterName;
using firewall::ElementsOf;
using firewall::ExpiryHints;
using firewall::FileLock;
using firewall::Form;
using firewall::GenerationsOf;
using firewall::IsAllOurs;
using firewall::KernelCounter;
using firewall::KernelHost;
using firewall::KernelSetName;
using firewall::KernelSetNameParts;
using firewall::KernelSets;
using firewall::KernelTable;
using firewall::NftClient;
using firewall::ParseKernelSetName;
using firewall::ReadContents;
using firewall::Render;
using firewall::ReplaceScript;
using firewall::Reword;
using firewall::RuleSetOf;
using firewall::SameContents;
using firewall::SetContents;
using firewall::SetText;
using firewall::TableContents;

namespace {

constexpr int kAttempts = 3;

// What another program, which took something away or put something in at the same moment, may have
// caused: so it is tried again.
bool MayBeInterference(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsInternal(status) || absl::IsNotFound(status);
}

}  // namespace

class NftablesBackend::Impl {
 public:
  Impl(NftClient nft, KernelSets kernel) : nft_(std::move(nft)), kernel_(std::move(kernel)) {}

  const NftablesOptions& options() const { return nft_.options(); }
  const NftClient& nft() const { return nft_; }

  absl::StatusOr<RuleSet> Current(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    return ReadRules(now);
  }

  absl::StatusOr<bool> InForce(const RuleSet& rules, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    const auto table = nft_.List();
    if (absl::IsInvalidArgument(table.status())) return false;
    NTA_RETURN_IF_ERROR(table.status());
    const bool same = *table == Wanted(rules.WithoutExpired(now), GenerationsOf(*table));
    if (!same) return false;
    NTA_ASSIGN_OR_RETURN(const TableContents contents, ReadContents(kernel_, *table));
    for (const AddressSet& set : rules.sets()) {
      const auto found = contents.find(set.name);
      if (found == contents.end() || !SameContents(found->second, ContentsOf(set, now))) {
        return false;
      }
    }
    Remember(rules);
    return true;
  }

  absl::Status Replace(const RuleSet& asked, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, nft_.Lock());
    const RuleSet rules = asked.WithoutExpired(now);
    const auto before = ReadRules(now);
    absl::Status status;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      status = ReplaceOnce(rules, now);
      if (status.ok()) Remember(rules);
      if (!MayBeInterference(status)) return status;
    }
    // What was in force comes back, as well as that is possible beside whoever interferes.
    if (before.ok()) ReplaceOnce(*before, now).IgnoreError();
    return status;
  }

  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    // The elements of sets, of which there may be very many, do not matter here.
    NTA_ASSIGN_OR_RETURN(const KernelTable table, nft_.List());
    NTA_ASSIGN_OR_RETURN(const RuleSet read, RuleSetOf(table, {}));
    const RuleSet rules = read.WithoutExpired(now);
    const auto listed = kernel_.Counters();
    if (absl::IsNotFound(listed.status())) return std::vector<RuleCounters>();
    NTA_RETURN_IF_ERROR(listed.status());
    absl::flat_hash_map<std::string, const KernelCounter*> by_name;
    for (const KernelCounter& counter : *listed) by_name[counter.name] = &counter;
    std::vector<RuleCounters> counters;
    for (const Rule& rule : rules.rules()) {
      RuleCounters one{.rule_id = rule.id};
      if (const auto found = by_name.find(CounterName(rule.id)); found != by_name.end()) {
        one.packets = found->second->packets;
        one.bytes = found->second->bytes;
      }
      counters.push_back(std::move(one));
    }
    return counters;
  }

  absl::Status AddToSet(std::string_view name, std::span<const SetElement> elements,
                        Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, nft_.Lock());
    NTA_ASSIGN_OR_RETURN(const SetPlace* place, FindSet(name));
    const AddressSet probe{
        .name = std::string(name), .kind = place->kind, .allow_wide = place->wide};
    for (const SetElement& element : elements) NTA_RETURN_IF_ERROR(CheckSetElement(probe, element));
    if (place->kind == AddressSetKind::kPrefixes) {
      return ChangePrefixes(name, now, [&](std::vector<SetElement>& all) {
        all.insert(all.end(), elements.begin(), elements.end());
      });
    }
    return ChangeHosts(name, elements, now);
  }

  absl::Status RemoveFromSet(std::string_view name, std::span<const IpPrefix> prefixes,
                             Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, nft_.Lock());
    NTA_ASSIGN_OR_RETURN(const SetPlace* place, FindSet(name));
    if (place->kind == AddressSetKind::kPrefixes) {
      return ChangePrefixes(name, now, [&](std::vector<SetElement>& all) {
        std::erase_if(all, [&](const SetElement& element) {
          return std::find(prefixes.begin(), prefixes.end(), element.prefix) != prefixes.end();
        });
      });
    }
    std::vector<SetElement> gone;
    for (const IpPrefix& prefix : prefixes) {
      if (prefix.length() != (prefix.address().is_v4() ? 32 : 128)) continue;
      // What expired already is taken away.
      gone.push_back({.prefix = prefix, .expires = now});
    }
    return ChangeHosts(name, gone, now);
  }

  absl::StatusOr<std::vector<ElementCounters>> CountersOf(std::string_view name,
                                                          std::span<const IpAddress> addresses,
                                                          Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(const SetPlace* place, FindSet(name));
    std::vector<ElementCounters> counters;
    if (place->kind != AddressSetKind::kHosts) {
      return base::InvalidArgument("set \"" + std::string(name) + "\" is not one of hosts");
    }
    for (const IpAddress& address : addresses) {
      NTA_ASSIGN_OR_RETURN(const auto host,
                           kernel_.FindHost(place->kernel_names[address.is_v4() ? 0 : 1], address));
      if (!host) continue;
      ElementCounters one{.address = address, .packets = host->packets, .bytes = host->bytes};
      if (host->remaining) one.expires = now + *host->remaining;
      counters.push_back(one);
    }
    return counters;
  }

 private:
  // Where an AddressSet lies in the kernel: for IPv4 and for IPv6.
  struct SetPlace {
    AddressSetKind kind = AddressSetKind::kHosts;
    bool wide = false;
    std::array<std::string, 2> kernel_names{};
  };

  KernelTable Wanted(const RuleSet& rules, std::map<std::string, std::uint32_t> generations) const {
    if (rules == RuleSet()) return {};
    return Render(rules,
                  {.priority = nft_.options().priority, .generations = std::move(generations)});
  }

  absl::StatusOr<RuleSet> ReadRules(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    NTA_ASSIGN_OR_RETURN(const KernelTable table, nft_.List());
    NTA_ASSIGN_OR_RETURN(const TableContents contents, ReadContents(kernel_, table));
    std::map<std::string, std::vector<SetElement>> elements;
    for (const auto& [name, one] : contents) {
      const auto hints = hints_.find(name);
      elements[name] = ElementsOf(one, hints == hints_.end() ? nullptr : &hints->second, now);
    }
    NTA_ASSIGN_OR_RETURN(const RuleSet read, RuleSetOf(table, std::move(elements)));
    NTA_ASSIGN_OR_RETURN(const RuleSet reworded, Reword(read, asked_));
    return reworded.WithoutExpired(now);
  }

  absl::Status ReplaceOnce(const RuleSet& rules, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    places_.clear();
    auto old = nft_.List();
    if (!old.ok() && !absl::IsInvalidArgument(old.status())) return old.status();
    if (rules == RuleSet()) {
      NTA_RETURN_IF_ERROR(kernel_.DeleteTable());
      return absl::OkStatus();
    }
    if (!old.ok() || !IsAllOurs(*old)) {
      // Names that are not ours never enter a script: the table goes as a whole.
      NTA_RETURN_IF_ERROR(kernel_.DeleteTable());
      old = KernelTable();
    }
    NTA_ASSIGN_OR_RETURN(const TableContents contents, ReadContents(kernel_, *old));
    auto generations = GenerationsOf(*old);
    NTA_ASSIGN_OR_RETURN(const std::vector<std::string> prepared,
                         Prepare(rules, *old, contents, generations, now));
    const KernelTable wanted = Wanted(rules, generations);
    KernelTable present = *old;
    for (const std::string& name : prepared) present.sets[name] = wanted.sets.at(name);
    const absl::Status ran =
        nft_.Run(ReplaceScript(nft_.table(), present, wanted, Changed(rules, *old)));
    if (!ran.ok()) {
      for (const std::string& name : prepared) kernel_.DeleteSet(name).IgnoreError();
      if (old->chains.empty()) kernel_.DeleteTable().IgnoreError();
      return ran;
    }
    const auto now_there = nft_.List();
    if (!now_there.ok() && !absl::IsInvalidArgument(now_there.status())) return now_there.status();
    if (now_there.ok() && *now_there == wanted) return absl::OkStatus();
    return absl::AbortedError("table inet " + nft_.table() +
                              " is not what was asked after it was written: another program "
                              "changes it");
  }

  // Fills a new kernel set beside the old one for every set whose contents differ, and moves its
  // generation on. Nothing refers to it before the transaction that comes then.
  absl::StatusOr<std::vector<std::string>> Prepare(
      const RuleSet& rules, const KernelTable& old, const TableContents& contents,
      std::map<std::string, std::uint32_t>& generations, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::string> prepared;
    std::string script;
    for (const AddressSet& set : rules.sets()) {
      const auto found = contents.find(set.name);
      const std::uint32_t generation = generations[set.name];
      const bool is_whole = old.sets.contains(KernelSetName(set, 4, generation)) &&
                            old.sets.contains(KernelSetName(set, 6, generation));
      const SetContents wanted = ContentsOf(set, now);
      if (found != contents.end() && is_whole && SameContents(found->second, wanted)) continue;
      ++generations[set.name];
      for (const int version : {4, 6}) {
        prepared.push_back(KernelSetName(set, version, generation + 1));
        script += SetText(nft_.table(), prepared.back(), {.version = version, .kind = set.kind});
      }
    }
    if (prepared.empty()) return prepared;
    NTA_RETURN_IF_ERROR(nft_.Run("add table inet " + nft_.table() + "\n" + script));
    for (const std::string& name : prepared) {
      const auto parts = ParseKernelSetName(name);
      const absl::Status filled = Fill(name, *parts, *rules.FindSet(parts->name), now);
      if (filled.ok()) continue;
      for (const std::string& other : prepared) kernel_.DeleteSet(other).IgnoreError();
      return filled;
    }
    return prepared;
  }

  absl::Status Fill(const std::string& kernel_name, const KernelSetNameParts& parts,
                    const AddressSet& set, Timestamp now) {
    const SetContents wanted = ContentsOf(set, now);
    std::vector<KernelHost> hosts;
    for (const KernelHost& host : wanted.hosts) {
      if (host.address.version() == parts.version) hosts.push_back(host);
    }
    std::vector<AddressRange> ranges;
    for (const AddressRange& range : wanted.ranges) {
      if (range.first.version() == parts.version) ranges.push_back(range);
    }
    if (!hosts.empty()) NTA_RETURN_IF_ERROR(kernel_.AddHosts(kernel_name, hosts));
    if (!ranges.empty()) NTA_RETURN_IF_ERROR(kernel_.SetIntervals(kernel_name, ranges));
    return absl::OkStatus();
  }

  // The counters of rules that mean something else than before.
  std::vector<std::string> Changed(const RuleSet& rules, const KernelTable& old) const {
    std::vector<std::string> changed;
    const auto before = RuleSetOf(old, {});
    for (const Rule& rule : rules.rules()) {
      const Rule* const was = before.ok() ? before->FindRule(rule.id) : nullptr;
      if (was == nullptr || was->direction != rule.direction ||
          Form(*was, *before) != Form(rule, rules)) {
        changed.push_back(CounterName(rule.id));
      }
    }
    return changed;
  }

  void Remember(const RuleSet& rules) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    asked_ = rules;
    hints_.clear();
    for (const AddressSet& set : rules.sets()) {
      for (const SetElement& element : set.elements) {
        if (element.expires) hints_[set.name][element.prefix.address()] = *element.expires;
      }
    }
  }

  absl::StatusOr<const SetPlace*> FindSet(std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (const auto found = places_.find(std::string(name)); found != places_.end()) {
      return &found->second;
    }
    NTA_ASSIGN_OR_RETURN(const KernelTable table, nft_.List());
    NTA_ASSIGN_OR_RETURN(const RuleSet rules, RuleSetOf(table, {}));
    const AddressSet* const set = rules.FindSet(name);
    if (set == nullptr) {
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              "no set \"" + std::string(name.substr(0, 64)) + "\" is in force");
    }
    const auto generations = GenerationsOf(table);
    const std::uint32_t generation = generations.at(set->name);
    SetPlace& place = places_[set->name];
    place = {
        .kind = set->kind,
        .wide = set->allow_wide,
        .kernel_names = {KernelSetName(*set, 4, generation), KernelSetName(*set, 6, generation)}};
    return &place;
  }

  absl::Status ChangeHosts(std::string_view name, std::span<const SetElement> elements,
                           Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // By version; what is already over is removed.
    std::array<std::vector<KernelHost>, 2> come, gone;
    for (const SetElement& element : elements) {
      const IpAddress& address = element.prefix.address();
      const std::size_t version = address.is_v4() ? 0 : 1;
      if (element.expires && *element.expires <= now) {
        gone[version].push_back({.address = address});
        continue;
      }
      KernelHost host{.address = address};
      if (element.expires) {
        host.remaining = std::chrono::ceil<std::chrono::milliseconds>(*element.expires - now);
      }
      come[version].push_back(host);
    }
    absl::Status status;
    for (int attempt = 0; attempt < 2; ++attempt) {
      NTA_ASSIGN_OR_RETURN(const SetPlace* place, FindSet(name));
      status = ApplyHosts(*place, come, gone);
      // Another process may have replaced the rules, and the set with them.
      if (!absl::IsNotFound(status)) break;
      places_.clear();
    }
    NTA_RETURN_IF_ERROR(status);
    ExpiryHints& hints = hints_[std::string(name)];
    for (const SetElement& element : elements) {
      if (element.expires && *element.expires > now) {
        hints[element.prefix.address()] = *element.expires;
      } else {
        hints.erase(element.prefix.address());
      }
    }
    return status;
  }

  absl::Status ApplyHosts(const SetPlace& place, const std::array<std::vector<KernelHost>, 2>& come,
                          const std::array<std::vector<KernelHost>, 2>& gone) {
    for (std::size_t version = 0; version < 2; ++version) {
      const std::string& set = place.kernel_names[version];
      if (!gone[version].empty()) NTA_RETURN_IF_ERROR(kernel_.RemoveHosts(set, gone[version]));
      if (come[version].empty()) continue;
      const absl::Status added = kernel_.AddHosts(set, come[version]);
      if (added.ok()) continue;
      if (version == 1 && !come[0].empty()) {
        kernel_.RemoveHosts(place.kernel_names[0], come[0]).IgnoreError();
      }
      return added;
    }
    return absl::OkStatus();
  }

  template <typename Change>
  absl::Status ChangePrefixes(std::string_view name, Timestamp now, const Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    NTA_ASSIGN_OR_RETURN(const RuleSet rules, ReadRules(now));
    RuleSetParts parts = rules.parts();
    for (AddressSet& set : parts.sets) {
      if (set.name == name) change(set.elements);
    }
    // Sorts them, drops doubles and refuses what is not allowed.
    NTA_ASSIGN_OR_RETURN(const RuleSet changed, RuleSet::Create(std::move(parts)));
    const AddressSet* const set = changed.FindSet(name);
    NTA_ASSIGN_OR_RETURN(const SetPlace* place, FindSet(name));
    if (set == nullptr) return absl::NotFoundError("the set is gone");
    const SetContents wanted = ContentsOf(*set, now);
    for (std::size_t version = 0; version < 2; ++version) {
      std::vector<AddressRange> ranges;
      for (const AddressRange& range : wanted.ranges) {
        if (range.first.is_v4() == (version == 0)) ranges.push_back(range);
      }
      NTA_RETURN_IF_ERROR(kernel_.SetIntervals(place->kernel_names[version], ranges));
    }
    asked_ = changed;
    return absl::OkStatus();
  }

  absl::Mutex mutex_;
  NftClient nft_;
  KernelSets kernel_;
  RuleSet asked_ ABSL_GUARDED_BY(mutex_);  // to word what is read as it was asked
  std::map<std::string, ExpiryHints> hints_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SetPlace> places_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<NftablesBackend>> NftablesBackend::Open(
    const NftablesOptions& options) {
  NTA_ASSIGN_OR_RETURN(NftClient nft, NftClient::Open(options));
  auto kernel = KernelSets::Open(options.table);
  if (!kernel.ok()) {
    return base::MakeStatus(
        absl::StatusCode::kUnavailable,
        "this kernel has no nf_tables: " + std::string(kernel.status().message()));
  }
  const auto exists = kernel->TableExists();
  if (absl::IsPermissionDenied(exists.status())) {
    return base::MakeStatus(absl::StatusCode::kPermissionDenied,
                            "the kernel does not let this process see the firewall: CAP_NET_ADMIN "
                            "is needed in this network namespace");
  }
  NTA_RETURN_IF_ERROR(exists.status());
  NTA_RETURN_IF_ERROR(nft.Lock().status());
  return std::unique_ptr<NftablesBackend>(
      new NftablesBackend(std::make_unique<Impl>(std::move(nft), *std::move(kernel))));
}

NftablesBackend::NftablesBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NftablesBackend::~NftablesBackend() = default;

const NftablesOptions& NftablesBackend::options() const { return impl_->options(); }
absl::StatusOr<RuleSet> NftablesBackend::Current(Timestamp now) { return impl_->Current(now); }
absl::Status NftablesBackend::Replace(const RuleSet& rules, Timestamp now) {
  return impl_->Replace(rules, now);
}
absl::StatusOr<std::vector<RuleCounters>> NftablesBackend::Counters(Timestamp now) {
  return impl_->Counters(now);
}
absl::Status NftablesBackend::AddToSet(std::string_view set, std::span<const SetElement> elements,
                                       Timestamp now) {
  return impl_->AddToSet(set, elements, now);
}
absl::Status NftablesBackend::RemoveFromSet(std::string_view set,
                                            std::span<const IpPrefix> prefixes, Timestamp now) {
  return impl_->RemoveFromSet(set, prefixes, now);
}
absl::StatusOr<bool> NftablesBackend::InForce(const RuleSet& rules, Timestamp now) {
  return impl_->InForce(rules, now);
}
absl::StatusOr<std::vector<ElementCounters>> NftablesBackend::CountersOf(
    std::string_view set, std::span<const IpAddress> addresses, Timestamp now) {
  return impl_->CountersOf(set, addresses, now);
}

absl::StatusOr<NftablesImport> NftablesBackend::Import(std::string_view family,
                                                       std::string_view table) {
  // Names of others become arguments of a program, one word each; nft parses them again, so only
  // plain ones are passed on.
  const auto is_plain = [](std::string_view name) {
    return !name.empty() && name.size() <= 255 &&
           std::all_of(name.begin(), name.end(),
                       [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                       }) &&
           name.front() != '-' && name.front() != '.';
  };
  if ((family != "inet" && family != "ip" && family != "ip6") || !is_plain(table)) {
    return base::InvalidArgument(
        "a table is named by its family (inet, ip, ip6) and its name of A-Z a-z 0-9 _ . -");
  }
  NTA_ASSIGN_OR_RETURN(const std::string text, impl_->nft().ListText(family, table));
  if (text.empty()) {
    return base::MakeStatus(absl::StatusCode::kNotFound, "no table " + std::string(family) + " " +
                                                             std::string(table) + " is there");
  }
  return ImportNftables(text, family, table);
}

}  // namespace nta
