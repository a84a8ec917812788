"""Whether every engine answers, and how fast."""

from collections.abc import Callable
from functools import partial

from config.celery import app
from config.doctor.diagnosis import Check, Diagnosis, Light, amber, green, told
from config.doctor.setup import Setup
from config.health import BACKENDS, BackendHealth, check_backend

GROUP = "Engines"
_SLOW_MILLISECONDS = 1000
_BROKER_SECONDS = 4.0


def engine_checks(setup: Setup) -> list[Check]:
    """Return a check for each backend, and one for the broker."""
    pings: dict[str, Callable[[], None]] = {**BACKENDS, "broker": partial(_ping_broker, setup)}
    return [Check(GROUP, name, partial(examine_engine, name, ping)) for name, ping in pings.items()]


def examine_engine(name: str, ping: Callable[[], None]) -> list[Diagnosis]:
    """Ping one engine; its time is that of a second ping, for the first one builds the client and connects."""
    first = check_backend(name, ping)
    return [_translate(first if first.error else check_backend(name, ping))]


def _translate(health: BackendHealth) -> Diagnosis:
    if health.error:
        said = f"does not answer: {health.detail}"
        return told(health.name, Light.RED, said, "see that it runs and can be reached.")
    if health.milliseconds > _SLOW_MILLISECONDS:
        text = f"answers, but only after {health.milliseconds:,.0f} ms"
        return amber(health.name, text, "see its load, and the network between.")
    return green(health.name, f"answers within {health.milliseconds:,.1f} ms")


def _ping_broker(setup: Setup) -> None:
    if setup.is_embedded:
        return
    with app.connection_for_read(connect_timeout=_BROKER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=_BROKER_SECONDS)
        connection.default_channel.close()
