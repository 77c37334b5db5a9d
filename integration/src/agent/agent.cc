#include "agent/agent.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "agent/api_address.h"
#include "agent/numeric_id.h"
#include "agent/resting_memory.h"
#include "agent/service_manager.h"
#include "device_facts.h"
#include "lockstep/orchestrator.h"
#include "own_container.h"
#include "target_file.h"

namespace lockstep {
namespace {

constexpr std::chrono::seconds kFirstWait{1};
constexpr int kMostDoublings = 6;

// What waiting does not change.
bool IsForGood(ErrorCode code) {
  return code == ErrorCode::kAnotherOrchestrator || code == ErrorCode::kInvalidInput ||
         code == ErrorCode::kUnsupported;
}

ApiKey KeyOfDevice(const ApiSecrets& secrets) {
  ApiKey key;
  key.key = secrets.DeviceKey();
  key.scope.device = true;
  return key;
}

ApiKey KeyOfApp(const std::string& secret, const std::string& uuid, const std::string& id) {
  ApiKey key;
  key.key = secret;
  key.scope.app_uuid = uuid;
  key.scope.app_id = NumericId(id);
  return key;
}

void Sleep(Clock& clock, MonoTime until, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  clock.WaitUntil(never, lock, until, stop, [] { return false; });
}

}  // namespace

Agent::Agent(const AgentOptions& options, const CommonOptions& common)
    : options_(options), common_(common) {}

Result<void> Agent::Run(std::stop_token stop) {
  LOCKSTEP_TRY(source_, MakeSource(options_, common_, clock_));
  LOCKSTEP_TRYV(StartApi());
  Log(LogLevel::kInfo,
      std::string("lockstep " LOCKSTEP_VERSION) + " begins; targets come from " +
          (options_.source.empty() ? "balena" : options_.source),
      {{"event", "begin"}});
  service_manager::TellReady();
  const std::jthread watchdog([this](const std::stop_token& end) { AnswerWatchdog(end); });
  const auto opened = OpenDevice(stop);
  if (opened && !stop.stop_requested()) Work(stop);
  TakeTargets(false);
  api_.reset();
  Log(LogLevel::kInfo, "ends", {{"event", "end"}});
  LOCKSTEP_TRYV(opened);
  return device_ ? device_->Save() : Ok();
}

void Agent::Work(const std::stop_token& stop) {
  const Ports ports = device_->ports();
  api_->SetDevice(std::make_shared<const ApiDevice>(ApiDevice{ports.locks, ports.host, facts_}));
  api_->SetProblem(std::nullopt);
  StartReporting();
  RecallTarget();
  TakeTargets(true);
  std::jthread source;
  if (source_) {
    source = std::jthread([this](const std::stop_token& end) {
      if (auto ran = source_->Run(*this, end); !ran) OnProblem(std::move(ran).assume_error());
    });
  }
  Orchestrator(ports).Run(MakeSessionOptions(), control_, *this, stop);
  source = {};
  reporting_.reset();
}

void Agent::StartReporting() {
  if (SourceKindOf(options_) != SourceKind::kBalena || !options_.report) return;
  auto backend = BackendOf(options_, common_);
  if (!backend) return OnProblem(std::move(backend).assume_error());
  reporting_ = std::make_unique<Reporting>(
      std::move(backend).assume_value(), FieldsOf(facts_, secrets_->DeviceKey()), control_, clock_,
      [this](Error error) { OnProblem(WithContext(std::move(error), "report to the backend")); });
}

Result<void> Agent::StartApi() {
  AgentApi::Hooks hooks;
  hooks.look_now = [this] {
    if (source_) source_->LookNow();
  };
  if (SourceKindOf(options_) == SourceKind::kPush) {
    hooks.push = [this](const std::string& text) { return Push(text); };
  }
  // From its first answer on it knows the device's key: who comes back after a restart must not
  // hear that it is wrong. Without a state directory there is none yet.
  if (auto secrets = ApiSecrets::Open(common_.state_dir)) {
    secrets_ = std::move(secrets).assume_value();
    hooks.keys.push_back(KeyOfDevice(*secrets_));
  }
  LOCKSTEP_TRY(api_, AgentApi::Listen(options_, control_, std::move(hooks)));
  api_->SetProblem(MakeError(ErrorCode::kUnavailable, "it starts", "ask again in a moment"));
  return Ok();
}

// On a thread of the API.
Result<void> Agent::Push(const std::string& text) {
  LOCKSTEP_TRY(Target target, ReadTargetText(text, {}, ReadingOptions(options_, common_)));
  const std::scoped_lock lock(push_mutex_);
  if (!takes_targets_) {
    return MakeError(ErrorCode::kUnavailable, "it is not at work", "send it again in a moment");
  }
  OnTarget({std::move(target), text});
  return Ok();
}

// Whether they can be pushed now.
void Agent::TakeTargets(bool now) {
  const std::scoped_lock lock(push_mutex_);
  takes_targets_ = now;
}

// With the key of each app, and the API told of it.
void Agent::SetTarget(Target target) {
  std::vector<ApiKey> keys;
  for (TargetApp& app : target.apps) {
    app.api_key = secrets_->AppKey(app.uuid);
    keys.push_back(KeyOfApp(app.api_key, app.uuid, app.id));
  }
  SetKeys(std::move(keys));
  if (reporting_) reporting_->NoteTarget(target);
  control_.SetTarget(std::move(target));
}

// Those of the apps, and the device's.
void Agent::SetKeys(std::vector<ApiKey> keys) {
  keys.push_back(KeyOfDevice(*secrets_));
  const std::scoped_lock lock(keys_mutex_);
  keys_ = std::move(keys);
  found_keys_.clear();
  api_->SetKeys(keys_);
}

// Waits for the state directory and the engine, however long they take to come.
Result<void> Agent::OpenDevice(const std::stop_token& stop) {
  std::string said;
  for (int failures = 0; !stop.stop_requested(); ++failures) {
    auto opened = TryToOpen(stop);
    if (opened || IsForGood(opened.assume_error().code)) return opened;
    const std::string why = Describe(opened.assume_error());
    if (why != said) {
      Log(LogLevel::kError, why + " (it is waited for)");
      api_->SetProblem(opened.assume_error());
    }
    said = why;
    const auto wait = kFirstWait * (1 << std::min(failures, kMostDoublings));
    Sleep(clock_, clock_.Monotonic() + wait, stop);
  }
  return Ok();
}

Result<void> Agent::TryToOpen(const std::stop_token& stop) {
  if (!device_) {
    LOCKSTEP_TRY(device_, DeviceControl::Open(common_));
  }
  if (!secrets_) {
    LOCKSTEP_TRY(secrets_, ApiSecrets::Open(common_.state_dir));
  }
  LOCKSTEP_TRY(facts_, DescribeDevice(common_, device_->ports().runtime, stop));
  if (ApiAddress address = FindApiAddress(options_); !address.host.empty()) {
    facts_.supervisor_host = std::move(address.host);
    facts_.supervisor_port = std::move(address.port);
  }
  return Ok();
}

// Without a network a device goes on with the target that it had. A compose file is read by its
// source alone: what it comes to is not in its text.
void Agent::RecallTarget() {
  if (SourceKindOf(options_) == SourceKind::kPath) return;
  auto stored = device_->store().Load();
  if (!stored) return OnProblem(std::move(stored).assume_error());
  const std::string& text = stored.assume_value().last_target;
  if (text.empty()) {
    // Nobody has been given another key than the device's.
    if (!source_) SetKeys({});
    return;
  }
  auto target = ReadKeptTarget(text, {}, ReadingOptions(options_, common_));
  if (!target) {
    return OnProblem(WithContext(std::move(target).assume_error(), "the last target known"));
  }
  Log(LogLevel::kInfo, "goes on with the last target known until there is another");
  SetTarget(std::move(target).assume_value());
}

void Agent::OnTarget(LoadedTarget target) {
  api_->SetTargetProblem(std::nullopt);
  // Where it cannot be kept the device still goes there; a boot without a network may not.
  if (auto kept = device_->store().PutLastTarget(target.text); !kept) {
    OnProblem(WithContext(std::move(kept).assume_error(), "keep the target"));
  }
  Log(LogLevel::kInfo, "a new target", {{"event", "target"}});
  api_->counters().CountTarget();
  SetTarget(std::move(target.target));
}

void Agent::OnProblem(Error error) {
  const LogFields fields = {{"event", "problem"}, {"code", std::string(ErrorCodeName(error.code))}};
  Log(LogLevel::kWarning, Describe(error), fields);
  api_->counters().CountProblem();
  api_->SetTargetProblem(std::move(error));
}

void Agent::OnProblemGone() {
  Log(LogLevel::kInfo, "the target can be read again", {{"event", "problem-gone"}});
  api_->SetTargetProblem(std::nullopt);
}

// A container that balena-supervisor made goes on asking with the key that it was given.
void Agent::TakeUpKeys(const RunView& view) {
  const std::scoped_lock lock(keys_mutex_);
  const std::size_t before = found_keys_.size();
  std::vector<ApiKey> keys = keys_;
  for (const ObservedContainer& container : view.observed.engine.containers) {
    if (!container.owned || container.api_key.empty()) continue;
    found_keys_.insert(container.api_key);
    keys.push_back(KeyOfApp(container.api_key, container.app, container.app_id));
  }
  if (found_keys_.size() != before) api_->SetKeys(keys);
}

void Agent::OnEvent(const Event& event) {
  // What an update took is not kept for the months until the next.
  if (event.kind == EventKind::kDone) GiveMemoryBack();
  log_.OnEvent(event);
  api_->OnEvent(event);
  if (event.kind == EventKind::kPlan || event.kind == EventKind::kDone) {
    control_.View([this](const auto& view) {
      if (view) TakeUpKeys(*view);
    });
  }
  if (reporting_) reporting_->OnEvent(event);
}

SessionOptions Agent::MakeSessionOptions() const {
  SessionOptions options;
  options.device = facts_;
  options.plan.self = OwnContainer();
  options.rollback = options_.rollback;
  options.settle = options_.settle;
  return options;
}

// The loop is alive when it answers.
void Agent::AnswerWatchdog(const std::stop_token& stop) {
  const auto interval = service_manager::WatchdogInterval();
  if (!interval) return;
  while (!stop.stop_requested()) {
    control_.View([](const auto&) { service_manager::TellAlive(); });
    Sleep(clock_, clock_.Monotonic() + *interval / 2, stop);
  }
}

}  // namespace lockstep
