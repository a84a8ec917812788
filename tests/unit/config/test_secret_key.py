from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.secret_key import read_or_create


def test_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    key = read_or_create(tmp_path / "secret-key")
    assert len(key) >= 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_keeps_the_key_it_made(tmp_path: Path) -> None:
    assert read_or_create(tmp_path / "secret-key") == read_or_create(tmp_path / "secret-key")


def test_gives_racing_processes_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_or_create(tmp_path / "secret-key"), range(50)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
