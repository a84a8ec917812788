"""The key that signs sessions, made once and kept beside the data where nobody set one."""

import os
import secrets
from pathlib import Path

_RANDOM_BYTES = 48


def read_or_create(path: Path) -> str:
    """Return the key kept in the file; make the file, readable by its owner alone, if it is not there.

    Safe to race: the file appears whole or not at all, and the first one stays.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(_RANDOM_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
