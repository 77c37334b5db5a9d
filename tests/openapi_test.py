#!/usr/bin/env python3
"""What a running agent answers, against what its /v1/openapi.json says that it answers.

    openapi_test.py LOCKSTEP

Every answer of every request below is described: its status, its type, and each member of its body; schemas are read as if they
allowed nothing else. Exit status 77: there is no validator (Debian: python3-jsonschema)."""
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
except ImportError:
    print("skipped: there is no python3-jsonschema")
    sys.exit(77)

APP = "a" * 32
TARGET = {"name": "device", "config": {}, "apps": {APP: {"id": 7, "name": "shop", "releases": {"b0b%d": {"id": 1, "services": {
    "web": {"id": 1, "image_id": 11, "image": "registry.example/web:%d", "environment": {"A": "1"}, "labels": {}, "composition": {}},
    "db": {"id": 2, "image_id": 12, "image": "postgres:15", "environment": {}, "labels": {}, "composition": {"volumes": ["data:/data"]}}},
    "volumes": {"data": {}}, "networks": {}}}}}}
VALIDATOR = jsonschema.Draft202012Validator


def target(release):
    text = json.dumps({"d" * 32: TARGET})
    return text.replace("b0b%d", f"{release:032x}").replace("web:%d", f"web:{release}")


class Connection(http.client.HTTPConnection):
    """Over TCP, or over the unix socket where `path` is given."""

    def __init__(self, port, path=None):
        super().__init__("127.0.0.1", port, timeout=30)
        self.path = path

    def connect(self):
        if not self.path:
            return super().connect()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Agent:
    def __init__(self, program):
        self.dir = tempfile.TemporaryDirectory(prefix="lso.", dir="/tmp")
        root = pathlib.Path(self.dir.name)
        self.locks, self.socket = root / "locks", str(root / "socket")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [program, "agent", "--source", "push", "--engine", "memory:", "--state-dir", root / "state", "--locks-root", self.locks,
             "--reboot", "never", "--device", "d" * 32, "--api-socket", self.socket, "--api-listen", f"127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.dir.cleanup()

    def ask(self, method, path, body=None, fields=None, tcp=False):
        connection = Connection(self.port, None if tcp else self.socket)
        try:
            connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), fields or {})
            reply = connection.getresponse()
            return reply.status, reply.getheader("Content-Type"), reply.read().decode()
        finally:
            connection.close()

    def events(self, until):
        """All until this one."""
        connection = Connection(self.port, self.socket)
        connection.request("GET", "/v1/events")
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("Content-Type")) == (200, "text/event-stream")
        for line in reply:
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                yield event
                if event.get("event") == until:
                    break
        connection.close()


