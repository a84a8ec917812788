"""Rebuild an entity's documents from the whole log."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from crm_events.ports.runs import RunRequest
from crm_events.running.terminal import current_user, print_counts, start_or_continue, work_with_bar
from crm_mappings.registry import all_mappings, mapping_for_entity, mapping_for_source
from crm_projections.backends import read_model
from crm_projections.entry import runner
from crm_projections.ports.read_model import Generation, UnknownGenerationError


class Command(BaseCommand):
    """Fill a new generation beside live changes, compare it with the old one, switch."""

    help = "Rebuild an entity's documents from the whole log: a new generation beside live changes, compared, switched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("entity", help="the entity (client) or its Salesforce object (Account)")
        parser.add_argument("--reason", default="", help="why, for the record")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--back", action="store_true", help="let the generation before serve again; nothing is filled")
        way.add_argument("--drop-old", action="store_true", help="drop every generation that does not serve")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        mapping = mapping_for_entity(options["entity"]) or mapping_for_source(options["entity"])
        if mapping is None:
            known = ", ".join(sorted(m.entity for m in all_mappings()))
            raise CommandError(f"There is no entity “{options['entity']}”. Next: name one of {known}.")
        if options["back"]:
            self._switch_back(mapping.entity)
        elif options["drop_old"]:
            self._drop_old(mapping.entity)
        else:
            self._rebuild(mapping.entity, options["reason"])

    def _rebuild(self, entity: str, reason: str) -> None:
        console = Console()
        run = start_or_continue(RunRequest("rebuild", entity, {}, current_user(), reason), self.stdout.write)
        ended = work_with_bar(runner(), run, console)
        words = {
            "streams": "records read",
            "events": "events folded",
            "documents": "documents written",
            "kept_old": "records that could not be folded and keep their old document",
        }
        print_counts(ended, words, console)

    def _switch_back(self, entity: str) -> None:
        others = [g for g in read_model().generations(entity) if not g.serves]
        if not others:
            raise CommandError(f"{entity} has one generation only, so there is no way back. Next: rebuild it.")
        newest = max(others, key=lambda generation: generation.number)
        try:
            read_model().switch(entity, newest.number)
        except UnknownGenerationError as error:
            raise CommandError(
                f"Generation {newest.number} of {entity} is not complete. Next: rebuild {entity}."
            ) from error
        self.stdout.write(f"Generation {newest.number} of {entity} serves again.")

    def _drop_old(self, entity: str) -> None:
        old: list[Generation] = [g for g in read_model().generations(entity) if not g.serves]
        for generation in old:
            read_model().drop(entity, generation.number)
        self.stdout.write(f"Dropped {len(old)} generation(s) of {entity}.")
