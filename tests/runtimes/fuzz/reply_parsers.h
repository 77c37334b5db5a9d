// Everything that reads what an engine says, by name: what is fuzzed. A new one is a function and a
// row in reply_parsers.cc, and a folder of examples in corpus/.
#ifndef LOCKSTEP_TESTS_RUNTIMES_FUZZ_REPLY_PARSERS_H_
#define LOCKSTEP_TESTS_RUNTIMES_FUZZ_REPLY_PARSERS_H_

#include <span>
#include <string>
#include <string_view>

namespace lockstep::test {

struct ReplyParser {
  std::string_view name;  // Of its folder in corpus/, too.
  // Reads `reply` as the engine sent it, and judges what was read: empty where that may be, else
  // what is wrong with it.
  std::string (*judge)(std::string_view reply);
};

std::span<const ReplyParser> ReplyParsers();
const ReplyParser* FindReplyParser(std::string_view name);  // Null where there is none.

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_FUZZ_REPLY_PARSERS_H_
