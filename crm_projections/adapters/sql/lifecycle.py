"""The life of generations: listed, made, switched, dropped; safe for several processes at once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connections, transaction
from django.db.models import Max, QuerySet

from crm_mappings.schema import EntitySchema, FieldSpec
from crm_projections.adapters.sql.layout import layout_of
from crm_projections.adapters.sql.models import GenerationRow
from crm_projections.adapters.sql.tables import Tables, create_tables, drop_tables, fields_from_json, fields_to_json
from crm_projections.ports.read_model import Generation, GenerationState, ReadModelError, UnknownGenerationError

_MAX_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The generations in one database."""

    using: str

    def list(self, entity: str) -> list[Generation]:
        """Return the entity's generations by number."""
        return [_generation(row) for row in self._rows(entity).order_by("number")]

    def find(self, entity: str, number: int) -> Generation:
        """Return a generation.

        :raises UnknownGenerationError: there is none of this number.
        """
        row = self._rows(entity).filter(number=number).first()
        if row is None:
            raise UnknownGenerationError(entity, number)
        return _generation(row)

    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made if there is none."""
        serving = self._rows(schema.entity).filter(serves=True).first()
        return _generation(serving) if serving else self._create(schema, mapping, now, serves=True)

    def create(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make a generation that is to be filled."""
        return self._create(schema, mapping, now, serves=False)

    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands; one that failed stays so."""
        row = self._rows(entity).filter(number=number)
        changeable = row.exclude(state=GenerationState.FAILED.value)
        if state is GenerationState.FAILED:
            changeable = changeable.filter(serves=False)
        if changeable.update(state=state.value):
            return
        if self.find(entity, number).serves:
            raise UnknownGenerationError(entity, number, "it serves; it cannot fail any more")

    def switch(self, entity: str, number: int) -> None:
        """Let a ready generation serve, in one transaction."""
        with transaction.atomic(using=self.using):
            # Without the key: whoever is saving documents meanwhile need not wait.
            target = self._locked(entity, no_key=True).get(number)
            if target is None:
                raise UnknownGenerationError(entity, number)
            if target.state != GenerationState.READY:
                raise UnknownGenerationError(entity, number, "it is not ready")
            # Never two at once: the table allows one serving generation of an entity.
            self._rows(entity).filter(serves=True).update(serves=False)
            self._rows(entity).filter(number=number).update(serves=True)

    def drop(self, entity: str, number: int) -> None:
        """Remove the tables of a generation that does not serve."""
        with transaction.atomic(using=self.using):
            row = self._locked(entity).get(number)
            if row is None:
                return
            if row.serves:
                raise UnknownGenerationError(entity, number, "it serves; let another one serve first")
            self._rows(entity).filter(number=number).update(dropped=True)
            drop_tables(connections[self.using], _tables(row, ()))

    def _rows(self, entity: str) -> QuerySet[GenerationRow]:
        return GenerationRow.objects.using(self.using).filter(entity=entity, dropped=False)

    def _locked(self, entity: str, *, no_key: bool = False) -> dict[int, GenerationRow]:
        return {row.number: row for row in self._rows(entity).select_for_update(no_key=no_key).order_by("number")}

    def _create(self, schema: EntitySchema, mapping: str, now: datetime, *, serves: bool) -> Generation:
        """Insert the row first: whoever comes second waits there, and then finds the number or the service taken."""
        for _ in range(_MAX_ATTEMPTS):
            try:
                with transaction.atomic(using=self.using):
                    return self._create_once(schema, mapping, now, serves=serves)
            except IntegrityError:
                serving = self._rows(schema.entity).filter(serves=True).first() if serves else None
                if serving:
                    return _generation(serving)
        raise ReadModelError(f"No number was free for a new generation of {schema.entity}.")

    def _create_once(self, schema: EntitySchema, mapping: str, now: datetime, *, serves: bool) -> Generation:
        all_rows = GenerationRow.objects.using(self.using).filter(entity=schema.entity)
        row = all_rows.create(
            entity=schema.entity,
            number=(all_rows.aggregate(last=Max("number"))["last"] or 0) + 1,
            fields=fields_to_json(schema.fields),
            mapping=mapping,
            state=(GenerationState.READY if serves else GenerationState.FILLING).value,
            serves=serves,
            created_at=now,
        )
        create_tables(connections[self.using], _tables(row, schema.fields))
        return _generation(row)


def _tables(row: GenerationRow, fields: tuple[FieldSpec, ...]) -> Tables:
    return Tables(row.pk, row.number, layout_of(fields))


def _generation(row: GenerationRow) -> Generation:
    return Generation(
        entity=row.entity,
        number=row.number,
        fields=fields_from_json(row.fields),
        mapping=row.mapping,
        state=GenerationState(row.state),
        serves=row.serves,
        created_at=row.created_at,
    )
