#!/usr/bin/env python3
"""Runs the tests on a real engine; the last line says how many passed, failed and were skipped.

    run.py [PATTERN...]     PATTERN: part of a test's name

Environment: LOCKSTEP_BINARY, the command (build/release/lockstep); LOCKSTEP_KILLS, how often `apply` is killed;
LOCKSTEP_SEED, at which moments; LOCKSTEP_MOMENTS, after which steps an agent or its engine is (3,17);
LOCKSTEP_FAULTS, how many updates a bad engine gets; LOCKSTEP_FAULT_SEED, which one alone."""
import pathlib
import sys

sys.dont_write_bytecode = True  # Nothing but build/ is written to.
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import harness  # noqa: E402
from counted_run import must_be_built, run  # noqa: E402


def main():
    if not must_be_built(harness.BINARY):
        return 1
    return run(pathlib.Path(__file__).parent, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
