#include <algorithm>
#include <string_view>

#include "replay_world.h"

namespace lockstep::test {

using docker::Json;

namespace {

constexpr std::string_view kAppV1 = "127.0.0.1:5055/app:v1";
constexpr std::string_view kV1Digest =
    "sha256:7bc4bce9b587d2547e144ded0b72954257ade2f67ee437069c3561a651a245aa";

// From the first of the two to the second.
constexpr std::string_view kDelta = "127.0.0.1:5055/deltas:v1-v2";
constexpr std::string_view kDeltaBase =
    "sha256:59f2bb88cf360ac75e454d1a987bd01480f34ac08fe078937df26f5acae2e045";
constexpr std::string_view kDeltaResult =
    "sha256:f25ea65e18e6784e9f525a69f3049da42f0a3a290333474344fc6091915bca27";
constexpr std::string_view kDeltaDigest =
    "sha256:0e836eae91d75aca01c7f9e100af58c92a54eab16cf27216d52091b5db6948de";

// What the recorded registry has, but for the delta.
struct Offer {
  std::string_view reference;
  const char* pull;     // The recording of its pull ...
  std::string_view of;  // ... which was of this.
  std::string_view id;  // Empty where the pull fails.
  std::string_view digest;
};

constexpr Offer kOffers[] = {
    {kAppV1, "pull-ok", kAppV1, kDeltaBase, kV1Digest},
    {"127.0.0.1:5055/app:v2", "pull-ok", kAppV1, kDeltaResult,
     "sha256:f506ad4c50f6ed54fb66922f2ddb2901031e226d15b2657f11416e0a26ad00d1"},
    {"127.0.0.1:5055/deltas:broken", "pull-corrupt-blob", "", "", ""},
    {"127.0.0.1:5062/multi:m1", "pull-layer-blob-404-alone", "", "", ""},
};

std::string RepositoryOf(const std::string& reference) {
  return reference.substr(0, reference.rfind(reference.find('@') == std::string::npos ? ':' : '@'));
}

std::string TagOf(const std::string& reference) {
  return reference.substr(reference.rfind(':') + 1);
}

const Offer* Find(const std::string& reference) {
  const auto* offer = std::find_if(std::begin(kOffers), std::end(kOffers),
                                   [&](const Offer& one) { return one.reference == reference; });
  return offer == std::end(kOffers) ? nullptr : offer;
}

// Takes the name from whichever image has it.
void Untag(World& world, const std::string& name) {
  for (auto& [id, image] : world.images) {
    std::erase(image.tags, name);
    std::erase(image.digests, name);
  }
}

Json Inspected(const ReplayImage& image) {
  Json json = image.inspected;
  Recorded(json, "RepoTags") = image.tags;
  Recorded(json, "RepoDigests") = image.digests;
  return json;
}

Reply List(const World& world) {
  Reply reply = world.recordings.Get("image-list");
  const Json entry = reply.body.front();
  reply.body = Json::array();
  for (const auto& [id, image] : world.images) {
    Json json = entry;
    Recorded(json, "Id") = id;
    Recorded(json, "Labels") = docker::At(image.inspected, "Config", "Labels");
    Recorded(json, "RepoTags") = image.tags;
    Recorded(json, "RepoDigests") = image.digests;
    reply.body.push_back(std::move(json));
  }
  return reply;
}

Reply Inspect(const World& world, const std::string& reference) {
  const std::string id = FindImage(world, reference);
  if (id.empty()) {
    return world.recordings.Get("image-inspect-missing").With("127.0.0.1:5055/app:gone", reference);
  }
  Reply reply = world.recordings.Get("image-inspect");
  reply.body = Inspected(world.images.at(id));
  return reply;
}

// The one inspection that is recorded, of another image that is recorded in the list.
Json InspectedLike(const Recordings& recordings, const std::string& id) {
  Json json = recordings.Body("image-inspect");
  for (const Json& listed : recordings.Body("image-list")) {
    if (docker::Text(listed, "Id") != id) continue;
    Recorded(json, "Id") = id;
    Recorded(json["Config"], "Labels") = listed["Labels"];
  }
  return json;
}

// A recorded pull, of another reference.
Reply PullLike(const Reply& recorded, const Offer& offer, const std::string& reference) {
  Reply reply = recorded.With(offer.of, reference).With(kV1Digest, offer.digest);
  Recorded(reply.body.front(), "id") = TagOf(reference);
  return reply;
}

// The image has this name from now on, and no other has it.
void Land(World& world, const std::string& id, const Json& inspected, const std::string& reference,
          std::string_view digest) {
  if (FindImage(world, reference) == id) return;
  Untag(world, reference);
  ReplayImage& image = world.images[id];
  image.inspected = inspected;
  image.tags.push_back(reference);
  if (!digest.empty()) {
    image.digests.push_back(RepositoryOf(reference) + '@' + std::string(digest));
  }
}

// An engine that knows no deltas takes it for an image.
Reply PullDelta(World& world) {
  const Recordings& recordings = world.recordings;
  const std::string reference(kDelta);
  if (recordings.Has("foreign-delta-pull")) {
    const Json& inspected = recordings.Body("foreign-delta-inspect");
    Land(world, docker::Text(inspected, "Id"), inspected, reference, kDeltaDigest);
    return recordings.Get("foreign-delta-pull");
  }
  if (!world.images.contains(std::string(kDeltaBase))) {
    return recordings.Get("delta-pull-missing-base");
  }
  const std::string id(kDeltaResult);
  Land(world, id, InspectedLike(recordings, id), reference, kDeltaDigest);
  return recordings.Get("delta-pull-with-base");
}

Reply MakeDelta(World& world, const HttpCall& call) {
  const Recordings& recordings = world.recordings;
  if (recordings.Has("delta-route-unknown")) return recordings.Get("delta-route-unknown");
  for (const char* image : {"src", "dest"}) {
    const std::string& asked = call.query.at(image);
    if (!FindImage(world, asked).empty()) continue;
    return recordings.Get(std::string("delta-create-missing-") + image)
        .With("nosuch:latest", asked)
        .With("nosuch", asked);
  }
  const Json& inspected = recordings.Body("delta-image-inspect");
  Land(world, docker::Text(inspected, "Id"), inspected, call.query.at("t"), "");
  return recordings.Get("delta-create");
}

Reply Pull(World& world, const std::string& reference) {
  const Recordings& recordings = world.recordings;
  if (reference == kDelta) return PullDelta(world);
  const Offer* offer = Find(reference);
  if (offer == nullptr) {
    return recordings.Get("pull-missing-tag").With("127.0.0.1:5055/app:nope", reference);
  }
  if (offer->id.empty()) return recordings.Get(offer->pull);
  const std::string id(offer->id);
  const bool there = FindImage(world, reference) == id;
  Land(world, id, InspectedLike(recordings, id), reference, offer->digest);
  return PullLike(recordings.Get(there ? "pull-again-up-to-date" : offer->pull), *offer, reference);
}

const ReplayContainer* UserOf(const World& world, const std::string& id) {
  for (const auto& [container_id, container] : world.containers) {
    if (container.image_id == id) return &container;
  }
  return nullptr;
}

Reply InUse(const World& world, const ReplayContainer& user, const std::string& name) {
  const bool running = user.state == ReplayContainer::State::kRunning;
  const std::string digits = user.image_id.substr(7, 12);
  Reply reply = running ? world.recordings.Get("image-remove-by-id-multiple-repos")
                        : world.recordings.Get("image-remove-in-use-stopped").With(kAppV1, name);
  reply = reply.With("59f2bb88cf36", digits);
  // The recorded container differs from engine to engine.
  auto& message = Recorded(reply.body, "message").get_ref<std::string&>();
  constexpr std::string_view kContainer = "container ";
  message.replace(message.find(kContainer) + kContainer.size(), 12, user.id.substr(0, 12));
  return reply;
}

Reply Remove(World& world, const std::string& reference) {
  const std::string id = FindImage(world, reference);
  if (id.empty()) {
    return world.recordings.Get("image-remove-missing").With("nosuch:latest", reference);
  }
  ReplayImage& image = world.images[id];
  const bool whole = reference == id || image.tags.size() == 1;
  const ReplayContainer* user = UserOf(world, id);
  if (whole && user != nullptr) return InUse(world, *user, image.tags.front());
  std::vector<std::string> names = {reference};
  if (whole) names = image.tags;
  const std::string repository = RepositoryOf(names.front());
  Reply reply = world.recordings.Get("image-remove-ok-deletes-layers");
  const Json recorded = reply.body;
  const auto said = [&](const char* what, const std::string& value) {
    for (Json line : recorded) {
      if (!line.contains(what)) continue;
      line[what] = value;
      reply.body.push_back(std::move(line));
      return;
    }
  };
  reply.body = Json::array();
  const bool last_of_repository =
      std::count_if(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
        return RepositoryOf(tag) == repository;
      }) == static_cast<std::ptrdiff_t>(names.size());
  for (const std::string& digest : image.digests) {
    if (last_of_repository && RepositoryOf(digest) == repository) names.push_back(digest);
  }
  for (const std::string& name : names) {
    Untag(world, name);
    said("Untagged", name);
  }
  if (whole) {
    world.images.erase(id);
    said("Deleted", id);
  }
  return reply;
}

Reply Tag(World& world, const std::string& reference, const HttpCall& call) {
  const std::string id = FindImage(world, reference);
  if (id.empty()) {
    return world.recordings.Get("image-tag-missing").With("nosuch:latest", reference);
  }
  const std::string name = call.query.at("repo") + ':' + call.query.at("tag");
  Untag(world, name);
  world.images[id].tags.push_back(name);
  return world.recordings.Get("image-tag");
}

// "/images/a/b:c/json" -> "a/b:c"; empty for anything else.
std::string Between(const std::string& path, std::string_view before, std::string_view after) {
  if (!path.starts_with(before) || !path.ends_with(after)) return {};
  if (path.size() <= before.size() + after.size()) return {};
  return path.substr(before.size(), path.size() - before.size() - after.size());
}

}  // namespace

