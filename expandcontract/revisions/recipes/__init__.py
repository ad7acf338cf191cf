"""Recipes: one file each, from the catalogue to the two halves of a pair."""
