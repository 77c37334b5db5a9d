// A yes or a no, as targets write it.
#ifndef LOCKSTEP_ANSWER_H_
#define LOCKSTEP_ANSWER_H_

#include <string_view>

namespace lockstep {

enum class Answer { kYes, kNo, kNeither };

// As balena-supervisor reads them: 1, true, on and 0, false, off, in any case.
Answer AnswerOf(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_ANSWER_H_
