#include "nta/app/ndpi_namer.h"

#include <ndpi_api.h>

#include <chrono>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/ip_packet.h"
#include "app/ndpi_names.h"
#include "base/status.h"

namespace nta {
namespace {

using internal::ApplicationOfNdpi;
using internal::CategoryOfNdpi;

struct ModuleDeleter {
  void operator()(ndpi_detection_module_struct* module) const {
    ndpi_exit_detection_module(module);
  }
};
using Module = std::unique_ptr<ndpi_detection_module_struct, ModuleDeleter>;

struct FlowDeleter {
  void operator()(ndpi_flow_struct* flow) const { ndpi_free_flow(flow); }
};
using Flow = std::unique_ptr<ndpi_flow_struct, FlowDeleter>;

// nDPI says that modules must not be made side by side: it has state that all share.
std::mutex& MakingModules() {
  static std::mutex mutex;
  return mutex;
}

absl::StatusOr<Module> MakeModule() {
  const std::lock_guard lock(MakingModules());
  Module module(ndpi_init_detection_module(ndpi_dont_load_tor_hosts));
  if (module == nullptr) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted, "nDPI did not start");
  }
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(module.get(), &all);
  ndpi_finalize_initialization(module.get());
  return module;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

class NdpiNamer final : public ApplicationNamer {
 public:
  NdpiNamer(NdpiOptions options, Module module) : options_(options), module_(std::move(module)) {}

  bool Look(FlowSlot slot, bool, const DecodedPacket& packet) override {
    Case* const found = Find(slot);
    if (found == nullptr || found->flow == nullptr) return false;
    internal::AsIpPacket(packet, bytes_);
    if (bytes_.empty()) return false;
    const auto time = std::chrono::floor<std::chrono::milliseconds>(packet.time.time_since_epoch());
    ndpi_protocol protocol = ndpi_detection_process_packet(
        module_.get(), found->flow.get(), bytes_.data(), static_cast<unsigned short>(bytes_.size()),
        static_cast<std::uint64_t>(time.count()));
    bool is_last = ++found->packets >= options_.max_packets;
    if (is_last && !IsKnown(*found->flow, protocol)) {
      std::uint8_t guessed = 0;
      protocol = ndpi_detection_giveup(module_.get(), found->flow.get(), 0, &guessed);
    }
    if (IsKnown(*found->flow, protocol)) {
      Name(protocol, found->name);
      found->is_named = is_last = true;
    }
    // What is kept of a flow that is decided is a name.
    if (is_last) Release(*found);
    return !is_last;
  }

  const NamedApplication* NameOf(FlowSlot slot) const override {
    const auto found = cases_.find(slot);
    return found == cases_.end() || !found->second.is_named ? nullptr : &found->second.name;
  }

  void Forget(FlowSlot slot) override {
    const auto found = cases_.find(slot);
    if (found == cases_.end()) return;
    Release(found->second);
    cases_.erase(found);
  }

  std::size_t memory_bytes() const override {
    return active_ * flow_bytes_ + cases_.size() * (sizeof(Case) + 4 * sizeof(void*)) +
           bytes_.capacity();
  }

 private:
  struct Case {
    Flow flow;  // null when it is decided
    std::uint32_t packets = 0;
    bool is_named = false;
    NamedApplication name;
  };

  // Null when there are too many.
  Case* Find(FlowSlot slot) {
    const auto found = cases_.find(slot);
    if (found != cases_.end()) return &found->second;
    if (active_ >= options_.max_flows) return nullptr;
    Flow flow(static_cast<ndpi_flow_struct*>(ndpi_flow_malloc(flow_bytes_)));
    if (flow == nullptr) return nullptr;
    std::memset(static_cast<void*>(flow.get()), 0, flow_bytes_);
    ++active_;
    Case& made = cases_[slot];
    made.flow = std::move(flow);
    return &made;
  }

  void Release(Case& decided) {
    if (decided.flow == nullptr) return;
    decided.flow.reset();
    --active_;
  }

  // A port or an address is no evidence.
  static bool IsKnown(const ndpi_flow_struct& flow, const ndpi_protocol& protocol) {
    return (protocol.app_protocol != NDPI_PROTOCOL_UNKNOWN ||
            protocol.master_protocol != NDPI_PROTOCOL_UNKNOWN) &&
           (flow.confidence == NDPI_CONFIDENCE_DPI || flow.confidence == NDPI_CONFIDENCE_DPI_CACHE);
  }

  void Name(const ndpi_protocol& protocol, NamedApplication& name) const {
    name.application = ApplicationOfNdpi(protocol.app_protocol);
    const bool is_in_list = name.application != Application::kUnknown;
    if (!is_in_list) {
      name.application = ApplicationOfNdpi(protocol.master_protocol);
      name.detail = LowerCase(ndpi_get_proto_name(module_.get(), protocol.app_protocol));
      name.category = CategoryOfNdpi(ndpi_get_proto_category(module_.get(), protocol));
    }
    if (name.category == ApplicationCategory::kUnknown) {
      name.category = CategoryOf(name.application);
    }
  }

  const NdpiOptions options_;
  const std::size_t flow_bytes_ = ndpi_detection_get_sizeof_ndpi_flow_struct();
  Module module_;  // outlives the flows
  std::unordered_map<FlowSlot, Case> cases_;
  std::size_t active_ = 0;  // cases that have a flow
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

bool HasNdpi() { return true; }

absl::StatusOr<std::unique_ptr<ApplicationNamer>> CreateNdpiNamer(NdpiOptions options) {
  if (options.max_flows < 1 || options.max_flows > 1'000'000) {
    return base::InvalidArgument("max_flows of nDPI must be 1 to 1000000");
  }
  if (options.max_packets < 1 || options.max_packets > 255) {
    return base::InvalidArgument("max_packets of nDPI must be 1 to 255");
  }
  // What it lays out in memory changes between minor versions.
  if (ndpi_get_api_version() != NDPI_API_VERSION ||
      ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(ndpi_flow_struct)) {
    return base::MakeStatus(
        absl::StatusCode::kFailedPrecondition,
        std::string("libnta was built with another nDPI than ") + ndpi_revision());
  }
  NTA_ASSIGN_OR_RETURN(Module module, MakeModule());
  return std::make_unique<NdpiNamer>(options, std::move(module));
}

}  // namespace nta
