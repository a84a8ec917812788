"""Engines that tests start for themselves and never leave behind."""
