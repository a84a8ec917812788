"""The query string of a request, read name by name; everything wrong with it is told at once."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from crm_api.errors import ParameterFault, ParametersError

T = TypeVar("T")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,3}0{0,6})?)?(Z|[+-]\d\d(:?\d\d)?)", re.IGNORECASE)
# Nine digits are more than any bound here.
_NUMBER = re.compile(r"[0-9]{1,9}")
_MAX_PARAMETERS = 1000
FLAGS = {"true": True, "false": False}
TIME_FORM = "2026-10-06T07:20:40.000Z, or with another offset such as +02:00"


class Parameters:
    """The parameters of one request.

    A reader takes a parameter, notes what is wrong with its value and goes on with the default; ``finish`` then
    refuses the request if anything was noted, or anything is left that nobody took.
    """

    def __init__(self, query_string: str) -> None:
        self._faults: list[ParameterFault] = []
        self._values: dict[str, str] = {}
        for name, value in _pairs(query_string):
            if "\0" in name or "\0" in value:
                self.fail(name.replace("\0", "�"), "It holds a NUL character.")
            elif name in self._values:
                self.fail(name, "It is given more than once.", ["one value"])
            else:
                self._values[name] = value
        self._left = dict(self._values)

    @property
    def given(self) -> dict[str, str]:
        """Return all parameters as they came."""
        return dict(self._values)

    @property
    def left(self) -> list[str]:
        """Return the names that nobody took yet."""
        return list(self._left)

    def take(self, name: str) -> str | None:
        """Return a parameter's text, ``None`` if it is absent."""
        return self._left.pop(name, None)

    def flag(self, name: str) -> bool:
        """Take a truth value, false by default."""
        return bool(self._choose(name, FLAGS, default=False))

    def choice(self, name: str, choices: dict[str, T], default: T) -> T:
        """Take one of some words."""
        return self._choose(name, choices, default)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Take a whole number between two bounds."""
        text = self.take(name)
        if text is None:
            return default
        if not (_NUMBER.fullmatch(text) and low <= int(text) <= high):
            self.fail(name, f"“{text[:50]}” is not a whole number in its range.", [f"{low} to {high}"])
            return default
        return int(text)

    def time(self, name: str) -> datetime | None:
        """Take a moment, with its offset."""
        text = self.take(name)
        if text is None:
            return None
        try:
            return parse_time(text)
        except ValueError:
            self.fail(name, f"“{text[:50]}” is not a moment with an offset.", [TIME_FORM])
            return None

    def fail(self, name: str, detail: str, allowed: Sequence[str] = ()) -> None:
        """Note what is wrong with a parameter."""
        self._faults.append(ParameterFault(name[:100], detail, tuple(allowed)))

    def finish(self, allowed: Iterable[str]) -> None:
        """Refuse the request if anything is wrong with its parameters; ``allowed`` are the names it may have.

        :raises ParametersError: something is.
        """
        for name in self._left:
            self.fail(name, "There is no such parameter here.", tuple(allowed))
        if self._faults:
            raise ParametersError(self._faults)

    def _choose(self, name: str, choices: dict[str, T], default: T) -> T:
        text = self.take(name)
        if text is None:
            return default
        if text not in choices:
            self.fail(name, f"“{text[:50]}” is none of its values.", list(choices))
            return default
        return choices[text]


def parse_time(text: str) -> datetime:
    """Return the moment a text names, in UTC.

    A plus sign that nobody escaped arrives as a space and is understood.

    :raises ValueError: it names none, has no offset, or is finer than a millisecond.
    """
    text = re.sub(r"(?<=\d) (?=\d\d:?\d\d$)", "+", text)
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _pairs(query_string: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except UnicodeDecodeError as error:
        raise ParametersError(
            [ParameterFault("", "The query string is not UTF-8.", ("percent-encoded UTF-8",))]
        ) from error
    except ValueError as error:
        raise ParametersError(
            [ParameterFault("", "There are too many parameters.", (f"{_MAX_PARAMETERS}",))]
        ) from error
