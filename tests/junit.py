#!/usr/bin/env python3
"""Reads JUnit reports of ctest or GoogleTest.

    junit.py FILE...     prints what failed, why what was skipped was, and last "PASSED FAILED SKIPPED"
"""
import sys
import xml.etree.ElementTree as ElementTree


def main():
    passed = failed = 0
    skipped = []
    for case in (case for file in sys.argv[1:] for case in ElementTree.parse(file).getroot().iter("testcase")):
        name = case.get("name")
        if "." not in name and case.get("classname") != name:
            name = f"{case.get('classname')}.{name}"  # GoogleTest's own report.
        output = case.findtext("system-out") or ""
        if (failure := case.find("failure")) is not None:
            failed += 1
            print(f"--- {name} failed\n{output or failure.get('message')}")
        elif (skip := case.find("skipped")) is not None or case.get("status") in ("notrun", "disabled"):
            reason = output.strip().splitlines()
            said = [line for line in reason if "skip" in line.lower()] or reason[-1:] or [" ".join(skip.get("message").split("\n")[1:]) if skip is not None else ""]
            skipped.append(f"skipped: {name}: {said[0].strip()}")
        else:
            passed += 1
    print("\n".join(skipped), end="\n" if skipped else "")
    print(passed, failed, len(skipped))


if __name__ == "__main__":
    main()
