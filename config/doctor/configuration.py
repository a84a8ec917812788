"""Whether the variables are ones that somebody reads, are safe, and fit together."""

import sqlite3
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, run_checks
from django.core.checks.messages import ERROR

from config.doctor.diagnosis import Diagnosis, amber, green, red
from config.doctor.setup import Setup, is_loopback
from config.variables import documented_variables, likely_misspelt

# "WAL reset bug", https://sqlite.org/wal.html: fixed in 3.51.3, rare, may corrupt the file when several connections
# write or checkpoint at the same instant.
_SQLITE_MENDED = (3, 51, 3)
# Variables that only an adapter reads: set without it, they change nothing, and somebody believes they do.
_FAMILIES = {
    "DYNAMODB_": ("EVENT_STORE", "dynamodb"),
    "OPENSEARCH_": ("READ_MODEL", "opensearch"),
    "EVENTBRIDGE_": ("BROADCASTER", "eventbridge"),
}
# HSTS, redirect and secure cookies, which one variable of ours turns on together.
_HTTPS_CHECKS = frozenset({"security.W004", "security.W008", "security.W012", "security.W016"})
_PUT_EVENTS_MAX_BYTES = 1024 * 1024
_RANDOM_ENOUGH = 50


def examine_variables(setup: Setup) -> list[Diagnosis]:
    """Find variables that nothing reads but that look like one of ours, and those that have no effect."""
    try:
        known = documented_variables(setup.settings.BASE_DIR / ".env.example")
    except OSError as failure:
        return [amber("variables", f".env.example cannot be read ({failure}), so no name was compared.", "restore it.")]
    misspelt = [
        amber(f"variable {name}", "nothing reads it", f"is {meant} meant? Rename it, or remove it.")
        for name, meant in likely_misspelt(setup.environment, known).items()
    ]
    idle = _without_effect(setup, known)
    ours = sum(bool(setup.environment.get(name)) for name in known)
    return misspelt + idle or [green("variables", f"{ours} set, {len(known) - ours} by default, none misspelt")]


def _without_effect(setup: Setup, known: Mapping[str, str]) -> list[Diagnosis]:
    found = []
    for prefix, (chooser, technology) in _FAMILIES.items():
        # With the default value it says nothing: whole copies of .env.example are used as environments.
        idle = [name for name in known if name.startswith(prefix) and _differs(setup, name, known[name])]
        if idle and not setup.uses(technology):
            text = f"set, but {chooser} is not {technology}"
            found.append(amber(f"variable {', '.join(idle)}", text, f"set {chooser}={technology}, or remove them."))
    return found


def _differs(setup: Setup, name: str, default: str) -> bool:
    return setup.environment.get(name, "") not in {"", default}


def examine_django(setup: Setup) -> list[Diagnosis]:
    """Run Django's checks; those for production where others than the person at this machine use the service."""
    messages = [one for one in run_checks(include_deployment_checks=setup.is_deployed) if not one.is_silenced()]
    if messages:
        return [*_without_https(messages), *(_translate(one) for one in messages if one.id not in _HTTPS_CHECKS)]
    if setup.is_deployed:
        return [green("Django's checks", "nothing to say, production's among them")]
    return [green("Django's checks", "nothing to say; production's do not apply: one process, for this machine alone")]


def _without_https(messages: Sequence[CheckMessage]) -> list[Diagnosis]:
    found = [str(message.id) for message in messages if message.id in _HTTPS_CHECKS]
    if not found:
        return []
    text = f"off: logins and keys may travel readable ({', '.join(found)})"
    return [amber("HTTPS", text, "set HTTPS=true behind a proxy that ends TLS.")]


def _translate(message: CheckMessage) -> Diagnosis:
    make = red if message.level >= ERROR else amber
    hint = " ".join((message.hint or "see Django's documentation of this check.").split())
    return make(f"check {message.id}", " ".join(message.msg.split()).rstrip("."), hint)


def examine_safety(setup: Setup) -> list[Diagnosis]:
    """Find values that let in more people than they should."""
    found = []
    if setup.settings.DEBUG:
        found.append(red("DEBUG", "on: whoever meets an error reads code and values", "set DEBUG=false."))
    if "*" in setup.settings.ALLOWED_HOSTS:
        found.append(amber("ALLOWED_HOSTS", "takes any host name", "list the names by which the service is called."))
    if setup.environment.get("SECRET_KEY") and len(setup.settings.SECRET_KEY) < _RANDOM_ENOUGH:
        found.append(amber("SECRET_KEY", "short enough to be guessed", "set 50 or more random characters."))
    for host in map(urlsplit, setup.opensearch.get("hosts", ())):
        if host.scheme == "http" and setup.opensearch["auth"] != "none" and not is_loopback(host.hostname or ""):
            text = f"{host.hostname} is asked by http, so its password travels readable"
            found.append(red("OPENSEARCH_URLS", text, "use https."))
    return found or [green("safety", "no value that lets in more people than it should")]


def examine_fit(setup: Setup) -> list[Diagnosis]:
    """Find settings that contradict each other."""
    return [*_processes(setup), *_adapters(setup), *_messages(setup)] or [
        green("settings together", "none contradicts another")
    ]


def _processes(setup: Setup) -> list[Diagnosis]:
    if setup.is_embedded:
        if setup.is_sqlite:
            return []
        text = "memory:// reaches one process alone, and the database is one for many"
        return [amber("CELERY_BROKER_URL", text, "name a broker if web, workers and beat are processes of their own.")]
    if not setup.is_sqlite:
        return []
    text = "unset, so every process needs this machine's SQLite file and waits for its one writer"
    return [amber("DATABASE_URL", text, "use PostgreSQL where web, workers and beat are processes of their own.")]


def _adapters(setup: Setup) -> list[Diagnosis]:
    found = []
    for variable, path in setup.adapters.items():
        if "memory" in path.split("."):
            text = "memory: gone with the process, and no other process sees it"
            found.append(red(variable, text, f"choose another; .env.example lists what {variable} may be."))
    if setup.opensearch.get("auth") == "basic" and not (setup.opensearch["username"] and setup.opensearch["password"]):
        text = "basic, without a name or a password"
        found.append(red("OPENSEARCH_AUTH", text, "set OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD."))
    return found


def _messages(setup: Setup) -> list[Diagnosis]:
    if not setup.uses("eventbridge"):
        return []
    options = setup.settings.CRM_BROADCASTER["OPTIONS"]
    found = []
    if options.get("max_request_bytes", 0) > _PUT_EVENTS_MAX_BYTES:
        text = "more than the 1,048,576 bytes that AWS takes in one request"
        found.append(red("EVENTBRIDGE_MAX_REQUEST_BYTES", text, "set 1048576 or less."))
    if is_loopback(urlsplit(options.get("public_url", "")).hostname or "") and setup.is_deployed:
        text = "this machine's own address: links in messages lead consumers nowhere"
        found.append(amber("PUBLIC_URL", text, "set the address by which clients reach this service."))
    return found


def examine_sqlite(setup: Setup, version: Sequence[int] = sqlite3.sqlite_version_info) -> list[Diagnosis]:
    """Say whether SQLite, where it is used, has the bug of its write-ahead log."""
    if not setup.is_sqlite:
        return []
    shown = ".".join(map(str, version))
    if tuple(version) >= _SQLITE_MENDED:
        return [green("SQLite", f"version {shown}")]
    text = f"version {shown} can, rarely, damage its file when several connections write at the same instant"
    return [amber("SQLite", text, "use 3.51.3 or newer, or PostgreSQL; keep backups until then.")]
