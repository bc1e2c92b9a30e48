"""Completion for bash, 3.2 and newer: one function, with a case for every place on the line."""

from collections.abc import Sequence

from service.commands.completion.words import FILES, FREE, Place

_HEAD = """\
# Completion of `stayline` for bash: eval "$(stayline completion bash)"
_stayline() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" place="" next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${place:+$place }${COMP_WORDS[i]}"
    case "$next" in
      PLACES) place="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$place $before" in
"""
_MIDDLE = """\
  esac
  local words="" flags="" files=""
  case "$place" in
"""
_TAIL = """\
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ -n $files ]]; then
    _stayline_files "$word"
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
_stayline_files() {
  local IFS=$'\\n'
  compopt -o filenames 2> /dev/null || true
  COMPREPLY=($(compgen -f -- "$1"))
}
complete -F _stayline stayline
"""


def script(places: Sequence[Place]) -> str:
    """Return the script."""
    names = "|".join(f'"{one.name}"' for one in places if one.path)
    values = "".join(line for one in places for line in _values(one))
    cases = "".join(map(_case, places))
    return _HEAD.replace("PLACES", names) + values + _MIDDLE + cases + _TAIL


def _values(place: Place) -> list[str]:
    """What may stand behind the options that take a value."""
    lines = []
    for flag in place.flags:
        if not flag.value:
            continue
        names = "|".join(f'"{place.name} {name}"' for name in flag.names)
        lines.append(f"    {names}) {_offered(flag.value)} ;;\n")
    return lines


def _offered(value: str) -> str:
    if value == FILES:
        return '_stayline_files "$word"; return'
    if value == FREE:
        return "return"
    return f'COMPREPLY=($(compgen -W "{value}" -- "$word")); return'


def _case(place: Place) -> str:
    flags = " ".join(name for flag in place.flags for name in flag.names)
    words = " ".join(name for name, _ in place.words)
    if place.values not in ("", FILES, FREE):
        words = place.values
    files = "yes" if place.values == FILES else ""
    return f'    "{place.name}") words="{words}" flags="{flags}" files="{files}" ;;\n'
