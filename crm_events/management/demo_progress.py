"""How far the demo has come, kept in a small file, so that a restart goes on with the same org."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from crm_events.domain.errors import CrmError


class ProgressFileError(CrmError):
    """The file of the demo's progress holds something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} is not the progress file of a demo load."
            " Next: name another with --marker, or delete it to load a new demo org."
        )


@dataclass(slots=True)
class Session:
    """Live changes at an even pace: ``count`` of them, ``every`` so many seconds after ``start``."""

    start: datetime
    every: float
    count: int = 0

    def moment(self, number: int) -> datetime:
        """Return when the change of that number (from 0) was or will be committed."""
        return self.start + timedelta(seconds=self.every * (number + 1))


@dataclass(slots=True)
class DemoProgress:
    """What the org is made of (``seed``, ``base``, ``accounts``) and what of it was sent.

    From that the org can be made again, with every live change at its time, up to where it stopped.
    """

    seed: int
    base: datetime
    accounts: int
    posted: int = 0
    loaded: bool = False
    sessions: list[Session] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what the file says, or ``None`` where there is none.

        :raises ProgressFileError: it holds something else.
        """
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ProgressFileError(path) from error
        try:
            return cls._from(values)
        except (KeyError, TypeError, ValueError) as error:
            raise ProgressFileError(path) from error

    @classmethod
    def _from(cls, values: Any) -> Self:
        if not isinstance(values, dict):
            raise TypeError(values)
        sessions = [Session(**{**one, "start": _time(one["start"])}) for one in values.pop("sessions")]
        return cls(**{**values, "base": _time(values["base"]), "sessions": sessions})

    def write(self, path: Path) -> None:
        """Write the file at once as a whole, so that no crash leaves half of it."""
        draft = path.with_name(f"{path.name}.new")
        draft.write_text(json.dumps(asdict(self), default=datetime.isoformat) + "\n")
        draft.replace(path)

    def past_moments(self) -> Iterator[datetime]:
        """Yield the moments of all live changes so far."""
        for session in self.sessions:
            yield from map(session.moment, range(session.count))

    def begin_session(self, now: datetime, every: float) -> Session:
        """Begin another stretch of live changes."""
        session = Session(now, every)
        self.sessions = [*(one for one in self.sessions if one.count), session]
        return session


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment
