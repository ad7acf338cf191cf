"""``python -m expandcontract`` is ``ec``."""

from __future__ import annotations

from expandcontract.cli.main import main

if __name__ == "__main__":
    main()
