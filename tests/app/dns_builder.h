// DNS messages for tests.
#ifndef NTA_TESTS_APP_DNS_BUILDER_H_
#define NTA_TESTS_APP_DNS_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/hello_builder.h"

namespace nta::test {

// Labels and the root; "" is the root alone.
inline Bytes DnsNameBytes(std::string_view name) {
  Bytes out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    Put(out, Sized(ToBytes(label), 1));
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out.push_back(0);
  return out;
}

struct DnsRecordFields {
  Bytes name = {0xC0, 12};  // the question's
  int type = 1;
  Bytes data{};
  std::uint32_t time_to_live = 3600;
  int record_class = 1;
};

struct DnsFields {
  int flags = 0x0100;
  Bytes name = DnsNameBytes("www.example.com");
  int type = 1;
  std::vector<DnsRecordFields> answers{};
  int questions = 1;
  int claimed_answers = -1;
};

inline Bytes DnsMessage(const DnsFields& fields) {
  Bytes out;
  Put(out, 0x1234, 2);
  Put(out, static_cast<std::uint64_t>(fields.flags), 2);
  Put(out, static_cast<std::uint64_t>(fields.questions), 2);
  Put(out,
      fields.claimed_answers >= 0 ? static_cast<std::uint64_t>(fields.claimed_answers)
                                  : fields.answers.size(),
      2);
  Put(out, 0, 4);
  if (fields.questions > 0) {
    Put(out, fields.name);
    Put(out, static_cast<std::uint64_t>(fields.type), 2);
    Put(out, 1, 2);
  }
  for (const DnsRecordFields& record : fields.answers) {
    Put(out, record.name);
    Put(out, static_cast<std::uint64_t>(record.type), 2);
    Put(out, static_cast<std::uint64_t>(record.record_class), 2);
    Put(out, record.time_to_live, 4);
    Put(out, Sized(record.data, 2));
  }
  return out;
}

}  // namespace nta::test

#endif  // NTA_TESTS_APP_DNS_BUILDER_H_
