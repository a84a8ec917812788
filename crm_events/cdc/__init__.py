"""Change Data Capture as it comes over the wire: bodies into events, raw texts into changes and rows. Plain Python."""

from crm_events.cdc.body import BodyError, BodyItem, split_accepted, split_body
from crm_events.cdc.change import Change, RawEventError, read_change
from crm_events.cdc.parse import ItemFailure, Notice, ParsedItem, parse_item
from crm_events.cdc.snapshot import Snapshot, confirmed_gone_raw, read_snapshot, snapshot_raw

__all__ = [
    "BodyError",
    "BodyItem",
    "Change",
    "ItemFailure",
    "Notice",
    "ParsedItem",
    "RawEventError",
    "Snapshot",
    "confirmed_gone_raw",
    "parse_item",
    "read_change",
    "read_snapshot",
    "snapshot_raw",
    "split_accepted",
    "split_body",
]
