#!/usr/bin/env python3
"""Makes corpus/ from recordings of engines: one file for each shape of reply that there is.

    make_corpus.py RECORDINGS...   folders of recordings, each a JSON file with `request` and `response`

A shape is which members there are and of which types, without their values; of a stream, which kinds of
lines. What is listed is dressed as one app's, since of anybody else's less is read.
"""
import copy
import json
import pathlib
import re
import sys

CORPUS = pathlib.Path(__file__).parent / "corpus"
KEPT_LINES = 24
KEPT_ITEMS = 2  # Of a list.
OURS = {"io.balena.supervised": "true", "io.balena.app-id": "12", "io.balena.app-uuid": "shop",
        "io.balena.service-name": "web"}


def shape(value):
    if isinstance(value, dict):
        return {key if re.fullmatch(r"[A-Za-z]+", key) else "*": shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return type(value).__name__


def shape_of_line(text):
    try:
        line = json.loads(text)
    except ValueError:
        return "text"
    words = (line.get("status") or line.get("Action") or "") if isinstance(line, dict) else ""
    return json.dumps([shape(line), re.sub(r"[0-9a-f]{6,}|\d+", "#", words)], sort_keys=True)


def few(items):
    kept = {}
    for item in items:
        kept.setdefault(json.dumps(shape(item), sort_keys=True), item)
    return list(kept.values())[:KEPT_ITEMS]


def stream(body):
    kept = {}
    for entry in body:
        line = entry.get("line", "")
        text = line if isinstance(line, str) else json.dumps(line)
        kept.setdefault(shape_of_line(text), text)
    return "".join(text + "\n" for text in list(kept.values())[:KEPT_LINES])


def dressed(lists):
    """The lists of one engine as those of a device with one app on it."""
    lists = copy.deepcopy(lists)
    images = [image["Id"] for image in lists["images"]]
    for container in lists["containers"]:
        container["Labels"] = {**(container["Labels"] or {}), **OURS, "io.lockstep.config-hash": "c1:0123456789abcdef"}
        container["ImageID"] = images[0]
        container["Mounts"].append({"Type": "bind", "Source": "/tmp/locks/12/web", "Destination": "/tmp/balena",
                                    "Mode": "", "RW": True, "Propagation": "rprivate"})
    for network in lists["networks"]:
        network["Labels"] = {**(network["Labels"] or {}), **OURS, "io.balena.private.ipam.config": "true"}
        network["Name"] = "shop_" + network["Name"]
    for endpoint, network in zip([e for c in lists["containers"] for e in c["NetworkSettings"]["Networks"].values()],
                                 lists["networks"]):
        endpoint["NetworkID"] = network["Id"]
    for volume in lists["volumes"]["Volumes"]:
        volume["Labels"] = {**(volume["Labels"] or {}), **OURS}
        volume["Name"] = "12_" + volume["Name"]
    return lists


def collect(folders):
    """Yields (parser, name, text), the texts of one parser in a fixed order."""
    for folder in folders:
        lists, images, infos = {}, [], []
        containers = []
        for path in sorted(pathlib.Path(folder).glob("*.json")):
            recorded = json.loads(path.read_text(encoding="utf-8"))
            response, request = recorded.get("response", {}), recorded.get("request", {})
            body, status = response.get("body"), response.get("status", 0)
            name = f"{recorded.get('engine')}-{path.stem}"
            route = re.sub(r"^/v1\.\d+", "", request.get("path", "")).split("?")[0]
            if body is None or not isinstance(status, int):
                continue
            if route == "/images/create" and isinstance(body, list):
                yield "pull", name, stream(body)
            elif route == "/events" and isinstance(body, list):
                yield "events", name, stream(body)
            elif status >= 400:
                yield "failure", name, body if isinstance(body, str) else json.dumps(body)
            elif route == "/version":
                yield "version", name, json.dumps(body)
            elif route == "/info":
                infos.append(body)
                yield "info", name, json.dumps(body)
            elif route.startswith("/distribution/"):
                yield "distribution", name, json.dumps(body)
            elif route in ("/containers/create", "/networks/create", "/volumes/create"):
                yield "created", name, json.dumps(body)
            elif route == "/containers/json" and body:
                lists.setdefault("containers", few(body))
            elif route == "/images/json" and body:
                lists.setdefault("images", few(body))
            elif route == "/networks" and body:
                lists.setdefault("networks", few(body))
            elif route == "/volumes" and isinstance(body, dict) and body.get("Volumes"):
                lists.setdefault("volumes", {**body, "Volumes": few(body["Volumes"])})
            elif re.fullmatch(r"/images/.*/json", route):
                images.append(body)
            elif re.fullmatch(r"/containers/[^/]*/json", route):
                networks = body["NetworkSettings"]["Networks"]
                body["NetworkSettings"]["Networks"] = {"shop_" + name: network for name, network in networks.items()}
                containers.append((name, body))
        for name, body in containers:
            yield "inspect", name, json.dumps({"container": body, "image": images[0], "info": small(infos[0])})
        if len(lists) == 4:
            yield "lists", pathlib.Path(folder).name, json.dumps(lists)
            yield "lists", pathlib.Path(folder).name + "-of-one-app", json.dumps(dressed(lists))


def small(info):
    return {key: info[key] for key in ("LoggingDriver", "DefaultRuntime", "SwapLimit")}


def main():
    seen = set()
    for old in CORPUS.glob("*/*"):
        old.unlink()
    for parser, name, text in collect(sys.argv[1:]):
        if parser == "failure":
            shapes = {(parser, re.sub(r"\W+|\d+", " ", text)[:24])}
        else:
            shapes = {(parser, shape_of_line(line)) for line in text.splitlines()}
        if shapes <= seen:
            continue
        seen |= shapes
        file = CORPUS / parser / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
