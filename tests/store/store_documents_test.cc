#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "store/store_fixture.h"

namespace nta {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreDocuments : public StoreTest {};

Document Incident(const std::string& id, std::int64_t version = 0) {
  return {.kind = "incident", .id = id, .body = "{\"n\":1}", .updated = kEight, .version = version};
}

TEST_F(StoreDocuments, CountsTheVersionsOfWhatItKeeps) {
  const auto store = OpenStore();
  EXPECT_EQ(store->PutDocument(Incident("a"))->version, 1);
  Document changed = Incident("a", 1);
  changed.body = "changed";
  EXPECT_EQ(store->PutDocument(changed)->version, 2);
  const auto kept = OpenStore()->GetDocument("incident", "a");
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->version, 2);
  EXPECT_EQ(kept->body, "changed");
  EXPECT_EQ(kept->updated, kEight);
  EXPECT_EQ(store->PutDocument(Incident("a", Document::kAnyVersion))->version, 3);
}

TEST_F(StoreDocuments, RefuseAWriterWhoHasNotSeenTheLatest) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->PutDocument(Incident("a")).ok());
  EXPECT_EQ(store->PutDocument(Incident("a")).status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(store->PutDocument(Incident("a", 1)).ok());
  const absl::Status late = store->PutDocument(Incident("a", 1)).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(late.message()), HasSubstr("version 2, not 1"));
  EXPECT_EQ(store->PutDocument(Incident("b", 3)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->GetDocument("incident", "a")->version, 2);
}

TEST_F(StoreDocuments, PageThroughOneKindInOrder) {
  const auto store = OpenStore();
  for (const char* id : {"c", "a", "e", "b", "d"}) {
    ASSERT_TRUE(store->PutDocument(Incident(id)).ok());
  }
  ASSERT_TRUE(store->PutDocument({.kind = "rule", .id = "a"}).ok());
  std::vector<std::string> ids;
  DocumentQuery query{.kind = "incident", .limit = 2};
  do {
    const auto page = store->Documents(query);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->documents.size(), 2u);
    for (const Document& document : page->documents) ids.push_back(document.id);
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty());
  EXPECT_THAT(ids, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(store->Documents({.kind = "incident", .limit = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreDocuments, SayWhatIsMissingOrTooLarge) {
  const auto store = OpenStore();
  EXPECT_EQ(store->GetDocument("incident", "a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->RemoveDocument("incident", "a").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store->PutDocument(Incident("a")).ok());
  EXPECT_TRUE(store->RemoveDocument("incident", "a").ok());
  EXPECT_EQ(store->GetDocument("incident", "a").status().code(), absl::StatusCode::kNotFound);
  Document large = Incident("large");
  large.body.assign((4 << 20) + 1, 'x');
  EXPECT_EQ(store->PutDocument(large).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->PutDocument(Incident("")).status().code(), absl::StatusCode::kInvalidArgument);
}

class StoreSamples : public StoreTest {};

TEST_F(StoreSamples, GiveMinimumMeanAndMaximumOfEachStep) {
  const auto store = OpenStore();
  const std::vector<Sample> samples = {{"cpu", At(0s), 1},    {"cpu", At(10s), 5},
                                       {"cpu", At(50s), 3},   {"cpu", At(130s), 7},
                                       {"memory", At(1s), 8}, {"cpu", At(10s), 2}};
  ASSERT_TRUE(store->WriteSamples(samples).ok());
  const auto lines =
      store->Samples({.names = {"memory", "cpu", "none"}, .since = kEight, .until = At(200s)});
  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ((*lines)[0].name, "memory");
  EXPECT_THAT((*lines)[1].points,
              ElementsAre(SamplePoint{At(0s), 3, 1, 2, 3}, SamplePoint{At(120s), 1, 7, 7, 7}));
  EXPECT_TRUE((*lines)[2].points.empty());
  EXPECT_THAT(*store->SampleNames(), ElementsAre("cpu", "memory"));
}

TEST_F(StoreSamples, WidenTheIntervalToWholeSteps) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->WriteSamples(std::vector<Sample>{{"a", At(5s), 1}, {"a", At(115s), 2}}).ok());
  const auto lines = store->Samples({.names = {"a"}, .since = At(30s), .until = At(61s)});
  ASSERT_TRUE(lines.ok());
  EXPECT_THAT((*lines)[0].points,
              ElementsAre(SamplePoint{At(0s), 1, 1, 1, 1}, SamplePoint{At(60s), 1, 2, 2, 2}));
  const auto all = store->Samples({.names = {"a"}});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ((*all)[0].points.size(), 2u);
}

TEST_F(StoreSamples, AreWrittenAllOrNotAtAll) {
  const auto store = OpenStore();
  const std::vector<Sample> samples = {{"a", At(0s), 1},
                                       {"a", At(1s), std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(store->WriteSamples(samples).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(store->SampleNames()->empty());
}

TEST_F(StoreSamples, GoByAge) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->WriteSamples(std::vector<Sample>{{"a", At(-5h), 1}, {"a", At(0s), 2}}).ok());
  const auto result = store->Retain({.sample_age = 2h}, kEight);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->samples_deleted, 1u);
  EXPECT_EQ((*store->Samples({.names = {"a"}}))[0].points.size(), 1u);
}

TEST_F(StoreSamples, RefuseQueriesWithoutBounds) {
  const auto store = OpenStore();
  EXPECT_EQ(store->Samples({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->Samples({.names = {"a"}, .step = 0s}).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::vector<Sample> many;
  for (int i = 0; i <= 10'000; ++i) many.push_back({"a", At(i * 1s), 1});
  ASSERT_TRUE(store->WriteSamples(many).ok());
  EXPECT_EQ(store->Samples({.names = {"a"}, .step = 1s}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta
