// What a sink has been told, so that it is told nothing twice.
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_NEWS_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_NEWS_H_

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "target_sources/target_source.h"

namespace lockstep {

class News {
 public:
  explicit News(TargetSink& sink) : sink_(sink) {}

  void Tell(LoadedTarget loaded) {
    if (last_ == loaded.target) return;
    last_ = loaded.target;
    sink_.OnTarget(std::move(loaded));
  }

  // All there are now.
  void TellProblems(const std::vector<Error>& problems) {
    std::set<std::string> now;
    for (const Error& problem : problems) {
      const std::string text = Describe(problem);
      if (now.insert(text).second && !told_.contains(text)) sink_.OnProblem(problem);
    }
    const bool gone = now.empty() && !told_.empty();
    told_ = std::move(now);
    if (gone) sink_.OnProblemGone();
  }

 private:
  TargetSink& sink_;
  std::optional<Target> last_;
  std::set<std::string> told_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_NEWS_H_
