#!/usr/bin/env python3
"""The C++ that the README shows is integration/examples/embed.cc, line by line: that one is built and run."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
blocks = re.findall(r"^```cpp\n(.*?)^```", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL)
example = (root / "integration/examples/embed.cc").read_text()
if len(blocks) != 1 or blocks[0] != example:
    sys.exit(f"README.md has {len(blocks)} C++ blocks; the one it should have is integration/examples/embed.cc")
