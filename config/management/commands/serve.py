"""``manage.py serve``: the whole service in one process."""

import fcntl
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from config.embedded.banner import banner
from config.embedded.first_run import set_up
from config.embedded.service import Service
from config.embedded.simulator import Simulator
from config.embedded.web import AddressUnusableError, PortInUseError, bind
from crm_events.services.recovery import release_everything

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    """Set up what is missing, then serve web, workers and beat until Ctrl-C or SIGTERM."""

    help = "Run web server, workers and beat in this one process, on SQLite and without any other service."
    requires_system_checks = ()  # after the port and the folder: theirs are the plainer messages

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the same from arguments as from the environment."""
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000)
        parser.add_argument("--simulator-port", type=int, default=os.environ.get("SIMULATOR_PORT") or 0)
        parser.add_argument("--no-demo", action="store_true", default=os.environ.get("DEMO") == "0")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        for number in _STOP_SIGNALS:
            signal.signal(number, _leave)
        if not settings.BROKER_IS_EMBEDDED:
            self._give_up(
                "CELERY_BROKER_URL is set, so workers run as processes of their own. Unset it, or start them."
            )
        listener = self._bind(options["host"], options["port"])
        lock = self._lock()
        self.check()
        access = set_up(settings.DATA_DIR, timezone.now())
        release_everything(timezone.now())  # the lock says that nobody else works here
        url = f"http://{_shown(options['host'])}:{listener.getsockname()[1]}"
        simulator = None if options["no_demo"] else Simulator.beside(url, options["simulator_port"])
        service = Service(listener, simulator.command if simulator else None)
        service.start()
        self.stdout.write(banner(url, access, settings.DATA_DIR, simulator.page if simulator else ""))
        self.stdout.flush()
        code = self._serve(service)
        lock.close()
        sys.exit(code)

    def _serve(self, service: Service) -> int:
        def stop(_number: int, _frame: FrameType | None) -> None:
            if service.stop_requested.is_set():
                os._exit(1)
            service.stop_requested.set()

        for number in _STOP_SIGNALS:
            signal.signal(number, stop)
        code = service.wait()
        self.stdout.write("Stopping: requests and tasks under way are finished. Ctrl-C again stops at once.")
        self.stdout.flush()
        service.stop()
        return code

    def _bind(self, host: str, port: int) -> Any:
        try:
            return bind(host, port)
        except PortInUseError:
            self._give_up(f"Port {port} is in use. Stop what uses it, or take another: make run PORT={port + 1}")
        except AddressUnusableError as error:
            self._give_up(f"Cannot listen on {host}, port {port}: {error}. Choose others with HOST and PORT.")

    def _lock(self) -> TextIO:
        file = (settings.DATA_DIR / "serve.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._give_up(
                f"Another service works in {settings.DATA_DIR}. Stop it, or take another folder: make run DATA_DIR=..."
            )
        return file

    def _give_up(self, message: str) -> NoReturn:
        self.stderr.write(message)
        sys.exit(1)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    # Nothing runs yet, and what was set up so far is kept.
    raise SystemExit(0)


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  # shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
