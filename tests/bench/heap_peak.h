// How much of the heap one call needs at most. Counts this program's operator new, of one thread.
#ifndef LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_
#define LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_

#include <cstddef>

namespace lockstep {

// From the construction on, in bytes.
class HeapPeak {
 public:
  HeapPeak();
  std::size_t bytes() const;

 private:
  std::size_t before_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_TESTS_BENCH_HEAP_PEAK_H_
