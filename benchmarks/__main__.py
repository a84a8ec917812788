"""Run the benchmarks: ``python -m benchmarks [name ...]``."""

import os
import sys
import tempfile
from pathlib import Path

USUAL = ("pipeline", "stream-length", "full-replay", "api", "backfill")
# A million rows take minutes; BENCH_ROWS sets another number.
ENGINES = ("engines-append", "engines-rebuild", "engines-api", "engines-replay")
NAMES = (*USUAL, "backfill-memory", *ENGINES)


def main() -> int:
    """Prepare a database of its own, run what was asked for, print a table."""
    wanted = sys.argv[1:] or list(USUAL)
    wanted = list(ENGINES) if wanted == ["engines"] else wanted
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        sys.stderr.write(f"There is no benchmark {', '.join(unknown)}. Next: name some of {', '.join(NAMES)}.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": folder, "LOG_LEVEL": "ERROR"}
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        import django  # noqa: PLC0415  # settings read the environment prepared above

        django.setup()
        from benchmarks.suite import run_all  # noqa: PLC0415  # models need Django to be set up
        from config import memory  # noqa: PLC0415  # as below

        memory.settle()  # as the service does at its start
        run_all(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
