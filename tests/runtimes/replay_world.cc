#include "replay_world.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <random>

namespace lockstep::test {

using docker::Json;

std::string TimeText(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%FT%T.000000001Z", &parts);
  return text.data();
}

std::string World::NewId() {
  std::mt19937_64 random(++ids_);
  std::array<char, 65> text{};
  for (std::size_t at = 0; at < 64; at += 16) {
    std::snprintf(text.data() + at, 17, "%016llx", static_cast<unsigned long long>(random()));
  }
  return text.data();
}

Json World::Event(const std::string& type, const std::string& action) {
  for (const char* recording : {"events-container-life", "events-image-network-volume"}) {
    for (Json event : recordings.Body(recording)) {
      if (event["Type"] != type || event["Action"] != action) continue;
      const std::int64_t time = Tick();
      Recorded(event, "time") = time;
      Recorded(event, "timeNano") = time * 1'000'000'000 + 1;
      return event;
    }
  }
  ADD_FAILURE() << "no event " << type << ' ' << action << " is recorded";
  return Json::object();
}

void World::Say(const ReplayContainer& container, const std::string& action, const Json& more) {
  Json event = Event("container", action);
  const std::string image = docker::Text(container.asked, "Image");
  Json attributes = docker::Map(container.asked, "Labels");
  attributes.update({{"image", image}, {"name", container.name}});
  for (const auto& [key, value] : more.items()) {
    Recorded(event["Actor"]["Attributes"], key);
    attributes[key] = value;
  }
  Recorded(event, "id") = container.id;
  Recorded(event, "from") = image;
  Recorded(event["Actor"], "ID") = container.id;
  event["Actor"]["Attributes"] = std::move(attributes);
  events.push_back(std::move(event));
}

void World::Say(const ReplayNetwork& network, const std::string& action,
                const std::string& container) {
  Json event = Event("network", action);
  Recorded(event["Actor"], "ID") = network.id;
  Recorded(event["Actor"]["Attributes"], "name") = network.name;
  Recorded(event["Actor"]["Attributes"], "container") = container;
  events.push_back(std::move(event));
}

}  // namespace lockstep::test
