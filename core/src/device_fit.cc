#include "lockstep/device_fit.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/feature_labels.h"
#include "version_range.h"

namespace lockstep {
namespace {

// What is known of one thing; both empty: nothing.
struct Known {
  std::string slug;
  std::string version;
};

// What a device says of itself to requirements of one type. The option is that of the command.
struct Fact {
  std::string_view type;
  std::string_view option;
  Known (*known)(const DeviceInfo& device);
};

Known Supervisor(const DeviceInfo& device) {
  const bool said = !device.supervisor_version.empty();
  return {"", said ? device.supervisor_version : std::string(kSupervisorVersion)};
}

Known Kernel(const DeviceInfo& device) {
  return {device.kernel_version.empty() ? "" : "linux", device.kernel_version};
}

constexpr std::array kFacts = {
    Fact{"sw.supervisor", "--supervisor-version", Supervisor},
    Fact{"sw.os", "--os-id and --os-version",
         [](const DeviceInfo& d) {
           return Known{d.os_id, d.os_version};
         }},
    Fact{"sw.kernel", "--kernel-version", Kernel},
    Fact{"sw.l4t", "--l4t-version",
         [](const DeviceInfo& d) {
           return Known{"", d.l4t_version};
         }},
    Fact{"hw.device-type", "--device-type",
         [](const DeviceInfo& d) {
           return Known{d.type, ""};
         }},
    Fact{"arch.sw", "--device-arch",
         [](const DeviceInfo& d) {
           return Known{d.arch, ""};
         }},
};

const Fact* FindFact(std::string_view type) {
  const auto it = std::find_if(kFacts.begin(), kFacts.end(),
                               [type](const Fact& fact) { return fact.type == type; });
  return it == kFacts.end() ? nullptr : &*it;
}

bool IsMet(const Requirement& requirement, const DeviceInfo& device) {
  const Fact* fact = FindFact(requirement.type);
  if (fact == nullptr) return false;
  const Known known = fact->known(device);
  if (known.slug.empty() && known.version.empty()) return false;
  if (!requirement.slug.empty() && requirement.slug != known.slug) return false;
  return requirement.version.empty() || VersionMatches(known.version, requirement.version);
}

std::string Joined(std::string text, std::string_view separator, std::string_view more) {
  if (!text.empty() && !more.empty()) text += separator;
  return text += more;
}

// "sw.os is balena-os 6.1.2", "arch.sw is not known (say it with --device-arch)".
std::string Have(const std::string& type, const DeviceInfo& device) {
  const Fact* fact = FindFact(type);
  if (fact == nullptr) return type + " is nothing that Lockstep knows of";
  const Known known = fact->known(device);
  const std::string here = Joined(known.slug, " ", known.version);
  if (!here.empty()) return type + " is " + here;
  return type + " is not known (say it with " + std::string(fact->option) + ")";
}

std::string Cut(const std::string& text) {
  constexpr std::size_t kMost = 80;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

// "needs sw.os balena-os >=6 or arch.sw amd64, but here sw.os is ..., arch.sw is ..."
std::string Unmet(const Alternatives& alternatives, const DeviceInfo& device) {
  constexpr std::size_t kMost = 5;
  std::string needs;
  std::vector<std::string> types;
  for (std::size_t i = 0; i < std::min(alternatives.size(), kMost); ++i) {
    const Requirement& r = alternatives[i];
    const std::string type = Cut(r.type);
    needs = Joined(std::move(needs), " or ",
                   Joined(Joined(type, " ", Cut(r.slug)), " ", Cut(r.version)));
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  if (alternatives.size() > kMost) needs += " or another";
  std::string here;
  for (const std::string& type : types) here = Joined(std::move(here), ", ", Have(type, device));
  return "needs " + needs + ", but here " + here;
}

std::vector<std::string> UnmetOf(const TargetService& service, const DeviceInfo& device) {
  std::vector<std::string> unmet;
  for (const Alternatives& alternatives : service.requirements) {
    const bool met = std::any_of(alternatives.begin(), alternatives.end(),
                                 [&](const Requirement& r) { return IsMet(r, device); });
    if (!met) unmet.push_back(Unmet(alternatives, device));
  }
  return unmet;
}

// What a service asks for by label, and the device must know.
struct Told {
  std::string_view feature;
  std::string DeviceInfo::*member;
  std::string_view variables;
};
constexpr std::array kTold = {
    Told{kFeatureSupervisorApi, &DeviceInfo::supervisor_host,
         "BALENA_SUPERVISOR_ADDRESS and the like"},
    Told{kFeatureBalenaApi, &DeviceInfo::api_url, "BALENA_API_URL and BALENA_API_KEY"},
    Told{kFeatureHostOsBoardRev, &DeviceInfo::os_board_rev, "BALENA_HOST_OS_BOARD_REV"},
};

class AppFitter {
 public:
  AppFitter(TargetApp& app, const DeviceInfo& device)
      : app_(app), services_(app.release->services), device_(device) {}

  void Fit() {
    for (TargetService& service : services_) {
      Check(service);
      // Met, left out or blocking: there is nothing more to find out.
      service.requirements.clear();
    }
    if (!left_out_.empty()) LeaveOut();
    for (TargetService& service : services_) {
      PlaceEngineSocket(device_.engine_socket, service.spec);
      SayWhatIsNotKnown(service);
    }
  }

 private:
  void Say(std::string code, const std::string& service, const std::string& what, bool blocks) {
    app_.gaps.push_back({std::move(code), "`" + service + "` " + what, blocks});
  }

  void NotMet(const TargetService& service, const std::string& why) {
    if (!HasFeature(service.spec.labels, kFeatureOptional)) {
      return Say("requirements-not-met", service.name, why, true);
    }
    if (!left_out_.emplace(service.name, why).second) return;
    news_.push_back(service.name);
    Say("optional-left-out", service.name, "is optional, and left out: it " + why, false);
  }

  void Check(const TargetService& service) {
    for (const std::string& why : UnmetOf(service, device_)) NotMet(service, why);
  }

  void LeaveOut() {
    std::multimap<std::string, const TargetService*> sharers;
    for (const TargetService& service : services_) {
      for (std::string& other : SharedServicesOf(service.spec)) {
        sharers.emplace(std::move(other), &service);
      }
    }
    while (!news_.empty()) {
      const std::string gone = std::move(news_.back());
      news_.pop_back();
      const auto [begin, end] = sharers.equal_range(gone);
      for (auto it = begin; it != end; ++it) {
        NotMet(*it->second, "shares a namespace of `" + gone + "`, which is left out");
      }
    }
    std::erase_if(services_,
                  [&](const TargetService& service) { return left_out_.contains(service.name); });
    for (TargetService& service : services_) {
      std::erase_if(service.spec.depends_on,
                    [&](const Dependency& d) { return left_out_.contains(d.service); });
    }
  }

  void SayWhatIsNotKnown(const TargetService& service) {
    for (const Told& told : kTold) {
      if (!(device_.*told.member).empty() || !HasFeature(service.spec.labels, told.feature))
        continue;
      Say("feature-not-known", service.name,
          "asks for " + std::string(told.feature) +
              ", of which nothing is known here: it gets no " + std::string(told.variables),
          false);
    }
  }

  TargetApp& app_;
  std::vector<TargetService>& services_;
  const DeviceInfo& device_;
  std::map<std::string, std::string, std::less<>> left_out_;  // And why.
  std::vector<std::string> news_;  // Left out, and their sharers not looked at yet.
};

}  // namespace

Target FitToDevice(Target target, const DeviceInfo& device) {
  for (TargetApp& app : target.apps) {
    if (app.release && !app.is_host) AppFitter(app, device).Fit();
  }
  return target;
}

}  // namespace lockstep
