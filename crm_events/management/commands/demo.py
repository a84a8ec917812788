"""Fill a running service with an invented org, then keep it moving."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_events.cdc.json_text import encode_exact
from crm_events.demo import DemoOrg
from crm_events.demo.generator import DEFAULT_ACCOUNTS
from crm_events.management.access import add_service_arguments, check_url, read_key
from crm_events.management.demo_progress import DemoProgress, ProgressFileError, Session
from crm_events.management.posting import EventPoster, PostingError, StoppedError
from crm_events.management.stopping import stop_on_signals

_AT_ONCE = 100
_SAID_EVERY = 1_000
_READABLE_WITHIN_SECONDS = 300
_POLL_SECONDS = 0.5
# After a longer pause (a suspended laptop) the changes missed are not made up for.
_MOST_LAG_SECONDS = 60.0


class Command(BaseCommand):
    """Post the demo org's history, then a change every few seconds, until stopped."""

    help = "Post the history of an invented Salesforce org to a running service, then a few changes a minute."
    requires_system_checks = ()  # it only speaks HTTP

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_service_arguments(parser, "http://127.0.0.1:8000", settings.DATA_DIR / "access" / "ingest-key")
        parser.add_argument("--accounts", type=int, default=DEFAULT_ACCOUNTS, help="size of the org at its first load")
        parser.add_argument("--seed", type=int, default=1, help="another number makes another org at its first load")
        parser.add_argument("--rate", type=float, default=20.0, help="live changes a minute (%(default)s)")
        parser.add_argument("--once", action="store_true", help="only load the history")
        marker = settings.DATA_DIR / "demo-loaded"
        parser.add_argument("--marker", type=Path, default=marker, help=f"where to note what was sent ({marker})")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command; being stopped is a good end."""
        if options["accounts"] < 1 or not 0 < options["rate"] <= 60_000:  # noqa: PLR2004  # one each millisecond
            raise CommandError("--accounts must be at least 1, and --rate above 0 and at most 60000.")
        url, key = check_url(options["url"]), read_key(options)
        with stop_on_signals() as stop:
            try:
                self._run(EventPoster(url, key, stop), options)
            except StoppedError:
                self._say("The demo stopped. The same command goes on from here.")
            except (PostingError, ProgressFileError) as error:
                raise CommandError(str(error)) from error

    def _run(self, poster: EventPoster, options: dict[str, Any]) -> None:
        marker: Path = options["marker"]
        progress = DemoProgress.read(marker)
        if progress is None:
            progress = DemoProgress(options["seed"], datetime.now(UTC).replace(microsecond=0), options["accounts"])
        org = DemoOrg(progress.seed, progress.base, progress.accounts)
        poster.wait_until_ready()
        if not progress.loaded:
            self._load(poster, org, progress, marker)
        if not options["once"]:
            self._say(f"Demo: now about {options['rate']:g} changes a minute, until stopped.")
            self._trickle(poster, org, progress, options)

    def _load(self, poster: EventPoster, org: DemoOrg, progress: DemoProgress, marker: Path) -> None:
        began = time.monotonic()
        self._say("Demo: sending 90 days of changes of an invented org.")
        deliveries = []
        for batch in _batches(islice(org.history(), progress.posted, None)):
            deliveries.append(poster.post(_body(batch)))
            progress.posted += len(batch)
            progress.write(marker)
            if progress.posted % _SAID_EVERY == 0:
                self._say(f"Demo: {progress.posted:,} events sent.")
        progress.loaded = True
        progress.write(marker)
        self._say(f"Demo: all {progress.posted:,} events sent in {time.monotonic() - began:.0f} seconds.")
        self._report(poster, deliveries, began)

    def _report(self, poster: EventPoster, deliveries: list[str], began: float) -> None:
        """Say when everything can be read, and what became of it."""
        for delivery in deliveries[-1:]:
            while poster.report(delivery, wait=3).status != "projected":
                if time.monotonic() - began > _READABLE_WITHIN_SECONDS:
                    self._say("Demo: the service is still working through them.")
                    return
                poster.pause(_POLL_SECONDS)
        seconds = time.monotonic() - began
        counts = Counter(o.outcome for delivery in deliveries for o in poster.report(delivery).outcomes)
        words = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.most_common())
        self._say(f"Demo: readable after {seconds:.0f} seconds: {words or 'nothing new'}.")

    def _trickle(self, poster: EventPoster, org: DemoOrg, progress: DemoProgress, options: dict[str, Any]) -> None:
        for moment in progress.past_moments():
            org.trickle(moment)
        session = progress.begin_session(datetime.now(UTC), 60 / options["rate"])
        while True:
            session = _wait_for_next(poster, progress, session)
            events = org.trickle(session.moment(session.count))
            if events:
                poster.post(_body(events))
            # After the post: what a crash makes us send twice is a duplicate, what it makes us skip would be missing.
            session.count += 1
            progress.write(options["marker"])

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _wait_for_next(poster: EventPoster, progress: DemoProgress, session: Session) -> Session:
    """Return at the session's next moment, or with a new session where that is long over."""
    seconds = (session.moment(session.count) - datetime.now(UTC)).total_seconds()
    if seconds < -_MOST_LAG_SECONDS:
        session = progress.begin_session(datetime.now(UTC), session.every)
        seconds = session.every
    poster.pause(max(seconds, 0))
    return session


def _batches(events: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(events)
    while batch := list(islice(iterator, _AT_ONCE)):
        yield batch


def _body(events: list[dict[str, Any]]) -> bytes:
    return encode_exact(events).encode()
