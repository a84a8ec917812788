"""The pure aggregate: the state of a Salesforce record, folded from its events. Plain Python."""

from crm_events.record.fingerprint import fold_fingerprint
from crm_events.record.folding import NEVER_CARRIED, fold
from crm_events.record.state import EMPTY, RecordState, dump_state, load_state

__all__ = ["EMPTY", "NEVER_CARRIED", "RecordState", "dump_state", "fold", "fold_fingerprint", "load_state"]
