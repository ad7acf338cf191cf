"""One file a rule; each offers ``RULE``. See the rules for the next editor in :mod:`expandcontract.lint`."""
