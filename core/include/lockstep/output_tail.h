// OutputTail: the last of what a program printed, made fit to be shown.
#ifndef LOCKSTEP_OUTPUT_TAIL_H_
#define LOCKSTEP_OUTPUT_TAIL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// Not thread-safe. Its memory is bounded, however much is added.
class OutputTail {
 public:
  static constexpr std::size_t kMostLines = 20;
  static constexpr std::size_t kMostBytes = 4096;  // Of all lines together.

  void Add(std::string_view piece);

  // The last lines, whole: of a single one that is too long the end, after "...". They are UTF-8
  // without control characters: colours and other orders to a terminal are left out, what a
  // carriage return would overwrite too, and the rest is made visible ("\x07"). Bytes that are no
  // UTF-8 are U+FFFD. Empty lines at the end are left out.
  std::vector<std::string> Lines() const;

 private:
  std::string kept_;
  bool cut_ = false;  // Something came before `kept_`.
};

}  // namespace lockstep

#endif  // LOCKSTEP_OUTPUT_TAIL_H_
