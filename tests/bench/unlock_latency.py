#!/usr/bin/env python3
"""How long it takes from the release of the last lock to the first stop, over many updates of the agent on a real engine.

    unlock_latency.py [UPDATES]      default: 100

Ends with 1 where the 99th percentile is over 50 ms. Environment: LOCKSTEP_BINARY (build/release/lockstep)."""
import datetime
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "engine"))
from agent_harness import Agent  # noqa: E402
from harness import APP_ID, Device, Engine, target, wait_until  # noqa: E402

MOST_MS = 50


def release(engine, number):
    image = f"{engine.registry}/app:v1"
    return target("ab"[number % 2], {name: {"image": image, "environment": {"RELEASE": str(number)}}
                                     for name in ("web", "worker")})


def seconds(record):
    return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()


def main():
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    engine = Engine()
    device = Device(engine)
    agent = Agent(device, settle="0s")
    lock = engine.locks_root / str(APP_ID) / "web" / "updates.lock"
    taken = []
    try:
        agent.put(release(engine, 0))
        agent.start()
        agent.await_release(release(engine, 0))
        for number in range(1, updates + 1):
            lock.touch()
            agent.records.clear()
            agent.put(release(engine, number))
            wait_until(lambda: agent.events("held"), "held")
            released = time.time()
            lock.unlink()
            agent.await_release(release(engine, number))
            stops = [r for r in agent.events("step-started") if r["kind"] == "stop-container"]
            taken.append((seconds(stops[0]) - released) * 1000)
        agent.stop()
    finally:
        device.close()
        engine.stop()
    taken.sort()
    p99 = taken[max(0, -(-len(taken) * 99 // 100) - 1)]
    print(f"{len(taken)} updates: median {taken[len(taken) // 2]:.0f} ms, p99 {p99:.0f} ms, most {taken[-1]:.0f} ms")
    return 1 if p99 > MOST_MS else 0


if __name__ == "__main__":
    sys.exit(main())
