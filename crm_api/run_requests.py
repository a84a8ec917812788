"""What can be asked of runs in a body, read strictly: every fault is named with its place and what is allowed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crm_api.errors import BodyFault, BodyFaultsError
from crm_events.domain.drift import Check
from crm_events.services.backfill import BackfillOptions, Mode

_MAX_IDS = 10_000
_Ids = Annotated[
    list[Annotated[str, Field(min_length=15, max_length=18, pattern="^[0-9A-Za-z]+$")]], Field(max_length=_MAX_IDS)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BackfillParameters(_Strict):
    """Which rows to bring in, and how; see ``BackfillOptions``."""

    since: AwareDatetime | None = None
    where: Annotated[str, Field(max_length=4_000)] = ""
    ids: _Ids = []
    mode: Mode = Mode.AUTO
    dry_run: bool = False
    broadcast: bool = False
    include_deleted: bool = False

    def options(self) -> BackfillOptions:
        """Return the options of the run."""
        since: datetime | None = self.since
        return BackfillOptions(
            since=since,
            where=self.where,
            ids=tuple(self.ids),
            mode=self.mode,
            dry_run=self.dry_run,
            broadcast=self.broadcast,
            include_deleted=self.include_deleted,
        )


class ReplayParameters(_Strict):
    """How to project again."""

    dry_run: bool = False
    broadcast: bool = False


class CheckParameters(_Strict):
    """What to compare, and whether differences are mended."""

    check: Check
    repair: bool = True


class _Request(_Strict):
    target: Annotated[str, Field(max_length=150)] = ""
    reason: Annotated[str, Field(max_length=1_000)] = ""


class BackfillRequest(_Request):
    """Start a backfill."""

    kind: Literal["backfill"]
    target: Annotated[str, Field(min_length=1, max_length=150)]
    parameters: BackfillParameters = BackfillParameters()


class ReplayRequest(_Request):
    """Start a replay of a record, of an object, or of everything."""

    kind: Literal["replay"]
    parameters: ReplayParameters = ReplayParameters()


class RebuildRequest(_Request):
    """Start the rebuild of an entity's documents."""

    kind: Literal["rebuild"]
    target: Annotated[str, Field(min_length=1, max_length=150)]


class CheckRequest(_Request):
    """Start a check of an object, or of all the log has."""

    kind: Literal["check"]
    parameters: CheckParameters


RunBody = Annotated[BackfillRequest | ReplayRequest | RebuildRequest | CheckRequest, Field(discriminator="kind")]
_RUN: TypeAdapter[Any] = TypeAdapter(RunBody)
_ESTIMATE: TypeAdapter[BackfillRequest] = TypeAdapter(BackfillRequest)


class SteeringRequest(_Strict):
    """Why a run is steered."""

    reason: Annotated[str, Field(max_length=1_000)] = ""


_STEERING: TypeAdapter[SteeringRequest] = TypeAdapter(SteeringRequest)


def read_run(body: bytes) -> BackfillRequest | ReplayRequest | RebuildRequest | CheckRequest:
    """Read which run to start.

    :raises BodyFaultsError: the body is no JSON, or says something that no run takes.
    """
    found: BackfillRequest | ReplayRequest | RebuildRequest | CheckRequest = _read(_RUN, body)
    return found


def read_estimate(body: bytes) -> BackfillRequest:
    """Read which backfill to estimate.

    :raises BodyFaultsError: as ``read_run``.
    """
    found: BackfillRequest = _read(_ESTIMATE, body)
    return found


def read_steering(body: bytes) -> SteeringRequest:
    """Read why a run is steered; an empty body says nothing.

    :raises BodyFaultsError: as ``read_run``.
    """
    found: SteeringRequest = _read(_STEERING, body or b"{}")
    return found


def _read(adapter: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        raise BodyFaultsError([_fault(one) for one in error.errors(include_url=False)]) from error


def _fault(error: Any) -> BodyFault:
    # The name of the kind stands in the place of a union's member; it is no part of the body.
    kinds = {"backfill", "replay", "rebuild", "check"}
    location = [str(part) for part in error["loc"]]
    if location and location[0] in kinds:
        location = location[1:]
    expected = error.get("ctx", {}).get("expected") or error.get("ctx", {}).get("expected_tags") or ""
    allowed = tuple(part.strip(" '") for part in str(expected).replace(" or ", ",").split(",") if part.strip())
    return BodyFault("".join(f"/{part}" for part in location), f"{error['msg']}.", allowed)
