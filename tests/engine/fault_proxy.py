"""A proxy between the command and the engine that does harm by a seeded schedule, and lets everything pass once that is spent.

A fault meets one request each. What it does to the connection is a function of FAULTS below; `kill`, `term` and
`powercut` are done to the engine itself, which is started again a moment later."""
import dataclasses
import http.client
import io
import random
import select
import shutil
import socket
import tempfile
import threading
import time

BREATH = 0.4  # Seconds: long enough to be a pause, far below every time-out.
SILENCE = 2.0  # How long a swallowed reply is waited for, before the connection ends.
GARBAGE = b"\x00\xff\x16\x03\x01 SSH-2.0 <html>{" * 20
ERROR = (b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n"
         b'{"message":"injected failure"}')


class Cut(Exception):
    """The connection to the client ends here."""


# Where a reply is cut, as a number of bytes that still pass.
CUTS = {
    "0": lambda reply: 0,
    "1": lambda reply: 1,
    "in-status": lambda reply: 7,
    "in-headers": lambda reply: reply.find(b"\r\n") + 9,
    "after-headers": lambda reply: reply.find(b"\r\n\r\n") + 4,
    "in-body": lambda reply: (reply.find(b"\r\n\r\n") + 4 + len(reply)) // 2,
    "last": lambda reply: len(reply) - 1,
}


def _cut_reply(where):
    def fault(exchange):
        reply = exchange.forward()
        exchange.send(reply[:CUTS[where](reply)])
        raise Cut
    return fault


def _cut_request(_exchange):
    raise Cut


def _cut_half_request(exchange):
    exchange.forward_half()
    raise Cut


def _garbage(exchange):
    exchange.send(GARBAGE)
    raise Cut


def _garbage_after(exchange):
    exchange.forward()
    _garbage(exchange)


def _error(exchange):
    exchange.send(ERROR)


def _error_after(exchange):
    exchange.forward()
    exchange.send(ERROR)


def _delay(exchange):
    time.sleep(BREATH)
    exchange.send(exchange.forward())


