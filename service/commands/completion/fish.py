"""Completion for fish: a line for every word, each true at its place only."""

from collections.abc import Sequence

from service.commands.completion.words import FILES, FREE, Flag, Place

_HEAD = """\
# Completion of `stayline` for fish: stayline completion fish | source
function __stayline_at
    set -l place ""
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$place $word")
        if contains -- "$next" PLACES
            set place $next
        end
    end
    test "$place" = "$argv[1]"
end
complete -c stayline -f
"""


def script(places: Sequence[Place]) -> str:
    """Return the script."""
    names = " ".join(f"'{one.name}'" for one in places if one.path)
    lines = [line for one in places for line in _lines(one)]
    return _HEAD.replace("PLACES", names) + "".join(f"{line}\n" for line in lines)


def _lines(place: Place) -> list[str]:
    begin = f"complete -c stayline -n \"__stayline_at '{place.name}'\""
    lines = [f"{begin} -a {name} -d '{_plain(summary)}'" for name, summary in place.words]
    lines += [f"{begin} {_flag(flag)}" for flag in place.flags]
    if place.values == FILES:
        lines.append(f"{begin} -F")
    elif place.values not in ("", FREE):
        lines.append(f"{begin} -a '{place.values}'")
    return lines


def _flag(flag: Flag) -> str:
    words = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names]
    if flag.value:
        words.append("-r")
    if flag.value == FILES:
        words.append("-F")
    elif flag.value not in ("", FREE):
        words.append(f"-a '{flag.value}'")
    return " ".join([*words, f"-d '{flag.summary}'"])


def _plain(summary: str) -> str:
    return summary.replace("\\", "").replace("'", "")
