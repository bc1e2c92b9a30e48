"""The `stayline` command; see service/commands."""

import sys

from service.commands.line import run


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
