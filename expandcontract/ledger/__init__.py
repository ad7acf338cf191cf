"""What happened: the ledger in schema ``expandcontract`` of the target database."""

from __future__ import annotations

from expandcontract.ledger.install import VERSION, install, installed_version
from expandcontract.ledger.ledger import Installation, Ledger

__all__ = ["VERSION", "Installation", "Ledger", "install", "installed_version"]
