// The published reference data of the Community ID specification (its baseline directory).
#include "nta/flow/community_id.h"

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

struct Vector {
  std::uint8_t protocol;
  std::string_view source;
  std::string_view destination;
  int source_port;  // ICMP: type; destination_port: code
  int destination_port;
  std::string_view id;
  std::string_view id_with_seed_1;
};

FlowRecord ToFlow(const Vector& vector) {
  FlowRecord flow;
  flow.protocol = vector.protocol;
  flow.source.address = Ip(vector.source);
  flow.destination.address = Ip(vector.destination);
  if (vector.protocol == kProtocolIcmp || vector.protocol == kProtocolIcmpV6) {
    flow.icmp = IcmpMessage{static_cast<std::uint8_t>(vector.source_port),
                            static_cast<std::uint8_t>(vector.destination_port)};
  } else {
    flow.source.port = static_cast<std::uint16_t>(vector.source_port);
    flow.destination.port = static_cast<std::uint16_t>(vector.destination_port);
  }
  return flow;
}

constexpr Vector kVectors[] = {
    {58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 0,
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 0,
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
     "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=", "1:lVEtCZpYu84Xqaa++3lXFyuu2n4="},
    {58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
     "1:hLZd0XGWojozrvxqE0dWB1iM6R0=", "1:W8MHwXpWzpoSTD+cGcaJr4u0ys8="},
    {58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0,
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 0,
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0,
     "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=", "1:L7Ka0ZMYu+J3bL4ulW2PrqyXNo8="},
    {58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0,
     "1:pkvHqCL88/tg1k4cPigmZXUtL00=", "1:K/ee5UCqAMAQXDorP5nSa2CGLjc="},
    {1, "192.168.0.89", "192.168.0.1", 8, 0,
     "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {1, "192.168.0.1", "192.168.0.89", 0, 0,
     "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {1, "10.0.0.1", "10.0.0.2", 11, 0,
     "1:YHxtAirCG//0OzkcVAukqKQN9xM=", "1:XjUibYHaafLQ3pxQeiMI8g25q20="},
    {6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=", "1:eJYTW6AOzFLlSUoESovMjnu7rMw="},
    {132, "192.168.170.8", "192.168.170.56", 7, 7,
     "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=", "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg="},
    {6, "128.232.110.120", "66.35.250.204", 34855, 80,
     "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {17, "192.168.1.52", "8.8.8.8", 54585, 53,
     "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
    {46, "10.1.12.1", "10.1.12.2", 0, 0,
     "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=", "1:rYir8gphR31noO9iDRQmF/BteEI="},
};

TEST(CommunityId, EqualsThePublishedOnes) {
  for (const Vector& vector : kVectors) {
    const FlowRecord flow = ToFlow(vector);
    EXPECT_EQ(CommunityId(flow), vector.id) << vector.source << ' ' << vector.source_port;
    EXPECT_EQ(CommunityId(flow, 1), vector.id_with_seed_1) << vector.source;
  }
}

TEST(CommunityId, OfAFlowIsThatOfTheFlowBack) {
  for (const Vector& vector : kVectors) {
    if (vector.protocol == kProtocolIcmp || vector.protocol == kProtocolIcmpV6) continue;
    FlowRecord flow = ToFlow(vector);
    std::swap(flow.source, flow.destination);
    EXPECT_EQ(CommunityId(flow), vector.id);
  }
}

TEST(CommunityId, ProtocolsWithoutPortsThereHaveNone) {
  FlowRecord flow = ToFlow(kVectors[0]);
  flow.icmp.reset();
  flow.protocol = kProtocolDccp;
  const std::string id = CommunityId(flow);
  flow.source.port = 7;
  EXPECT_EQ(CommunityId(flow), id);
}

}  // namespace
}  // namespace nta::test
