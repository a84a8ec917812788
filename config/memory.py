"""How the garbage collector treats a process that runs for weeks."""

import gc

# Objects made before it looks again. Events and documents hold no cycles, so looking often finds nothing.
_THRESHOLDS = (20_000, 20, 20)


def settle() -> None:
    """Take everything that start-up loaded out of the garbage collector's rounds; call it once that is done.

    Else every batch of events sets it going through all modules and classes, for a tenth of the batch's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
