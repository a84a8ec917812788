"""Runs in the console: watched and steered, backfills and checks started."""
