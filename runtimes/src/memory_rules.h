// The rules of the memory engine that need none of its state.
#ifndef LOCKSTEP_RUNTIMES_MEMORY_RULES_H_
#define LOCKSTEP_RUNTIMES_MEMORY_RULES_H_

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/observed_state.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::memory {

// 64 hex digits, the same for the same text.
std::string HexId(std::string_view text);

// `reference`, with ":latest" where it has neither tag nor digest.
std::string WithTag(const std::string& reference);

// Whether an engine starts a container again that ended by itself.
bool Revives(std::string_view restart_policy, int exit_code, int restart_count);

// A published port ("host:8080/tcp") that both want; none where they can run side by side.
std::optional<std::string> SharedPort(const ServiceSpec& a, const ServiceSpec& b);

// The image that is present under this reference or id; null where there is none.
const ObservedImage* FindImage(const EngineState& engine, const std::string& reference);

// Puts a pulled image under its reference, which may move from another image; returns its id.
// The same content is the same image; without one the reference is the content.
std::string ImageId(const std::string& reference, const std::string& content);

std::string Land(EngineState& engine, const std::string& reference, const std::string& content,
                 const Labels& labels);

// What an engine would report of a container just made of `spec`; without id and networks.
ObservedContainer Describe(const ContainerSpec& spec, const ObservedImage& image);

}  // namespace lockstep::memory

#endif  // LOCKSTEP_RUNTIMES_MEMORY_RULES_H_
