"""How gunicorn serves the service: ``gunicorn -c config/gunicorn.py``; numbers that differ by machine are variables."""

import os
from pathlib import Path
from typing import Any

from config import logs, memory
from config.metrics.instruments import forget_process

wsgi_app = "config.wsgi:application"
bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_WORKERS") or 2)
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS") or 16)
# Longer than a load balancer keeps an idle connection (60 s at AWS), so that it is never us who close one under it.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
keepalive = 75
# A worker whose main thread does not answer for so long is replaced. Requests have threads of their own.
timeout = 60
# Requests under way get this long after SIGTERM; orchestrators kill after 30 s.
graceful_timeout = 25
# Whatever memory a library may lose comes back; the jitter keeps workers from leaving together.
max_requests = int(os.environ.get("WEB_MAX_REQUESTS") or 100_000)
max_requests_jitter = max_requests // 10
# Loaded once, then forked: the workers share what does not change. Engines' clients are made at first use, after that.
preload_app = True
if Path("/dev/shm").is_dir():  # noqa: S108  # gunicorn makes a nameless file there; on a busy disk its heartbeat would wait
    worker_tmp_dir = "/dev/shm"  # noqa: S108  # as above
logconfig_dict = logs.logging_config(
    logs.resolve_format(os.environ.get("LOG_FORMAT") or "auto"), os.environ.get("LOG_LEVEL") or "INFO"
)


def when_ready(server: Any) -> None:  # noqa: ARG001  # a hook's signature
    """Settle what was loaded, before the first fork."""
    memory.settle()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001  # a hook's signature
    """Let the metrics know that a worker is gone."""
    forget_process(worker.pid)
