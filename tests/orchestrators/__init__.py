"""Tests of the orchestrators, run whole on a virtual clock."""
