// By what addresses were known, and when, out of the flows of a store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

FlowRecord Named(FlowRecord flow, MetadataField field, std::string_view name,
                 Application application = Application::kTls) {
  FlowMetadata metadata = flow.metadata ? *flow.metadata : FlowMetadata();
  metadata.Set(field, name);
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  flow.application = application;
  return flow;
}

FlowRecord At8(Duration after, IpAddress a = kClient, IpAddress b = kServer) {
  return TcpFlow(At(after), seconds(10), a, b);
}

class StoreNames : public StoreTest {
 protected:
  std::vector<AddressName> NamesOf(const Store& store, const IpAddress& address,
                                   NameQuery query = {}) {
    query.addresses = {address};
    const auto result = store.Names(query);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->rows.at(0).names : std::vector<AddressName>();
  }
};

TEST_F(StoreNames, AreThoseThatFlowsOfEitherSideCarry) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows{
      Named(At8(minutes(0)), MetadataField::kDestinationName, "web.example"),
      Named(At8(minutes(5)), MetadataField::kDestinationName, "web.example"),
      Named(At8(minutes(3)), MetadataField::kServerName, "shop.example"),
      Named(At8(minutes(1), kServer, kClient), MetadataField::kSourceName, "web.lan"),
      Named(At8(minutes(2)), MetadataField::kServerName, "asked.example", Application::kDns)};
  ASSERT_TRUE(store->Write(flows, {}).ok());
  EXPECT_THAT(NamesOf(*store, kServer),
              ElementsAre(AddressName{"web.example", NameOrigin::kKnownAs, kEight,
                                      At(minutes(5) + seconds(10))},
                          AddressName{"web.lan", NameOrigin::kKnownAs, At(minutes(1)),
                                      At(minutes(1) + seconds(10))},
                          AddressName{"shop.example", NameOrigin::kAskedFor, At(minutes(3)),
                                      At(minutes(3) + seconds(10))}));
  EXPECT_THAT(NamesOf(*store, kClient), IsEmpty()) << "a DNS query names whom it asks about";
}

TEST_F(StoreNames, OfAnIntervalAreThoseOfItsFlows) {
  const auto store = OpenStore();
  // Over days, so that older ones lie in blocks of their own and are found step by step.
  std::vector<FlowRecord> flows;
  for (int day = 0; day < 6; ++day) {
    for (int i = 0; i < 100; ++i) {
      flows.push_back(Named(At8(hours(24 * day) + minutes(i)), MetadataField::kDestinationName,
                            "day" + std::to_string(day) + ".example"));
    }
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  ASSERT_EQ(NamesOf(*store, kServer).size(), 6u);
  EXPECT_EQ(NamesOf(*store, kServer)[5].name, "day0.example");
  EXPECT_EQ(NamesOf(*store, kServer)[5].first_seen, kEight);
  const auto of_two_days =
      NamesOf(*store, kServer, {.since = At(hours(24)), .until = At(hours(24 * 2) + minutes(1))});
  ASSERT_EQ(of_two_days.size(), 2u);
  EXPECT_EQ(of_two_days[0].name, "day2.example");
  EXPECT_EQ(of_two_days[1].name, "day1.example");
  const auto latest = NamesOf(*store, kServer, {.limit = 1});
  ASSERT_EQ(latest.size(), 1u);
  EXPECT_EQ(latest[0].name, "day5.example");
}

TEST_F(StoreNames, OfManyAddressesComeInTheOrderAskedFor) {
  const auto store = OpenStore();
  const FlowRecord flow = Named(At8(minutes(0)), MetadataField::kDestinationName, "web.example");
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  const auto result = store->Names({.addresses = {kClient, kServer}, .limit = 1});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->complete);
  ASSERT_EQ(result->rows.size(), 2u);
  EXPECT_EQ(result->rows[0].address, kClient);
  EXPECT_THAT(result->rows[0].names, IsEmpty());
  EXPECT_EQ(result->rows[1].names.at(0).name, "web.example");
}

TEST_F(StoreNames, StayBoundedWhoeverChoosesThem) {
  const auto store = OpenStore();
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<FlowRecord> flows;
    for (int i = 0; i < 1'000; ++i) {
      flows.push_back(Named(At8(seconds(batch * 1'000 + i)), MetadataField::kServerName,
                            "n" + std::to_string(batch * 1'000 + i) + ".example"));
    }
    ASSERT_TRUE(store->Write(flows, {}).ok());
  }
  const auto names = NamesOf(*store, kServer);
  ASSERT_EQ(names.size(), 64u);
  EXPECT_EQ(names[0].name, "n3999.example");
  EXPECT_EQ(names[63].name, "n3936.example") << "the latest ones stay";
}

TEST_F(StoreNames, OfNobodyOrOfTooManyAreRefused) {
  const auto store = OpenStore();
  EXPECT_EQ(store->Names({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->Names({.addresses = std::vector<IpAddress>(65, kClient)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->Names({.addresses = {kClient}, .limit = 65}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(store->Names({.addresses = {kClient}})->rows.at(0).names.empty());
}

TEST_F(StoreNames, FiltersByNameFingerprintAndEvidenceSelectWhatTheRecordsSay) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows = RandomFlows(31).Take(2'000);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (i % 7 == 0) {
      flows[i] = Named(flows[i], MetadataField::kDestinationName,
                       "d" + std::to_string(i % 5) + ".example");
    }
    if (i % 11 == 0) flows[i] = Named(flows[i], MetadataField::kSourceName, "s.example");
    constexpr MetadataField kFingerprints[] = {MetadataField::kJa3, MetadataField::kJa3s,
                                               MetadataField::kJa4, MetadataField::kHassh,
                                               MetadataField::kHasshServer};
    if (i % 3 == 0) flows[i] = Named(flows[i], kFingerprints[i % 5], "t1" + std::to_string(i % 4));
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  for (const char* text :
       {"name=*.example", "name=s.example", "source_name=s.*", "destination_name in (d1.example)",
        "name!=*", "evidence=port", "evidence in (payload,name)", "evidence!=none and name=d*",
        "category=web and evidence=port", "ja3=t11", "ja3s in (t10,t12)", "ja4=T1*", "hassh!=t13",
        "hassh_server=t1* and not hassh_server=t12", "ja4=t10 or hassh=*"}) {
    const FlowFilter filter = *FlowFilter::Parse(text);
    const auto expected = static_cast<std::uint64_t>(std::count_if(
        flows.begin(), flows.end(), [&](const FlowRecord& flow) { return filter.Matches(flow); }));
    const auto top = store->Top({.filter = filter});
    ASSERT_TRUE(top.ok()) << top.status();
    EXPECT_EQ(top->total.flows, expected) << text;
    EXPECT_GT(expected, 0u) << text;
    EXPECT_LT(expected, flows.size()) << text;
  }
}

}  // namespace
}  // namespace nta
