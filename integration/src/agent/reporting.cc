#include "agent/reporting.h"

#include <cstdlib>
#include <utility>

#include "agent/device_state.h"

namespace lockstep {
namespace {

// Releases whose images are remembered: enough for a release, the one before and some that came in
// between.
constexpr std::size_t kMostReleases = 16;

}  // namespace

Reporting::Reporting(BalenaDevice backend, DeviceReport fields, RunControl& control, Clock& clock,
                     std::function<void(Error)> on_problem)
    : fields_(std::move(fields)),
      control_(control),
      reporter_(std::move(backend), clock, std::move(on_problem)),
      thread_([this](const std::stop_token& stop) { reporter_.Run(stop); }) {}

void Reporting::OnEvent(const Event&) {
  if (asked_.exchange(true)) return;
  control_.View([this](const std::shared_ptr<const RunView>& view) {
    asked_ = false;  // What happens from here on is not in this view.
    if (view) Report(*view);
  });
}

void Reporting::NoteTarget(const Target& target) {
  const std::scoped_lock lock(mutex_);
  for (const TargetApp& app : target.apps) {
    if (!app.release || images_.contains(app.release->commit)) continue;
    auto& images = images_[app.release->commit];
    for (const TargetService& service : app.release->services) {
      images[service.name] = service.spec.image;
    }
    releases_.push_back(app.release->commit);
    if (releases_.size() <= kMostReleases) continue;
    images_.erase(releases_.front());
    releases_.pop_front();
  }
}

void Reporting::Report(const RunView& view) {
  UpdateActivity activity = ActivityOf(view);
  {
    const std::scoped_lock lock(mutex_);
    activity.images = images_;
  }
  DeviceReport report = fields_;
  report.apps = ReportOf(view.plan, view.observed, *view.target, activity).apps;
  report.status = view.pulls.empty() ? (view.running.empty() ? "Idle" : "Updating") : "Downloading";
  reporter_.Set(std::move(report));
}

DeviceReport FieldsOf(const DeviceInfo& facts, const std::string& api_secret) {
  DeviceReport fields;
  const std::string& os = facts.os_name.empty() ? facts.os_version : facts.os_name;
  if (!os.empty()) fields.os_version = os;
  fields.supervisor_version =
      facts.supervisor_version.empty() ? std::string(kSupervisorVersion) : facts.supervisor_version;
  if (!facts.supervisor_port.empty()) {
    fields.api_port = std::atoi(facts.supervisor_port.c_str());
    fields.api_secret = api_secret;
  }
  fields.provisioning_state = "";
  fields.provisioning_progress = 100;
  return fields;
}

}  // namespace lockstep
