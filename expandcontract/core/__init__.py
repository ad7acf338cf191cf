"""The rules, pure: no I/O, and "now" is an argument."""
