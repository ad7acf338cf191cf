"""Manifests that ``ec`` prints, as text with ``$NAME`` to be filled in."""
