"""A drill: everything goes wrong at once, workers are killed, and at the end nothing may be lost."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.drill.course import Outcome, Plan, Stage, free_port, run_drill
from config.drill.processes import DrillError
from config.terminal import console_for, print_table
from crm_events.simulator.web.oauth import ConnectedApp

_INSIDE = "CRM_DRILL"
_SHOWN = 20
# Of a service that the caller may have set up: the drill has one of its own.
_FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "EVENT_STORE", "READ_MODEL", "BROADCASTER", "ALLOWED_ORGS", "API_RATE")


class Command(BaseCommand):
    """Run a service and a simulated org of its own in a folder of its own.

    Exit status 0: the org, the log and the documents agree field by field. 1: something was lost.
    """

    help = (
        "Run a service and a simulated Salesforce of their own; lose, repeat, reorder and withhold events under load,"
        " kill the service, then compare everything field by field. Exit status: 0 nothing was lost, 1 something was."
    )
    requires_system_checks = ()  # its service has settings of its own

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--accounts", type=int, default=300, help="size of the org (%(default)s)")
        parser.add_argument("--transactions", type=int, default=3_000, help="changes under load (%(default)s)")
        parser.add_argument("--kills", type=int, default=5, help="how often the service is killed (%(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="another number makes another drill")
        parser.add_argument("--folder", type=Path, help="keep data and logs here; else they are removed")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command: in a process whose settings are the drill's."""
        if os.environ.get(_INSIDE):
            self._drill(options)
        elif options["folder"]:
            sys.exit(_run_inside(options["folder"].resolve()))
        else:
            with tempfile.TemporaryDirectory(prefix="crm-drill-") as folder:
                sys.exit(_run_inside(Path(folder)))

    def _drill(self, options: dict[str, Any]) -> None:
        plan = Plan(options["accounts"], options["transactions"], options["kills"], options["seed"])
        stage = Stage(settings.DATA_DIR, int(os.environ["CRM_DRILL_SERVICE_PORT"]), int(os.environ[_INSIDE]))
        try:
            outcome = run_drill(plan, stage, self._say)
        except DrillError as error:
            raise CommandError(f"{error} Next: see the logs in {settings.DATA_DIR} (--folder keeps them).") from error
        self._report(outcome)
        if outcome.lost:
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _report(self, outcome: Outcome) -> None:
        console = console_for(self.stdout)
        went_wrong = [(name, f"{count:,}") for name, count in sorted(outcome.mishaps.items())]
        print_table(console, ("What went wrong", "Times"), [*went_wrong, ("service killed", f"{outcome.kills:,}")])
        print_table(console, ("Repaired", "Records"), [(c, f"{n:,}") for c, n in sorted(outcome.repaired.items())])
        for one in outcome.lost[:_SHOWN]:
            self._say(f"Not the same: {one.record}, {one.where}: {', '.join(one.fields)}")
        self._say(
            f"{outcome.events:,} events came. lost {len(outcome.lost):,}, duplicated {outcome.duplicated:,}"
            f" (recognised), late {outcome.late:,}, unreadable {outcome.unreadable:,},"
            f" repaired {sum(outcome.repaired.values()):,}, recovered in {outcome.recovered_seconds:.0f} s."
        )


def _run_inside(folder: Path) -> int:
    """Run the same command again with the drill's own settings; return its exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    org_port, service_port = free_port(), free_port()
    app = ConnectedApp()
    variables = {
        **{name: value for name, value in os.environ.items() if name not in _FOREIGN},
        _INSIDE: str(org_port),
        "CRM_DRILL_SERVICE_PORT": str(service_port),
        "DATA_DIR": str(folder),
        "CRM_SOURCE": "salesforce",
        "SALESFORCE_URL": f"http://127.0.0.1:{org_port}",
        "SALESFORCE_CLIENT_ID": app.consumer_key,
        "SALESFORCE_CLIENT_SECRET": app.consumer_secret,
        # The org and the service share a clock; a short grace lets the comparison begin soon.
        "EVENT_GRACE_SECONDS": "2",
        "LOG_LEVEL": "WARNING",
    }
    return subprocess.run([sys.executable, *sys.argv], env=variables, check=False).returncode  # noqa: S603  # ourselves
