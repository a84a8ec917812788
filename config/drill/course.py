"""The course of a drill: load, faults and kills, then calm, repair, and the comparison of everything."""

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.drill.comparing import Disagreement, disagreements
from config.drill.org import Org
from config.drill.processes import Child, wait_for
from crm_events.backends import drift_report, event_store, runs
from crm_events.domain.drift import HARMLESS, Check, run_kind
from crm_events.entry import bulk_runner
from crm_events.ports.event_store import StreamFlag
from crm_events.ports.runs import RunQuery, RunRequest, RunStatus
from crm_events.running.runner import Runner
from crm_events.selectors import open_notices, outcome_totals, unfinished_deliveries
from crm_projections.entry import runner as read_side_runner

# What goes wrong, and how often: on the feed, in the org, and in its API. Together they touch every way of repair.
FAULTS: Mapping[str, Mapping[str, float]] = {
    "drop": {"chance": 0.02},
    "duplicate": {"chance": 0.05, "value": 1},
    "reorder": {"chance": 0.05, "value": 3},
    "delay": {"chance": 0.02, "value": 2},
    "gap_create": {"chance": 0.02},
    "gap_update": {"chance": 0.02},
    "gap_delete": {"chance": 0.05},
    "gap_undelete": {"chance": 0.05},
    "unreadable": {"chance": 0.005},
    "other_shapes": {"chance": 0.1},
    "hard_delete": {"chance": 0.01},
    "quiet_change": {"chance": 0.01},
    "overflow": {"times": 1},
    "expire": {"chance": 0.03},
    "unavailable": {"chance": 0.03},
    "reset": {"chance": 0.02},
    "slow": {"chance": 0.03, "value": 0.2},
}
_SETTLE_SECONDS = 300
_ROUNDS = 6
_ALL = 10_000_000
_ROUND_SIZE = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a drill is: accounts at the start, transactions under load, kills, and the seed of chance."""

    accounts: int
    transactions: int
    kills: int
    seed: int


@dataclass(slots=True)
class Outcome:
    """What a drill came to. ``lost`` are records that are not the same everywhere at its end."""

    events: int = 0
    kills: int = 0
    duplicated: int = 0
    late: int = 0
    unreadable: int = 0
    mishaps: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)
    recovered_seconds: float = 0.0
    lost: Sequence[Disagreement] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a drill takes place: its folder, and the ports of the service and the org."""

    folder: Path
    service_port: int
    org_port: int

    @property
    def service_url(self) -> str:
        """Return the address of the service."""
        return f"http://127.0.0.1:{self.service_port}"

    @property
    def org_url(self) -> str:
        """Return the address of the org."""
        return f"http://127.0.0.1:{self.org_port}"

    def service(self) -> Child:
        """Return the whole service as one process, without a demo of its own."""
        variables = {"PORT": str(self.service_port), "DEMO": "0"}
        return Child(["serve"], self.folder / "service.log", f"{self.service_url}/health/ready", variables)

    def org(self, plan: Plan) -> Child:
        """Return the org as a process; it makes its history and then waits to be told."""
        arguments = ["simulator", "--no-flaws", "--rate", "0", "--port", str(self.org_port)]
        arguments += ["--accounts", str(plan.accounts), "--seed", str(plan.seed), "--url", self.service_url]
        return Child(arguments, self.folder / "org.log", f"{self.org_url}/simulator/api/state", {})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run_drill(plan: Plan, stage: Stage, say: Callable[[str], None]) -> Outcome:
    """Do the drill.

    :raises DrillError: it could not be done.
    """
    service = stage.service()
    with service, stage.org(plan):
        org = Org(stage.org_url)
        say("The org tells its history; nothing goes wrong yet.")
        _await_calm(org)
        outcome = Outcome()
        _storm(plan, org, service, outcome, say)
        org.act("reset_switches")
        org.act("release_feed")
        calm = time.monotonic()
        say("The faults are over. Gaps are repaired, notices answered, and everything is compared.")
        _recover(org, outcome, say)
        outcome.recovered_seconds = time.monotonic() - calm
        outcome.lost = list(disagreements(org))
        _count(org, outcome)
    return outcome


