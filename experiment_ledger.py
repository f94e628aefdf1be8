"""The installed command `ledger`. Its own module: a user's folder may well have a package called `ledger`."""

import runpy
from pathlib import Path


def main() -> None:
    """Run the command with this project's packages, whatever else is called like them."""
    own = runpy.run_path(str(Path(__file__).resolve().parent / "ledger" / "utils" / "own_packages.py"))
    own["load"]()
    from ledger.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
