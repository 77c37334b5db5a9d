#!/usr/bin/env python3
"""Draws the plan of every case and reads the pictures: plan_pictures_test.py LOCKSTEP CASES

SVG must be well-formed, show every step, and need nothing from elsewhere. Graphviz must read the other where it is
installed, and see the same steps.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def plan(lockstep, folder, *args):
    command = [lockstep, "plan", folder / "target.json", "--snapshot", folder / "snapshot.json", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def check_svg(text, steps):
    root = ElementTree.fromstring(text)
    allowed = {SVG + name for name in "svg title style defs marker path rect g text".split()}
    assert {element.tag for element in root.iter()} <= allowed, "an element that has no place here"
    assert not re.search(r"\b(href|src|on\w+)=|url\((?!#)", text), "something from elsewhere"
    drawn = [e for e in root.iter(SVG + "g") if re.match(r"n \w", e.get("class", ""))]
    assert len(drawn) == steps, f"{len(drawn)} of {steps} steps are drawn"
    assert all(e.find(SVG + "title").text for e in drawn), "a step without a title"


def check_dot(text, steps):
    assert len(re.findall(r"^s\d+ \[", text, re.M)) == steps, "not every step is a node"
    if shutil.which("dot"):
        read = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, timeout=60)
        assert read.returncode == 0 and "rror" not in read.stderr, "dot: " + read.stderr
        assert len(re.findall(r"^node s\d", read.stdout, re.M)) == steps, "dot does not see every step"


def check_case(lockstep, path):
    case = json.loads(path.read_text())
    if "snapshot" not in case or "target" not in case:
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("snapshot", "target"):
            (folder / f"{part}.json").write_text(json.dumps(case[part]))
        written = plan(lockstep, folder, "--json", *case.get("args", []))
        if written.returncode != 0:
            return False  # The case is about a target that is refused.
        steps = len(json.loads(written.stdout)["steps"])
        check_svg(plan(lockstep, folder, "--graph", "svg", *case.get("args", [])).stdout, steps)
        check_dot(plan(lockstep, folder, "--graph", "dot", *case.get("args", [])).stdout, steps)
    return True


def main():
    lockstep, cases = sys.argv[1], pathlib.Path(sys.argv[2])
    drawn = 0
    for path in sorted(cases.glob("*.json")):
        try:
            drawn += check_case(lockstep, path)
        except (AssertionError, ElementTree.ParseError) as error:
            sys.exit(f"{path.name}: {error}")
    print(f"{drawn} plans drawn")
    sys.exit(0 if drawn > 0 else "no plan was drawn")


main()
