// score_edges FILE: lines `source destination tick` (integers, ticks in order); one score per line
// on stdout, computed before the next line is read. Higher is more anomalous.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "nta/detect/edge_scorer.h"
#include "usage.h"

namespace {

// Takes the next integer, and the space before it.
bool Take(std::string_view& text, std::uint64_t& value) {
  const std::size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "score_edges FILE\n"
      "Lines `source destination tick` (integers, ticks in order; - is standard input): one score "
      "per line,\n"
      "computed before the next line is read. Higher is more anomalous.";
  if (const auto status = AnswerUsage(argc, argv, 1, 1, kUsage)) return *status;
  std::ifstream file;
  const bool from_stdin = std::strcmp(argv[1], "-") == 0;
  if (!from_stdin) file.open(argv[1]);
  if (!from_stdin && !file) {
    std::fprintf(stderr, "score_edges: cannot open \"%s\": %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  std::istream& input = from_stdin ? std::cin : file;
  nta::EdgeScorer scorer;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    std::string_view text = line;
    std::uint64_t source = 0;
    std::uint64_t destination = 0;
    std::uint64_t tick = 0;
    if (!Take(text, source) || !Take(text, destination) || !Take(text, tick) ||
        text.find_first_not_of(" \t\r") != std::string_view::npos) {
      std::fprintf(stderr, "score_edges: line %zu is not `source destination tick`: \"%.60s\"\n",
                   number, line.c_str());
      return 1;
    }
    char score[32];
    const auto end =
        std::to_chars(score, score + sizeof score - 1, scorer.Add(source, destination, tick)).ptr;
    *end = '\n';
    std::fwrite(score, 1, static_cast<std::size_t>(end - score) + 1, stdout);
  }
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (input.bad() || !is_written) {
    std::fprintf(stderr, "score_edges: cannot %s\n",
                 is_written ? "read to the end" : "write to standard output");
    return 1;
  }
}
