#include "http_api/event_stream.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace lockstep {
namespace {

EventStreamOptions WithEpoch(EventStreamOptions options) {
  if (options.epoch.empty()) {
    std::uint32_t chance = 0;
    (void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
    options.epoch = std::to_string(chance);
  }
  return options;
}

// All three line ends of the format, so that no data can pose as a field of its own.
std::string AsLines(std::string_view data) {
  std::string out;
  while (true) {
    const std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) return out;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

std::shared_ptr<const std::string> MissedText(const std::string& count) {
  return std::make_shared<const std::string>("event: missed\ndata: {\"missed\":" + count + "}\n\n");
}

}  // namespace

EventStream::EventStream(EventStreamOptions options) : options_(WithEpoch(std::move(options))) {}

void EventStream::Publish(std::string_view event, std::string_view data) {
  event = event.substr(0, event.find_first_of("\r\n"));
  const std::string lines = AsLines(data);
  std::vector<std::shared_ptr<WakeUp>> woken;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    const std::uint64_t number = next_++;
    auto text = std::make_shared<std::string>();
    text->append("id: ").append(options_.epoch).append("-").append(std::to_string(number));
    text->append("\nevent: ").append(event).append("\n").append(lines).append("\n");
    bytes_ += text->size();
    ring_.push_back({number, std::move(text)});
    while (!ring_.empty() && (ring_.size() > options_.max_events || bytes_ > options_.max_bytes)) {
      bytes_ -= ring_.front().text->size();
      ring_.pop_front();
    }
    if (cursors_ == 0) return;
    for (const auto& reader : readers_) {
      if (auto live = reader.lock()) woken.push_back(std::move(live));
    }
  }
  for (const auto& reader : woken) reader->Wake();
}

void EventStream::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& reader : readers_) {
    if (const auto live = reader.lock()) live->Wake();
  }
}

void EventStream::Attach(std::weak_ptr<WakeUp> reader) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readers_, [&](const auto& known) {
    return known.expired() || (!known.owner_before(reader) && !reader.owner_before(known));
  });
  readers_.push_back(std::move(reader));
}

EventCursor::EventCursor(std::shared_ptr<EventStream> stream, std::string_view last_event_id)
    : stream_(std::move(stream)) {
  const std::lock_guard lock(stream_->mutex_);
  ++stream_->cursors_;
  next_ = stream_->next_;
  if (last_event_id.empty()) return;
  const std::string prefix = stream_->options_.epoch + "-";
  std::uint64_t last = 0;
  const char* const end = last_event_id.data() + last_event_id.size();
  if (last_event_id.starts_with(prefix)) {
    const auto read = std::from_chars(last_event_id.data() + prefix.size(), end, last);
    if (read.ec == std::errc() && read.ptr == end && last < stream_->next_) {
      next_ = last + 1;
      return;
    }
  }
  current_ = MissedText("null");
  if (!stream_->ring_.empty()) next_ = stream_->ring_.front().number;
}

EventCursor::~EventCursor() {
  const std::lock_guard lock(stream_->mutex_);
  --stream_->cursors_;
}

bool EventCursor::Fetch() {
  if (current_) return true;
  const std::lock_guard lock(stream_->mutex_);
  if (next_ == stream_->next_) return false;
  const auto& ring = stream_->ring_;
  // Numbers in the ring have no gaps, but all of them may be gone.
  const std::uint64_t oldest = ring.empty() ? stream_->next_ : ring.front().number;
  if (next_ < oldest) {
    current_ = MissedText(std::to_string(oldest - next_));
    next_ = oldest;
  } else {
    current_ = ring[static_cast<std::size_t>(next_ - oldest)].text;
    ++next_;
  }
  return true;
}

std::size_t EventCursor::Read(char* out, std::size_t size) {
  std::size_t read = 0;
  while (read < size && Fetch()) {
    const std::size_t part = std::min(size - read, current_->size() - sent_);
    std::memcpy(out + read, current_->data() + sent_, part);
    read += part;
    sent_ += part;
    if (sent_ == current_->size()) {
      current_.reset();
      sent_ = 0;
    }
  }
  return read;
}

bool EventCursor::HasNews() {
  if (current_) return true;
  const std::lock_guard lock(stream_->mutex_);
  return next_ != stream_->next_;
}

bool EventCursor::AtEnd() {
  if (current_) return false;
  const std::lock_guard lock(stream_->mutex_);
  return stream_->closed_ && next_ == stream_->next_;
}

}  // namespace lockstep
