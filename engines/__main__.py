"""The command line: ``python -m engines start [NAME ...] | stop | status | env | fetch``."""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from engines import development
from engines.catalogue import ENGINES, USUAL
from engines.engine import Engine
from engines.errors import EngineError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status: 1 if an engine could not be had."""
    parser = argparse.ArgumentParser(prog="python -m engines", description=__doc__)
    parser.add_argument("act", choices=list(_ACTS))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENGINES))
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.names) - set(ENGINES):
        parser.error(f"no engine is called {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    return _ACTS[parsed.act](parsed.names)


def _chosen(names: Sequence[str], otherwise: Sequence[str]) -> list[Engine]:
    return [ENGINES[name] for name in ENGINES if name in (names or otherwise)]


def _for_each(engines: list[Engine], act: Callable[[Engine], str]) -> bool:
    """Do it for all at once and print a line for each as it is done; whether all went well."""

    def line(engine: Engine) -> tuple[str, bool]:
        try:
            return act(engine), True
        except EngineError as error:
            return str(error), False

    well = True
    with ThreadPoolExecutor(max_workers=len(engines)) as pool:
        for text, done in pool.map(line, engines):
            print(text, file=sys.stdout if done else sys.stderr, flush=True)  # what it is for
            well &= done
    return well


def _start(names: Sequence[str]) -> int:
    well = _for_each(_chosen(names, USUAL), _start_one)
    if found := development.variables():
        print('\nTo use them, set these variables (or: eval "$(.venv/bin/python -m engines env)"):\n')
        _print_exports(found)
    return 0 if well else 1


def _start_one(engine: Engine) -> str:
    started = development.start(engine)
    return f"{engine.title}: {'started' if started else 'runs already'}, {_address(engine)}"


def _address(engine: Engine) -> str:
    server = development.running(engine)
    return engine.url(development.site_of(engine, server)) if server else "ended meanwhile"


def _print_exports(found: dict[str, str]) -> None:
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


def _stop(names: Sequence[str]) -> int:
    def stop_one(engine: Engine) -> str:
        return f"{engine.title}: {'stopped; its data stays' if development.stop(engine) else 'did not run'}"

    return 0 if _for_each(_chosen(names, tuple(ENGINES)), stop_one) else 1


def _status(names: Sequence[str]) -> int:
    for engine in _chosen(names, tuple(ENGINES)):
        print(f"{engine.name:<11} {engine.title:<21} {_state(engine)}")
    return 0


def _state(engine: Engine) -> str:
    if (why := engine.why_missing()) is not None:
        return f"missing: {why}"
    server = development.running(engine)
    if server is None:
        return "stopped"
    site = development.site_of(engine, server)
    state = "runs" if engine.answers(site) else "started, but does not answer"
    return f"{state}: {engine.url(site)}, log and data in {site.home}"


def _env(names: Sequence[str]) -> int:
    found = development.variables(_chosen(names, tuple(ENGINES)))
    if not found:
        print("No engine runs. Next: make engines", file=sys.stderr)
        return 1
    _print_exports(found)
    return 0


def _fetch(names: Sequence[str]) -> int:
    def fetch_one(engine: Engine) -> str:
        development.fetch(engine)
        return f"{engine.title}: here"

    return 0 if _for_each(_chosen(names, tuple(ENGINES)), fetch_one) else 1


_ACTS = {"start": _start, "stop": _stop, "status": _status, "env": _env, "fetch": _fetch}

if __name__ == "__main__":
    sys.exit(main())
