import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.console.start import Figures
from config.doctor import clock, disk, lag, workers
from config.doctor.diagnosis import Light
from config.doctor.schema import translate
from config.provisioning import PartReport
from crm_events.ports.event_store import StoreStatistics
from crm_events.ports.provisioning import Condition, Finding
from tests.unit.config.doctor.setups import a_setup

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
GIB = 1024**3
QUIET = StoreStatistics(0, 0, 0, 0, None)


def _figures(seconds: float = 0, letters: int = 0) -> Figures:
    oldest = NOW - timedelta(seconds=seconds) if seconds else None
    return Figures(StoreStatistics(1, 0, 0, 1, oldest), 1 if oldest else 0, oldest, letters, NOW)


@pytest.mark.parametrize(
    ("seconds", "light"), [(0, Light.GREEN), (59, Light.GREEN), (90, Light.AMBER), (700, Light.RED)]
)
def test_judges_how_long_changes_wait(seconds: float, light: Light) -> None:
    figures = _figures(seconds)
    assert (lag.waiting_changes(figures).light, lag.deliveries(figures).light) == (light, light)


@pytest.mark.parametrize(("letters", "light"), [(0, Light.GREEN), (3, Light.AMBER)])
def test_asks_somebody_to_decide_about_dead_letters(letters: int, light: Light) -> None:
    assert lag.dead_letters(_figures(letters=letters)).light is light


def test_names_parked_records_and_those_to_be_read_again() -> None:
    assert [line.light for line in lag.records(QUIET)] == [Light.GREEN]
    parked, unknown = lag.records(StoreStatistics(0, 2, 1_000, 0, None))
    assert (parked.light, parked.fact.split()[0]) == (Light.AMBER, "2")
    assert (unknown.light, unknown.fact.split()[0]) == (Light.AMBER, "1,000")


@pytest.mark.parametrize(
    ("age", "light"), [(None, Light.RED), (-20, Light.GREEN), (6, Light.GREEN), (90, Light.AMBER), (400, Light.RED)]
)
def test_judges_when_the_last_sweep_was(age: float | None, light: Light) -> None:
    last = None if age is None else NOW - timedelta(seconds=age)
    assert workers.judge_sweep(last, NOW).light is light


def test_misses_a_lane_that_no_worker_takes_from() -> None:
    lines = workers.judge_lanes({"a@host": ["ingest", "project"], "b@host": ["ingest"]}, a_setup())
    assert [(line.subject, line.light) for line in lines] == [
        ("lane ingest", Light.GREEN),
        ("lane project", Light.GREEN),
        ("lane bulk", Light.RED),
    ]
    assert lines[0].fact.startswith("2 workers")


def test_misses_all_workers_where_none_answers() -> None:
    assert [line.light for line in workers.judge_lanes({}, a_setup())] == [Light.RED]


def test_sees_whether_the_one_process_server_works_in_the_folder(tmp_path: Path) -> None:
    assert not workers.is_serving(tmp_path)
    with (tmp_path / "serve.lock").open("a") as server:
        assert not workers.is_serving(tmp_path)
        fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert workers.is_serving(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "light", "word"),
    [(0, Light.GREEN, "agrees"), (-5, Light.GREEN, "agrees"), (-60, Light.AMBER, "behind"), (400, Light.RED, "ahead")],
)
def test_judges_how_far_another_clock_is_away(seconds: float, light: Light, word: str) -> None:
    line = clock.judge_clock("clock", NOW + timedelta(seconds=seconds), NOW, NOW + timedelta(seconds=1))
    assert (line.light, word in line.fact) == (light, True)


def test_forgives_a_clock_the_time_that_asking_took() -> None:
    asked_for = timedelta(seconds=60)
    assert clock.judge_clock("clock", NOW + asked_for / 2, NOW, NOW + asked_for).light is Light.GREEN


@pytest.mark.parametrize(
    ("free", "total", "light"),
    [(50, 100, Light.GREEN), (3, 100, Light.AMBER), (0.5, 2, Light.AMBER), (0.1, 100, Light.RED)],
)
def test_judges_how_much_room_is_left(free: float, total: float, light: Light, tmp_path: Path) -> None:
    assert disk.judge_space(tmp_path, int(free * GIB), int(total * GIB), keeps_data=True).light is light


def test_lets_a_folder_without_a_database_be_small(tmp_path: Path) -> None:
    assert disk.judge_space(tmp_path, GIB // 20, GIB // 16, keeps_data=False).light is Light.GREEN
    assert disk.judge_space(tmp_path, GIB // 2000, GIB // 16, keeps_data=False).light is Light.RED


def test_says_when_the_folder_takes_no_files(tmp_path: Path) -> None:
    (line,) = disk.examine_disk(tmp_path / "gone", keeps_data=True)
    assert (line.subject, line.light) == ("DATA_DIR", Light.RED)


def test_shows_each_fault_of_an_engine_and_bounds_their_number() -> None:
    missing = [Finding(f"table {number}", Condition.MISSING) for number in range(8)]
    lines = translate(PartReport("event store", "Store", missing))
    assert [line.light for line in lines] == [Light.RED] * 6
    assert (lines[-1].fact, lines[0].next_step) == ("and 3 more", "run manage.py provision.")


def test_minds_what_an_endpoint_lacks_less_than_a_fault() -> None:
    found = [Finding("table", Condition.READY), Finding("backups", Condition.UNSUPPORTED, "this endpoint has none")]
    (line,) = translate(PartReport("event store", "Store", found))
    assert (line.light, line.subject) == (Light.AMBER, "event store: backups")


def test_sums_up_what_is_as_it_must_be() -> None:
    (line,) = translate(PartReport("event store", "Store", [Finding("table", Condition.READY)] * 3))
    assert (line.light, line.fact) == (Light.GREEN, "Store: 3 things as they must be")
