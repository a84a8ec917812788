"""Post events to the service, and say of each one whether it is stored there."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from crm_events.forwarder.connection import Answer, UnreachableError, connection_to
from crm_events.forwarder.envelopes import UnreadableError, event_text
from crm_events.forwarder.keys import KeyUnavailableError
from crm_events.forwarder.settings import EVENTS_PATH, Settings

TimeLeft = Callable[[], float]
# What is left of the caller's time to tell the outcome.
_RESERVE_SECONDS: Final = 1.0
_SHORTEST_SECONDS: Final = 0.2
_KEY_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# It may be one event that the service cannot take, or that there are too many: smaller requests find out.
_SPLIT: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INTERNAL_SERVER_ERROR}
)
_NEXT: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "The service cannot read this event. Next: look at it in the dead-letter queue",
    HTTPStatus.UNAUTHORIZED: "The service does not know the key. Next: put a valid one where the function reads it",
    HTTPStatus.FORBIDDEN: "The key may not post events. Next: give the function a key with the scope ingest",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "This event alone is too large. Next: raise the service's MAX_BODY_BYTES",
    HTTPStatus.TOO_MANY_REQUESTS: "The service wants us to be slower. Next: nothing, or raise API_RATE",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The service failed. Next: look into its log",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service is not ready. Next: nothing if this passes, else see its health page",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event: stored in a delivery, or not, and why.

    ``is_refused``: it fails for what it is, and would fail again unless something is changed.
    """

    delivery: str = ""
    status: int = 0
    reason: str = ""
    is_refused: bool = False

    @property
    def is_accepted(self) -> bool:
        """Say whether the service has stored the event."""
        return bool(self.delivery)


def forward(events: Sequence[str], settings: Settings, time_left: TimeLeft = lambda: math.inf) -> list[Outcome]:
    """Post events, each a JSON text, and return one outcome for each, in order.

    They travel in one request with every byte as it is; a request that is too large or that the service cannot read is
    halved until what is wrong stands alone. An event posted twice counts once, so whatever was not accepted may be
    forwarded again. ``time_left`` says how many seconds the caller has.
    """
    outcomes: dict[int, Outcome] = {}
    texts: dict[int, str] = {}
    for index, event in enumerate(events):
        try:
            texts[index] = event_text(event)
        except UnreadableError as error:
            outcomes[index] = Outcome(reason=str(error), is_refused=True)
    if texts:
        posted = _Forwarding(settings, time_left).post(list(texts.values()))
        outcomes |= zip(texts, posted, strict=True)
    return [outcomes[index] for index in range(len(events))]


class _Forwarding:
    """One call of ``forward`` at work."""

    def __init__(self, settings: Settings, time_left: TimeLeft) -> None:
        self._settings = settings
        self._time_left = time_left
        # Once the service is down or refuses the key, the rest would only meet the same.
        self._end: Outcome | None = None

    def post(self, texts: Sequence[str]) -> list[Outcome]:
        if self._end is None and self._time_left() - _RESERVE_SECONDS < _SHORTEST_SECONDS:
            self._end = Outcome(reason="There was no time left to post it. Next: nothing, it comes again")
        if self._end is not None:
            return [self._end] * len(texts)
        try:
            answer = self._answer(texts)
        except (UnreachableError, KeyUnavailableError) as error:
            self._end = Outcome(reason=_plain(error))
            return [self._end] * len(texts)
        if answer.status in _SPLIT and len(texts) > 1:
            middle = len(texts) // 2
            return self.post(texts[:middle]) + self.post(texts[middle:])
        return [self._outcome(answer, len(texts))] * len(texts)

    def _answer(self, texts: Sequence[str]) -> Answer:
        body = f"[{','.join(texts)}]".encode(errors="surrogatepass")
        key = self._settings.key.read(self._seconds())
        answer = self._post(body, key)
        if answer.status in _KEY_REFUSED:
            new_key = self._settings.key.read(self._seconds(), again=True)
            if new_key != key:
                return self._post(body, new_key)
        return answer

    def _post(self, body: bytes, key: str) -> Answer:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return connection_to(self._settings.url).post(EVENTS_PATH, body, headers, self._seconds)

    def _seconds(self) -> float:
        return min(self._settings.timeout, max(self._time_left() - _RESERVE_SECONDS, _SHORTEST_SECONDS))

    def _outcome(self, answer: Answer, count: int) -> Outcome:
        delivery = _delivery(answer, count)
        if delivery:
            return Outcome(delivery, answer.status)
        is_refused = answer.status in _SPLIT - {HTTPStatus.INTERNAL_SERVER_ERROR}
        outcome = Outcome("", answer.status, _advice(answer), is_refused)
        if answer.status not in _SPLIT:
            self._end = outcome
        return outcome


def _delivery(answer: Answer, count: int) -> str:
    """Return the delivery's id if this is the service's word that it stored all events, and nobody else's."""
    if answer.status // 100 != 2:  # noqa: PLR2004  # success
        return ""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    is_ours = isinstance(body, dict) and body.get("received") == count
    return str(body.get("delivery") or "") if is_ours else ""


def _advice(answer: Answer) -> str:
    if answer.status // 100 in (2, 3):
        return "What answers there is not the service. Next: correct API_URL"
    return _NEXT.get(
        answer.status, "The service does not take it. Next: correct API_URL, or look into the service's log"
    )


def _plain(error: Exception) -> str:
    if isinstance(error, UnreachableError):
        return f"The service cannot be reached: {error}. Next: nothing if this passes, else see that it runs"
    return str(error)
