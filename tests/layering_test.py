#!/usr/bin/env python3
"""Reads the include lines of every room and fails where one reaches into a room it must not know.

    layering_test.py [ROOT]       checks the tree
    layering_test.py --self-test  plants violations in copies and fails if one is not found
"""
import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
THIRD_PARTY = re.compile(r"^(nlohmann|curl|sqlite3|CLI|spdlog|fmt|yaml-cpp|httplib|gtest|gmock|benchmark)\b")
POSIX = re.compile(r"^(sys|arpa|linux|netinet)/|^(unistd|fcntl|poll|dirent|pthread|signal|dlfcn|netdb)\.h$")
ROOM_HEADER = re.compile(r"^lockstep/(runtimes|lockfs|testing|integration)/")


def foreign_room(header, *allowed):
    match = ROOM_HEADER.match(header)
    return match is not None and match[1] not in allowed


def core(public, source, header, own):
    if public and header == "xxhash.h":
        return "a hash in a public header"
    if header.startswith("boost/") and not header.startswith("boost/outcome/"):
        return "only Boost.Outcome belongs in core"
    if foreign_room(header) or THIRD_PARTY.match(header) or POSIX.match(header):
        return "core decides: no other room, library or system call"
    # <vector> and the like have neither a folder nor an ending; what is left is core's own.
    is_standard = "/" not in header and "." not in header
    is_own = header.startswith("lockstep/") or header in own
    if not (is_standard or is_own or header.startswith("boost/outcome/")):
        return None if header == "xxhash.h" and source.suffix == ".cc" else "unknown to core"
    return None


def edge(room):
    def check(public, source, header, own):
        if foreign_room(header, room):
            return f"{room} knows core and itself alone"
        if header not in own and (header.startswith("../") or "integration/" in header):
            return "reaches out of its room"
        if public and THIRD_PARTY.match(header):
            return "a library in a public header"
        if room == "lockfs" and THIRD_PARTY.match(header):
            return "lockfs needs POSIX alone"
        return None
    return check


def testing(public, source, header, own):
    # The shipped doubles need core, and the memory engine; GoogleMock is what they are for.
    if header == "lockstep/runtimes/memory_engine.h" or header.startswith(("gtest/", "gmock/")):
        return None
    if foreign_room(header, "testing") or THIRD_PARTY.match(header):
        return "testing needs core, the memory engine and GoogleMock alone"
    return None


ROOMS = {"core": core, "runtimes": edge("runtimes"), "lockfs": edge("lockfs"), "tests/testing": testing}


def violations(root):
    """Yields (file, line, header, why); also counts what was read in `violations.files`."""
    violations.files = 0
    for room, check in ROOMS.items():
        base = root / room
        own = {path.name for path in base.glob("src/**/*.h")}
        for source in sorted(p for p in base.rglob("*") if p.suffix in (".h", ".cc")):
            violations.files += 1
            text = source.read_text(encoding="utf-8")
            public = "include" in source.relative_to(base).parts
            for match in INCLUDE.finditer(text):
                why = check(public, source, match[2], own)
                if why is None and public and match[1] == '"' and match[2] in own:
                    why = "a public header includes a private one"
                if why:
                    yield source.relative_to(root), text.count("\n", 0, match.start()) + 1, match[2], why


PLANTED = [  # (file, include line, is a violation)
    ("core/src/a.cc", "#include <nlohmann/json.hpp>", True),
    ("core/src/a.cc", "#include <unistd.h>", True),
    ("core/src/a.cc", "  #  include <sys/stat.h>", True),
    ("core/src/a.cc", "#include <boost/asio.hpp>", True),
    ("core/src/a.cc", '#include "lockstep/runtimes/docker.h"', True),
    ("core/include/lockstep/a.h", "#include <xxhash.h>", True),
    ("core/include/lockstep/a.h", '#include "private.h"', True),
    ("core/src/a.cc", "#include <xxhash.h>", False),
    ("core/src/a.cc", "#include <vector>", False),
    ("core/src/a.cc", '#include "private.h"', False),
    ("core/src/a.cc", '#include "lockstep/plan.h"', False),
    ("core/include/lockstep/a.h", "#include <boost/outcome/basic_result.hpp>", False),
    ("runtimes/src/a.cc", '#include "lockstep/lockfs/host_lock_fs.h"', True),
    ("runtimes/include/lockstep/runtimes/a.h", "#include <nlohmann/json.hpp>", True),
    ("runtimes/include/lockstep/runtimes/a.h", "#include <curl/curl.h>", True),
    ("runtimes/src/a.cc", '#include "../../integration/src/snapshot.h"', True),
    ("runtimes/src/a.cc", "#include <curl/curl.h>", False),
    ("runtimes/src/a.cc", '#include "lockstep/plan.h"', False),
    ("lockfs/src/a.cc", '#include "lockstep/runtimes/docker.h"', True),
    ("lockfs/src/a.cc", "#include <nlohmann/json.hpp>", True),
    ("lockfs/src/a.cc", "#include <sys/inotify.h>", False),
    ("tests/testing/src/a.cc", '#include "lockstep/lockfs/host_lock_fs.h"', True),
    ("tests/testing/src/a.cc", '#include "lockstep/runtimes/memory_engine.h"', False),
]


def self_test():
    wrong = 0
    for name, line, bad in PLANTED:
        with tempfile.TemporaryDirectory() as scratch:
            root = pathlib.Path(scratch)
            for room in ROOMS:
                (root / room / "src").mkdir(parents=True)
            (root / "core/src/private.h").touch()
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("// A file.\n" + line + "\n")
            if bool(list(violations(root))) != bad:
                wrong += 1
                print(f"{name}: {line}: {'was not found' if bad else 'is allowed, but was found'}")
    print(f"{len(PLANTED) - wrong} of {len(PLANTED)} planted lines judged rightly")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(violations(root))
    for path, line, header, why in found:
        print(f"{path}:{line}: {header}: {why}")
    if violations.files == 0:
        print(f"no source was found below {root}")
    return 1 if found or violations.files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
