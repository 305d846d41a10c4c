"""Decisions: pure functions over values. No await, no input or output, no clock (`now` is an argument)."""
