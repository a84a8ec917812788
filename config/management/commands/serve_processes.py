"""``manage.py serve_processes``: the service as production runs it, in processes of their own on one machine."""

import os
import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.embedded.access import key_file
from config.embedded.banner import banner
from config.embedded.first_run import set_up
from config.processes import Part, Supervisor, parts_of_production
from crm_events.simulator.web.oauth import ConnectedApp

_DEFAULT_SIMULATOR_PORT = 8010


class Command(BaseCommand):
    """Set up what is missing on the engines that settings name, then run web, workers, beat and the simulated org."""

    help = (
        "Run web (gunicorn), a worker for each lane, beat, and the simulated Salesforce as processes of their own, on"
        " the engines that the environment names; tables, indices and buses are made first."
    )
    requires_system_checks = ()  # after the set-up: theirs are the plainer messages

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the same from arguments as from the environment."""
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000)
        parser.add_argument("--simulator-port", type=int, default=os.environ.get("SIMULATOR_PORT") or 0)
        parser.add_argument("--no-demo", action="store_true", default=os.environ.get("DEMO") == "0")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        if settings.BROKER_IS_EMBEDDED:
            raise CommandError(
                "CELERY_BROKER_URL is not set, so processes could not wake one another. Next: set it, or use"
                " “manage.py serve”, which is all in one process."
            )
        access = set_up(settings.DATA_DIR, timezone.now())
        call_command("provision", stdout=self.stdout)
        url = f"http://{options['host']}:{options['port']}"
        parts, variables, page = self._parts(url, options)
        supervisor = Supervisor(parts, settings.BASE_DIR, variables, self._say)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stopper(supervisor))
        supervisor.start()
        self._say(banner(url, access, settings.DATA_DIR, page))
        sys.exit(supervisor.run())

    def _parts(self, url: str, options: dict[str, Any]) -> tuple[list[Part], dict[str, str], str]:
        """Return the processes, their variables, and the address of the simulated org's page, if it runs."""
        metrics = settings.DATA_DIR / "metrics"
        metrics.mkdir(exist_ok=True)
        variables = {
            "HOST": options["host"],
            "PORT": str(options["port"]),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or url,
        }
        if options["no_demo"]:
            return parts_of_production(), variables, ""
        port = options["simulator_port"] or _DEFAULT_SIMULATOR_PORT
        org = f"http://127.0.0.1:{port}"
        key = str(key_file(settings.DATA_DIR, "ingest"))
        arguments = ["simulator", "--port", str(port), "--url", url, "--key-file", key]
        simulator = Part("simulator", [sys.executable, "manage.py", *arguments])
        return [*parts_of_production(), simulator], {**_source(org), **variables}, f"{org}/simulator/"

    def _stopper(self, supervisor: Supervisor) -> Any:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._say("Stopping: requests and tasks under way are finished.")
            supervisor.stop()

        return stop

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _source(org: str) -> dict[str, str]:
    """Return the variables that let the service read the simulated org; one that reads another goes on to do so."""
    if settings.CRM_SOURCE is not None:
        return {}
    app = ConnectedApp()
    return {
        "CRM_SOURCE": "salesforce",
        "SALESFORCE_URL": org,
        "SALESFORCE_CLIENT_ID": app.consumer_key,
        "SALESFORCE_CLIENT_SECRET": app.consumer_secret,
    }
