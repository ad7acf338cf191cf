"""Judges revisions before they run: what each may not do to releases that are live, and what to do instead.

Rules for the next editor:

1. A rule is one file in ``rules``: code, name, severity, why, a bad and a good example, one function from a
   :class:`~expandcontract.core.revision.Revision` to hits. It is found by being there; no list names it.
2. Each rule has its page in ``docs/reference/lint``; a test compares them, and runs both examples.
3. A code is never reused: EC201-209 break an old release, EC210-219 the pair, EC220-229 locks, EC230-239 data and
   transactions, EC240-249 what could not be read, EC250-259 comments that pass over findings.
4. What a statement locks is not known here: rules read the effects that its statement carries.
"""
