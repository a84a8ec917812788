"""The vocabulary of the event log: streams, order keys, events, heads. Plain Python."""
