// Who else names flows: asked only where the library's own parsers have no name; and nDPI as one.
#include "nta/app/application_namer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "app/flow_talk.h"
#include "nta/app/ndpi_namer.h"

namespace nta {
namespace {

using test::FlowTalk;
using test::TalkOptions;
using ::testing::HasSubstr;

constexpr std::string_view kHttpRequest = "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n";

// Says one name from the second packet on.
class SlowNamer final : public ApplicationNamer {
 public:
  struct Log {
    int looks = 0;
    int forgotten = 0;
  };
  SlowNamer(NamedApplication name, Log& log) : name_(std::move(name)), log_(log) {}

  bool Look(FlowSlot slot, bool, const DecodedPacket&) override {
    ++log_.looks;
    return ++packets_[slot] < 2;
  }
  const NamedApplication* NameOf(FlowSlot slot) const override {
    const auto found = packets_.find(slot);
    return found != packets_.end() && found->second >= 2 ? &name_ : nullptr;
  }
  void Forget(FlowSlot slot) override { log_.forgotten += packets_.erase(slot) > 0 ? 1 : 0; }
  std::size_t memory_bytes() const override { return 12'345; }

 private:
  const NamedApplication name_;
  Log& log_;
  std::map<FlowSlot, int> packets_;
};

class ApplicationNamerTest : public ::testing::Test {
 protected:
  TalkOptions Options(NamedApplication name, std::uint16_t port = 4'321) {
    TalkOptions options{.server_port = port};
    options.inspector.make_namer = [this,
                                    name]() -> absl::StatusOr<std::unique_ptr<ApplicationNamer>> {
      return std::make_unique<SlowNamer>(name, log_);
    };
    return options;
  }
  SlowNamer::Log log_;
};

TEST_F(ApplicationNamerTest, IsAskedWhereOurParsersHaveNoName) {
  FlowTalk talk(Options({.category = ApplicationCategory::kGaming, .detail = "Ga\x01me\xff"}));
  EXPECT_TRUE(talk.Client("\x7fnobody knows this"));
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kNone);
  talk.Server("\x7fnor this");
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kUnknown);
  EXPECT_EQ(record.category, ApplicationCategory::kGaming);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.Get(MetadataField::kApplicationDetail), "Ga\uFFFDme\uFFFD") << "as any text";
  EXPECT_EQ(talk.inspector().Stats().named, 1u);
  EXPECT_GE(talk.inspector().Stats().memory_bytes, 12'345u);
  EXPECT_EQ(talk.news(), 1);
  talk.End();
  EXPECT_EQ(log_.forgotten, 1);
}

TEST_F(ApplicationNamerTest, IsNotAskedAboutWhatHasAName) {
  FlowTalk talk(Options({.application = Application::kSsh, .detail = "wrong"}, 80));
  talk.Client(kHttpRequest);
  talk.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(talk.Record().application, Application::kHttp);
  EXPECT_EQ(talk.Get(MetadataField::kApplicationDetail), "");
  EXPECT_EQ(log_.looks, 0);
}

TEST_F(ApplicationNamerTest, SaysMoreThanAPort) {
  FlowTalk talk(Options({.application = Application::kSsh, .detail = {}}, 443));
  talk.Client("\x7fnobody knows this");
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPort);
  talk.Client("\x7fnor this");
  EXPECT_EQ(talk.Record().application, Application::kSsh);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.Record().category, ApplicationCategory::kRemoteAccess);
}

TEST(ApplicationNamer, ThatCannotBeMadeIsAnError) {
  ApplicationInspectorOptions options;
  options.make_namer = []() -> absl::StatusOr<std::unique_ptr<ApplicationNamer>> {
    return absl::UnavailableError("not today");
  };
  EXPECT_EQ(ApplicationInspector::Create(options).status().code(), absl::StatusCode::kUnavailable);
}

TEST(NdpiNamer, IsThereWhenItWasBuiltIn) {
  const auto namer = CreateNdpiNamer();
  if (!HasNdpi()) {
    EXPECT_EQ(namer.status().code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(namer.status().message()), HasSubstr("NTA_WITH_NDPI"));
    return;
  }
  ASSERT_TRUE(namer.ok()) << namer.status();
  EXPECT_EQ(CreateNdpiNamer({.max_flows = 0}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CreateNdpiNamer({.max_packets = 256}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(NdpiNamer, NamesWhatOurListDoesNotHave) {
  if (!HasNdpi()) GTEST_SKIP() << "skipped: built without nDPI";
  for (const bool v6 : {false, true}) {
    TalkOptions options{.server_port = 873};
    if (v6) {
      options.client = *IpAddress::Parse("2001:db8::1");
      options.server = *IpAddress::Parse("2001:db8::2");
    }
    options.inspector.make_namer = [] { return CreateNdpiNamer(); };
    FlowTalk talk(options);
    talk.Server("@RSYNCD: 29\n");
    talk.Client("@RSYNCD: 29\n");
    EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
    EXPECT_EQ(talk.Get(MetadataField::kApplicationDetail), "rsync");
    EXPECT_EQ(talk.inspector().Stats().named, 1u);
    talk.End();
  }
}

TEST(NdpiNamer, KeepsABoundedNumberOfFlows) {
  if (!HasNdpi()) GTEST_SKIP() << "skipped: built without nDPI";
  const auto namer = CreateNdpiNamer({.max_flows = 4});
  ASSERT_TRUE(namer.ok()) << namer.status();
  const test::Bytes bytes = test::ToBytes("\x7f\x7f\x7f\x7fnothing");
  DecodedPacket packet;
  packet.ip_version = 4;
  packet.protocol = kProtocolTcp;
  packet.has_ports = true;
  packet.source = IpAddress::V4(10, 0, 0, 1);
  packet.destination = IpAddress::V4(10, 0, 0, 2);
  packet.source_port = 50'000;
  packet.destination_port = 4'321;
  packet.payload = bytes;
  for (FlowSlot slot = 0; slot < 4; ++slot) EXPECT_TRUE((*namer)->Look(slot, true, packet));
  const std::size_t full = (*namer)->memory_bytes();
  for (FlowSlot slot = 4; slot < 1'000; ++slot) EXPECT_FALSE((*namer)->Look(slot, true, packet));
  EXPECT_EQ((*namer)->memory_bytes(), full);
  for (FlowSlot slot = 0; slot < 1'000; ++slot) (*namer)->Forget(slot);
  EXPECT_LT((*namer)->memory_bytes(), full / 2);
  EXPECT_TRUE((*namer)->Look(7, true, packet));
}

}  // namespace
}  // namespace nta
