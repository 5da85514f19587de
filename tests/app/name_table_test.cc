#include "nta/app/name_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kNow{hours(24 * 365 * 50)};
const IpAddress kServer = IpAddress::V4(192, 0, 2, 7);

TEST(NameTable, FindsTheLatestNameOfAnAddress) {
  NameTable names;
  names.Learn(kServer, "old.example.com", NameSource::kDns, kNow, hours(1));
  names.Learn(kServer, "New.Example.COM.", NameSource::kTls, kNow + seconds(1), hours(1));
  const auto known = names.Find(kServer, kNow + seconds(2));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->name, "new.example.com");
  EXPECT_EQ(known->source, NameSource::kTls);
  EXPECT_EQ(known->expires, kNow + seconds(1) + hours(1));
  EXPECT_FALSE(names.Find(IpAddress::V4(192, 0, 2, 8), kNow));
}

TEST(NameTable, NameRunsOutWithItsTimeToLiveWithinTheLimits) {
  NameTable names({.min_validity = minutes(5), .max_validity = hours(2)});
  names.Learn(kServer, "a.example", NameSource::kDns, kNow, seconds(1));
  EXPECT_TRUE(names.Find(kServer, kNow + minutes(5)));
  EXPECT_FALSE(names.Find(kServer, kNow + minutes(5) + seconds(1)));
  names.Learn(kServer, "a.example", NameSource::kDns, kNow, hours(1000));
  EXPECT_TRUE(names.Find(kServer, kNow + hours(2)));
  EXPECT_FALSE(names.Find(kServer, kNow + hours(3)));
}

TEST(NameTable, NameThatAClientGaveItselfStays) {
  NameTable names;
  names.Learn(kServer, "laptop", NameSource::kDhcp, kNow, hours(1));
  names.Learn(kServer, "dyn-7.example.net", NameSource::kDns, kNow, hours(1));
  EXPECT_EQ(names.Find(kServer, kNow)->name, "laptop");
  names.Learn(kServer, "dyn-7.example.net", NameSource::kDns, kNow + hours(2), hours(1));
  EXPECT_EQ(names.Find(kServer, kNow + hours(2))->name, "dyn-7.example.net");
}

TEST(NameTable, NamesAreSafeToShow) {
  NameTable names;
  names.Learn(kServer, std::string("evil\0<b>\n\xFF", 10), NameSource::kDns, kNow, hours(1));
  EXPECT_EQ(names.Find(kServer, kNow)->name, "evil\uFFFD<b>\uFFFD\uFFFD");
  names.Learn(kServer, std::string(70'000, 'a'), NameSource::kDns, kNow, hours(1));
  EXPECT_EQ(names.Find(kServer, kNow)->name.size(), NameTable::kMaxNameBytes);
  names.Learn(kServer, "", NameSource::kDns, kNow, hours(1));
  EXPECT_EQ(names.Find(kServer, kNow)->name.size(), NameTable::kMaxNameBytes);
}

TEST(NameTable, StaysWithinItsBoundUnderAMillionAddresses) {
  NameTable names({.max_names = 4096, .hash_seed = 1});
  const std::string name(200, 'n');
  std::size_t largest = 0;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    const auto byte = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
    names.Learn(IpAddress::V4(10, byte(16), byte(8), byte(0)), name, NameSource::kDns, kNow,
                hours(1));
    if (i % 10'000 == 0) largest = std::max(largest, names.Stats().memory_bytes);
  }
  const NameTableStats stats = names.Stats();
  EXPECT_EQ(stats.names, 4096u);
  EXPECT_EQ(stats.learned, 1'000'000u);
  EXPECT_EQ(stats.evicted, 1'000'000u - 4096u);
  EXPECT_LT(stats.memory_bytes, 4096u * 400);
  EXPECT_LE(largest, stats.memory_bytes);
}

TEST(NameTable, ManyThreadsMayShareOne) {
  NameTable names({.max_names = 64});
  std::vector<std::jthread> threads;
  for (std::uint8_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&names, thread] {
      std::string name;
      for (int i = 0; i < 10'000; ++i) {
        const IpAddress address = IpAddress::V4(10, 0, thread, static_cast<std::uint8_t>(i));
        names.Learn(address, "host-" + std::to_string(i % 256), NameSource::kDns, kNow, hours(1));
        if (!names.FindInto(address, kNow, name)) continue;
        EXPECT_TRUE(name.starts_with("host-"));
      }
    });
  }
  threads.clear();
  EXPECT_LE(names.Stats().names, 64u);
}

}  // namespace
}  // namespace nta
