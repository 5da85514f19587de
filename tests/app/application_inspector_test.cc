#include "nta/app/application_inspector.h"

#include <gtest/gtest.h>

#include "app/flow_talk.h"

namespace nta {
namespace {

using test::FlowTalk;

TEST(ApplicationInspector, PortIsAGuess) {
  FlowTalk talk({.server_port = 22});
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kSsh);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPort);
  EXPECT_EQ(record.category, ApplicationCategory::kRemoteAccess);
  EXPECT_EQ(record.metadata, nullptr);
}

TEST(ApplicationInspector, NameOfThePeerRaisesTheCategoryOnly) {
  FlowTalk talk({.server_port = 9999});
  talk.names().Learn(IpAddress::V4(192, 0, 2, 1), "cdn.netflix.com", NameSource::kDns,
                     Timestamp{std::chrono::hours(24 * 365 * 50)}, std::chrono::hours(1));
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kUnknown);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kName);
  EXPECT_EQ(record.category, ApplicationCategory::kVideo);
  EXPECT_EQ(talk.Get(MetadataField::kDestinationName), "cdn.netflix.com");
  EXPECT_EQ(talk.Get(MetadataField::kSourceName), "");
}

TEST(ApplicationInspector, GivesUpWhatItDoesNotRecognise) {
  FlowTalk talk({.server_port = 9999});
  int shown = 0;
  while (shown < 100 && talk.Client("\x01 no protocol")) ++shown;
  EXPECT_EQ(shown, 5);
  const ApplicationInspectorStats stats = talk.inspector().Stats();
  EXPECT_EQ(stats.flows, 1u);
  EXPECT_EQ(stats.packets, 6u);
  EXPECT_EQ(stats.given_up, 1u);
  EXPECT_EQ(stats.active, 0u);
  EXPECT_EQ(stats.buffered_bytes, 0u);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kNone);
}

TEST(ApplicationInspector, KeepsNothingOfWhatCameInOrderAndNobodyKnows) {
  const test::Bytes unknown(30, 0xA5);
  FlowTalk established({.server_port = 9999});
  established.Establish();
  FlowTalk midstream({.server_port = 9999});
  for (FlowTalk* talk : {&established, &midstream}) {
    EXPECT_TRUE(talk->Client(unknown));
    EXPECT_TRUE(talk->Server(unknown));
  }
  EXPECT_EQ(established.inspector().Stats().active, 0u);
  EXPECT_EQ(midstream.inspector().Stats().active, 1u) << "what came before may come late";
  // 0xFFFFFFF0 + 30 has wrapped.
  EXPECT_TRUE(established.Client("GET /later HTTP/1.1\r\nHost: a.example\r\n\r\n"));
  EXPECT_EQ(established.Record().application, Application::kHttp);
}

TEST(ApplicationInspector, AFirstMessageOutOfOrderIsPutTogetherAfterTheHandshake) {
  const std::string request = "GET /late HTTP/1.1\r\nHost: a.example\r\n\r\n";
  FlowTalk talk({.server_port = 9999});
  talk.Establish();
  EXPECT_TRUE(talk.SegmentAt(true, 12, test::ToBytes(request.substr(12))));
  EXPECT_TRUE(talk.SegmentAt(true, 0, test::ToBytes(request.substr(0, 12))));
  EXPECT_EQ(talk.Record().application, Application::kHttp);
  EXPECT_EQ(talk.Get(MetadataField::kHttpPath), "/late");
}

TEST(ApplicationInspector, WhatFollowsAFullSegmentGoesOnWithIt) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
  const test::Bytes full(1400, 0xA5);
  FlowTalk bulk({.server_port = 9999});
  EXPECT_TRUE(bulk.Server(full));
  EXPECT_TRUE(bulk.Server(request)) << "the end of what began with a full segment";
  EXPECT_EQ(bulk.Record().application, Application::kUnknown);
  EXPECT_EQ(bulk.inspector().Stats().packets, 1u);
  EXPECT_TRUE(bulk.Server(request));
  EXPECT_EQ(bulk.Record().application, Application::kHttp);
  // The bound counts what was not looked at, too; the other direction is asked for itself.
  FlowTalk endless({.server_port = 9999});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(endless.Server(full));
  EXPECT_TRUE(endless.Client(test::Bytes(10, 0xA5)));
  EXPECT_EQ(endless.inspector().Stats().packets, 2u);
  EXPECT_FALSE(endless.Server(full));
  EXPECT_EQ(endless.inspector().Stats().given_up, 1u);
}

TEST(ApplicationInspector, AFlowThatWasOnlyEstablishedIsNeitherInspectedNorGivenUp) {
  FlowTalk talk({.server_port = 443});
  talk.Establish();
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPort);
  talk.End();
  const ApplicationInspectorStats stats = talk.inspector().Stats();
  EXPECT_EQ(stats.flows, 0u);
  EXPECT_EQ(stats.given_up, 0u);
}

