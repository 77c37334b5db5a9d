#include "answer.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace lockstep {

Answer AnswerOf(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "1" || lower == "true" || lower == "on") return Answer::kYes;
  if (lower == "0" || lower == "false" || lower == "off") return Answer::kNo;
  return Answer::kNeither;
}

}  // namespace lockstep