def _storm(plan: Plan, org: Org, service: Child, outcome: Outcome, say: Callable[[str], None]) -> None:
    """Let transactions happen with faults, and kill the service now and then."""
    org.set_switches(FAULTS)
    rounds = -(-plan.transactions // _ROUND_SIZE)
    chance = random.Random(plan.seed)  # noqa: S311  # no secrets
    killed_in = set(chance.sample(range(rounds), min(plan.kills, rounds)))
    for number in range(rounds):
        org.advance(min(_ROUND_SIZE, plan.transactions - number * _ROUND_SIZE))
        if number in killed_in:
            service.kill()
            outcome.kills += 1
            say(f"Killed the service after {(number + 1) * _ROUND_SIZE:,} transactions, and started it again.")
            service.start()


def _recover(org: Org, outcome: Outcome, say: Callable[[str], None]) -> None:
    """Compare until a round finds nothing, as the schedule would; what repairs by itself is waited for first."""
    repaired: Counter[str] = Counter()
    for number in range(_ROUNDS):
        _await_calm(org)
        found = _compare_all(org)
        repaired.update({cause: count for cause, count in found.items() if cause not in _HARMLESS})
        say(f"Comparison {number + 1}: {_in_words(found)}.")
        if not any(found.values()):
            break
    outcome.repaired = dict(repaired)


_HARMLESS = {cause.value for cause in HARMLESS}


def _in_words(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {cause}" for cause, count in sorted(found.items())) or "no difference"


def _await_calm(org: Org) -> None:
    wait_for("the feed to be empty", org.is_quiet, _SETTLE_SECONDS)
    wait_for("deliveries and repairs to be done", _is_settled, _SETTLE_SECONDS)


def _is_settled() -> bool:
    store = event_store()
    return (
        unfinished_deliveries()[0] == 0
        and not store.pending_streams(1)
        and not store.flagged_streams(StreamFlag.DIRTY, 1).heads
        and open_notices() == 0
        and not runs().find(RunQuery(statuses=[RunStatus.QUEUED, RunStatus.RUNNING], limit=1))
    )


def _compare_all(org: Org) -> Counter[str]:
    """Run the checks on every object, whole, and return how many differences there were by cause."""
    found: Counter[str] = Counter()
    for entity in org.objects():
        for check in (Check.WINDOWS, Check.IDS, Check.SAMPLE):
            found.update(_work(bulk_runner(), check, entity, size=_ALL))
        found.update(_work(read_side_runner(), Check.DOCUMENTS, entity))
    return found


def _work(runner: Runner, check: Check, entity: str, **parameters: Any) -> Counter[str]:
    request = RunRequest(run_kind(check), entity, parameters, "the drill")
    run = runs().claim(runs().create(request, datetime.now(UTC)).id, datetime.now(UTC))
    if run is not None:
        runner.work(run, wait=time.sleep)
        return Counter({cause.value: n for (_, cause), n in drift_report().counts([run.id]).items()})
    return Counter()


def _count(org: Org, outcome: Outcome) -> None:
    totals = outcome_totals()
    outcome.events = sum(totals.values())
    outcome.duplicated = totals.get("duplicate", 0)
    outcome.late = totals.get("late", 0)
    outcome.unreadable = totals.get("unreadable", 0)
    outcome.mishaps = org.state()["mishaps"]
    own = Counter(outcome.repaired)
    for run in runs().find(RunQuery(kinds=["repair"], limit=1_000)):
        own["gap"] += run.counts.get("recorded", 0) + run.counts.get("gone", 0)
    for run in runs().find(RunQuery(kinds=["resync"], limit=1_000)):
        own["overflow or wildcard"] += run.counts.get("recorded", 0) + run.counts.get("gone", 0)
    outcome.repaired = {cause: count for cause, count in own.items() if count}
