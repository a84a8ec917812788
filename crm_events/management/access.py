"""Which service a command speaks to, and with which key."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, CommandParser


def add_service_arguments(parser: CommandParser, url: str | None, key_file: Path) -> None:
    """Declare ``--url``, ``--key`` and ``--key-file``."""
    parser.add_argument("--url", default=url, type=str, help=f"address of the service ({url or 'none: no HTTP'})")
    parser.add_argument("--key", default="", help="an API key with the scope ingest")
    parser.add_argument("--key-file", default=key_file, type=Path, help=f"a file with only that key ({key_file})")


def check_url(url: str) -> str:
    """Return the address.

    :raises CommandError: it is none of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"“{url}” is no address. Next: write it like http://127.0.0.1:8000.")
    return url


def read_key(options: dict[str, Any]) -> str:
    """Return the key from the arguments or from its file.

    :raises CommandError: there is none.
    """
    if options["key"]:
        return str(options["key"])
    path: Path = options["key_file"]
    try:
        words = path.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The key file {path} cannot be read: {error}. Next: give --key or --key-file.") from error
    if len(words) != 1:
        raise CommandError(f"The key file {path} must hold one key and nothing else. Next: give --key or --key-file.")
    return words[0]
