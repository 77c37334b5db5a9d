// The observed state sorted by app: what each app's plan is made from.
#ifndef LOCKSTEP_APP_FACTS_H_
#define LOCKSTEP_APP_FACTS_H_

#include <map>
#include <string>

#include "lockstep/observed_state.h"
#include "lockstep/target.h"
#include "service_view.h"

namespace lockstep {

// A container may carry only an app's numeric id where the target knows the uuid too.
class AppNames {
 public:
  explicit AppNames(const Target& target);
  const std::string& Uuid(const std::string& app) const;

 private:
  std::map<std::string, std::string> uuid_of_id_;
};

using FactsByApp = std::map<std::string, AppFacts>;

// Every app in current or target. The facts point into both, which must outlive them.
FactsByApp GatherFacts(const ObservedState& observed, const Target& target);

// What is remembered of one app, or what follows without a record.
AppRecord RecordOf(const ObservedState& observed, const Target& target, const std::string& app);

}  // namespace lockstep

#endif  // LOCKSTEP_APP_FACTS_H_
