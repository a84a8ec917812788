import threading
import time

from config.doctor.diagnosis import Check, Diagnosis, Light, amber, green, red, told, worst
from config.doctor.running import run


def _said(*checks: Check) -> list[tuple[str, Light]]:
    return [(line.subject, line.light) for one in run(checks) for line in one.diagnoses]


def _sound(subject: str) -> Check:
    return Check("Group", subject, lambda: [green(subject, "as it should be")])


def test_returns_what_every_check_said_in_the_order_given() -> None:
    assert _said(_sound("a"), _sound("b")) == [("a", Light.GREEN), ("b", Light.GREEN)]


def test_lets_no_broken_check_hide_another() -> None:
    broken = Check("Group", "broken", lambda: [green("broken", str(1 / 0))])
    assert _said(_sound("a"), broken, _sound("b")) == [("a", Light.GREEN), ("broken", Light.RED), ("b", Light.GREEN)]


def test_gives_up_a_check_that_hangs_when_its_time_is_over() -> None:
    release = threading.Event()
    hanging = Check("Group", "hangs", lambda: [green("hangs", str(release.wait(60)))], seconds=0.05)
    started = time.monotonic()
    (examined, other) = run([hanging, _sound("a")])
    release.set()
    assert time.monotonic() - started < 5
    assert [line.light for line in (*examined.diagnoses, *other.diagnoses)] == [Light.RED, Light.GREEN]
    assert "no answer within 0.05 seconds" in examined.diagnoses[0].fact


def test_runs_checks_side_by_side() -> None:
    both = threading.Barrier(2, timeout=5)
    checks = [Check("Group", name, lambda: [green("met", str(both.wait()))]) for name in "ab"]
    assert [light for _, light in _said(*checks)] == [Light.GREEN, Light.GREEN]


def test_leaves_no_thread_that_the_process_would_wait_for() -> None:
    release = threading.Event()
    run([Check("Group", "hangs", lambda: [green("hangs", str(release.wait(60)))], seconds=0.01)])
    hanging = [thread for thread in threading.enumerate() if thread.name == "doctor hangs"]
    release.set()
    assert [thread.daemon for thread in hanging] == [True]


def test_judges_the_whole_by_its_heaviest_light() -> None:
    lines = [green("a", "is so"), amber("b", "is so", "look."), red("c", "is so", "mend.")]
    assert [worst(lines[:count]) for count in range(4)] == [Light.GREEN, Light.GREEN, Light.AMBER, Light.RED]


def test_keeps_the_next_step_that_an_error_names_itself() -> None:
    said = told("bus", Light.RED, "The bus is gone. Next: make it anew.", "look.")
    assert said == Diagnosis("bus", Light.RED, "The bus is gone", "make it anew.")
    assert told("bus", Light.RED, "The bus is gone.", "look.") == Diagnosis(
        "bus", Light.RED, "The bus is gone", "look."
    )
