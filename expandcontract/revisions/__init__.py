"""Pairs of Alembic revisions: reading, writing, guarding and running them. The only package that imports Alembic."""
