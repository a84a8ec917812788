"""Adapters of the write side's ports. Settings name them; nobody imports them."""
