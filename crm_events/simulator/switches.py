"""What can go wrong in the org, on the feed and in its API: switches with a chance or a number of times."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from crm_events.domain.errors import CrmError
from crm_events.simulator.mishaps import Mishaps
from crm_events.simulator.store import Store


class UnknownSwitchError(CrmError):
    """There is no such switch, or it takes no such value."""

    def __init__(self, name: str, reason: str = "there is no such switch") -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SwitchKind:
    """What a switch does. ``unit`` says what its value is; a ``state`` is on or off, and has no chance."""

    name: str
    group: str
    title: str
    text: str
    unit: str = ""
    value: float = 0
    is_state: bool = False
    has_where: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """How a switch stands: ``chance`` 0 to 1 for each occasion, and ``times`` that it comes for certain first.

    A state is on with a chance of 1. ``where`` is a part of the addresses that it is about.
    """

    chance: float = 0.0
    times: int = 0
    value: float = 0.0
    where: str = ""

    @property
    def is_on(self) -> bool:
        """Say whether it can come at all."""
        return self.chance > 0 or self.times > 0


FEED, ORG, API = "feed", "org", "api"
_KINDS = (
    SwitchKind("drop", FEED, "Lose events", "An event never arrives."),
    SwitchKind("duplicate", FEED, "Repeat events", "An event arrives again under a new EventBridge id.", "seconds", 2),
    SwitchKind("reorder", FEED, "Hold events back", "A newer event of the record overtakes it.", "seconds", 15),
    SwitchKind("delay", FEED, "Delay events", "An event arrives later.", "seconds", 30),
    SwitchKind("gap_create", FEED, "Creations without values", "GAP_CREATE comes in place of the event."),
    SwitchKind("gap_update", FEED, "Changes without values", "GAP_UPDATE comes in place of the event."),
    SwitchKind("gap_delete", FEED, "Deletions told as gaps", "GAP_DELETE comes in place of the event."),
    SwitchKind("gap_undelete", FEED, "Restorations without values", "GAP_UNDELETE comes in place of the event."),
    SwitchKind("overflow", FEED, "Overflow", "GAP_OVERFLOW comes in place of all events of a transaction."),
    SwitchKind("unreadable", FEED, "Unreadable events", "Besides, something comes that nobody can read."),
    SwitchKind("other_shapes", FEED, "Other wire shapes", "The event comes as CometD, AppFlow or Pub/Sub has it."),
    SwitchKind("paused", FEED, "Pause the relay", "Events wait, as with the relay on PAUSE.", is_state=True),
    SwitchKind("stopped", FEED, "Stop the relay", "Events are lost, as with the relay on STOP.", is_state=True),
    SwitchKind("diff", FEED, "Send long texts as diffs", "A changed long text comes as a unified diff.", is_state=True),
    SwitchKind("hard_delete", ORG, "Delete for good", "A record goes without a trace and without an event."),
    SwitchKind("quiet_change", ORG, "Change without an event", "A database job changes a record; no time moves."),
    SwitchKind("hide", ORG, "Hide records", "The API user may not see a record any more; its events still come."),
    SwitchKind("retype", ORG, "Retype a field", "A field is emptied everywhere, told by one event for 001*."),
    SwitchKind("in_flight", ORG, "Slow commits", "A transaction commits later than it was made.", "seconds", 60),
    SwitchKind("skew", ORG, "Wrong clock", "The org's clock is ahead, or behind.", "seconds", 90, is_state=True),
    SwitchKind("expire", API, "End sessions", "The call meets INVALID_SESSION_ID.", has_where=True),
    SwitchKind("limit", API, "Use up the calls", "The call meets REQUEST_LIMIT_EXCEEDED.", has_where=True),
    SwitchKind("unavailable", API, "Be unavailable", "The call meets status 503.", has_where=True),
    SwitchKind("slow", API, "Be slow", "The answer takes longer.", "seconds", 3, has_where=True),
    SwitchKind("reset", API, "Cut connections", "The connection ends in mid-answer.", "bytes sent", 0, has_where=True),
    SwitchKind("fail_job", API, "Fail bulk jobs", "A bulk job ends as Failed."),
)
KINDS: Mapping[str, SwitchKind] = {kind.name: kind for kind in _KINDS}
_MOST_TIMES = 1_000_000


class Switchboard:
    """The switches of an org, kept in its store; what fires is noted as a mishap."""

    def __init__(self, store: Store, mishaps: Mishaps, seed: int) -> None:
        self._store = store
        self._mishaps = mishaps
        self._rng = Random(f"switches {seed}")  # noqa: S311  # an invented org needs no secrets
        self._lock = threading.Lock()
        kept: dict[str, dict[str, Any]] = store.fact("switches", {"diff": {"chance": 1.0}})
        self._settings = {name: replace(_off(name), **kept.get(name, {})) for name in KINDS}

    def __getitem__(self, name: str) -> Setting:
        """Return how a switch stands."""
        return self._settings[name]

    def is_on(self, name: str) -> bool:
        """Say whether a state is on."""
        return self._settings[name].chance >= 1

    def set(self, name: str, **values: Any) -> Setting:
        """Set ``chance``, ``times``, ``value`` or ``where`` of a switch; what is not named stays.

        :raises UnknownSwitchError: there is no such switch, or a value makes no sense.
        """
        if name not in KINDS:
            raise UnknownSwitchError(name)
        try:
            setting = _checked(replace(self._settings[name], **values))
        except (TypeError, ValueError) as error:
            raise UnknownSwitchError(name, f"it cannot be set so: {error}") from error
        with self._lock:
            self._settings[name] = setting
        self._keep()
        return setting

    def reset(self) -> None:
        """Put every switch back to how it stands in a new org."""
        with self._lock:
            self._settings = {name: _off(name) for name in KINDS}
            self._settings["diff"] = replace(_off("diff"), chance=1.0)
        self._keep()

    def fires(self, name: str, subject: str = "") -> bool:
        """Say whether it happens this time; ``subject`` is the address it would happen to."""
        with self._lock:
            setting = self._settings[name]
            if not setting.is_on or setting.where not in subject:
                return False
            if not setting.times:
                return self._rng.random() < setting.chance
            self._settings[name] = replace(setting, times=setting.times - 1)
        # Not under the lock: whoever writes to the store may be waiting for it.
        self._keep()
        return True

    def note(self, name: str, **details: Any) -> None:
        """Keep that it happened, and to what."""
        self._mishaps.note(name, **details)

    def state(self) -> list[dict[str, Any]]:
        """Return every switch with its setting and how often it has come, as JSON has it."""
        counts = self._mishaps.counts()
        return [
            {**asdict(kind), **asdict(self._settings[name]), "count": counts.get(name, 0)}
            for name, kind in KINDS.items()
        ]

    def _keep(self) -> None:
        self._store.remember(switches={name: asdict(setting) for name, setting in self._settings.items()})


def in_group(group: str) -> Iterable[SwitchKind]:
    """Return the switches of a group."""
    return (kind for kind in _KINDS if kind.group == group)


def _off(name: str) -> Setting:
    return Setting(value=KINDS[name].value)


def _checked(setting: Setting) -> Setting:
    chance, times, value = float(setting.chance), int(setting.times), float(setting.value)
    if not 0 <= chance <= 1 or not 0 <= times <= _MOST_TIMES:
        raise ValueError("a chance is 0 to 1, a number of times at least 0")
    if value != value or abs(value) > _MOST_TIMES:  # noqa: PLR0124  # not a number
        raise ValueError("the value is out of bounds")
    return Setting(chance, times, value, str(setting.where))
