"""An engine that was killed before it wrote down that a container runs does not know of its process."""
import pathlib
import subprocess
import unittest

from agent_harness import Agent
from harness import ENGINE_SH, EngineTest, wait_until


class LostContainerTest(EngineTest):
    def enter(self, *command, check=True):
        return subprocess.run([ENGINE_SH, "enter", self.engine.dir, "--", *command], check=check, capture_output=True)

    def lose(self, service):
        """Starts the stopped container of the service, and kills the engine before it has written that down."""
        container, _ = self.engine.running()[service]
        self.engine.call("POST", f"/containers/{container}/stop?t=5")
        state = f"{self.engine.dir}/root/containers/{container}/config.v2.json"
        self.enter("mount", "--bind", state, state)  # Nothing takes its place then.
        self.engine.call("POST", f"/containers/{container}/start")
        return container, state

    def kill_engine(self, state):
        subprocess.run([ENGINE_SH, "kill", self.engine.dir], check=True)
        self.enter("umount", state)
        subprocess.run([ENGINE_SH, "start-again", self.engine.dir], check=True, capture_output=True)

    def test_a_service_whose_process_was_lost_is_restarted_under_its_lock_and_never_runs_twice(self):
        document = self.release_a()
        agent = Agent(self.device)
        agent.put(document)
        agent.start()
        agent.await_release(document)
        agent.kill()
        container, state = self.lose("worker")
        self.take_lock("worker")
        self.kill_engine(state)
        self.stranger_before = self.engine.inspect(self.stranger)["State"]  # The engine's end was its end, too.
        self.assertNotIn("worker", self.engine.running())
        before = self.engine.processes().get(container)
        self.assertTrue(before, "its process runs, and nobody knows")

        agent.start()
        wait_until(lambda: agent.events("held"), "held")
        self.assertEqual(before, self.engine.processes().get(container))
        for lock in self.engine.locks_on_disk():
            pathlib.Path(lock).unlink()
        agent.await_release(document)
        self.assertFalse(set(before) & set(self.engine.processes().get(container, [])))
        self.assertEqual(0, agent.stop())
        self.assert_at_rest(document)


if __name__ == "__main__":
    unittest.main()
