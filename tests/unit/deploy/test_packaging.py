import json
import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from deploy.packaging import forwarder_zip, main
from tests.templates import properties

ROOT = Path(__file__).resolve().parents[3]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "crm_events" / "forwarder", copy / "crm_events" / "forwarder", copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "crm_events" / "__init__.py", copy / "crm_events" / "__init__.py")
    assert forwarder_zip(copy) == forwarder_zip()


def test_it_holds_the_forwarder_and_nothing_else() -> None:
    names = zipfile.ZipFile(BytesIO(forwarder_zip())).namelist()
    assert "crm_events/forwarder/handler.py" in names
    assert {name for name in names if not name.startswith("crm_events/forwarder/")} == {"crm_events/__init__.py"}
    assert {Path(name).suffix for name in names} == {".py"}


def test_the_function_loads_from_it_without_any_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "build" / "forwarder.zip"
    monkeypatch.setattr(sys, "argv", ["packaging", str(archive)])
    main()
    module = properties("Forwarder")["Handler"].rpartition(".")[0]
    script = (
        f"import sys, json; sys.path.insert(0, {str(archive)!r}); import {module} as m; print(json.dumps(m.__file__))"
    )

    # -S: no site-packages; -I: no folder and no variable of ours.
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, check=True, env={"PATH": os.environ["PATH"]}
    )

    assert json.loads(loaded.stdout).startswith(str(archive))
