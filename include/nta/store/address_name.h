// AddressNames: by what addresses were known, and when.
//
//   auto names = store->Names({.addresses = {*nta::IpAddress::Parse("192.0.2.1")}});
//   for (const nta::AddressName& name : names->rows[0].names) std::cout << name.name << '\n';
#ifndef NTA_STORE_ADDRESS_NAME_H_
#define NTA_STORE_ADDRESS_NAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta {

// How a name came to an address. Whoever can forge answers on the network can forge names.
enum class NameOrigin : std::uint8_t {
  kKnownAs,   // DNS, DHCP, TLS or HTTP had named it when its flows ran
  kAskedFor,  // clients asked the address for it (TLS or QUIC server name, HTTP host)
};
std::string_view ToString(NameOrigin origin);  // "known_as", "asked_for"

// Flows carry the name that was valid when they ran: this one was so at least from the first to the
// last of them.
struct AddressName {
  std::string name;
  NameOrigin origin = NameOrigin::kKnownAs;
  Timestamp first_seen{};
  Timestamp last_seen{};

  friend bool operator==(const AddressName&, const AddressName&) = default;
};

struct NameQuery {
  Timestamp since{};  // flows that ran at since <= time < until
  Timestamp until = Timestamp::max();
  std::vector<IpAddress> addresses{};  // 1 to 64
  // Names of one address, 1 to 64. With 1 the newest flows are looked at first, and no others once
  // every address has a name.
  std::size_t limit = 64;
};

struct AddressNames {
  IpAddress address;
  // Those that it was known as before those that it was asked for, the latest first.
  std::vector<AddressName> names;
};

struct NameResult {
  std::vector<AddressNames> rows;  // one an address, in the order asked for
  // False when the time for the query ended first: older flows may know more names.
  bool complete = true;
};

}  // namespace nta

#endif  // NTA_STORE_ADDRESS_NAME_H_
