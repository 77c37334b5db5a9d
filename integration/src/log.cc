#include "log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "json_value.h"
#include "snapshot.h"
#include "text.h"

namespace lockstep {
namespace {

std::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

std::string Time(const spdlog::details::log_msg& message) {
  return FormatTime(std::chrono::time_point_cast<std::chrono::milliseconds>(message.time));
}

// spdlog's patterns do not escape what is logged, for a terminal or for JSON.
class LineFormat final : public spdlog::formatter {
 public:
  explicit LineFormat(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string level(View(spdlog::level::to_string_view(message.level)));
    const std::string text(View(message.payload));
    const std::string line =
        json_ ? Dump({{"time", Time(message)}, {"level", level}, {"message", text}})
              : Time(message) + ' ' + level + ": " + Printable(text);
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormat>(json_);
  }

 private:
  bool json_;
};

void SetDefault(spdlog::sink_ptr sink) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("lockstep", std::move(sink)));
}

}  // namespace

LogScope::LogScope(std::ostream& out, const std::string& level, const std::string& format) {
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true);
  sink->set_formatter(std::make_unique<LineFormat>(format == "json"));
  SetDefault(std::move(sink));
  spdlog::set_level(spdlog::level::from_str(level));
}

LogScope::~LogScope() { SetDefault(std::make_shared<spdlog::sinks::null_sink_mt>()); }

}  // namespace lockstep
