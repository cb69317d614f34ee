"""Simulated products whose truth is known."""
