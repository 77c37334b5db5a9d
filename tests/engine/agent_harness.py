"""The agent beside an engine of its own: starting it, asking its API, waiting for what it reaches."""
import http.client
import json
import os
import signal
import socket
import subprocess
import threading

from harness import BINARY, UnixConnection, wait_until


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def over_tcp(port, method, path, body=None, headers=None):
    """Status and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


class Agent:
    """`lockstep agent` on a device of the harness, with its targets in a file. Its log is read as it comes."""

    def __init__(self, device, *args, engine_url=None, settle="1s", source=None, environment=None):
        self.device = device
        self.source = source or str(device.dir / "target.json")
        self.socket = str(device.dir / "api.sock")
        self.args = [str(BINARY), "agent", "--source", self.source, "--api-socket", self.socket,
                     "--settle", settle, "--log-format", "json", "--log-level", "debug",
                     "--engine", engine_url or device.engine_url, "--locks-root", str(device.engine.locks_root),
                     "--state-dir", str(device.dir / "state"), *args]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.records = []
        self.on_record = None  # Called by the reading thread with each record of the log.

    def start(self):
        self.records = []
        self.process = subprocess.Popen(self.args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env=self.environment)
        self.device.started.append(self.process)
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        return self

    def _read(self, process):
        for line in process.stderr:
            try:
                record = json.loads(line)
            except ValueError:
                record = {"message": line.strip()}
            self.records.append(record)
            if self.on_record is not None:
                self.on_record(record)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, seconds=60):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def request(self, method, path, body=None, headers=None):
        """Status and text."""
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def get(self, path):
        """The document, or none where the agent is not there or not ready."""
        try:
            status, text = self.request("GET", path)
        except OSError:
            return None
        return json.loads(text) if status == 200 else None

    def events(self, kind):
        return [r for r in self.records if r.get("event") == kind]

    def is_in_sync(self, release):
        """With nothing left to do, for this release."""
        plan = self.get("/v1/plan")
        if plan is None or not plan["at_rest"] or plan["status"] != "in-sync":
            return False
        return bool(plan["apps"]) and all(app["from"] == app["to"] == release for app in plan["apps"])

    def await_release(self, document, seconds=90):
        (device,) = document.values()
        (app,) = device["apps"].values()
        (release,) = app["releases"]
        try:
            wait_until(lambda: self.is_in_sync(release), f"release {release}", seconds)
        except AssertionError as error:
            lines = [f"{r.get('time')} {r.get('level')}: {r.get('message')}" for r in self.records]
            wrong = [line for line in lines[:-20] if " warning: " in line or " error: " in line]
            raise AssertionError("\n".join([str(error), *wrong[-20:], "...", *lines[-20:]])) from None

    def put(self, document):
        """Another target, as an administrator would put it there: whole."""
        path = self.device.dir / "target.json"
        temporary = path.with_suffix(".new")
        temporary.write_text(document if isinstance(document, str) else json.dumps(document))
        os.replace(temporary, path)
