"""Feed the events of a file to a service, and keep count of what became of them."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from http import HTTPStatus

from crm_events.management.event_lines import BadLine, FileLine, Item, batches, body_of
from crm_events.management.posting import RefusedError
from crm_events.management.senders import Sender

# So many deliveries may be on their way: enough to keep the service busy, few enough not to flood its inbox.
_ON_THEIR_WAY = 20
# What the service says of a body; anything else (a wrong key, a wrong address) ends the command.
_BODY_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


class Feeder:
    """Send events in batches; ``outcomes`` and ``bad_lines`` count, ``last_line`` says how far it came.

    ``say`` gets a sentence for each line that is bad, and for each event that the service keeps as unreadable.
    """

    def __init__(self, sender: Sender, say: Callable[[str], None], advance: Callable[[int], None]) -> None:
        self.outcomes: Counter[str] = Counter()
        self.bad_lines = 0
        self.last_line = 0
        self._sender = sender
        self._say = say
        self._advance = advance
        self._last_bad = 0
        self._on_their_way: deque[tuple[str, list[Item]]] = deque()

    def feed(self, lines: Iterator[FileLine], count: int) -> None:
        """Send everything, at most ``count`` events at a time, and wait until it is in the log.

        :raises PostingError: the service cannot be reached or refuses more than single events.
        """
        for batch in batches(self._good(lines), count):
            self._send(batch)
            self.last_line = batch[-1].line
            if len(self._on_their_way) > _ON_THEIR_WAY:
                self._settle()
        while self._on_their_way:
            self._settle()

    def _good(self, lines: Iterator[FileLine]) -> Iterator[Item]:
        for line in lines:
            if isinstance(line.holds, BadLine):
                self._note_bad(line.holds.line, line.holds.reason)
            else:
                yield from line.holds
            self._advance(line.size)

    def _send(self, batch: list[Item]) -> None:
        try:
            self._on_their_way.append((self._sender.send(body_of(batch)), batch))
        except RefusedError as error:
            if error.status not in _BODY_REFUSED:
                raise
            if len(batch) == 1:
                self._note_bad(batch[0].line, error.detail)
                return
            # One of them is at fault, or all together are too many: half as many find out which.
            middle = len(batch) // 2
            self._send(batch[:middle])
            self._send(batch[middle:])

    def _settle(self) -> None:
        delivery_id, batch = self._on_their_way.popleft()
        for outcome in self._sender.outcomes(delivery_id):
            self.outcomes[outcome.outcome] += 1
            if outcome.outcome == "unreadable":
                self._say(f"Line {batch[outcome.index].line}: kept as a dead letter. {outcome.detail}")

    def _note_bad(self, line: int, reason: str) -> None:
        self._say(f"Line {line}: not sent. {reason}")
        # A line of several events is bad once.
        self.bad_lines += line != self._last_bad
        self._last_bad = line
