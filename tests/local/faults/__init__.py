"""Faults on purpose: plans, and how they strike."""
