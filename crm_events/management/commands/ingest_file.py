"""Feed a file of captured events to the service."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from crm_events.management.access import add_service_arguments, check_url, read_key
from crm_events.management.event_lines import read_lines
from crm_events.management.feeding import Feeder
from crm_events.management.posting import EventPoster, PostingError
from crm_events.management.senders import HttpSender, Sender, ServiceSender
from crm_events.ports.event_store import EventStoreUnavailableError

_WORDS = {
    "recorded": "recorded",
    "late": "recorded, though newer changes of the record came before",
    "duplicate": "known already",
    "resync": "kept as notices: the whole object has to be read again",
    "unreadable": "kept as dead letters: nobody can read them",
}


class Command(BaseCommand):
    """Send each line of a file, one event or an array of events, and say what became of them."""

    help = (
        "Feed captured events, one JSON event or array of events a line, into the log. A line that is no JSON is named"
        " and left out, and the exit status is then 1. Feeding a file again is harmless: its events are known."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", help="the file, or - for standard input")
        add_service_arguments(parser, None, settings.DATA_DIR / "access" / "ingest-key")
        parser.add_argument("--batch", type=int, default=200, help="events in one delivery (%(default)s)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        if not 1 <= options["batch"] <= 10_000:  # noqa: PLR2004  # more would wait long for its answer
            raise CommandError("--batch must be between 1 and 10000.")
        console = Console(stderr=True)
        with _opened(options["file"]) as file, _bar(console) as bar:
            task = bar.add_task("Feeding", total=_size(file))
            feeder = Feeder(
                _sender(options),
                lambda text: bar.console.print(text, markup=False, highlight=False, soft_wrap=True),
                lambda size: bar.advance(task, size),
            )
            try:
                feeder.feed(read_lines(file), options["batch"])
            except KeyboardInterrupt:
                _give_up(feeder, "Stopped.")
            except PostingError as error:
                _give_up(feeder, str(error))
            except (OperationalError, EventStoreUnavailableError) as error:
                _give_up(feeder, f"A database does not answer: {error}.")
        self._report(feeder, in_process=not options["url"])

    def _report(self, feeder: Feeder, *, in_process: bool) -> None:
        for outcome, words in _WORDS.items():
            if count := feeder.outcomes[outcome]:
                self.stdout.write(f"{count:>10,}  {words}")
        if not feeder.outcomes:
            self.stdout.write("No events.")
        elif in_process:
            self.stdout.write(
                "They are in the log. A running service makes them readable within seconds;"
                " if none runs, the next one does when it starts."
            )
        if feeder.bad_lines:
            raise CommandError(f"Bad lines: {feeder.bad_lines:,}. They are named above and were not sent.")


def _sender(options: dict[str, Any]) -> Sender:
    if not options["url"]:
        return ServiceSender()
    return HttpSender(EventPoster(check_url(options["url"]), read_key(options), threading.Event()))


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(name, "rb")  # noqa: PTH123, SIM115  # closed below, after errors of opening were told apart
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}. Next: check the name.") from error
    with file:
        yield file


def _size(file: BinaryIO) -> int | None:
    """Return how many bytes there are to read, where that can be known."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


def _give_up(feeder: Feeder, reason: str) -> NoReturn:
    raise CommandError(
        f"{reason} What was sent, up to line {feeder.last_line:,}, is kept;"
        " feeding the whole file again is harmless, as its events are known by then."
    )
