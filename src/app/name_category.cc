#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "app/guesses.h"

namespace nta::internal {
namespace {

using enum ApplicationCategory;

struct SiteRow {
  std::string_view suffix;  // whole labels, lower case
  ApplicationCategory category;
};

// Sites that most networks see, each by the domains it serves its content from.
constexpr auto kSites = std::to_array<SiteRow>({
    // Video and television.
    {"youtube.com", kVideo},
    {"googlevideo.com", kVideo},
    {"ytimg.com", kVideo},
    {"youtu.be", kVideo},
    {"netflix.com", kVideo},
    {"nflxvideo.net", kVideo},
    {"nflximg.net", kVideo},
    {"nflxso.net", kVideo},
    {"nflxext.com", kVideo},
    {"twitch.tv", kVideo},
    {"ttvnw.net", kVideo},
    {"jtvnw.net", kVideo},
    {"vimeo.com", kVideo},
    {"vimeocdn.com", kVideo},
    {"dailymotion.com", kVideo},
    {"dmcdn.net", kVideo},
    {"hulu.com", kVideo},
    {"hulustream.com", kVideo},
    {"disneyplus.com", kVideo},
    {"dssott.com", kVideo},
    {"primevideo.com", kVideo},
    {"aiv-cdn.net", kVideo},
    {"max.com", kVideo},
    {"hbomax.com", kVideo},
    {"bilibili.com", kVideo},
    {"iqiyi.com", kVideo},
    {"youku.com", kVideo},
    {"tiktokv.com", kVideo},
    // Music.
    {"spotify.com", kMusic},
    {"scdn.co", kMusic},
    {"spotifycdn.com", kMusic},
    {"soundcloud.com", kMusic},
    {"sndcdn.com", kMusic},
    {"deezer.com", kMusic},
    {"dzcdn.net", kMusic},
    {"pandora.com", kMusic},
    {"tidal.com", kMusic},
    {"music.apple.com", kMusic},
    {"last.fm", kMusic},
    // Social networks.
    {"facebook.com", kSocial},
    {"facebook.net", kSocial},
    {"fbcdn.net", kSocial},
    {"fb.com", kSocial},
    {"instagram.com", kSocial},
    {"cdninstagram.com", kSocial},
    {"twitter.com", kSocial},
    {"x.com", kSocial},
    {"twimg.com", kSocial},
    {"t.co", kSocial},
    {"linkedin.com", kSocial},
    {"licdn.com", kSocial},
    {"reddit.com", kSocial},
    {"redd.it", kSocial},
    {"redditstatic.com", kSocial},
    {"redditmedia.com", kSocial},
    {"pinterest.com", kSocial},
    {"pinimg.com", kSocial},
    {"tiktok.com", kSocial},
    {"tiktokcdn.com", kSocial},
    {"snapchat.com", kSocial},
    {"sc-cdn.net", kSocial},
    {"tumblr.com", kSocial},
    {"vk.com", kSocial},
    {"weibo.com", kSocial},
    {"mastodon.social", kSocial},
    {"bsky.app", kSocial},
    {"threads.net", kSocial},
    // Messages.
    {"whatsapp.com", kMessaging},
    {"whatsapp.net", kMessaging},
    {"telegram.org", kMessaging},
    {"t.me", kMessaging},
    {"signal.org", kMessaging},
    {"whispersystems.org", kMessaging},
    {"slack.com", kMessaging},
    {"slack-edge.com", kMessaging},
    {"slack-msgs.com", kMessaging},
    {"discord.com", kMessaging},
    {"discord.gg", kMessaging},
    {"discordapp.com", kMessaging},
    {"discordapp.net", kMessaging},
    {"messenger.com", kMessaging},
    {"viber.com", kMessaging},
    {"line.me", kMessaging},
    {"wechat.com", kMessaging},
    {"weixin.qq.com", kMessaging},
    {"matrix.org", kMessaging},
    {"threema.ch", kMessaging},
    // Calls and conferences.
    {"zoom.us", kVoice},
    {"zoom.com", kVoice},
    {"teams.microsoft.com", kVoice},
    {"teams.live.com", kVoice},
    {"skype.com", kVoice},
    {"webex.com", kVoice},
    {"meet.google.com", kVoice},
    {"facetime.apple.com", kVoice},
    {"jitsi.net", kVoice},
    {"meet.jit.si", kVoice},
    {"gotomeeting.com", kVoice},
    // Games.
    {"steampowered.com", kGaming},
    {"steamcontent.com", kGaming},
    {"steamcommunity.com", kGaming},
    {"steamstatic.com", kGaming},
    {"steamserver.net", kGaming},
    {"epicgames.com", kGaming},
    {"playstation.com", kGaming},
    {"playstation.net", kGaming},
    {"xboxlive.com", kGaming},
    {"xbox.com", kGaming},
    {"battle.net", kGaming},
    {"blizzard.com", kGaming},
    {"riotgames.com", kGaming},
    {"leagueoflegends.com", kGaming},
    {"ea.com", kGaming},
    {"roblox.com", kGaming},
    {"rbxcdn.com", kGaming},
    {"minecraft.net", kGaming},
    {"mojang.com", kGaming},
    {"nintendo.net", kGaming},
    // Updates.
    {"windowsupdate.com", kSoftwareUpdate},
    {"update.microsoft.com", kSoftwareUpdate},
    {"delivery.mp.microsoft.com", kSoftwareUpdate},
    {"swcdn.apple.com", kSoftwareUpdate},
    {"swscan.apple.com", kSoftwareUpdate},
    {"updates.cdn-apple.com", kSoftwareUpdate},
    {"updates-http.cdn-apple.com", kSoftwareUpdate},
    {"mesu.apple.com", kSoftwareUpdate},
    {"dl.google.com", kSoftwareUpdate},
    {"update.googleapis.com", kSoftwareUpdate},
    {"archive.ubuntu.com", kSoftwareUpdate},
    {"security.ubuntu.com", kSoftwareUpdate},
    {"changelogs.ubuntu.com", kSoftwareUpdate},
    {"deb.debian.org", kSoftwareUpdate},
    {"security.debian.org", kSoftwareUpdate},
    {"ftp.debian.org", kSoftwareUpdate},
    {"mirrors.fedoraproject.org", kSoftwareUpdate},
    {"mirrorlist.centos.org", kSoftwareUpdate},
    {"aus5.mozilla.org", kSoftwareUpdate},
    {"download.mozilla.org", kSoftwareUpdate},
    {"snapcraft.io", kSoftwareUpdate},
    {"cdn.redhat.com", kSoftwareUpdate},
    {"dl-cdn.alpinelinux.org", kSoftwareUpdate},
    // Clouds and storage.
    {"amazonaws.com", kCloud},
    {"azure.com", kCloud},
    {"azure.net", kCloud},
    {"core.windows.net", kCloud},
    {"azurewebsites.net", kCloud},
    {"cloudapp.net", kCloud},
    {"storage.googleapis.com", kCloud},
    {"run.app", kCloud},
    {"appspot.com", kCloud},
    {"dropbox.com", kCloud},
    {"dropboxusercontent.com", kCloud},
    {"dropboxapi.com", kCloud},
    {"drive.google.com", kCloud},
    {"docs.google.com", kCloud},
    {"onedrive.com", kCloud},
    {"onedrive.live.com", kCloud},
    {"sharepoint.com", kCloud},
    {"office.com", kCloud},
    {"office365.com", kCloud},
    {"office.net", kCloud},
    {"icloud.com", kCloud},
    {"icloud-content.com", kCloud},
    {"box.com", kCloud},
    {"digitaloceanspaces.com", kCloud},
    {"backblazeb2.com", kCloud},
    {"github.com", kCloud},
    {"githubusercontent.com", kCloud},
    {"gitlab.com", kCloud},
    // Mail.
    {"mail.google.com", kMail},
    {"gmail.com", kMail},
    {"outlook.com", kMail},
    {"outlook.office.com", kMail},
    {"outlook.office365.com", kMail},
    {"mail.yahoo.com", kMail},
    {"proton.me", kMail},
    {"protonmail.com", kMail},
    {"gmx.net", kMail},
    {"mail.ru", kMail},
    // Advertising and measuring.
    {"doubleclick.net", kAdvertising},
    {"googlesyndication.com", kAdvertising},
    {"googleadservices.com", kAdvertising},
    {"google-analytics.com", kAdvertising},
    {"googletagmanager.com", kAdvertising},
    {"googletagservices.com", kAdvertising},
    {"adnxs.com", kAdvertising},
    {"criteo.com", kAdvertising},
    {"criteo.net", kAdvertising},
    {"taboola.com", kAdvertising},
    {"outbrain.com", kAdvertising},
    {"scorecardresearch.com", kAdvertising},
    {"amazon-adsystem.com", kAdvertising},
    {"rubiconproject.com", kAdvertising},
    {"pubmatic.com", kAdvertising},
    {"openx.net", kAdvertising},
    {"casalemedia.com", kAdvertising},
    {"adsrvr.org", kAdvertising},
    {"moatads.com", kAdvertising},
    {"quantserve.com", kAdvertising},
    {"hotjar.com", kAdvertising},
    {"segment.io", kAdvertising},
    {"mixpanel.com", kAdvertising},
    {"app-measurement.com", kAdvertising},
    // Private networks.
    {"nordvpn.com", kVpn},
    {"expressvpn.com", kVpn},
    {"protonvpn.com", kVpn},
    {"mullvad.net", kVpn},
    {"surfshark.com", kVpn},
    {"tailscale.com", kVpn},
    {"torproject.org", kVpn},
    // Names over the web.
    {"dns.google", kNameResolution},
    {"cloudflare-dns.com", kNameResolution},
    {"one.one.one.one", kNameResolution},
    {"dns.quad9.net", kNameResolution},
    {"dns.nextdns.io", kNameResolution},
    {"doh.opendns.com", kNameResolution},
    {"dns.adguard.com", kNameResolution},
    // Remote help.
    {"teamviewer.com", kRemoteAccess},
    {"anydesk.com", kRemoteAccess},
    {"net.anydesk.com", kRemoteAccess},
    {"rustdesk.com", kRemoteAccess},
    // Signing in.
    {"accounts.google.com", kAuthentication},
    {"login.microsoftonline.com", kAuthentication},
    {"login.live.com", kAuthentication},
    {"okta.com", kAuthentication},
    {"auth0.com", kAuthentication},
    {"duosecurity.com", kAuthentication},
});

// Names are hashed from their end, so that all suffixes of one come out of one pass.
constexpr std::uint32_t kNoSuffix = 2'166'136'261;
constexpr std::uint32_t HashBefore(char c, std::uint32_t hash) {
  return (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619;
}
constexpr std::uint32_t HashOf(std::string_view suffix) {
  std::uint32_t hash = kNoSuffix;
  for (std::size_t i = suffix.size(); i > 0; --i) hash = HashBefore(suffix[i - 1], hash);
  return hash;
}

// A hash table with open addressing, four places for each row: 0 is a free place, otherwise the
// row's index and 1.
constexpr std::size_t kPlaces = std::bit_ceil(kSites.size() * 4);
constexpr std::size_t PlaceOf(std::uint32_t hash) { return (hash ^ hash >> 15) % kPlaces; }
constexpr auto kTable = [] {
  std::array<std::uint16_t, kPlaces> table{};
  for (std::size_t i = 0; i < kSites.size(); ++i) {
    std::size_t place = PlaceOf(HashOf(kSites[i].suffix));
    while (table[place] != 0) {
      if (kSites[table[place] - 1u].suffix == kSites[i].suffix) throw "a suffix stands twice";
      place = (place + 1) % kPlaces;
    }
    table[place] = static_cast<std::uint16_t>(i + 1);
  }
  return table;
}();

// The last two labels of every suffix, or all of a shorter one, in a set of bits: a name whose own
// are not in it is none of these sites.
constexpr std::size_t kTailBits = 4096;
constexpr std::size_t TailBitOf(std::uint32_t hash) { return (hash ^ hash >> 13) % kTailBits; }
constexpr std::string_view TailOf(std::string_view suffix) {
  const std::size_t dot = suffix.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return suffix;
  const std::size_t before = suffix.rfind('.', dot - 1);
  return before == std::string_view::npos ? suffix : suffix.substr(before + 1);
}
constexpr auto kTails = [] {
  std::array<std::uint64_t, kTailBits / 64> bits{};
  for (const SiteRow& row : kSites) {
    const std::size_t bit = TailBitOf(HashOf(TailOf(row.suffix)));
    bits[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  return bits;
}();
bool MayBeTail(std::uint32_t hash) {
  const std::size_t bit = TailBitOf(hash);
  return (kTails[bit / 64] >> bit % 64 & 1) != 0;
}

constexpr std::size_t kMaxSuffixBytes = [] {
  std::size_t longest = 0;
  for (const SiteRow& row : kSites) longest = std::max(longest, row.suffix.size());
  return longest;
}();

ApplicationCategory CategoryOfSuffix(std::string_view suffix, std::uint32_t hash) {
  for (std::size_t place = PlaceOf(hash); kTable[place] != 0; place = (place + 1) % kPlaces) {
    const SiteRow& row = kSites[kTable[place] - 1u];
    if (row.suffix == suffix) return row.category;
  }
  return kUnknown;
}

}  // namespace

ApplicationCategory CategoryOfName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  // What lies before the longest suffix that we know does not matter.
  std::array<char, kMaxSuffixBytes> lower;
  ApplicationCategory category = kUnknown;
  std::uint32_t hash = kNoSuffix;
  int labels = 0;
  for (std::size_t size = 1; size <= std::min(name.size(), lower.size()); ++size) {
    const char c = name[name.size() - size];
    char* const begin = lower.data() + lower.size() - size;
    *begin = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    hash = HashBefore(*begin, hash);
    const bool is_whole = size == name.size() || name[name.size() - size - 1] == '.';
    if (!is_whole) continue;
    if (++labels == 2 && !MayBeTail(hash)) return category;
    const ApplicationCategory found = CategoryOfSuffix({begin, size}, hash);
    if (found != kUnknown) category = found;  // a longer one says more
  }
  return category;
}

}  // namespace nta::internal
