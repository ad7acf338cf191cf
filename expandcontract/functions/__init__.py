"""The project's own Python functions: found by name, called for rows, in a process of their own where many are.

What is imported here runs in that process too, so it stays light.
"""
