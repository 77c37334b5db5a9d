// How much of the heap something needs at most. Counts this program's operator new, of all threads,
// and what a library written in C takes by way of the functions below.
#ifndef LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_
#define LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_

#include <cstddef>

namespace lockstep {

// From the construction on, in bytes. One at a time.
class HeapPeak {
 public:
  HeapPeak();
  std::size_t bytes() const;

 private:
  std::size_t before_;
};

// As those of the C library, but counted.
void* CountedMalloc(std::size_t size);
void* CountedCalloc(std::size_t count, std::size_t size);
void* CountedRealloc(void* memory, std::size_t size);
char* CountedStrdup(const char* text);
void CountedFree(void* memory);

}  // namespace lockstep

#endif  // LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_
