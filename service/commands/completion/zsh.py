"""Completion for zsh: as for bash, with the summaries beside the words."""

from collections.abc import Sequence

from service.commands.completion.words import FILES, FREE, Flag, Place

_HEAD = """\
#compdef stayline
# Completion of `stayline` for zsh: eval "$(stayline completion zsh)", or a file _stayline in $fpath.
_stayline() {
  local place="" next before="${words[CURRENT-1]}" i
  local -a commands flags
  for ((i = 2; i < CURRENT; i++)); do
    next="${place:+$place }${words[i]}"
    case "$next" in
      (PLACES) place="$next" ;;
    esac
  done
  case "$place $before" in
"""
_MIDDLE = """\
  esac
  case "$place" in
"""
_TAIL = """\
  esac
  if [[ ${words[CURRENT]} == -* ]]; then
    _describe -o option flags
  elif (( ${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
compdef _stayline stayline
"""


def script(places: Sequence[Place]) -> str:
    """Return the script."""
    names = "|".join(f'"{one.name}"' for one in places if one.path)
    values = "".join(
        f"    ({_names(one, flag)}) {_offered(flag.value)}; return ;;\n"
        for one in places
        for flag in one.flags
        if flag.value
    )
    cases = "".join(map(_case, places))
    return _HEAD.replace("PLACES", names) + values + _MIDDLE + cases + _TAIL


def _names(place: Place, flag: Flag) -> str:
    return "|".join(f'"{place.name} {name}"' for name in flag.names)


def _offered(value: str) -> str:
    if value == FILES:
        return "_files"
    return "_message value" if value == FREE else f"compadd -- {value}"


def _case(place: Place) -> str:
    flags = " ".join(f"'{name}:{one.summary}'" for one in place.flags for name in one.names)
    commands = " ".join(f"'{name}:{_plain(summary)}'" for name, summary in place.words)
    if place.values not in ("", FILES, FREE):
        commands = " ".join(f"'{value}'" for value in place.values.split())
    return f'    ("{place.name}") commands=({commands}) flags=({flags}) ;;\n'


def _plain(summary: str) -> str:
    return "".join(letter for letter in summary if letter not in "':\\")
