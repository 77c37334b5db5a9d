"""What the page talks to: an agent on an engine in memory, or an API of this file that says what a test wants."""
import atexit
import http.client
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from browser import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LOCKSTEP_BINARY", ROOT / "build" / "release" / "lockstep"))
COMPOSE = """
name: shop
services:
  db: {{image: "postgres:15", volumes: ["data:/var/lib/postgresql/data"]}}
  web: {{image: "registry.example/web:{release}", depends_on: [db]}}
volumes: {{data: }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Agent:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lsa.", dir="/tmp"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process = None
        atexit.register(self.close)  # Also when the tests are interrupted.
        self.release(1)
        self.start()
        self.key = eventually(lambda: self._file("state/api-key"), "a key").strip()

    def _file(self, name):
        path = self.dir / name
        return path.read_text() if path.exists() else ""

    def start(self):
        log = open(self.dir / "log", "a")
        self.process = subprocess.Popen(
            [BINARY, "agent", "--source", self.dir / "compose.yml", "--engine", "memory:", "--state-dir", self.dir / "state",
             "--locks-root", self.dir / "locks", "--api-socket", "none", "--api-listen", f"127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def release(self, number):
        """The app is to have this release from now on."""
        new = self.dir / "compose.yml.new"
        new.write_text(COMPOSE.format(release=number))
        new.rename(self.dir / "compose.yml")

    def lock(self, service):
        path = self.dir / "locks" / "shop" / service / "updates.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    def get(self, path):
        """The status, the header fields and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def status(self):
        try:
            code, _, body = self.get("/v1/status")
        except OSError:
            return None
        return json.loads(body) if code == 200 else None

    def wait_at_rest(self):
        return eventually(lambda: (s := self.status()) and s["at_rest"] and s["status"] == "in-sync" and s, "at rest")


class Api:
    """Answers as an agent does, with what `status` and `plan` are. Its page is the one of a real agent."""

    KEY = "k" * 32

    def __init__(self, agent):
        _, headers, self.page = agent.get("/")
        self.policy = headers["Content-Security-Policy"]
        self.status, self.plan = status_document(), {"format": "lockstep.plan/1", "steps": [], "running": []}
        self.posts, self.gets = [], []
        self.refusal = None  # (status, body) of the next POST.
        self.streams = []
        self.last_event_ids = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.get(self)

            def do_POST(self):
                api.post(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        for stream in list(self.streams):
            stream.put(None)
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def answer(request, code, body, fields=()):
        request.send_response(code)
        for name, value in (("Content-Length", len(body)), *fields):
            request.send_header(name, str(value))
        request.end_headers()
        request.wfile.write(body)

    def get(self, request):
        self.gets.append(request.path)
        if request.path == "/":
            return self.answer(request, 200, self.page, [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", self.policy)])
        if request.headers.get("Authorization") != "Bearer " + self.KEY:
            return self.answer(request, 401, b'{"error":{"code":"permission-denied","message":"the API key is wrong"}}')
        if request.path == "/v1/events":
            return self.stream(request)
        document = {"/v1/status": self.status, "/v1/plan": self.plan}[request.path]
        self.answer(request, 200, json.dumps(document).encode())

    def post(self, request):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        self.posts.append((request.path, body))
        code, document = self.refusal or (204, None)
        self.refusal = None
        self.answer(request, code, json.dumps(document).encode() if document else b"")

    def stream(self, request):
        self.last_event_ids.append(request.headers.get("Last-Event-ID"))
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.flush()
        request.close_connection = True
        mine = queue.Queue()
        self.streams.append(mine)
        while (text := mine.get()) is not None:
            try:
                request.wfile.write(text)
            except OSError:
                break
        self.streams.remove(mine)

    def publish(self, name, **fields):
        event = {"format": "lockstep.event/1", "seq": 1, "time": "2026-01-01T12:00:00Z", "event": name, **fields}
        text = f"id: 1-1\nevent: {name}\ndata: {json.dumps(event)}\n\n".encode()
        eventually(lambda: self.streams, "somebody reads events")
        for stream in list(self.streams):
            stream.put(text)


def error(message, hint="do this"):
    return {"code": "unavailable", "message": message, "hint": hint}


def container(**fields):
    return {"id": "c" * 64, "name": "web_0_0_b0b", "release": "b0b", "image": "registry.example/web:1", "state": "running",
            "health": "none", "exit_code": 0, "restart_count": 0, "started_at": None, **fields}


def service(name="web", **fields):
    return {"service": name, "image": "registry.example/web:1", "change": "none", "stopped": False, "unhealthy": False,
            "containers": [container()], **fields}


def app(name="shop", **fields):
    return {"app": name, "app_id": "", "name": name, "status": "in-sync", "from": "b0b", "to": "b0b", "paused": False,
            "failed_releases": [], "back_to": None, "error": None, "gaps": [], "services": [service()], **fields}


def lock(**fields):
    return {"app": "shop", "app_id": "shop", "service": "web", "path": "/tmp/locks/shop/web/updates.lock", "held": True,
            "kind": "exclusive-file", "since": "2026-01-01T00:00:00Z", "age_s": 7500, "owner_uid": 0, "holder": "", "notes": [], **fields}


def status_document(**fields):
    return {"format": "lockstep.run/1", "time": "2026-01-01T00:00:00Z", "device": "", "engine": {"kind": "memory", "version": "1"},
            "status": "in-sync", "at_rest": True, "fingerprint": "p1:0", "look_error": None, "target_problem": None, "error": None,
            "reboot_pending": False, "steps": {"left": 0, "ready": 0, "waiting": 0, "held": 0, "deferred": 0}, "running": [],
            "locks": [], "apps": [app()], **fields}


def step(number, kind="start-container", service_name="web", after=(), status="waiting", **fields):
    return {"id": f"s1:{number:016x}", "kind": kind, "app": "shop", "service": service_name, "phase": "cutover", "subject": f"subject {number}",
            "disruptive": kind in ("stop-container", "start-container"), "after": [f"s1:{n:016x}" for n in after], "status": status, "why": [], **fields}


def with_steps(api, steps, running=(), **fields):
    """`api` says that this is left to do."""
    api.plan = {"format": "lockstep.plan/1", "steps": steps, "running": [f"s1:{n:016x}" for n in running]}
    counts = {name: sum(s["status"] == name for s in steps) for name in ("ready", "waiting", "held", "deferred")}
    api.status = status_document(status="ready", at_rest=False, steps={"left": len(steps), **counts},
                                 running=[{**s, "current_bytes": 0, "total_bytes": 0} for s in steps if s["id"] in api.plan["running"]], **fields)
