"""Make an API key."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm_api.auth import create_key
from crm_api.models import MAX_NAME_LENGTH, Scope


class Command(BaseCommand):
    """Make an API key and print it, alone, on the last line of standard output."""

    help = "Make an API key. Its last line of output is the key, which is shown only this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare name, scopes and lifetime."""
        parser.add_argument("name", help="Whose key it is, such as event-relay.")
        parser.add_argument("--scopes", required=True, help=f"With commas, of: {', '.join(Scope.values)}.")
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="After how many days it ends; never by default."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the key."""
        name = options["name"].strip()
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise CommandError(f"A name has 1 to {MAX_NAME_LENGTH} characters.")
        now = timezone.now()
        days = options["expires"]
        if days is not None and not 1 <= days <= 36_500:  # noqa: PLR2004  # a century
            raise CommandError("A key lives for 1 to 36500 days.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            row, key = create_key(name, scopes, now, None if days is None else now + timedelta(days=days))
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(
            f"Made the API key {row} with the scopes {', '.join(row.scopes)}. It is shown only this once:"
        )
        self.stdout.write(key)
