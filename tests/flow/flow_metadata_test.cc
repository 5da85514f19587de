#include "nta/flow/flow_metadata.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>

#include "support/hostile_texts.h"

namespace nta {
namespace {

std::map<MetadataField, std::string> FieldsOf(const FlowMetadata& metadata) {
  std::map<MetadataField, std::string> fields;
  for (const auto& [field, value] : metadata.entries()) {
    EXPECT_TRUE(fields.empty() || fields.rbegin()->first < field) << "not in order";
    fields.emplace(field, value);
  }
  return fields;
}

TEST(FlowMetadata, KeepsWhatWasSetLastInTheOrderOfTheFields) {
  FlowMetadata metadata;
  EXPECT_TRUE(metadata.empty());
  metadata.Set(MetadataField::kRequest, "GET");
  metadata.Set(MetadataField::kServerName, "a.example");
  metadata.Set(MetadataField::kRequest, "a longer request than before");
  EXPECT_EQ(metadata.Get(MetadataField::kServerName), "a.example");
  EXPECT_EQ(metadata.Get(MetadataField::kRequest), "a longer request than before");
  EXPECT_EQ(metadata.Get(MetadataField::kAlpn), "");
  metadata.Set(MetadataField::kServerName, "");
  EXPECT_EQ(FieldsOf(metadata).size(), 1u);
  metadata.Set(MetadataField::kRequest, "");
  EXPECT_TRUE(metadata.empty());
}

// Against the obvious way of doing it, with values from nothing to too long.
TEST(FlowMetadata, IsAMapWhateverIsSetAndCopied) {
  std::mt19937 random(7);
  const auto all = MetadataFields();
  for (int round = 0; round < 200; ++round) {
    FlowMetadata metadata;
    std::map<MetadataField, std::string> model;
    for (int step = 0; step < 60; ++step) {
      const MetadataField field = all[random() % all.size()];
      const std::size_t size = random() % 8 == 0 ? random() % 1500 : random() % 40;
      const std::string value(size, static_cast<char>('a' + random() % 26));
      metadata.Set(field, value);
      const bool has_room = model.size() < FlowMetadata::kMaxFields || model.contains(field);
      if (value.empty()) {
        model.erase(field);
      } else if (has_room) {
        model[field] = value.substr(0, FlowMetadata::kMaxValueBytes);
      }
      if (step % 16 == 0) {
        const FlowMetadata copy = metadata;
        EXPECT_EQ(copy, metadata);
        metadata = FlowMetadata();
        metadata.Set(MetadataField::kAlpn, "something else");
        metadata = copy;
      } else if (step % 16 == 8) {
        FlowMetadata moved = std::move(metadata);
        metadata = std::move(moved);
      }
      ASSERT_EQ(FieldsOf(metadata), model);
    }
    EXPECT_LE(metadata.memory_bytes(),
              sizeof(FlowMetadata) + FlowMetadata::kMaxFields * (FlowMetadata::kMaxValueBytes + 4));
  }
}

TEST(FlowMetadata, ValuesAreSafeToShowAndBounded) {
  FlowMetadata metadata;
  metadata.Set(MetadataField::kServerName, std::string("a\0<b>\n\xFF", 7));
  EXPECT_EQ(metadata.Get(MetadataField::kServerName), "a\uFFFD<b>\uFFFD\uFFFD");
  metadata.Set(MetadataField::kServerName, std::string(70'000, 'a'));
  EXPECT_EQ(metadata.Get(MetadataField::kServerName).size(), FlowMetadata::kMaxValueBytes);
}

TEST(FlowMetadata, WhateverAStrangerSendsIsFitToShow) {
  for (const std::string& text : test::HostileTexts()) {
    for (const MetadataField field : MetadataFields()) {
      FlowMetadata metadata;
      metadata.Set(field, text);
      EXPECT_TRUE(test::IsFitToShow(metadata.Get(field))) << ToString(field);
      EXPECT_FALSE(metadata.Get(field).empty());
    }
  }
}

TEST(FlowMetadata, AValueOfItsOwnCanBeSetElsewhere) {
  FlowMetadata metadata;
  metadata.Set(MetadataField::kRequest, std::string(200, 'r'));
  metadata.Set(MetadataField::kServerName, metadata.Get(MetadataField::kRequest));
  EXPECT_EQ(metadata.Get(MetadataField::kServerName), std::string(200, 'r'));
  EXPECT_EQ(metadata.Get(MetadataField::kRequest), std::string(200, 'r'));
}

TEST(FlowMetadata, ATlsConnectionNeedsNoMemoryBesideItself) {
  FlowMetadata metadata;
  metadata.Set(MetadataField::kServerName, "host17.some.example.com");
  metadata.Set(MetadataField::kDestinationName, "host17.some.example.com");
  metadata.Set(MetadataField::kTlsVersion, "TLS 1.3");
  metadata.Set(MetadataField::kAlpn, "h2,http/1.1");
  metadata.Set(MetadataField::kCipher, "TLS_AES_128_GCM_SHA256");
  for (const auto field : {MetadataField::kJa3, MetadataField::kJa3s}) {
    metadata.Set(field, std::string(32, 'f'));
  }
  metadata.Set(MetadataField::kJa4, std::string(36, 'f'));
  EXPECT_EQ(metadata.memory_bytes(), sizeof(FlowMetadata));
}

}  // namespace
}  // namespace nta
