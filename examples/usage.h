// AnswerUsage: --help, and wrong numbers of arguments, of a program without options.
#ifndef NTA_EXAMPLES_USAGE_H_
#define NTA_EXAMPLES_USAGE_H_

#include <cstdio>
#include <optional>
#include <string_view>

// The exit status, when there is nothing else to do: 0 after --help, 2 unless `least` <= arguments
// <= `most`.
inline std::optional<int> AnswerUsage(int argc, char** argv, int least, int most,
                                      const char* text) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::printf("usage: %s\n", text);
      return 0;
    }
  }
  if (argc - 1 >= least && argc - 1 <= most) return std::nullopt;
  std::fprintf(stderr, "usage: %s\n", text);
  return 2;
}

#endif  // NTA_EXAMPLES_USAGE_H_
