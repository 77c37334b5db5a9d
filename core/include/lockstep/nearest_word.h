// What somebody meant who wrote a name that is not known.
#ifndef LOCKSTEP_NEAREST_WORD_H_
#define LOCKSTEP_NEAREST_WORD_H_

#include <string_view>
#include <vector>

namespace lockstep {

// Of `known`, the word that `word` is most likely a slip of the pen for; empty where none is near.
std::string_view NearestWord(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace lockstep

#endif  // LOCKSTEP_NEAREST_WORD_H_