TEST(ApplicationInspector, MessageThatNeverEndsReachesTheBoundAndReturnsItsMemory) {
  FlowTalk talk({.inspector = {.max_packets = 5}});
  talk.Client("GET / HTTP/1.1\r\nHost: www.example.com\r\n");
  int shown = 1;
  while (shown < 100 && talk.Client("X-Header: more\r\n")) ++shown;
  EXPECT_EQ(shown, 4);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.inspector().Stats().active, 0u);
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
}

TEST(ApplicationInspector, AtTheCapTheInspectionThatBeganFirstEnds) {
  auto inspector = ApplicationInspector::Create({.max_inspections = 100}).value();
  const test::Bytes part = test::ToBytes("GET /unfinished");
  DecodedPacket packet;
  packet.protocol = kProtocolTcp;
  packet.has_ports = true;
  packet.payload = part;
  packet.payload_bytes = static_cast<std::uint32_t>(part.size());
  for (FlowSlot slot = 0; slot < 1000; ++slot) {
    EXPECT_TRUE(inspector.Inspect(slot, true, packet).wants_more);
    EXPECT_LE(inspector.Stats().active, 100u);
  }
  EXPECT_EQ(inspector.Stats().evicted, 900u);
  EXPECT_FALSE(inspector.Inspect(0, true, packet).wants_more) << "it was evicted";
  EXPECT_TRUE(inspector.Inspect(999, true, packet).wants_more);
  for (FlowSlot slot = 0; slot < 1000; ++slot) inspector.Finish(slot);
  EXPECT_EQ(inspector.Stats().active, 0u);
  EXPECT_EQ(inspector.Stats().buffered_bytes, 0u);
  EXPECT_EQ(inspector.Stats().given_up, 1000u);
}

TEST(ApplicationInspector, BufferedBytesStayBelowTheirCap) {
  auto inspector = ApplicationInspector::Create({.max_buffered_bytes = 100'000}).value();
  const test::Bytes part = test::ToBytes("GET /" + std::string(1400, 'x'));
  DecodedPacket packet;
  packet.protocol = kProtocolTcp;
  packet.has_ports = true;
  packet.payload = part;
  packet.payload_bytes = static_cast<std::uint32_t>(part.size());
  for (FlowSlot slot = 0; slot < 1000; ++slot) {
    inspector.Inspect(slot, true, packet);
    EXPECT_LE(inspector.Stats().buffered_bytes, 100'000u);
  }
  EXPECT_GT(inspector.Stats().evicted, 900u);
}

TEST(ApplicationInspector, MetadataStaysBelowItsCap) {
  auto inspector = ApplicationInspector::Create({.max_metadata_bytes = 100'000}).value();
  const test::Bytes request =
      test::ToBytes("GET /" + std::string(900, 'x') + " HTTP/1.1\r\nHost: a.example\r\n\r\n");
  DecodedPacket packet;
  packet.protocol = kProtocolTcp;
  packet.has_ports = true;
  packet.payload = request;
  packet.payload_bytes = static_cast<std::uint32_t>(request.size());
  for (FlowSlot slot = 0; slot < 1000; ++slot) inspector.Inspect(slot, true, packet);
  EXPECT_LE(inspector.Stats().metadata_bytes, 104'000u);
  EXPECT_GT(inspector.Stats().metadata_left_out, 0u);
  EXPECT_EQ(inspector.Stats().identified, 1000u);
  for (FlowSlot slot = 0; slot < 1000; ++slot) inspector.Finish(slot);
  EXPECT_EQ(inspector.Stats().metadata_bytes, 0u);
}

TEST(ApplicationInspector, RecordsThatWereGivenOutDoNotChange) {
  FlowTalk talk;
  talk.Client("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const FlowRecord before = talk.Record();
  talk.Server("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(before.metadata->Get(MetadataField::kHttpStatus), "");
  EXPECT_EQ(talk.Get(MetadataField::kHttpStatus), "200");
}

TEST(ApplicationInspector, SlotMayBeGivenToAnotherFlow) {
  FlowTalk talk;
  talk.Client("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  talk.End();
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPort);
  talk.Client("SSH-2.0-x\r\n");
  EXPECT_EQ(talk.Record().application, Application::kSsh);
  EXPECT_EQ(talk.Get(MetadataField::kHttpPath), "");
}

TEST(ApplicationInspector, OptionsOutOfRangeAreRefused) {
  EXPECT_FALSE(ApplicationInspector::Create({.max_packets = 0}).ok());
  EXPECT_FALSE(ApplicationInspector::Create({.max_bytes = 100'000}).ok());
  EXPECT_FALSE(ApplicationInspector::Create({.max_inspections = 0}).ok());
  EXPECT_FALSE(ApplicationInspector::Create({.max_buffered_bytes = 1}).ok());
  EXPECT_TRUE(ApplicationInspector::Create().ok());
}

}  // namespace
}  // namespace nta
