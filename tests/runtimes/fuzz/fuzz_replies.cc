// The parser that LOCKSTEP_FUZZ names, under libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "reply_parsers.h"

namespace {

const lockstep::test::ReplyParser& Chosen() {
  const char* name = std::getenv("LOCKSTEP_FUZZ");
  const auto* parser = lockstep::test::FindReplyParser(name == nullptr ? "" : name);
  if (parser == nullptr) {
    std::fputs("LOCKSTEP_FUZZ names no parser; there are:", stderr);
    for (const auto& each : lockstep::test::ReplyParsers()) {
      std::fprintf(stderr, " %s", std::string(each.name).c_str());
    }
    std::fputs("\n", stderr);
    std::exit(2);
  }
  return *parser;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& parser = Chosen();
  const std::string wrong = parser.judge({reinterpret_cast<const char*>(data), size});
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}
