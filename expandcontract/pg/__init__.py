"""How to touch PostgreSQL safely."""
