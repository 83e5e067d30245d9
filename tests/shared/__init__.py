"""Tests of the app's values, pure functions and ledger."""
