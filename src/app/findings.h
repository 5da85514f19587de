// Findings: where a parser writes what it finds, and what it may keep between messages.
#ifndef NTA_APP_FINDINGS_H_
#define NTA_APP_FINDINGS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "app/expected_flows.h"
#include "app/stream_buffer.h"
#include "nta/app/name_table.h"
#include "nta/flow/application.h"
#include "nta/flow/flow_metadata.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta::internal {

// A parser's own state for one flow: zero when its `match` said yes.
using ParserMemory = std::array<std::uint32_t, 6>;

class Fingerprints;

// Lives for one call of a parser.
class Findings {
 public:
  // What one flow keeps; owned by the inspector.
  struct Flow {
    std::shared_ptr<FlowMetadata>& metadata;
    bool& metadata_is_shared;  // a record holds it: copy before a change
    Application& application;
    ParserMemory& memory;
    std::unique_ptr<StreamBuffer>& scratch;
    std::size_t scratch_limit = 0;
    bool may_store = true;   // false: memory is used up, metadata is left out
    bool is_nested = false;  // inside another protocol, which names the application
    NameTable* names = nullptr;
    Fingerprints& fingerprints;
    ExpectedFlows* expected = nullptr;
    Timestamp time{};
  };
  explicit Findings(Flow flow) : flow_(flow) {}

  // Empty values are left out. Cheap enough for first messages, not for every packet: allocates.
  void Set(MetadataField field, std::string_view value);
  // Texts of ours, not a stranger's: names from tables, digests, numbers.
  void SetPlain(MetadataField field, std::string_view value);
  void SetNumber(MetadataField field, std::uint64_t value);
  // Only when nothing is set yet: for what the first message says.
  void SetFirst(MetadataField field, std::string_view value);
  // Adds one to a counter (log-ins). Detectors hear of it at once.
  void Count(MetadataField field);
  std::string_view Get(MetadataField field) const;
  // Makes the flow's application more exact than the parser's row.
  void SetApplication(Application application);
  // Somebody else's word that `address` has this name; a protocol's text, without a final dot.
  void LearnName(const IpAddress& address, std::string_view name, NameSource source,
                 Duration time_to_live);

  // The flow announced another one, which somebody will open to this endpoint: FTP's data, media.
  void Expect(const Endpoint& endpoint, Application application);

  Fingerprints& fingerprints() { return flow_.fingerprints; }
  ParserMemory& memory() { return flow_.memory; }
  // Bytes to keep, at offsets of the parser's choice; bounded like the stream's own buffer.
  // False when they do not fit.
  bool Keep(std::size_t offset, std::span<const std::uint8_t> bytes);
  std::span<const std::uint8_t> kept() const;
  void ReleaseKept();

  bool has_news() const { return has_news_; }
  bool has_changes() const { return has_changes_; }
  // How often metadata could not be stored for lack of memory.
  std::uint64_t left_out() const { return left_out_; }

 private:
  FlowMetadata* Writable();

  Flow flow_;
  bool has_news_ = false;
  bool has_changes_ = false;
  std::uint64_t left_out_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_APP_FINDINGS_H_
