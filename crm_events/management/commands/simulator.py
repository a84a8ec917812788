"""``manage.py simulator``: a Salesforce org of our own, on a port of its own."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_events.forwarder import FixedKey, Settings
from crm_events.management.access import add_service_arguments, check_url, read_key
from crm_events.management.stopping import stop_on_signals
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.relay import Relay, forwarding_to
from crm_events.simulator.serving import OrgServer
from crm_events.simulator.web.oauth import ConnectedApp

DEFAULT_PORT = 8010
DEFAULT_ACCOUNTS = 300
_MOST_A_MINUTE = 60_000
_LOOK_SECONDS = 0.2
# A new org's feed is not perfect, as no feed is: with these chances something comes late, twice or unreadable.
_FLAWS = {"reorder": 0.03, "duplicate": 0.015, "unreadable": 0.0015, "other_shapes": 0.1}


class Command(BaseCommand):
    """Serve the org, let its history happen once, then a change every few seconds, until stopped."""

    help = "Run an invented Salesforce org: its APIs, its page, and its change events, sent to a running service."
    requires_system_checks = ()  # it only speaks HTTP

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_service_arguments(parser, "http://127.0.0.1:8000", settings.DATA_DIR / "access" / "ingest-key")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("SIMULATOR_PORT") or 0) or DEFAULT_PORT)
        size = int(os.environ.get("SIMULATOR_ACCOUNTS") or DEFAULT_ACCOUNTS)
        parser.add_argument(
            "--accounts", type=int, default=size, help="size of a new org; 0 for an empty (%(default)s)"
        )
        parser.add_argument("--seed", type=int, default=1, help="another number makes another new org")
        parser.add_argument("--rate", type=float, default=20.0, help="live transactions a minute (%(default)s)")
        folder = settings.DATA_DIR / "simulator"
        parser.add_argument("--data", type=Path, default=folder, help=f"where the org is kept ({folder})")
        parser.add_argument("--public-key", type=Path, help="PEM file that verifies signed log-ins")
        parser.add_argument("--no-flaws", action="store_true", help="let a new org's feed be perfect")
        parser.add_argument("--silent", action="store_true", help="send no events")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command; being stopped is a good end."""
        if options["accounts"] < 0 or not 0 <= options["rate"] <= _MOST_A_MINUTE:
            raise CommandError(f"--accounts must be at least 0, and --rate 0 to {_MOST_A_MINUTE}.")
        service = None if options["silent"] else Settings(check_url(options["url"]), FixedKey(read_key(options)))
        options["data"].mkdir(parents=True, exist_ok=True)
        with _locked(options["data"]), stop_on_signals() as stop:
            org = SimulatedOrg(options["data"] / "org.sqlite3", seed=options["seed"])
            with closing(org), self._server(org, options) as server:
                self._run(server, service, stop, options)
        self._say("The simulator stopped. The same command goes on from here.")

    def _run(self, server: OrgServer, service: Settings | None, stop: threading.Event, options: dict[str, Any]) -> None:
        self._say(f"Simulator: an invented Salesforce org answers at {server.url}, its page is at /simulator/.")
        org, control = server.app.org, server.app.control
        control.pace.rate = options["rate"]
        if service is not None:
            control.relay = Relay(org.feed, org.switches, forwarding_to(service))
            control.relay.start()
        if self._load_history(server, stop, options):
            control.pace.start()
            self._say(f"Simulator: now about {options['rate']:g} changes a minute, until stopped.")
            stop.wait()
        control.pace.stop()
        if control.relay is not None:
            control.relay.stop()

    def _server(self, org: SimulatedOrg, options: dict[str, Any]) -> OrgServer:
        key: Path | None = options["public_key"]
        connected_app = ConnectedApp(public_key=key.read_text() if key else "")
        try:
            return OrgServer(org, connected_app, host=options["host"], port=options["port"])
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {options['host']}, port {options['port']}: {error.strerror}."
                " Next: choose another with --port or SIMULATOR_PORT."
            ) from error

    def _load_history(self, server: OrgServer, stop: threading.Event, options: dict[str, Any]) -> bool:
        """Let the history happen, and return whether all of it has, and was sent."""
        org, control = server.app.org, server.app.control
        is_new = org.store.fact("history") is None
        if is_new and not options["no_flaws"]:
            for name, chance in _FLAWS.items():
                org.switches.set(name, chance=chance)
        began = time.monotonic()
        for _ in control.pace.life.load_history(options["accounts"]):
            if stop.is_set():
                return False
        if control.relay is None or not is_new:
            return not stop.is_set()
        self._say(f"Simulator: sending {org.feed.waiting() + org.feed.sent:,} events of the last 90 days.")
        while org.feed.due(1, 1) and not stop.wait(_LOOK_SECONDS):
            pass
        if not stop.is_set():
            self._say(f"Simulator: all sent after {time.monotonic() - began:.0f} seconds.")
        return not stop.is_set()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep the folder from another simulator."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"Another simulator works in {folder}. Next: stop it, or name another folder with --data."
            raise CommandError(message) from error
        yield
