"""What a check says: one line with its light, what is so, and what to do next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Light(StrEnum):
    """Green: as it should be. Amber: works, but somebody should look. Red: does not work, or will not for long."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"

    @property
    def weight(self) -> int:
        """Return 0, 1, 2: the heavier, the worse."""
        return list(Light).index(self)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line: about what, its light, what is so, and for amber and red the next step."""

    subject: str
    light: Light
    fact: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a group: it looks and says; more than ``seconds`` it does not get."""

    group: str
    subject: str
    look: Callable[[], Sequence[Diagnosis]]
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Examined:
    """A check, what it said, and how long that took."""

    check: Check
    diagnoses: Sequence[Diagnosis]
    milliseconds: float


def green(subject: str, fact: str) -> Diagnosis:
    """Return a green line."""
    return Diagnosis(subject, Light.GREEN, fact)


def amber(subject: str, fact: str, next_step: str) -> Diagnosis:
    """Return an amber line."""
    return Diagnosis(subject, Light.AMBER, fact, next_step)


def red(subject: str, fact: str, next_step: str) -> Diagnosis:
    """Return a red line."""
    return Diagnosis(subject, Light.RED, fact, next_step)


def told(subject: str, light: Light, said: str, next_step: str) -> Diagnosis:
    """Return a line about what somebody else said; a next step that it names itself is kept."""
    fact, _, own_step = " ".join(said.split()).partition(" Next: ")
    return Diagnosis(subject, light, fact.rstrip("."), own_step or next_step)


def worst(diagnoses: Sequence[Diagnosis]) -> Light:
    """Return the heaviest light; green if there is none."""
    return max((diagnosis.light for diagnosis in diagnoses), key=lambda light: light.weight, default=Light.GREEN)
