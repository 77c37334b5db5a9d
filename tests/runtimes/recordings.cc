#include "recordings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace lockstep::test {

using docker::Json;

namespace {

bool IsOfTheExchange(const std::string& header) {
  return header == "Date" || header == "Content-Length" || header == "Transfer-Encoding";
}

Reply ReadReply(const Json& response) {
  Reply reply;
  reply.status = static_cast<int>(docker::Number(response, "status"));
  for (const auto& [name, value] : docker::TextMap(docker::At(response, "headers"))) {
    if (!IsOfTheExchange(name)) reply.headers.emplace_back(name, value);
  }
  reply.endless = docker::Text(response, "ended") == "client-closed";
  const Json& body = docker::At(response, "body");
  reply.stream = reply.status == 200 && response.contains("total_lines");
  if (response.contains("total_lines")) {
    Json lines = Json::array();
    for (const Json& entry : body) {
      if (entry.contains("line")) lines.push_back(entry["line"]);
    }
    // What failed before it began is one object like any other.
    reply.body = reply.stream ? std::move(lines) : std::move(lines.front());
  } else if (body != "") {
    reply.body = body;
  }
  return reply;
}

}  // namespace

void Substitute(Json& json, std::string_view recorded, std::string_view text) {
  if (json.is_string()) {
    auto& value = json.get_ref<std::string&>();
    for (auto at = value.find(recorded); at != std::string::npos;
         at = value.find(recorded, at + text.size())) {
      value.replace(at, recorded.size(), text);
    }
  } else if (json.is_structured()) {
    for (Json& member : json) Substitute(member, recorded, text);
  }
}

Reply Reply::With(std::string_view recorded, std::string_view now) const {
  Reply reply = *this;
  Substitute(reply.body, recorded, now);
  return reply;
}

Json& Recorded(Json& object, const std::string& key) {
  EXPECT_TRUE(object.contains(key)) << "no recording has " << key << " beside " << object;
  return object[key];
}

Recordings::Recordings(const std::string& engine) : engine_(engine) {
  const std::filesystem::path directory = std::filesystem::path(LOCKSTEP_CAPTURES) / engine;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Json json = docker::ParseJson(text).value_or(Json());
    const std::string name = entry.path().stem();
    replies_[name] = ReadReply(docker::At(json, "response"));
    const Json& request = docker::At(json, "request");
    requests_[docker::Text(request, "method") + ' ' + docker::Text(request, "path")] = name;
  }
}

const Reply& Recordings::Get(const std::string& name) const {
  static const Reply kNone{501, {}, {{"message", "not recorded"}}};
  const auto it = replies_.find(name);
  EXPECT_NE(it, replies_.end()) << engine_ << " has no recording " << name;
  return it == replies_.end() ? kNone : it->second;
}

const Reply* Recordings::Find(const HttpCall& call) const {
  const auto it = requests_.find(call.method + ' ' + call.target);
  return it == requests_.end() ? nullptr : &Get(it->second);
}

}  // namespace lockstep::test
