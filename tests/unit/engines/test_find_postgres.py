from pathlib import Path

import pytest

from engines import postgres


def _install(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_finds_the_server_that_is_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir = _install(tmp_path / "16" / "bin")
    monkeypatch.setenv("PATH", str(bin_dir))
    assert postgres.find_postgres() == bin_dir


def test_orders_major_versions_as_numbers() -> None:
    assert postgres._major(Path("/usr/lib/postgresql/15/bin")) > postgres._major(Path("/usr/lib/postgresql/9.6/bin"))


def test_ignores_a_folder_without_initdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir = _install(tmp_path / "16" / "bin")
    (bin_dir / "initdb").unlink()
    monkeypatch.setenv("PATH", str(bin_dir))
    assert postgres.find_postgres() != bin_dir
