#include "heap_peak.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<std::size_t> in_use = 0;
std::atomic<std::size_t> peak = 0;

void Count(void* memory) {
  if (memory == nullptr) return;
  const std::size_t now = in_use += malloc_usable_size(memory);
  std::size_t most = peak;
  while (most < now && !peak.compare_exchange_weak(most, now)) {
  }
}

void Forget(void* memory) {
  if (memory != nullptr) in_use -= malloc_usable_size(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  Count(memory);
  return memory;
}

void operator delete(void* memory) noexcept { lockstep::CountedFree(memory); }

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace lockstep {

void* CountedMalloc(std::size_t size) {
  void* memory = std::malloc(size);
  Count(memory);
  return memory;
}

void* CountedCalloc(std::size_t count, std::size_t size) {
  void* memory = std::calloc(count, size);
  Count(memory);
  return memory;
}

void* CountedRealloc(void* memory, std::size_t size) {
  const std::size_t before = memory == nullptr ? 0 : malloc_usable_size(memory);
  void* moved = std::realloc(memory, size);
  if (moved == nullptr) return nullptr;
  in_use -= before;
  Count(moved);
  return moved;
}

char* CountedStrdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* memory = CountedMalloc(size);
  return memory == nullptr ? nullptr : static_cast<char*>(std::memcpy(memory, text, size));
}

void CountedFree(void* memory) {
  Forget(memory);
  std::free(memory);
}

HeapPeak::HeapPeak() : before_(in_use) { peak = before_; }

std::size_t HeapPeak::bytes() const { return peak - before_; }

}  // namespace lockstep
