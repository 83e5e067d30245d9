"""Tests of the local Azure ML."""
