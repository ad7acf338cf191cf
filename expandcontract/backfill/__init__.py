"""Fills the new shape for the rows that were there before it, and proves both shapes equal."""
