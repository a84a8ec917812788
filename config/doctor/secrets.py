"""Secrets of the environment, kept out of everything that is printed."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

MASK = "•••"
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE|CREDENTIAL|(^|_)KEY$|API_KEY|ACCESS_KEY")
# scheme://user:password@ and, as Redis has it, scheme://:password@.
_PASSWORD_IN_URL = re.compile(r"(?P<before>[a-zA-Z][\w+.-]*://[^\s:/@]*:)(?P<password>[^\s@/]+)(?=@)")
# A shorter one would also mask what is none: "true", "crm".
_SHORTEST = 6


def secrets_of(environment: Mapping[str, str], further: Iterable[str] = ()) -> list[str]:
    """Return the values that nobody may read: of variables named like secrets, and passwords within addresses."""
    found = {value for name, value in environment.items() if _SECRET_NAME.search(name)} | set(further)
    for value in environment.values():
        for match in _PASSWORD_IN_URL.finditer(value):
            found |= {match["password"], unquote(match["password"])}
    return sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret, and every password within an address, masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _PASSWORD_IN_URL.sub(rf"\g<before>{MASK}", text)
