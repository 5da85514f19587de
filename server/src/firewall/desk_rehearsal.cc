// What the desk tries on stored flows.
#include <utility>

#include "base/status.h"
#include "firewall/desk.h"

namespace nta::server {
namespace {

RehearsalColumns ToColumns(const StoredColumns& columns) {
  return {.source_addresses = columns.source_addresses,
          .source = columns.source,
          .destination_addresses = columns.destination_addresses,
          .destination = columns.destination,
          .protocol = columns.protocol,
          .source_port = columns.source_port,
          .destination_port = columns.destination_port,
          .icmp_type = columns.icmp_type,
          .tcp_state = columns.tcp_state,
          .forward_packets = columns.forward_packets,
          .reverse_packets = columns.reverse_packets,
          .forward_bytes = columns.forward_bytes,
          .reverse_bytes = columns.reverse_bytes,
          .selected = columns.selected};
}

}  // namespace

absl::StatusOr<RehearsalResult> FirewallDesk::Rehearse(const RehearsalRequest& request,
                                                       const QueryControl& control) {
  RehearsalOptions options{.role = request.role,
                           .translated = request.translated,
                           .interface = request.interface,
                           .now = clock_.wall(),
                           .sessions = request.sessions};
  std::optional<RuleSet> proposed;
  {
    const absl::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(proposed, Compose(request.rules ? request.rules->parts() : draft_));
    NTA_ASSIGN_OR_RETURN(options.in_force, Compose(confirmed_));
  }
  return RehearseSets(*proposed, std::move(options), request.interval, request.filter, control);
}

absl::StatusOr<RehearsalResult> FirewallDesk::RehearseSets(const RuleSet& proposed,
                                                           RehearsalOptions options,
                                                           const TimeInterval& interval,
                                                           const FlowFilter& filter,
                                                           const QueryControl& control) const {
  for (const ProtectedPeer& peer : proposed.protected_set().peers) {
    if (peer.role == ProtectedRole::kOwn) options.own_addresses.push_back(peer.prefix.address());
  }
  NTA_ASSIGN_OR_RETURN(Rehearsal rehearsal, Rehearsal::Create(proposed, std::move(options)));
  NTA_RETURN_IF_ERROR(store_.ScanFlows(
      interval, filter,
      [&rehearsal](const StoredColumns& columns) { return rehearsal.Add(ToColumns(columns)); },
      control));
  return rehearsal.Finish();
}

}  // namespace nta::server
