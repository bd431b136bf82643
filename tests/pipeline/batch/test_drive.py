"""The batch's decisions, with an engine whose workers do what the test says."""

import pytest

from pipeline.batch.drive import BatchStoppedError, Driver, Plan
from pipeline.batch.messages import Done, Failed, Progress, Ready, Unusable
from pipeline.errors import EXIT_INPUT, EXIT_INTERNAL, EXIT_MISSING
from tests.pipeline.batch.parts import SETTINGS, SetClock, a_done, a_manifest, claims

KILLED = Failed("The worker was killed by SIGKILL", -9)
BROKEN = Failed("is no video", EXIT_INPUT)


class PlannedEngine:
    """An engine without processes: for every video a list of what its workers will say."""

    def __init__(self, answers, time, workers=2):
        self._answers = {name: list(said) for name, said in answers.items()}
        self._time, self._tasks = time, dict.fromkeys(f"w{n}" for n in range(workers))
        self.given, self.dropped, self.closed = [], [], False

    def free(self):
        return [worker for worker, task in self._tasks.items() if task is None]

    def give(self, worker, task):
        assert self._tasks[worker] is None
        self._tasks[worker] = task
        self.given.append(task.name)

    def heard(self, wait_s):
        self._time.steady += wait_s
        messages = []
        for worker, task in self._tasks.items():
            if task is not None and self._answers[task.name]:
                said = self._answers[task.name].pop(0)
                if isinstance(said, BaseException):
                    raise said
                if callable(said):
                    said = said()
                messages.append((worker, said))
                if isinstance(said, Done | Failed):
                    self._tasks[worker] = None
        return messages

    def drop(self, worker):
        self.dropped.append(self._tasks[worker].name)
        self._tasks[worker] = None

    def close(self):
        self.closed = True


class Told:
    def __init__(self):
        self.notes = []

    def note(self, status, name, text):
        self.notes.append((status, name))

    def tick(self, driver):
        pass


def drive(tmp_path, manifest, answers, *, retries=2, workers=2, lease_s=60.0):
    for name in answers:
        (tmp_path / name).touch()
    time, told = SetClock(), Told()
    engine = PlannedEngine(answers, time, workers)
    plan = Plan(tmp_path, tmp_path / "out", SETTINGS, retries=retries)
    mine = claims(manifest, lease_s=lease_s, clock=time.clock())
    driver = Driver(mine, engine, plan, told, time.clock())
    return driver, engine, told


def states(manifest):
    return {row.name: (row.status, row.attempts) for row in manifest.rows()}


def test_every_video_is_given_once_and_written_down(tmp_path):
    with a_manifest(tmp_path, "a", "b", "c") as manifest:
        answers = {name: [Ready(), Progress("x", 1, 2), a_done()] for name in "abc"}
        driver, engine, told = drive(tmp_path, manifest, answers)
        driver.run()
        assert sorted(engine.given) == ["a", "b", "c"]
        assert states(manifest) == dict.fromkeys("abc", ("done", 1))
        assert engine.closed
        assert len(told.notes) == 3


def test_a_death_costs_its_video_an_attempt_and_no_other_anything(tmp_path):
    with a_manifest(tmp_path, "a", "b") as manifest:
        answers = {"a": [KILLED, a_done()], "b": [Ready(), Ready(), a_done()]}
        driver, _, told = drive(tmp_path, manifest, answers)
        driver.run()
        assert states(manifest) == {"a": ("done", 2), "b": ("done", 1)}
        assert told.notes[0] == ("again", "a")


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_tries_end_and_the_reason_stays(tmp_path, retries):
    with a_manifest(tmp_path, "a", "b") as manifest:
        answers = {"a": [KILLED] * 9, "b": [a_done()]}
        driver, engine, _ = drive(tmp_path, manifest, answers, retries=retries)
        driver.run()
        assert states(manifest) == {"a": ("failed", retries + 1), "b": ("done", 1)}
        assert engine.given.count("a") == retries + 1
        assert "SIGKILL" in manifest.row("a").error
        assert manifest.row("a").exit_code == -9


def test_what_cannot_heal_is_not_tried_again(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        driver, engine, _ = drive(tmp_path, manifest, {"a": [BROKEN] * 9}, retries=5)
        driver.run()
        assert engine.given == ["a"]
        assert states(manifest) == {"a": ("failed", 1)}


def test_a_video_that_was_removed_midway_is_gone_and_not_failed(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:

        def removed():
            (tmp_path / "a").unlink()
            return BROKEN

        driver, _, _ = drive(tmp_path, manifest, {"a": [removed]})
        driver.run()
        assert manifest.row("a").status == "gone"


def test_interrupted_it_releases_what_it_held(tmp_path):
    with a_manifest(tmp_path, "a", "b", "c") as manifest:
        answers = {"a": [a_done()], "b": [Ready(), KeyboardInterrupt()], "c": [Ready()] * 9}
        driver, engine, _ = drive(tmp_path, manifest, answers)
        with pytest.raises(KeyboardInterrupt):
            driver.run()
        assert engine.closed
        assert states(manifest) == {"a": ("done", 1), "b": ("waiting", 0), "c": ("waiting", 0)}
        assert all(row.claim == "" for row in manifest.rows())


def test_a_lost_lease_stops_the_work_on_that_video(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:

        def stolen():
            manifest.execute("UPDATE videos SET claim = 'theirs', status = 'done'")
            return Progress("x", 1, 2)

        driver, engine, told = drive(
            tmp_path, manifest, {"a": [stolen, *[Ready()] * 40]}, lease_s=1.0
        )
        driver.run()
        assert engine.dropped == ["a"]
        assert told.notes == [("lost", "a")]
        assert manifest.row("a").claim == "theirs"


def test_it_waits_for_others_and_takes_over_when_they_fall_silent(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        claims(manifest, "there|b|n|1|1", lease_s=3.0).next("w9", SETTINGS)
        driver, _, told = drive(tmp_path, manifest, {"a": [a_done()]})
        driver.run()
        assert told.notes == [("taken over", "a"), ("done", "a")]
        assert states(manifest) == {"a": ("done", 1)}


def test_workers_that_cannot_work_stop_the_batch_with_their_reason(tmp_path):
    with a_manifest(tmp_path, "a", "b") as manifest:
        answers = {"a": [Unusable("no weights", EXIT_MISSING)], "b": [Ready()] * 9}
        driver, _, _ = drive(tmp_path, manifest, answers)
        with pytest.raises(BatchStoppedError, match="no weights") as raised:
            driver.run()
        assert raised.value.exit_code == EXIT_MISSING
        assert states(manifest) == {"a": ("waiting", 0), "b": ("waiting", 0)}


def test_workers_that_die_while_they_start_stop_the_batch_and_blame_no_video(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        dies = Failed("The worker ended with code 1", EXIT_INTERNAL, is_workers=True)
        driver, engine, _ = drive(tmp_path, manifest, {"a": [dies] * 9}, workers=1)
        with pytest.raises(BatchStoppedError, match="die while they start"):
            driver.run()
        assert len(engine.given) == 3
        assert states(manifest) == {"a": ("waiting", 0)}
