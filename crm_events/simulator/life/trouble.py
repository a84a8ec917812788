"""What the switches of the org ask for: changes that no event tells of, or not as they should."""

from collections.abc import Callable, Iterator

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import housekeeping, names
from crm_events.simulator.life.scene import Scene
from crm_events.simulator.switches import Switchboard

_KINDS = ("Account", "Contact", "Lead", "Opportunity")
_Action = Callable[[Scene, Transaction], None]


def due(switches: Switchboard) -> Iterator[_Action]:
    """Yield what happens besides this time."""
    for name, act in _ACTS.items():
        if switches.fires(name):
            yield _noting(switches, name, act)


def _noting(switches: Switchboard, name: str, act: _Action) -> _Action:
    def do(scene: Scene, tx: Transaction) -> None:
        act(scene, tx)
        for record in [*tx.touched.values(), *tx.purged]:
            switches.note(name, entity=record.entity, records=[record.id])
        if tx.changes and not tx.touched:
            switches.note(name, entity=tx.changes[0].entity, records=tx.changes[0].record_ids)

    return do


def delete_for_good(scene: Scene, tx: Transaction) -> None:
    """Delete a record so that it is in no recycle bin, and nobody hears of it."""
    record = scene.pick(scene.rng.choice(_KINDS), lambda one: not one.is_person)
    if record is not None:
        tx.purge([record])


def change_quietly(scene: Scene, tx: Transaction) -> None:
    """Change a record as a job in the database does."""
    record = scene.pick(scene.rng.choice(_KINDS), lambda one: not one.is_person)
    if record is None:
        return
    if record.entity == "Opportunity":
        tx.change_quietly(record, {"NextStep": f"Job {scene.rng.randrange(10**6)}"})
    else:
        tx.change_quietly(record, {"Phone": names.phone(scene.rng, scene.rng.choice(names.PLACES))})


def hide(scene: Scene, tx: Transaction) -> None:
    """Take a record out of the API user's sight."""
    record = scene.pick(scene.rng.choice(_KINDS), lambda one: not one.hidden)
    if record is not None:
        record.hidden = True
        tx.touched[record.id] = record


_ACTS: dict[str, _Action] = {
    "hard_delete": delete_for_good,
    "quiet_change": change_quietly,
    "hide": hide,
    "retype": housekeeping.retype_field,
}