def _drip(exchange):
    reply = exchange.forward()
    for piece in range(0, len(reply), len(reply) // 8 + 1):
        exchange.send(reply[piece:piece + len(reply) // 8 + 1])
        time.sleep(BREATH / 8)


def _swallow(_exchange):
    time.sleep(SILENCE)
    raise Cut


def _swallow_after(exchange):
    exchange.forward()
    _swallow(exchange)


def _cut_events(exchange):
    exchange.proxy.cut_streams()
    exchange.send(exchange.forward())


def _harm(what, after):
    def fault(exchange):
        if after:
            exchange.forward()
        exchange.proxy.harm_engine(what)
        raise Cut
    return fault


FAULTS = {
    **{f"cut-reply-{where}": _cut_reply(where) for where in CUTS},
    "cut-request": _cut_request, "cut-half-request": _cut_half_request,
    "garbage": _garbage, "garbage-after": _garbage_after, "error": _error, "error-after": _error_after,
    "delay": _delay, "drip": _drip, "swallow": _swallow, "swallow-after": _swallow_after,
    "cut-events": _cut_events,
}
ENGINE_FAULTS = {f"{what}{suffix}": _harm(what, bool(suffix))
                 for what in ("kill", "term", "powercut") for suffix in ("", "-after")}
AIMS = ("any", "change", "look", "stream")


@dataclasses.dataclass
class Fault:
    kind: str
    aim: str  # Which requests it is for.
    skip: int  # How many of them pass before, counted from the fault before this one.


def schedule(seed, engine_faults=True, first=None):
    """At most eight faults. `first` names the kind of the first one."""
    dice = random.Random(f"faults {seed}")
    faults = []
    for index in range(dice.randint(1, 8)):
        kind = dice.choice(sorted(FAULTS))
        aim = dice.choices(AIMS, (3, 5, 1, 1))[0]
        if engine_faults and dice.random() < 0.12:
            kind = dice.choice(sorted(ENGINE_FAULTS))
        if index == 0 and first:
            kind = first
        # Now and then in a row, so that a step fails for good; else spread over the update.
        faults.append(Fault(kind, aim, 0 if dice.random() < 0.25 else dice.randint(0, {"any": 25, "change": 12}.get(aim, 1))))
    return faults


class _Tee(io.RawIOBase):
    """Reads from a socket, and keeps what was read."""

    def __init__(self, source):
        self.source = source
        self.seen = bytearray()

    def readable(self):
        return True

    def readinto(self, buffer):
        count = self.source.recv_into(buffer)
        self.seen += memoryview(buffer)[:count]
        return count

    def makefile(self, _mode):
        return io.BufferedReader(self)


class _Exchange:
    """One request, and its way to the engine and back."""

    def __init__(self, proxy, client, request):
        self.proxy, self.client, self.request = proxy, client, request
        self.line = request.split(b"\r\n", 1)[0].decode()
        self.method, self.path = self.line.split(" ")[:2]
        self.streams = any(word in self.path for word in ("/events?", "/images/create?", "/wait?"))

    def send(self, data):
        self.client.sendall(data)

    def _connect(self):
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.proxy.upstream)
        return server

    def forward(self):
        """The whole reply; of a stream, its beginning. The effect is there when this returns."""
        with self._connect() as server:
            server.sendall(self.request)
            if self.streams:
                reply = server.recv(65536)
                if not reply:
                    raise Cut
                return reply
            tee = _Tee(server)
            try:
                reply = http.client.HTTPResponse(tee, method=self.method)
                reply.begin()
                reply.read()
            except (http.client.HTTPException, ValueError):  # The engine died over it.
                self.send(bytes(tee.seen))
                raise Cut from None
            return bytes(tee.seen)

    def forward_half(self):
        with self._connect() as server:
            server.sendall(self.request[:len(self.request) // 2])

    def stream(self):
        """Passes a reply on as it comes, until one of both ends it."""
        with self._connect() as server:
            self.proxy.streams.add(self.client)
            # So that the end of the reply is the end of the connection.
            server.sendall(self.request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            while True:
                readable, _, _ = select.select([server, self.client], [], [])
                data = b"" if self.client in readable else server.recv(65536)
                if not data:
                    raise Cut
                self.send(data)


class FaultProxy:
    """`harm_engine(what)` must end the engine in this way, and start it again, before it returns."""

    def __init__(self, upstream, harm_engine):
        self.dir = tempfile.mkdtemp(prefix="lsp.", dir="/tmp")
        self.path = self.dir + "/s"
        self.url = "unix://" + self.path
        self.upstream = upstream
        self.lock = threading.Lock()
        self.faults = []
        self.fired = []  # "kind: request"
        self.refused = 0  # Requests that came while no engine was there.
        self.deaths = 0  # Of the engine.
        self.streams = set()
        self._harm_engine = harm_engine
        self._skip = 0
        self._harm = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.settle()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def arm(self, faults):
        with self.lock:
            self.faults = list(faults)
            self._skip = faults[0].skip if faults else 0

    def settle(self):
        """No fault will come any more; the engine is there when this returns."""
        with self.lock:
            self.faults = []
        self.await_engine()

    def await_engine(self):
        with self.lock:
            harm = self._harm
        if harm:
            harm.join()

    def harm_engine(self, what):
        with self.lock:
            if self._harm and self._harm.is_alive():
                return
            self.deaths += 1
            self._harm = threading.Thread(target=self._harm_engine, args=(what,))
            self._harm.start()

    def cut_streams(self):
        for client in list(self.streams):
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _next_fault(self, exchange):
        with self.lock:
            if not self.faults:
                return None
            fault = self.faults[0]
            is_look = exchange.method in ("GET", "HEAD")
            meant = {"any": True, "change": not is_look, "look": is_look, "stream": exchange.streams}[fault.aim]
            if not meant:
                return None
            if self._skip > 0:
                self._skip -= 1
                return None
            self.faults.pop(0)
            self._skip = self.faults[0].skip if self.faults else 0
            self.fired.append(f"{fault.kind}: {exchange.line}")
            return {**FAULTS, **ENGINE_FAULTS}[fault.kind]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client:
                while request := _read_request(client):
                    exchange = _Exchange(self, client, request)
                    fault = self._next_fault(exchange)
                    if fault:
                        fault(exchange)
                        if exchange.streams:
                            return
                    elif exchange.streams:
                        exchange.stream()
                    else:
                        exchange.send(exchange.forward())
        except (ConnectionRefusedError, FileNotFoundError):
            with self.lock:
                self.refused += 1
        except (Cut, OSError):
            pass
        finally:
            self.streams.discard(client)


def _read_request(client):
    """A request whole, or nothing where the client is done."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body
