#include "reply_parsers.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "create_request.h"
#include "engine_api.h"
#include "event_stream.h"
#include "inspect_reading.h"
#include "listing.h"
#include "lockstep/utf8.h"
#include "platform.h"
#include "pull_stream.h"
#include "resources.h"
#include "snapshot.h"

namespace lockstep::test {
namespace {

using docker::Json;

// What was read goes on to files and terminals.
template <typename... Texts>
std::string Unclean(const Texts&... texts) {
  const bool clean = (IsUtf8(texts) && ...);
  return clean ? "" : "text that is no UTF-8";
}

std::string Unclean(const Error& error) {
  constexpr std::size_t kMost = 1000;
  if (error.message.empty()) return "an error without a message";
  if (error.message.size() > kMost) return "a message without end";
  return Unclean(error.message, error.hint, error.context);
}

std::string JudgeVersion(std::string_view reply) {
  const auto negotiated = docker::Negotiate(docker::ParseJson(reply).value_or(Json()));
  if (!negotiated) return Unclean(negotiated.assume_error());
  const auto& [info, prefix, os] = negotiated.assume_value();
  const int minor = docker::MinorOf(std::string_view(prefix).substr(2));
  if (!prefix.starts_with("/v1.") || minor < 40 || minor > 99) return "spoken to as " + prefix;
  return Unclean(info.kind, info.version, info.api_version, info.arch, os);
}

bool HasNoDate(const std::optional<WallTime>& time) {
  using namespace std::chrono;
  return time && (*time < WallTime{} || *time >= WallTime(sys_days(year(10'000) / 1 / 1)));
}

// All that was read of an engine can be written as a snapshot. What no target could say may be
// refused from there; what is not reads the same.
std::string JudgeState(const EngineState& state) {
  ObservedState observed;
  observed.engine = state;
  Sort(observed);
  for (ObservedContainer& container : observed.engine.containers) {
    if (!container.spec) container.spec.emplace();  // Else the labels would be read as one.
    if (HasNoDate(container.created_at) || HasNoDate(container.started_at)) {
      return "a time that no calendar has";
    }
  }
  const std::string written = WriteSnapshot(observed);
  auto read = ReadSnapshot(written);
  if (!read) return Unclean(read.assume_error());
  for (ObservedContainer& container : read.assume_value().engine.containers) {
    // A reader adds those that a shared namespace brings.
    if (container.spec) container.spec->depends_on.clear();
    if (container.implied) container.implied->depends_on.clear();
  }
  const std::string again = WriteSnapshot(read.assume_value());
  return again == written ? "" : "its snapshot reads as something else:\n" + written + again;
}

std::string JudgeLists(std::string_view reply) {
  const Json lists = docker::ParseJson(reply).value_or(Json());
  const Json& containers = docker::List(lists, "containers");
  const Json& images = docker::List(lists, "images");
  docker::ImageLabels unlisted;
  for (const std::string& id : docker::UnlistedImages(containers, images)) unlisted[id];
  EngineState state;
  docker::ReadLists(containers, images, docker::At(lists, "networks"), docker::At(lists, "volumes"),
                    std::move(unlisted), state);
  if (state.containers.size() != containers.size()) return "containers that are not reported";
  for (const ObservedContainer& container : state.containers) {
    if (container.networks && container.networks->size() > state.networks.size()) {
      return "more networks than there are";
    }
  }
  return JudgeState(state);
}

std::string JudgeSpec(const ServiceSpec& spec) {
  for (const FieldValue& field : spec.fields) {
    const FieldRow& row = RowOf(field.field);
    const auto again = NormalizeField(row, DenormalizeField(row, field.value), HostPaths::kAllowed);
    if (!again || again.assume_value() != field.value) {
      return std::string(row.name) + " is not canonical: " + ToText(field.value);
    }
  }
  ContainerSpec asked;
  asked.app = "shop";
  asked.service = "web";
  asked.spec = spec;
  const docker::CreateRequest request = docker::MakeCreateRequest(asked, {});
  std::string bodies = request.body.dump();  // Throws where a text is no UTF-8.
  for (const auto& [network, endpoint] : request.further_networks) bodies += endpoint.dump();
  return bodies.empty() ? "no request" : "";
}

// {"container": ..., "image": ..., "info": ...}, the last as in EngineDefaults.
std::string JudgeInspect(std::string_view reply) {
  const Json json = docker::ParseJson(reply).value_or(Json());
  const Json& container = docker::At(json, "container");
  docker::Surroundings around{{"shop", "12"}, "web", {}, {}};
  for (const std::string& id : docker::SharedContainers(container)) around.services[id] = "db";
  around.defaults = docker::ReadDefaults(docker::At(json, "info"));
  docker::Reading reading = docker::ReadContainer(container, docker::At(json, "image"), around);
  for (const ServiceSpec* spec : {&reading.spec, &reading.implied}) {
    if (std::string wrong = JudgeSpec(*spec); !wrong.empty()) return wrong;
  }
  EngineState state;
  ObservedContainer& observed = state.containers.emplace_back();
  observed.id = "c";
  observed.created_at = WallTime{};
  observed.restart_policy = docker::ReadRestartPolicy(container);
  observed.started_at =
      docker::ParseTime(docker::Text(docker::At(container, "State"), "StartedAt"));
  observed.spec = std::move(reading.spec);
  observed.implied = std::move(reading.implied);
  return JudgeState(state);
}

// Cuts `reply` as a socket might: the lines must not depend on it.
template <typename OnLine>
bool FeedInPieces(std::string_view reply, OnLine on_line) {
  docker::LineReader lines(docker::kMaxPullLine);
  for (std::size_t at = 0, size = 1; at < reply.size(); at += size, size = size * 2 % 4093) {
    if (!lines.Feed(reply.substr(at, size), on_line)) return false;
  }
  return lines.Feed("\n", on_line);
}

std::string JudgeEvents(std::string_view reply) {
  std::string wrong;
  docker::SeenEvents seen;
  FeedInPieces(reply, [&](std::string_view line) {
    const docker::ReadEvent read = docker::ReadEventLine(line);
    const bool is_new = seen.IsNew(read.key);
    if (wrong.empty()) wrong = Unclean(read.key, read.container, read.event.container);
    if (wrong.empty() && !read.key.empty() && seen.IsNew(read.key)) wrong = "a repeat is new";
    const bool names = read.event.kind == EngineEventKind::kOther || !read.container.empty() ||
                       read.event.container.empty();
    if (wrong.empty() && !(names && (is_new || !read.key.empty()))) wrong = "nobody's event";
  });
  return wrong;
}

std::string JudgePull(std::string_view reply) {
  for (const auto unpacking :
       {docker::Unpacking::kAfterDownload, docker::Unpacking::kWhileDownloading}) {
    docker::PullWatch watch;
    const docker::PullStream::Time start{std::chrono::hours(1)};
    docker::PullStream stream(start, unpacking, watch);
    auto now = start;
    std::string wrong;
    FeedInPieces(reply, [&](std::string_view line) {
      const PullProgress before = stream.progress();
      const bool changed = stream.OnLine(line, now += std::chrono::seconds(1));
      const PullProgress& after = stream.progress();
      if (after.current_bytes < 0 || after.current_bytes > after.total_bytes) {
        wrong = "more has come than there is";
      }
      if (!changed && (after.current_bytes != before.current_bytes ||
                       after.total_bytes != before.total_bytes)) {
        wrong = "progress that nobody is told of";
      }
    });
    const auto stall = stream.StalledFor(now);
    if (stall.since_byte.count() < 0 || stall.since_line.count() < 0) wrong = "stalled in future";
    if (stream.error() && wrong.empty()) wrong = Unclean(*stream.error());
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string JudgeFailure(std::string_view reply) {
  for (const long status : {302L, 400L, 401L, 403L, 404L, 409L, 500L, 503L}) {
    const Error error = docker::FailureOf({status, std::string(reply)}, "ask");
    if (std::string wrong = Unclean(error); !wrong.empty()) return wrong;
  }
  return {};
}

std::string JudgeDistribution(std::string_view reply) {
  constexpr std::size_t kMost = 16;
  const Json json = docker::ParseJson(reply).value_or(Json());
  const Json& platforms = docker::At(json, "Platforms");
  const auto others = docker::OnlyForOthers(platforms, {"linux", "arm", "v7"});
  if (!others) return {};
  const auto named = std::count(others->begin(), others->end(), ',');
  return static_cast<std::size_t>(named) > kMost ? "a list without end" : Unclean(*others);
}

std::string JudgeInfo(std::string_view reply) {
  const Json json = docker::ParseJson(reply).value_or(Json());
  const docker::EngineDefaults defaults = docker::ReadDefaults(json);
  if (defaults.log_driver.empty() || defaults.runtime.empty()) return "a default without a name";
  return Unclean(defaults.log_driver, defaults.runtime,
                 docker::VariantOfMachine(docker::Text(json, "Architecture")));
}

// What was made: a container, a network or a volume.
std::string JudgeCreated(std::string_view reply) {
  const Json json = docker::ParseJson(reply).value_or(Json());
  EngineState state;
  state.networks.push_back(docker::ReadNetwork(json));
  state.volumes.push_back(docker::ReadVolume(json));
  return JudgeState(state);
}

constexpr std::array kParsers = {
    ReplyParser{"created", JudgeCreated}, ReplyParser{"distribution", JudgeDistribution},
    ReplyParser{"events", JudgeEvents},   ReplyParser{"failure", JudgeFailure},
    ReplyParser{"info", JudgeInfo},       ReplyParser{"inspect", JudgeInspect},
    ReplyParser{"lists", JudgeLists},     ReplyParser{"pull", JudgePull},
    ReplyParser{"version", JudgeVersion},
};

}  // namespace

std::span<const ReplyParser> ReplyParsers() { return kParsers; }

const ReplyParser* FindReplyParser(std::string_view name) {
  const auto it = std::find_if(kParsers.begin(), kParsers.end(),
                               [&](const ReplyParser& parser) { return parser.name == name; });
  return it == kParsers.end() ? nullptr : &*it;
}

}  // namespace lockstep::test
