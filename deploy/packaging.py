"""Pack the forwarder as Lambda takes it: ``python -m deploy.packaging build/forwarder.zip``.

The same files give the same bytes, wherever and whenever they are packed: an unchanged function is not deployed anew.
"""

import argparse
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_PACKAGE: Final = Path("crm_events")
# The earliest time that a zip archive can tell.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


def forwarder_zip(root: Path = _ROOT) -> bytes:
    """Return the archive: the forwarder's modules below their package, and nothing else."""
    buffer = io.BytesIO()
    # Stored as it is: what compression makes of it depends on the library's version.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(root):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _TIME)
            entry.external_attr = _READABLE_FILE
            entry.create_system = _UNIX
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def main() -> None:
    """Write the archive to the file that is named."""
    parser = argparse.ArgumentParser(description="Pack the forwarder as Lambda takes it.")
    parser.add_argument("target", type=Path, help="the archive to write")
    target: Path = parser.parse_args().target
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(forwarder_zip())


def _files(root: Path) -> Iterator[Path]:
    yield root / _PACKAGE / "__init__.py"
    yield from sorted((root / _PACKAGE / "forwarder").rglob("*.py"))


if __name__ == "__main__":
    main()
