"""The way from the feed to the service: what Event Relay, EventBridge and the Lambda function do together."""

import threading
from collections.abc import Callable, Sequence

from crm_events.forwarder import Outcome, Settings, close_connections, forward
from crm_events.simulator.feed import Feed, Queued
from crm_events.simulator.switches import Switchboard

_AT_ONCE = 100
# Well below what the service takes in one request.
_MOST_BYTES = 2 * 1024 * 1024
_IDLE_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
Send = Callable[[Sequence[str]], Sequence[Outcome]]


def forwarding_to(settings: Settings) -> Send:
    """Return what posts events to a service, by the code of the Lambda function."""
    return lambda events: forward(events, settings)


class Relay:
    """Send what is due, in a thread between ``start`` and ``stop``; what was not taken is sent again, ever slower.

    What the service refuses for what it is, is noted and given up, as a dead-letter queue takes it from the function.
    ``trouble`` says why nothing arrives at the moment.
    """

    def __init__(self, feed: Feed, switches: Switchboard, send: Send) -> None:
        self.trouble = ""
        self._feed = feed
        self._switches = switches
        self._send = send
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def send_due(self) -> int:
        """Send what is due once, and return how many events were taken."""
        self._feed.expire()
        due = self._feed.due(_AT_ONCE, _MOST_BYTES)
        return self._settle(due, self._send([one.event for one in due])) if due else 0

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            sent = self.send_due()
            if self.trouble:
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if not sent:
                self._stop.wait(_IDLE_SECONDS)
        close_connections()

    def _settle(self, due: Sequence[Queued], outcomes: Sequence[Outcome]) -> int:
        taken = [one.number for one, outcome in zip(due, outcomes, strict=True) if outcome.is_accepted]
        refused = [one.number for one, outcome in zip(due, outcomes, strict=True) if outcome.is_refused]
        for outcome in outcomes:
            if outcome.is_refused:
                self._switches.note("refused", detail=outcome.reason)
        waiting = [outcome.reason for outcome in outcomes if not (outcome.is_accepted or outcome.is_refused)]
        self.trouble = waiting[0] if waiting else ""
        self._feed.done(taken, refused)
        return len(taken)
