"""The demo org as its users see it: a history to load, then live changes."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from crm_events.demo.courier import Courier
from crm_events.demo.simulation import Simulation

DEFAULT_ACCOUNTS = 300


class DemoOrg:
    """A small Salesforce org whose last 90 days led to ``now`` (aware, UTC).

    The same arguments give the same events; another ``seed`` or ``now`` gives an org that shares no record with this
    one. ``accounts`` sets the size: about twenty events for each.
    """

    def __init__(self, seed: int, now: datetime, accounts: int = DEFAULT_ACCOUNTS) -> None:
        self._arguments = (seed, now.replace(microsecond=0), accounts)
        self._live: Simulation | None = None
        # Live, nobody should wait long for an event that was held back.
        self._live_courier = Courier(_chance(seed, "live"), patience=20, spoil_every=1_000)

    def history(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the last 90 days in order of delivery: some late, repeated or unreadable.

        Numbers are ``int`` and ``Decimal``: write them with ``encode_exact``.
        """
        seed, _, accounts = self._arguments
        simulation = Simulation(*self._arguments)
        courier = Courier(_chance(seed, "delivery"), patience=2 * accounts, spoil_every=2 * accounts)
        for change in simulation.history():
            yield from courier.deliver(change)
        yield from courier.flush()
        if self._live is None:
            self._live = simulation

    def trickle(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events of the next transaction, committed at ``now``; none while its only one is held back.

        Goes on where the history ended, or the call before. The same calls with the same times give the same events.
        """
        if self._live is None:
            for _ in self.history():
                pass
        if self._live is None:
            raise AssertionError("the history has ended, so the org is live")
        return [event for change in self._live.step(now) for event in self._live_courier.deliver(change)]


def _chance(seed: int, purpose: str) -> Random:
    return Random(f"{purpose} {seed}")  # noqa: S311  # an invented org needs no secrets