std::string FindImage(const World& world, const std::string& reference) {
  for (const auto& [id, image] : world.images) {
    const auto has = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), reference) != names.end();
    };
    if (id == reference || has(image.tags) || has(image.digests)) return id;
  }
  return {};
}

std::optional<Reply> AnswerImages(World& world, const HttpCall& call) {
  if (call.method == "GET" && call.path == "/images/json") return List(world);
  if (call.method == "POST" && call.path == "/images/create") {
    return Pull(world, call.query.at("fromImage") + ':' + call.query.at("tag"));
  }
  if (call.method == "POST" && call.path == "/images/delta") return MakeDelta(world, call);
  if (const auto asked = Between(call.path, "/distribution/", "/json"); !asked.empty()) {
    const bool known = Find(asked) != nullptr;
    return world.recordings.Get(known ? "distribution-inspect" : "distribution-inspect-missing");
  }
  if (const auto asked = Between(call.path, "/images/", "/json");
      call.method == "GET" && !asked.empty()) {
    return Inspect(world, asked);
  }
  if (const auto asked = Between(call.path, "/images/", "/tag");
      call.method == "POST" && !asked.empty()) {
    return Tag(world, asked, call);
  }
  if (const auto asked = Between(call.path, "/images/", "");
      call.method == "DELETE" && !asked.empty()) {
    return Remove(world, asked);
  }
  return std::nullopt;
}

}  // namespace lockstep::test
