#!/usr/bin/env python3
"""Runs the tests of the agent's status page in Chromium; the last line says how many passed, failed and were skipped.

    run.py [PATTERN...]     PATTERN: part of a test's name

Environment: LOCKSTEP_BINARY, the command (build/release/lockstep); LOCKSTEP_PICTURES, a directory for screenshots."""
import pathlib
import sys

sys.dont_write_bytecode = True  # Nothing but build/ is written to.
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import agents  # noqa: E402
import browser  # noqa: E402
from counted_run import must_be_built, run  # noqa: E402


def main():
    if not browser.PROGRAM:
        print("skipped: STATUS PAGE, all of it: there is no chromium here")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    if not must_be_built(agents.BINARY):
        return 1
    return run(pathlib.Path(__file__).parent, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
