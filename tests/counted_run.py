"""Runs tests found beside a program; the last line says how many passed, failed and were skipped."""
import signal
import sys
import time
import unittest


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


def run(directory, patterns):
    """The tests of *_test.py in the directory whose names contain one of the patterns; all without any. Returns an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in patterns] or None
    suite = loader.discover(str(directory), pattern="*_test.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    failed = len({id(test) for test, _ in result.failures + result.errors})
    for _, reason in result.skipped:
        print("skipped:", reason)
    if result.passed == failed == len(result.skipped) == 0:
        print("no test was run")
        failed = 1
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    return 1 if failed else 0


def must_be_built(program):
    """False, and says so, where it is not."""
    if program.exists():
        return True
    print(f"{program} is not built: cmake --preset release && cmake --build --preset release --target lockstep")
    print("0 passed, 1 failed")
    return False
