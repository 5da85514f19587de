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

TEST(ApplicationInspector, GivesUpAfterTheBoundAndReturnsItsMemory) {
  FlowTalk talk({.server_port = 9999});
  int shown = 0;
  while (shown < 100 && talk.Client("\x01 no protocol")) ++shown;
  EXPECT_EQ(shown, 9);
  const ApplicationInspectorStats stats = talk.inspector().Stats();
  EXPECT_EQ(stats.flows, 1u);
  EXPECT_EQ(stats.packets, 10u);
  EXPECT_EQ(stats.given_up, 1u);
  EXPECT_EQ(stats.active, 0u);
  EXPECT_EQ(stats.buffered_bytes, 0u);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kNone);
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
