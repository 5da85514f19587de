// DnsTunnelScore(): does a queried name carry data?
//
//   if (nta::DnsTunnelScore("q+Z8BHwcBA.example.org") > 0.5) ...
#ifndef NTA_DETECT_NAME_SCORE_H_
#define NTA_DETECT_NAME_SCORE_H_

#include <string>
#include <string_view>

namespace nta {

// The part of a name that somebody registered: "example.co.uk" of "www.example.co.uk", the whole
// name when it has no more labels. Uses a short rule for suffixes of two labels, not the public
// suffix list. A view into `name`, without a final dot.
std::string_view RegisteredDomain(std::string_view name);

// 0 to 1: how much the labels before the registered domain look like encoded data rather than like
// a name that people made. A logistic model with fixed weights (docs/detection.md) on length,
// characters, mixture of digits and letters, case, and entropy; it was not trained on any data set.
// Reverse look-ups (in-addr.arpa, ip6.arpa) and service names (_ldap._tcp) are names.
double DnsTunnelScore(std::string_view name);

}  // namespace nta

#endif  // NTA_DETECT_NAME_SCORE_H_
