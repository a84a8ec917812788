"""Fold records again from their raw events."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from crm_events.backends import event_store
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.runs import RunRequest
from crm_events.running.terminal import current_user, print_counts, start_or_continue, work_with_bar
from crm_mappings.registry import mapping_for_entity
from crm_projections.entry import runner


class Command(BaseCommand):
    """Fold one record, all of an entity, or everything again, with today's mapping."""

    help = "Fold records again from their raw events with today's mapping, and save what comes out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "target",
            nargs="?",
            default="",
            help="a record (Account#001..., client#001...), an entity (client) or Salesforce object (Account);"
            " nothing for everything",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--broadcast", action="store_true", help="send every document again, marked as a replay")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        console = Console()
        dry_run: bool = options["dry_run"]
        parameters = {"dry_run": dry_run, "broadcast": options["broadcast"] and not dry_run}
        request = RunRequest("replay", _target(options["target"]), parameters, current_user(), options["reason"])
        ended = work_with_bar(runner(), start_or_continue(request, self.stdout.write), console)
        would = "would be " if dry_run else ""
        words = {
            "streams": "records read",
            "events": "events folded",
            "created": f"documents {would}created",
            "changed": f"documents {would}changed",
            "unchanged": "documents the same",
            "failed": "records that could not be folded; they keep their old document",
            "refused": "documents refused; the records keep their old one",
            "sent": "messages sent",
        }
        print_counts(ended, words, console)


def _target(text: str) -> str:
    """Return the target in the log's words: a stream key, a Salesforce object, or nothing.

    :raises CommandError: there is no such record or object.
    """
    name, separator, entity_id = text.partition("#")
    mapping = mapping_for_entity(name)
    source = mapping.source if mapping else name
    if not separator:
        if source and source not in event_store().entity_names():
            known = ", ".join(event_store().entity_names()) or "none yet"
            raise CommandError(f"The log has no record of “{text}”. Next: name one of its objects: {known}.")
        return source
    try:
        stream = StreamKey.parse(f"{source}#{entity_id}")
    except InvalidIdError as error:
        raise CommandError(str(error)) from error
    if stream not in event_store().heads([stream]):
        raise CommandError(f"The log has no record {stream}. Next: check the id.")
    return str(stream)
