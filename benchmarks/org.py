"""The simulated org of a benchmark, in a process that knows nothing of Django."""

import multiprocessing
from pathlib import Path
from typing import Any

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer

ENTITY = "Account"


def serve(folder: str, rows: int, sender: Any) -> None:
    """Serve an org of so many simple records, and send its address once it answers; ends with the process."""
    org = SimulatedOrg(Path(folder) / "org.sqlite3", seed=1)
    org.seed_rows(ENTITY, rows)
    sender.send(OrgServer(org).start().url)
    multiprocessing.Event().wait()
