"""Faults through the whole stack: what goes wrong, and what must still be true after it."""
