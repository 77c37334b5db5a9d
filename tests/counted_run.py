"""Runs tests found beside a program; the last line says how many passed, failed and were skipped."""
import concurrent.futures
import itertools
import re
import signal
import subprocess
import sys
import time
import unittest

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


class CountingResult(unittest.TextTestResult):
    passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.stream.writeln(f"ok ({time.monotonic() - self.began:.1f} s)")
        self.stream.flush()
        self.passed += 1


def run(directory, patterns, jobs=1):
    """The tests of *_test.py in the directory whose names contain one of the patterns; all without any. Returns an exit status.

    With more than one job, classes of tests run side by side, each in a process of its own: sys.argv[0] --only NAME..."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loader = unittest.TestLoader()
    if patterns[:1] == ["--only"]:
        suite = loader.loadTestsFromNames(patterns[1:])
    else:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in patterns] or None
        suite = loader.discover(str(directory), pattern="*_test.py")
        if jobs > 1:
            return report(run_side_by_side(suite, jobs))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    for _, reason in result.skipped:
        print("skipped:", reason)
    return report((result.passed, len({id(test) for test, _ in result.failures + result.errors}), len(result.skipped)))


def report(counts):
    passed, failed, skipped = counts
    if passed == failed == skipped == 0:
        print("no test was run")
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


def run_side_by_side(suite, jobs):
    """Returns how many passed, failed and were skipped. What a class prints is printed in one piece, when it has ended."""
    running = []

    def run_class(names):
        process = subprocess.Popen([sys.executable, sys.argv[0], "--only", *names], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        running.append(process)
        *output, last = process.communicate()[0].rstrip().split("\n")
        counts = COUNTS.match(last)
        print("\n".join(output), flush=True)
        return [int(count) for count in counts.groups()] if counts else [0, 1, 0]

    classes = [[test.id() for test in tests] for _, tests in itertools.groupby(each_test(suite), type)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            counts = list(pool.map(run_class, sorted(classes, key=len, reverse=True)))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()  # It stops its engine.
            raise
    return [sum(column) for column in zip(*counts)] or [0, 0, 0]


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def must_be_built(program):
    """False, and says so, where it is not."""
    if program.exists():
        return True
    print(f"{program} is not built: cmake --preset release && cmake --build --preset release --target lockstep")
    print("0 passed, 1 failed")
    return False
