import threading
from pathlib import Path

import pytest

from engines import downloads


def _write_it(place: Path) -> None:
    (place / "content").write_text("whole")


def test_is_filled_once_and_found_again(tmp_path: Path) -> None:
    filled: list[Path] = []

    def fill(place: Path) -> None:
        filled.append(place)
        _write_it(place)

    for _ in range(2):
        place = downloads.fetch("jars", fill, tmp_path)
        assert (place / "content").read_text() == "whole"
    assert len(filled) == 1


def test_leaves_nothing_of_one_that_failed(tmp_path: Path) -> None:
    def fail(place: Path) -> None:
        _write_it(place)
        raise OSError("the network went")

    with pytest.raises(OSError, match="network"):
        downloads.fetch("jars", fail, tmp_path)
    assert downloads.find("jars", tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["jars.lock"]


def test_removes_the_half_of_a_process_that_died(tmp_path: Path) -> None:
    (tmp_path / "jars.part-dead").mkdir()
    downloads.fetch("jars", _write_it, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jars", "jars.lock"]


def test_lets_a_second_one_wait_and_take_what_the_first_fetched(tmp_path: Path) -> None:
    first_is_in, second_may_go = threading.Event(), threading.Event()
    filled: list[str] = []

    def slowly(place: Path) -> None:
        filled.append("first")
        first_is_in.set()
        second_may_go.wait(10)
        _write_it(place)

    first = threading.Thread(target=downloads.fetch, args=("jars", slowly, tmp_path))
    first.start()
    assert first_is_in.wait(10)
    second = threading.Thread(target=downloads.fetch, args=("jars", lambda _: filled.append("second"), tmp_path))
    second.start()
    second_may_go.set()
    first.join(10)
    second.join(10)
    assert filled == ["first"]


def test_has_another_name_when_its_description_changes(tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.write_text("one")
    before = downloads.key("jars", pom)
    pom.write_text("two")
    assert downloads.key("jars", pom) != before
