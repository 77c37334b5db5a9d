#include "replay_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace lockstep::test {

using docker::Json;

namespace {

// Whether `filters` lists `value` under `key`, or nothing at all.
bool Lets(const Json& filters, const char* key, const Json& value) {
  const Json& wanted = docker::List(filters, key);
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

void Send(const Reply& reply, HttpAnswer& answer, const std::stop_token& stop, int* hung_up) {
  if (!reply.stream) {
    answer.Send(reply.status, reply.headers,
                reply.body.is_null() ? std::string() : docker::DumpJson(reply.body) + '\n');
    return;
  }
  answer.Open(reply.status, reply.headers);
  for (const Json& line : reply.body) answer.Write(docker::DumpJson(line) + "\r\n");
  if (reply.endless) {
    *hung_up = answer.AwaitHangUp(stop) ? 1 : 0;
  } else {
    answer.Finish();
  }
}

}  // namespace

ReplayEngine::ReplayEngine(const std::string& engine)
    : recordings_(engine),
      world_(recordings_),
      server_([this](const HttpCall& call, HttpAnswer& answer, const std::stop_token& stop) {
        Serve(call, answer, stop);
      }) {}

std::vector<std::string> ReplayEngine::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int ReplayEngine::AwaitHangUp() {
  std::unique_lock lock(mutex_);
  // The limit only ends a test that has failed.
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return hang_ups_ > 0; });
  return hang_ups_;
}

std::optional<Reply> ReplayEngine::Answer(const HttpCall& call) {
  if (call.path == "/version") return recordings_.Get("version");
  if (call.path == "/info") return recordings_.Get("info");
  for (const auto part : {AnswerImages, AnswerContainers, AnswerNetworks, AnswerVolumes}) {
    if (auto reply = part(world_, call)) return reply;
  }
  if (const Reply* same = recordings_.Find(call)) return *same;
  return std::nullopt;
}

void ReplayEngine::Serve(const HttpCall& call, HttpAnswer& answer, const std::stop_token& stop) {
  const std::string request = call.method + ' ' + call.target;
  if (call.path == "/events") return ServeEvents(call, answer, stop);
  std::optional<Reply> reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    reply = Answer(call);
  }
  changed_.notify_all();
  EXPECT_TRUE(reply) << "no recording fits " << request << ' ' << call.body;
  if (!reply) reply = Reply{501, {}, {{"message", "not recorded"}}};
  int hung_up = 0;
  Send(*reply, answer, stop, &hung_up);
  const std::lock_guard lock(mutex_);
  hang_ups_ += hung_up;
  changed_.notify_all();
}

void ReplayEngine::ServeEvents(const HttpCall& call, HttpAnswer& answer,
                               const std::stop_token& stop) {
  const auto given = call.query.find("filters");
  const Json filters =
      given == call.query.end() ? Json() : docker::ParseJson(given->second).value_or(Json());
  std::unique_lock lock(mutex_);
  std::size_t next = world_.events.size();
  bool there = answer.Open(200, recordings_.Get("events-container-life").headers);
  while (there) {
    if (!changed_.wait(lock, stop, [&] { return next < world_.events.size(); })) return;
    const Json event = world_.events[next++];
    if (!Lets(filters, "type", event["Type"]) || !Lets(filters, "event", event["Action"])) continue;
    there = answer.Write(docker::DumpJson(event) + '\n');
  }
}

}  // namespace lockstep::test
