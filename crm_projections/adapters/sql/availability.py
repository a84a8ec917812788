"""From a database that does not answer to the ports' own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from crm_projections.ports.broadcaster import BroadcasterUnavailableError
from crm_projections.ports.read_model import ReadModelUnavailableError


@contextmanager
def read_model_errors() -> Iterator[None]:
    """Raise ``ReadModelUnavailableError`` for what may work later."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise ReadModelUnavailableError(f"The database of the read model does not answer: {error}") from error


@contextmanager
def broadcaster_errors() -> Iterator[None]:
    """Raise ``BroadcasterUnavailableError`` for what may work later."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise BroadcasterUnavailableError(f"The database of the outbox does not answer: {error}") from error
