#!/usr/bin/env python3
"""Runs the tests on a real engine; the last line says how many passed, failed and were skipped.

    run.py [PATTERN...]     PATTERN: part of a test's name

Environment: LOCKSTEP_BINARY, the command (build/release/lockstep); LOCKSTEP_KILLS, how often `apply` is killed;
LOCKSTEP_SEED, at which moments."""
import pathlib
import signal
import sys
import unittest

sys.dont_write_bytecode = True  # Nothing but build/ is written to.
import harness  # noqa: E402


class CountingResult(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    if not harness.BINARY.exists():
        print(f"{harness.BINARY} is not built: cmake --preset release && cmake --build --preset release --target lockstep")
        print("0 passed, 1 failed")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in sys.argv[1:]] or None
    suite = loader.discover(str(pathlib.Path(__file__).parent), pattern="*_test.py")
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult)
    result = runner.run(suite)
    failed = len({id(test) for test, _ in result.failures + result.errors})
    for _, reason in result.skipped:
        print("skipped:", reason)
    if result.passed == failed == len(result.skipped) == 0:
        print("no test was run")
        failed = 1
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
