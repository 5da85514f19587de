#include "app/findings.h"

#include <charconv>

namespace nta::internal {
namespace {

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

FlowMetadata* Findings::Writable() {
  if (!flow_.may_store) {
    ++left_out_;
    return nullptr;
  }
  if (flow_.metadata == nullptr) {
    flow_.metadata = std::make_shared_for_overwrite<FlowMetadata>();
  } else if (flow_.metadata_is_shared) {
    flow_.metadata = std::make_shared<FlowMetadata>(*flow_.metadata);
  }
  flow_.metadata_is_shared = false;
  return flow_.metadata.get();
}

void Findings::Set(MetadataField field, std::string_view value) {
  if (value.empty()) return;
  if (FlowMetadata* metadata = Writable()) {
    metadata->Set(field, value);
    has_changes_ = true;
  }
}

void Findings::SetPlain(MetadataField field, std::string_view value) {
  if (value.empty()) return;
  if (FlowMetadata* metadata = Writable()) {
    metadata->SetPlain(field, value);
    has_changes_ = true;
  }
}

void Findings::SetNumber(MetadataField field, std::uint64_t value) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  SetPlain(field, {text, static_cast<std::size_t>(end - text)});
}

void Findings::SetFirst(MetadataField field, std::string_view value) {
  if (Get(field).empty()) Set(field, value);
}

void Findings::Count(MetadataField field) {
  SetNumber(field, NumberOf(Get(field)) + 1);
  has_news_ = true;
}

std::string_view Findings::Get(MetadataField field) const {
  return flow_.metadata == nullptr ? std::string_view() : flow_.metadata->Get(field);
}

void Findings::SetApplication(Application application) {
  if (flow_.is_nested || flow_.application == application) return;
  flow_.application = application;
  has_news_ = true;
}

void Findings::LearnName(const IpAddress& address, std::string_view name, NameSource source,
                         Duration time_to_live) {
  if (flow_.names != nullptr) flow_.names->Learn(address, name, source, flow_.time, time_to_live);
}

void Findings::Expect(const Endpoint& endpoint, Application application) {
  if (flow_.expected != nullptr) flow_.expected->Expect(endpoint, application, flow_.time);
}

bool Findings::Keep(std::size_t offset, std::span<const std::uint8_t> bytes) {
  if (flow_.scratch == nullptr) flow_.scratch = std::make_unique<StreamBuffer>();
  return flow_.scratch->Write(offset, bytes, flow_.scratch_limit);
}

std::span<const std::uint8_t> Findings::kept() const {
  if (flow_.scratch == nullptr) return {};
  return flow_.scratch->Prefix();
}

void Findings::ReleaseKept() { flow_.scratch.reset(); }

}  // namespace nta::internal
