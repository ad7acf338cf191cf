"""Holds a backfill back while somebody else would suffer: what is watched, and the threads that watch it."""
