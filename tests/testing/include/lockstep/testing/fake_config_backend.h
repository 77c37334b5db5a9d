// FakeConfigBackend: a place for configuration in memory, which can be told to fail.
#ifndef LOCKSTEP_TESTING_FAKE_CONFIG_BACKEND_H_
#define LOCKSTEP_TESTING_FAKE_CONFIG_BACKEND_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/config_backend.h"

namespace lockstep::test {

// What a FakeConfigBackend keeps: it outlives the backend, as a disk does. Thread-safe.
class FakeConfigPlace {
 public:
  ConfigValues values() const {
    const std::scoped_lock lock(mutex_);
    return values_;
  }
  void Set(ConfigValues values) {
    const std::scoped_lock lock(mutex_);
    values_ = std::move(values);
  }
  int writes() const {
    const std::scoped_lock lock(mutex_);
    return writes_;
  }
  // Every call of Read, or of Write, does nothing but return this; none: it works again.
  void FailReads(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    fail_reads_ = std::move(error);
  }
  void FailWrites(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    fail_writes_ = std::move(error);
  }

 private:
  friend class FakeConfigBackend;
  mutable std::mutex mutex_;
  ConfigValues values_;
  int writes_ = 0;
  std::optional<Error> fail_reads_;
  std::optional<Error> fail_writes_;
};

// `place` outlives it.
class FakeConfigBackend final : public ConfigBackend {
 public:
  FakeConfigBackend(std::string name, std::vector<ConfigRule> rules, FakeConfigPlace& place)
      : name_(std::move(name)), rules_(std::move(rules)), place_(place) {
    for (ConfigRule& rule : rules_) rule.backend = name_;
  }

  std::string_view name() const override { return name_; }
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override { return Ok(); }
  Result<ConfigValues> Read() override {
    const std::scoped_lock lock(place_.mutex_);
    if (place_.fail_reads_) return *place_.fail_reads_;
    return place_.values_;
  }
  Result<void> Write(const ConfigChanges& changes) override {
    const std::scoped_lock lock(place_.mutex_);
    if (place_.fail_writes_) return *place_.fail_writes_;
    ConfigValues next = place_.values_;
    for (const auto& [key, value] : changes) {
      if (value) {
        next[key] = *value;
      } else {
        next.erase(key);
      }
    }
    if (next != place_.values_) ++place_.writes_;
    place_.values_ = std::move(next);
    return Ok();
  }

 private:
  std::string name_;
  std::vector<ConfigRule> rules_;
  FakeConfigPlace& place_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_FAKE_CONFIG_BACKEND_H_
