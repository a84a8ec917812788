"""From a query string to a list query: filters, text search, sort, pages, cursor, fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm_api.cursors import Bookmark, open_cursor
from crm_api.parameters import Parameters
from crm_api.values import form_of, operators_of, parameter_name, read_value
from crm_mappings.schema import EntitySchema, FieldSpec
from crm_projections.domain.words import words_of
from crm_projections.ports.queries import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, ListQuery, PageNumber, Selection, Walk
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, Filter, Operator, Sort

RESERVED = ("page", "page_size", "cursor", "q", "sort", "fields", "include_deleted")
MAX_SORT_FIELDS = 5
MAX_WORDS = 10
MAX_VALUES = 500


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a caller asks of a list: the query, the fields to show (all if empty), the cursor it came with."""

    query: ListQuery
    fields: tuple[str, ...]
    bookmark: Bookmark | None


def read_list_request(parameters: Parameters, schema: EntitySchema) -> ListRequest:
    """Read the parameters of a list.

    :raises ParametersError: some cannot be used; it names all of them.
    """
    words, nothing = _read_words(parameters)
    selection = Selection(
        words=words,
        sort=_read_sort(parameters, schema),
        include_deleted=parameters.flag("include_deleted"),
        filters=(*nothing, *_read_filters(parameters, schema)),
    )
    fields = read_fields(parameters, schema)
    paging, bookmark = _read_paging(parameters, schema, selection)
    parameters.finish([*RESERVED, *(spec.name for spec in schema.fields if spec.is_filterable)])
    return ListRequest(ListQuery(selection, paging), fields, bookmark)


def read_fields(parameters: Parameters, schema: EntitySchema) -> tuple[str, ...]:
    """Take ``fields``: the names of the fields to show, none for all."""
    text = parameters.take("fields")
    if text is None:
        return ()
    names = tuple(text.split(","))
    _refuse_unknown(parameters, "fields", names, list(schema.by_name))
    return names


def _refuse_unknown(parameters: Parameters, name: str, given: Sequence[str], known: Sequence[str]) -> bool:
    unknown = [one for one in given if one not in known]
    if unknown:
        parameters.fail(name, f"There is no field “{unknown[0][:50]}” for it.", known)
    elif len(set(given)) < len(given):
        parameters.fail(name, "A field is named more than once.", ["each field once"])
    else:
        return True
    return False


def _read_words(parameters: Parameters) -> tuple[tuple[str, ...], tuple[Filter, ...]]:
    """Return the words of ``q``, and the condition of a text without any: nothing, rather than everything."""
    text = parameters.take("q") or ""
    words = tuple(dict.fromkeys(words_of(text)))
    if len(words) > MAX_WORDS:
        parameters.fail("q", f"It has {len(words)} words.", [f"up to {MAX_WORDS} words"])
    return words, () if words or not text.strip() else (Filter("id", Operator.IN, ()),)


def _read_sort(parameters: Parameters, schema: EntitySchema) -> tuple[Sort, ...]:
    text = parameters.take("sort")
    if text is None:
        return ()
    sort = tuple(Sort(name.removeprefix("-"), name.startswith("-")) for name in text.split(","))
    sortable = [spec.name for spec in schema.fields if spec.is_sortable]
    if not _refuse_unknown(parameters, "sort", [item.field for item in sort], sortable):
        return ()
    if len(sort) > MAX_SORT_FIELDS:
        parameters.fail("sort", f"It names {len(sort)} fields.", [f"up to {MAX_SORT_FIELDS} fields"])
    return sort


def _read_filters(parameters: Parameters, schema: EntitySchema) -> Iterator[Filter]:
    for name in parameters.left:
        if name in RESERVED:
            continue
        spec, operator = _find_field(schema, name)
        if spec is None:
            continue
        text = parameters.take(name) or ""
        if operator not in operators_of(spec):
            parameters.fail(name, _why_not(spec), [parameter_name(spec, known) for known in operators_of(spec)])
        else:
            yield from _read_filter(parameters, spec, Operator(operator), text)


def _find_field(schema: EntitySchema, name: str) -> tuple[FieldSpec | None, str]:
    if name in schema.by_name:
        return schema.by_name[name], Operator.EQ
    field, separator, operator = name.rpartition("__")
    # Equality has no suffix of its own.
    is_spelled = bool(separator) and operator != Operator.EQ
    return schema.by_name.get(field), operator if is_spelled else ""


def _why_not(spec: FieldSpec) -> str:
    if not spec.is_filterable:
        return f"{spec.name} is a long text, which lists cannot be filtered by."
    return f"{spec.name} has no such operator."


def _read_filter(parameters: Parameters, spec: FieldSpec, operator: Operator, text: str) -> Iterator[Filter]:
    name = parameter_name(spec, operator)
    allowed = form_of(spec, operator).allowed
    if operator is Operator.IN and text.count(",") >= MAX_VALUES:
        parameters.fail(name, f"It holds more than {MAX_VALUES} values.", [f"up to {MAX_VALUES} values"])
        return
    try:
        yield Filter(spec.name, operator, read_value(spec, operator, text))
    except ValueError:
        wanted = f"a list with commas, each {allowed}" if operator is Operator.IN else allowed
        parameters.fail(name, f"“{text[:50]}” is not a value for it.", [wanted])


def _read_paging(
    parameters: Parameters, schema: EntitySchema, selection: Selection
) -> tuple[PageNumber | Walk, Bookmark | None]:
    size = parameters.number("page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    cursor = parameters.take("cursor")
    if cursor is None:
        return _read_page(parameters, size), None
    if parameters.take("page") is not None:
        parameters.fail("page", "A list is read by page or by cursor.", ["page without cursor", "cursor without page"])
    if not cursor:
        return Walk(size=size), None
    try:
        bookmark = open_cursor(cursor, schema.entity, selection)
    except ValueError:
        allowed = ["empty, to begin a walk", "the cursor in “next” of the page before, with the same filters and sort"]
        parameters.fail("cursor", "It was not given for this list with these filters and this sort.", allowed)
        return Walk(size=size), None
    return Walk(bookmark.position, size), bookmark


def _read_page(parameters: Parameters, size: int) -> PageNumber:
    last = -(-EXACT_COUNT_LIMIT // size)
    number = parameters.number("page", 1, 1, 999_999_999)
    if number > last:
        detail = f"Pages by number end at row {EXACT_COUNT_LIMIT:,}. Use cursor= to walk through longer lists."
        parameters.fail("page", detail, [f"1 to {last}, with page_size={size}"])
    return PageNumber(number, size)
