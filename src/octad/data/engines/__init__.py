"""Engines: how each is opened, what it can do, and what it is refused by name."""
