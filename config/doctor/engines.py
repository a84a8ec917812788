"""Whether every engine answers, and how fast."""

from collections.abc import Callable
from functools import partial

from config.doctor.diagnosis import Check, Diagnosis, Light, amber, green, told
from config.health import BACKENDS, BROKER, BackendHealth, check_backend, ping_broker

GROUP = "Engines"
_SLOW_MILLISECONDS = 1000


def engine_checks() -> list[Check]:
    """Return a check for each backend, and one for the broker."""
    pings: dict[str, Callable[[], None]] = {**BACKENDS, BROKER: ping_broker}
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
