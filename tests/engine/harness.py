"""What the tests on a real engine share: an engine of their own, the command, targets, and a proxy that sees each call."""
import atexit
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENGINE_SH = ROOT / "integration" / "engine.sh"
BINARY = pathlib.Path(os.environ.get("LOCKSTEP_BINARY", ROOT / "build" / "release" / "lockstep"))
CANNOT_START = 75  # engine.sh: this machine cannot run an engine.
APP = "a" * 32
APP_ID = 1234567
DEVICE = "d" * 32
SETTLES = {"apply", "restart", "start"}  # Commands that wait until services have settled.


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """A dockerd and a registry in namespaces of their own (integration/engine.sh)."""

    def __init__(self, **environment):
        self.dir = tempfile.mkdtemp(prefix="lse.", dir="/tmp")
        os.chmod(self.dir, 0o755)
        started = subprocess.run([ENGINE_SH, "start", self.dir], capture_output=True, text=True,
                                 env={**os.environ, **environment})
        atexit.register(self.stop)  # Also when the tests are interrupted.
        if started.returncode != 0:
            self.stop()
            error = unittest.SkipTest if started.returncode == CANNOT_START else RuntimeError
            raise error("no engine: " + started.stderr.strip().replace("\n", " | "))
        values = dict(line.split("=", 1) for line in started.stdout.splitlines())
        self.url = values["LOCKSTEP_TEST_ENGINE"]
        self.registry = values["LOCKSTEP_TEST_REGISTRY"]
        self.locks_root = pathlib.Path(values["LOCKSTEP_TEST_LOCKS_ROOT"])
        self.socket = self.url.removeprefix("unix://")
        self.environment = values

    def stop(self):
        subprocess.run([ENGINE_SH, "stop", self.dir], check=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def call(self, method, path, body=None, expect=(200, 201, 204, 304)):
        connection = UnixConnection(self.socket)
        connection.request(method, "/v1.41" + path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        if reply.status not in expect:
            raise RuntimeError(f"{method} {path}: {reply.status} {text}")
        is_json = (reply.getheader("Content-Type") or "").startswith("application/json")
        # A pull answers with one object a line.
        return json.loads(text) if is_json and "/images/create" not in path else text

    def pull(self, reference):
        report = self.call("POST", "/images/create?fromImage=" + urllib.parse.quote(reference, safe=""))
        if '"error"' in report:
            raise RuntimeError(report)

    def run(self, name, image, **config):
        """A container of somebody else; returns its id."""
        self.pull(image)
        made = self.call("POST", f"/containers/create?name={name}", {"Image": image, **config})
        self.call("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def execute(self, container, *command):
        """Runs a command inside a container; returns its exit status."""
        made = self.call("POST", f"/containers/{container}/exec", {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True})
        self.call("POST", f"/exec/{made['Id']}/start", {"Detach": False})  # Until it ends.
        return self.call("GET", f"/exec/{made['Id']}/json")["ExitCode"]

    def execute_beside(self, container, *command):
        """Starts a command inside a container, and leaves it running."""
        made = self.call("POST", f"/containers/{container}/exec", {"Cmd": list(command)})
        self.call("POST", f"/exec/{made['Id']}/start", {"Detach": True})

    def inspect(self, container):
        return self.call("GET", f"/containers/{container}/json")

    def containers(self, app=APP):
        """Every container of the app, inspected. One that is being made is listed a moment before it can be."""
        label = urllib.parse.quote(json.dumps({"label": [f"io.balena.app-uuid={app}"]}))
        inspected = []
        for container in self.call("GET", f"/containers/json?all=1&filters={label}"):
            try:
                inspected.append(self.inspect(container["Id"]))
            except RuntimeError as error:
                if ": 404 " not in str(error):
                    raise
        return inspected

    def running(self, app=APP):
        """service -> (container id, start time) of what runs; fails where a service runs twice."""
        result = {}
        for container in self.containers(app):
            service = container["Config"]["Labels"]["io.balena.service-name"]
            if container["State"]["Running"]:
                if service in result:
                    raise AssertionError(f"two containers of {service} run")
                result[service] = (container["Id"], container["State"]["StartedAt"])
        return result

    def processes(self):
        """container id -> processes in its cgroup, whatever the engine knows of them."""
        group = json.loads(pathlib.Path(self.dir, "daemon.json").read_text())["cgroup-parent"]
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                member = re.search(re.escape(group) + "/([0-9a-f]{64})", (process / "cgroup").read_text())
                name, state = re.search(r"\((.*)\) (.)", (process / "stat").read_text(), re.DOTALL).groups()
            except OSError:
                continue  # It has ended.
            # What a runtime began and never let go is no service's yet.
            if member and state != "Z" and not name.startswith("runc:["):
                found.setdefault(member[1], []).append(process.name)
        return found

    def images(self):
        return {tag for image in self.call("GET", "/images/json") for tag in image["RepoTags"] or []}

    def locks_on_disk(self):
        return sorted(str(p) for p in self.locks_root.rglob("*") if p.name in ("updates.lock", "resin-updates.lock"))

    def clear(self):
        """Removes every container, network and volume: a fresh device for the next test."""
        for container in self.call("GET", "/containers/json?all=1"):
            self.call("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        for kind in ("networks", "volumes"):
            self.call("POST", f"/{kind}/prune")
        self.call("POST", "/images/prune?filters=" + urllib.parse.quote('{"dangling":["false"]}'))
        for entry in self.locks_root.iterdir():
            shutil.rmtree(entry)


def target(release, services, app=APP, app_id=APP_ID):
    """A balena state of one app. services: name -> {"image": ..., other fields of a composition}."""
    commit = (release * 40)[:40]
    number = int(commit[0], 16) * 100
    made = {}
    for index, (name, service) in enumerate(sorted(services.items())):
        service = dict(service)
        made[name] = {"id": 10 + index, "image_id": number + index, "image": service.pop("image"),
                      "running": True, "environment": service.pop("environment", {}), "labels": {},
                      "composition": {"restart": "always", "networks": {"default": {}}, **service}}
    volumes = {"data": {}} if any("volumes" in s["composition"] for s in made.values()) else {}
    return {DEVICE: {"name": "device", "config": {}, "apps": {app: {
        "id": app_id, "name": "shop", "class": "fleet", "is_host": False, "releases": {commit: {
            "id": number, "services": made, "networks": {"default": {}}, "volumes": volumes}}}}}}


class Device:
    """One device: the command with an engine, a state directory and a lock root."""

    def __init__(self, engine, engine_url=None):
        self.engine = engine
        self.engine_url = engine_url or engine.url
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-device.", dir="/tmp"))
        self.started = []
        self.settle = "1s"  # Ten, as it is without the option, are nine too many for most tests.

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, document, name="target.json"):
        path = self.dir / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    def command(self, name, *args, engine_url=None):
        if args and isinstance(args[0], dict):
            args = (self.write(args[0]), *args[1:])
        if name in SETTLES and "--settle" not in args:
            args = (*args, "--settle", self.settle)
        return [str(BINARY), name, *args, "--engine", engine_url or self.engine_url, "--locks-root",
                str(self.engine.locks_root), "--state-dir", str(self.dir / "state")]

    def run(self, *args, timeout=120, **options):
        return subprocess.run(self.command(*args, **options), capture_output=True, text=True, timeout=timeout)

    def start(self, *args, **options):
        process = subprocess.Popen(self.command(*args, **options), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def json(self, *args):
        return json.loads(self.run(*args, "--json").stdout)


def read_until(process, event):
    """Reads `apply --json` up to an event of this kind, and returns it."""
    for line in process.stdout:
        parsed = json.loads(line)
        if parsed.get("event") == event:
            return parsed
    raise AssertionError(f"ended with {process.wait()} and without {event!r}: {process.stderr.read()}")


class Proxy:
    """Stands between the command and the engine, and shows each request before it goes on.

    `on_request(line)` is called with the request line, such as "POST /v1.41/containers/x/stop HTTP/1.1"; the
    request is dropped with its connection where it returns False."""

    REQUEST = re.compile(rb"^(?:GET|HEAD|POST|PUT|DELETE) \S+ HTTP/1\.1(?=\r\n)", re.MULTILINE)

    def __init__(self, upstream):
        self.dir = tempfile.mkdtemp(prefix="lsp.", dir="/tmp")
        self.path = self.dir + "/s"
        self.url = "unix://" + self.path
        self.upstream = upstream
        self.requests = []
        self.on_request = None
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def changes(self):
        """The requests that change something."""
        return [r for r in self.requests if not r.startswith(("GET", "HEAD"))]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.upstream)
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source, sink, is_client):
        try:
            while data := source.recv(65536):
                if is_client and not self._show(data):
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _show(self, data):
        go_on = True
        with self.lock:
            for match in self.REQUEST.finditer(data):
                line = match[0].decode()
                self.requests.append(line)
                if self.on_request is not None:
                    go_on = self.on_request(line) is not False and go_on
        return go_on


class EngineTest(unittest.TestCase):
    """One engine for a class of tests; a fresh device, and a stranger's container, for each test."""

    engine_environment = {}

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(**cls.engine_environment)
        cls.addClassCleanup(cls.engine.stop)

    def setUp(self):
        self.device = Device(self.engine)
        self.addCleanup(self.engine.clear)
        self.addCleanup(self.device.close)
        # Has the name that Lockstep would give, and none of its labels.
        self.stranger = self.engine.run("web_1_1_" + "a" * 40, self.image("app:v1"), Labels={"who": "somebody"})
        self.stranger_before = self.engine.inspect(self.stranger)["State"]
        self.addCleanup(self.check_stranger)

    def check_stranger(self):
        now = self.engine.inspect(self.stranger)
        self.assertEqual(self.stranger_before, now["State"], "a stranger's container was touched")

    def image(self, name):
        return f"{self.engine.registry}/{name}"

    def shop(self, release, web="web:1", db="db:1", worker="worker:1", **more):
        """Three services: web needs db, which keeps its data."""
        return target(release, {
            "db": {"image": self.image(db), "volumes": ["data:/data"]},
            "web": {"image": self.image(web), "depends_on": ["db"], **more},
            "worker": {"image": self.image(worker)}})

    def release_a(self):
        return self.shop("a")

    def release_b(self, **more):
        return self.shop("b", web="web:2", worker="worker:2", **more)

    def assert_exit(self, expected, finished):
        output = finished.stdout + finished.stderr
        self.assertEqual(expected, finished.returncode, output[-4000:])
        return finished

    def apply(self, document, *args, expect=0):
        return self.assert_exit(expected=expect, finished=self.device.run("apply", document, *args))

    def assert_error_line(self, finished):
        """One line that says what and what to do."""
        lines = finished.stderr.strip().splitlines()
        self.assertEqual(1, len(lines), finished.stderr)
        self.assertRegex(lines[0], r"^lockstep: .+: .+; .+")

    def assert_at_rest(self, document):
        """The release runs, each service once; in sync; no lock and no old container is left."""
        (commit, release), = document[DEVICE]["apps"][APP]["releases"].items()
        containers = self.engine.containers()
        self.assertEqual(set(release["services"]), set(self.engine.running()))
        self.assertEqual(len(release["services"]), len(containers), [c["Name"] for c in containers])
        for container in containers:
            service = container["Config"]["Labels"]["io.balena.service-name"]
            self.assertTrue(container["Name"].endswith(commit), container["Name"])
            self.assertEqual(release["services"][service]["image"], container["Config"]["Image"])
            self.assertEqual("always", container["HostConfig"]["RestartPolicy"]["Name"])
        plan = self.device.json("plan", document)
        self.assertEqual(("in-sync", []), (plan["status"], plan["steps"]))
        self.assertEqual([], self.engine.locks_on_disk())

    def take_lock(self, service, *command):
        """A real tool in the running container of the service takes its lock."""
        container, _ = self.engine.running()[service]
        command = command or ("lockfile", "-r0", "/tmp/balena/updates.lock")
        self.assertEqual(0, self.engine.execute(container, *command))

    def drop_lock(self, service):
        container, _ = self.engine.running()[service]
        self.assertEqual(0, self.engine.execute(container, "rm", "-rf", "/tmp/balena/updates.lock"))


def kill(process):
    process.send_signal(signal.SIGKILL)


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.05)
