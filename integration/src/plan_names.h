// What the things of one plan are called on a page about it: short, harmless to a terminal, and no
// two different ones alike.
#ifndef LOCKSTEP_INTEGRATION_PLAN_NAMES_H_
#define LOCKSTEP_INTEGRATION_PLAN_NAMES_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/plan.h"

namespace lockstep {

class PlanNames {
 public:
  explicit PlanNames(const Plan& plan);

  // The app's name; its uuid where it has none.
  std::string App(std::string_view app) const;
  // Any text of the plan: digests, ids and commits in it are cut to their first eight characters,
  // or to as many as tell them from all others of this plan.
  std::string Short(std::string_view text) const;
  // Without the registry and the folders: "web:2", "web@3d7d40f6"; where the repository has no name
  // but a hash, as on balenaCloud, the digest alone.
  std::string Image(std::string_view reference) const;
  // What a pull-image step downloads: the image, or the service where the image has no name.
  std::string Download(const Step& step) const;
  // An image that is replaced by another: two of one repository by what differs.
  std::pair<std::string, std::string> Images(std::string_view from, std::string_view to) const;

 private:
  std::string ShortHash(std::string_view hash) const;

  std::map<std::string, std::string, std::less<>> apps_;
  std::vector<std::string> hashes_;    // Sorted, each once.
  std::vector<std::string> reversed_;  // The same, back to front.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_NAMES_H_
