// Replies as an engine should never send them, made from such as it sends.
#ifndef LOCKSTEP_TESTS_RUNTIMES_FUZZ_DAMAGE_H_
#define LOCKSTEP_TESTS_RUNTIMES_FUZZ_DAMAGE_H_

#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace lockstep::test {

using Attempt = std::function<void(const std::string& damaged)>;

// Each value of the JSON in `text` (of each line, where it is lines) is left out, is there twice,
// and is replaced by values of every type, by such as overflow and by what is no JSON. Places that
// are in `done` already are left out; a place is its keys, whatever the index in a list.
void DamageEachValue(const std::string& text, std::set<std::string>& done, const Attempt& attempt);

// `text` with some of its bytes turned, cut out, doubled, or taken from `other`.
std::string DamageBytes(std::string text, std::string_view other, std::mt19937_64& random);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_FUZZ_DAMAGE_H_
