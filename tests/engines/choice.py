"""Whether this run's tests work on the embedded adapters or on those of production."""

import os
from typing import Final

# TEST_DEFAULT_ENGINES=1: everything that works on the embedded adapters works on the production ones in this run.
ON_ENGINES: Final = os.environ.get("TEST_DEFAULT_ENGINES", "") == "1"
VARIABLES: Final = {
    "EVENT_STORE": "tests.engines.production.PooledEventStore",
    "READ_MODEL": "tests.engines.production.PooledReadModel",
    "BROADCASTER": "tests.engines.production.PooledBroadcaster",
}
