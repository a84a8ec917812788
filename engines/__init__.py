"""Engines that the service may run on, fetched, started and stopped on this machine: for development and for tests."""
