"""A process that starts an engine and is killed: what is left of the engine afterwards?"""

import os
import signal
import sys
from pathlib import Path

from engines.catalogue import ENGINES
from engines.server import Server

if __name__ == "__main__":
    server = Server(ENGINES[sys.argv[1]], Path(sys.argv[2]))
    server.start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
