"""Run checks side by side, each within its own time, so that one that hangs or breaks hides no other."""

import threading
import time
from collections.abc import Sequence

from django.db import connections

from config.doctor.diagnosis import Check, Diagnosis, Examined, Light, red, told
from config.failures import describe


class _Running:
    """A check in a thread of its own. Not in a pool: at its end, a process waits for the threads of pools."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._started = time.perf_counter()
        self._examined: Examined | None = None
        self._thread = threading.Thread(target=self._work, name=f"doctor {check.subject}", daemon=True)
        self._thread.start()

    def result(self) -> Examined:
        """Return what the check said, or that its time was over."""
        left = self._started + self._check.seconds - time.perf_counter()
        self._thread.join(timeout=max(left, 0.0))
        return self._examined or Examined(self._check, [_too_long(self._check)], self._check.seconds * 1000)

    def _work(self) -> None:
        try:
            said = self._check.look()
        except Exception as failure:  # noqa: BLE001  # whatever breaks one check, the others are still wanted
            said = [_broken(self._check, failure)]
        finally:
            connections.close_all()
        elapsed = (time.perf_counter() - self._started) * 1000
        self._examined = Examined(self._check, said, round(elapsed, 1))


def run(checks: Sequence[Check]) -> list[Examined]:
    """Run all checks at once and return what each said, in the order given, within the longest one's time."""
    return [running.result() for running in [_Running(check) for check in checks]]


def _too_long(check: Check) -> Diagnosis:
    fact = f"no answer within {check.seconds:g} seconds"
    return red(check.subject, fact, "see whether what it asks runs and can be reached from here.")


def _broken(check: Check, failure: Exception) -> Diagnosis:
    said = f"unknown. {describe(failure)}"
    return told(check.subject, Light.RED, said, "mend what the message names, then look again.")
