// What is inside a MemoryEngine, and the rules that need all of it.
#ifndef LOCKSTEP_RUNTIMES_MEMORY_IMPL_H_
#define LOCKSTEP_RUNTIMES_MEMORY_IMPL_H_

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "lockstep/output_tail.h"
#include "lockstep/runtimes/memory_engine.h"

namespace lockstep {
namespace memory {

// The first element that `predicate` holds for; null where there is none.
template <typename List, typename Predicate>
auto* FindIf(List& list, Predicate predicate) {
  const auto it = std::find_if(list.begin(), list.end(), predicate);
  return it == list.end() ? nullptr : &*it;
}

Error NoSuch(std::string_view what, const std::string& name);

}  // namespace memory

struct MemoryEngine::Impl {
  struct Container {
    ObservedContainer seen;
    // Name of a network -> its id when the container was attached: a network made anew under the
    // same name is another one.
    std::map<std::string, std::string> networks;
    OutputTail output;
    bool out_of_memory = false;  // As its last run ended.
    std::string start_error;     // Of the last attempt; empty: it could be started.
  };
  struct Watcher {
    std::deque<std::optional<EngineEvent>> queue;  // None: a gap.
  };

  Impl(EngineState initial, MemoryOptions given);

  // What every call does first; with nothing locked.
  Result<void> Enter(Call call, const std::string& subject, const std::stop_token& stop);

  // All of these are called with `mutex` held.
  Container& Adopt(ObservedContainer seen);
  std::string NewId(const std::string& what);
  Container* Find(const std::string& id);
  ObservedNetwork* FindNetwork(const std::string& app, const std::string& name);
  bool Attached(const Container& container, const ObservedNetwork& network) const;
  bool HasRoomFor(const std::string& image_id, std::int64_t bytes) const;
  const MemoryImage* InRegistry(const std::string& reference) const;
  ObservedContainer Report(const Container& container);
  Result<void> CanStart(const Container& container);
  void Run(Container& container);
  void Die(Container& container, int exit_code);
  void Emit(std::optional<EngineEvent> event);  // None: a gap.
  void Emit(EngineEventKind kind, const ObservedContainer& container);

  mutable std::mutex mutex;
  std::condition_variable_any changed;  // A watcher has events.
  std::condition_variable_any paced;    // Never notified: latency only.
  MemoryOptions options;
  EngineState engine;  // Without its containers: they are below.
  std::list<Container> containers;
  std::map<std::string, MemoryImage> registry;  // By normalised reference.
  std::map<std::string, std::int64_t> sizes;    // By image id; of those that were pulled.
  std::vector<Watcher*> watchers;
  std::array<std::deque<Error>, kCallCount> failures;
  std::array<int, kCallCount> counts{};
  std::function<void(Call, const std::string&)> on_call;
  std::function<std::chrono::milliseconds(Call)> latency;
  std::uint64_t made = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_MEMORY_IMPL_H_
