import os
import shutil
from pathlib import Path

import psycopg
import pytest

from engines import places
from engines.engine import Engine
from engines.server import Server

pytestmark = pytest.mark.parametrize("engine", ["postgres"], indirect=True)


def test_answers_as_the_version_it_says(engine: Engine, engines_dir: Path) -> None:
    with Server(engine, engines_dir) as server, psycopg.connect(server.url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    assert row[0].split()[0] == engine.version()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the server's account")
def test_keeps_its_data_elsewhere_when_the_project_lies_in_a_closed_folder(
    engine: Engine, engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines_dir.chmod(0o700)
    monkeypatch.setattr(places, "ENGINES_DIR", engines_dir / "project")
    chosen = places.folder(f"closed-{os.getpid()}", engine.account)
    assert not chosen.is_relative_to(engines_dir)
    with Server(engine, chosen) as server:
        assert engine.answers(server.site)
    shutil.rmtree(chosen)
