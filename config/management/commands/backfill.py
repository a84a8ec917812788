"""Bring the rows of an object from Salesforce into the log."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from config.objects import UnknownNameError, salesforce_object
from crm_events.backends import crm_source, runs
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.entry import bulk_runner
from crm_events.ports.crm_source import CrmSourceError
from crm_events.ports.runs import RunRequest
from crm_events.running.terminal import current_user, print_counts, start_or_continue, work_with_bar
from crm_events.services.backfill import KIND, WAYS, BackfillOptions, Mode
from crm_events.services.expectations import Expectation, expect


class Command(BaseCommand):
    """Say what reading takes, read page by page, and go on where an interruption left it."""

    help = (
        "Bring the rows of an object from Salesforce into the log, beside live changes. Rows that say nothing new are"
        " not written. Ctrl-C pauses; the same command goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("entity", help="the entity (client) or its Salesforce object (Account)")
        parser.add_argument(
            "--since", type=_moment, help="only rows modified since then: 2026-10-06 or 2026-10-06T07:20Z"
        )
        parser.add_argument("--where", default="", help="only rows that fit a condition in SOQL: Industry = 'Shipping'")
        parser.add_argument("--ids", default="", help="only these records, separated by commas")
        parser.add_argument(
            "--mode", choices=[mode.value for mode in Mode], default=Mode.AUTO.value, help="how to read"
        )
        parser.add_argument("--deleted", action="store_true", help="read the recycle bin too")
        parser.add_argument("--broadcast", action="store_true", help="tell downstream systems what changed")
        parser.add_argument("--dry-run", action="store_true", help="write nothing; count what would be written")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        console = Console()
        try:
            entity_name = salesforce_object(options["entity"])
            chosen = _options(options)
            expected = expect(crm_source(), runs(), entity_name, chosen)
        except (UnknownNameError, InvalidIdError) as error:
            raise CommandError(str(error)) from error
        except CrmSourceError as error:
            raise CommandError(f"Salesforce could not be asked: {error}. Next: run manage.py doctor.") from error
        console.print(in_words(expected), highlight=False)
        request = RunRequest(KIND, entity_name, chosen.to_parameters(), current_user(), options["reason"])
        run = start_or_continue(request, self.stdout.write)
        ended = work_with_bar(bulk_runner(), run, console, counted="rows")
        would = "would be " if chosen.dry_run else ""
        words = {
            "rows": "rows read",
            "recorded": f"records {would}brought up to date",
            "unchanged": "rows that say nothing new",
            "missing": "ids that Salesforce does not have, or does not show",
            "unreadable": "rows without a usable id",
        }
        print_counts(ended, words, console)


def in_words(expected: Expectation) -> str:
    """Return what a backfill is expected to take, for people."""
    took = "no backfill was measured yet, so nobody knows how long it takes"
    if expected.seconds is not None:
        took = f"about {_duration(expected.seconds)}, at the rate of the last ones"
    return f"{expected.rows:,} rows by {WAYS[expected.mode]}, about {expected.calls:,} calls of Salesforce, {took}."


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _options(options: dict[str, Any]) -> BackfillOptions:
    return BackfillOptions(
        since=options["since"],
        where=options["where"],
        ids=tuple(normalize_id(one.strip()) for one in options["ids"].split(",") if one.strip()),
        mode=Mode(options["mode"]),
        dry_run=options["dry_run"],
        broadcast=options["broadcast"],
        include_deleted=options["deleted"],
    )


def _moment(text: str) -> datetime:
    try:
        if len(text) == len("2026-10-06"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no date or time such as 2026-10-06 or 2026-10-06T07:20Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