def closed(schema):
    """The same, and no member that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: closed(value) for name, value in schema.items()}
    if isinstance(out.get("properties"), dict) and "additionalProperties" not in out:
        out["additionalProperties"] = False
    return out


class Description:
    def __init__(self, document):
        self.document = closed(document)
        self.asked = set()
        for schema in self.document["components"]["schemas"].values():
            VALIDATOR.check_schema(schema)
        for reference in set(re.findall(r'"\$ref": "(#[^"]+)"', json.dumps(document))):
            self.find(reference)

    def find(self, reference):
        node = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/")]
        return node

    def schema_errors(self, schema, value):
        validator = VALIDATOR({**schema, "components": self.document["components"]}, format_checker=jsonschema.FormatChecker())
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(value)]

    def operation(self, method, path):
        for template, operations in self.document["paths"].items():
            pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in operations:
                self.asked.add((method, template))
                return operations[method.lower()]
        return None

    def errors(self, method, path, status, content_type, body):
        operation = self.operation(method, path)
        if operation is None:
            return ["it is not described"]
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"status {status} is not described: {body[:200]}"]
        if "$ref" in answer:
            answer = self.find(answer["$ref"])
        content = answer.get("content", {})
        if not content:
            return ["a body that is not described"] if body else []
        if content_type not in content:
            return [f"type {content_type} is not described"]
        value = json.loads(body) if content_type == "application/json" else body
        return self.schema_errors(content[content_type]["schema"], value)


def main():
    agent = Agent(sys.argv[1])
    try:
        return check(agent)
    finally:
        agent.close()


def eventually(is_so, what):
    end = time.monotonic() + 60
    while not (answer := is_so()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return answer


def answers(agent):
    try:
        return agent.ask("GET", "/v1/openapi.json")
    except OSError:
        return None


def check(agent):
    _, _, text = eventually(lambda: answers(agent), "an answer")
    description = Description(json.loads(text))
    failures, made = [], 0

    def ask(method, path, body=None, expect=200, **more):
        nonlocal made
        made += 1
        status, content_type, answer = agent.ask(method, path, body, **more)
        wrong = description.errors(method, path, status, content_type, answer)
        if status != expect:
            wrong.append(f"status {status}, not {expect}: {answer[:300]}")
        for error in wrong:
            failures.append(f"{method} {path} {json.dumps(body)[:80]}: {error}")
            print(failures[-1], flush=True)

    def status_of(*keys):
        code, _, body = agent.ask("GET", "/v1/status")
        return code == 200 and [json.loads(body)[key] for key in keys]

    eventually(lambda: agent.ask("GET", "/v1/healthy")[0] == 200, "the device is open")
    ask("GET", "/v1/status", expect=503)
    ask("GET", "/v1/plan", expect=503)
    ask("POST", "/v2/local/target-state", "{", expect=400)
    ask("POST", "/v2/local/target-state", target(1))
    eventually(lambda: status_of("status", "at_rest") == ["in-sync", True], "in sync")

    lock = agent.locks / "7" / "web" / "updates.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    ask("POST", "/v2/local/target-state", target(2))
    eventually(lambda: status_of("status") == ["held"], "held")
    every = ["/", "/v1/openapi.json", "/v1/healthy", "/ping", "/metrics", "/v1/device", "/v1/status", "/v1/plan", "/v1/locks", "/v2/version",
             "/v2/state/status", "/v2/applications/state"]
    for path in every:
        ask("GET", path)
    for path in ("/v1/reboot", "/v1/shutdown"):
        ask("POST", path, {}, expect=423)
    web = {"serviceName": "web"}
    for name in ("restart-service", "stop-service"):
        ask("POST", f"/v2/applications/7/{name}", web, expect=423)
    for path in ("/v2/applications/7/restart", "/v2/applications/7/purge"):
        ask("POST", path, {}, expect=423)
    for path in ("/v1/restart", "/v1/purge"):
        ask("POST", path, {"appId": 7}, expect=423)

    lock.unlink()
    seen = set()
    for event in agent.events(until="committed"):
        made += 1
        seen.add(event["event"])
        for error in description.schema_errors(description.find("#/components/schemas/Event"), event):
            failures.append(f"event {event['event']}: {error}")
            print(failures[-1])
    description.operation("GET", "/v1/events")
    assert {"step-started", "step-done", "committed"} <= seen, seen

    for method, path, body, expect in [
            ("POST", "/v1/update", {"force": False}, 204), ("POST", "/v1/update", {"cancel": True}, 204), ("POST", "/v1/update", "[", 400),
            ("POST", "/v1/restart", {}, 400), ("POST", "/v1/restart", {"appId": 8}, 404), ("POST", "/v1/restart", {"appId": 7, "force": True}, 200),
            ("POST", "/v1/purge", {"appId": APP, "force": True}, 200), ("POST", "/v1/apps/7/pause", {}, 200), ("POST", f"/v1/apps/{APP}/resume", {}, 200),
            ("POST", "/v1/apps/none/pause", {}, 404), ("POST", "/v1/apps/none/remove", {}, 404),
            ("POST", "/v2/applications/7/restart-service", {**web, "force": True}, 200), ("POST", "/v2/applications/7/stop-service", {"serviceName": "none"}, 404),
            ("POST", "/v2/applications/7/stop-service", {**web, "force": True}, 200), ("POST", "/v2/applications/7/start-service", {"imageId": 11}, 200),
            ("POST", "/v2/applications/7/restart", {"force": True}, 200), ("POST", "/v2/applications/7/purge", {"force": True}, 200)]:
        ask(method, path, body, expect)
    for path in every:
        ask("GET", path)

    key = (pathlib.Path(agent.dir.name) / "state" / "api-key").read_text().strip()
    for method, operations in [(m, p) for p, o in description.document["paths"].items() for m in o if o[m].get("security") != []]:
        ask(method.upper(), operations.replace("{id}", "7"), {} if method == "post" else None, 401, tcp=True)
    bearer = {"Authorization": f"Bearer {key}"}
    ask("GET", "/v1/status", tcp=True, fields=bearer)
    ask("GET", f"/v1/status?apikey={key}", tcp=True)
    ask("GET", "/v1/status", expect=421, tcp=True, fields={**bearer, "Host": "elsewhere.example"})
    ask("POST", "/v1/update", {}, 403, tcp=True, fields={**bearer, "Origin": "http://elsewhere.example"})
    wrong_key = {"Authorization": "Bearer wrong"}
    ask("GET", "/v1/status", expect=401, tcp=True, fields=wrong_key)
    eventually(lambda: agent.ask("GET", "/v1/status", tcp=True, fields=wrong_key)[0] == 429, "too many wrong keys")
    ask("GET", "/v1/status", expect=429, tcp=True, fields=wrong_key)
    ask("POST", "/v1/update", " " * ((1 << 20) + 1), 413)

    described = {(m.upper(), p) for p, operations in description.document["paths"].items() for m in operations}
    assert described == description.asked, f"not asked: {described - description.asked}"
    print(f"{made} answers, {len(failures)} of them not as they are described")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
