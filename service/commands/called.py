"""What a person types to call this command once more."""

import shutil
import sys
from pathlib import Path

NAME = "stayline"


def called() -> str:
    """Return `stayline` where a shell finds this very one by that name, else the path it was started by.

    The path is shown as seen from the current folder where it lies below it.
    """
    started = Path(sys.argv[0])
    found = shutil.which(NAME)
    if started.name != NAME or not started.is_file() or (found and started.samefile(found)):
        return NAME
    path = started.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
