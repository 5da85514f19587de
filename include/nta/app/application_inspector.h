// ApplicationInspector: says what flows carry, from their first messages.
//
//   nta::NameTable names;
//   auto inspector = nta::ApplicationInspector::Create({}, &names);
//   table.SetInspector(&*inspector);
#ifndef NTA_APP_APPLICATION_INSPECTOR_H_
#define NTA_APP_APPLICATION_INSPECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "nta/app/application_namer.h"
#include "nta/app/name_table.h"
#include "nta/flow/flow_inspector.h"

namespace nta {

struct ApplicationInspectorOptions {
  // Packets with payload that are looked at, in each direction: 1 to 1000. A flow that reached this
  // in one direction is inspected no further. Protocols whose later messages matter (log-ins, DNS
  // on one socket) get a documented multiple of it.
  std::uint32_t max_packets = 10;
  // Bytes of payload likewise: 512 to 65,536; at the same time the most that is kept of a message
  // that came in parts. A TLS ClientHello takes 300 to 2,000, a chain of certificates 3,000 to
  // 6,000.
  std::uint32_t max_bytes = 16'384;
  // Flows under inspection at once: 1 to 10,000,000. When another one comes, the inspection that
  // began first ends. About 200 bytes each.
  std::size_t max_inspections = 65'536;
  // Bytes kept of messages that came in parts, over all flows: at least 64 KiB. At the cap the
  // inspection that began first ends.
  std::size_t max_buffered_bytes = std::size_t{32} << 20;
  // Bytes of metadata of the flows in the table, at least 64 KiB. At the cap further flows get an
  // application without metadata.
  std::size_t max_metadata_bytes = std::size_t{256} << 20;
  // Makes who is asked about flows that the library's own parsers have no name for: nDPI
  // (nta/app/ndpi_namer.h), or your own. Unset: nobody, at no cost.
  ApplicationNamerFactory make_namer{};
};

struct ApplicationInspectorStats {
  std::uint64_t flows = 0;       // that were inspected
  std::uint64_t packets = 0;     // that were looked at
  std::uint64_t identified = 0;  // flows by their payload
  std::uint64_t named = 0;       // flows by the namer
  std::uint64_t given_up = 0;    // flows that reached a bound, or ended, without being identified
  std::uint64_t evicted = 0;     // inspections that ended for lack of memory
  std::uint64_t metadata_left_out = 0;  // values, for lack of memory
  std::size_t active = 0;               // flows under inspection
  std::size_t buffered_bytes = 0;
  std::size_t metadata_bytes = 0;
  std::size_t memory_bytes = 0;  // all of it

  // Those of several inspectors in one.
  ApplicationInspectorStats& operator+=(const ApplicationInspectorStats& other);
  friend bool operator==(const ApplicationInspectorStats&,
                         const ApplicationInspectorStats&) = default;
};

// One thread at a time: one inspector for each FlowTable. The same calls give the same results.
class ApplicationInspector final : public FlowInspector {
 public:
  // Borrows `names` (null: flows carry no names of addresses) until the inspector ends. Several
  // inspectors may share one. InvalidArgument when an option is out of its range.
  static absl::StatusOr<ApplicationInspector> Create(ApplicationInspectorOptions options = {},
                                                     NameTable* names = nullptr);
  ApplicationInspector(ApplicationInspector&&) noexcept;
  ApplicationInspector& operator=(ApplicationInspector&&) noexcept;
  ~ApplicationInspector() override;

  InspectResult Inspect(FlowSlot slot, bool is_forward, const DecodedPacket& packet) override;
  void Establish(FlowSlot slot, bool is_forward, const DecodedPacket& packet) override;
  void Describe(FlowSlot slot, bool was_inspected, FlowRecord& flow) override;
  void Finish(FlowSlot slot) override;
  void Prefetch(std::span<const FlowSlot> slots) const override;

  ApplicationInspectorStats Stats() const;

 private:
  class Impl;
  explicit ApplicationInspector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_APP_APPLICATION_INSPECTOR_H_
