"""A planted bug: a small change that breaks one rule, and the suites that must notice."""

import ast
from dataclasses import dataclass
from pathlib import Path


class Rotten(Exception):
    """The text that a bug changes is not where it was, or the change is no Python."""


@dataclass(frozen=True, kw_only=True)
class Bug:
    """Replace `before` in `file` with `after`; `suites` must fail then.

    `rule` is the number of the rule in design.md that it breaks, 1 to 10. `file` and `suites` are paths
    from the tree's root. `before` stands in the file exactly once.
    """

    name: str
    rule: int
    file: str
    before: str
    after: str
    suites: tuple[str, ...]

    def planted(self, tree: Path) -> str:
        """Return the file's text with the bug in it. Raises Rotten."""
        text = (tree / self.file).read_text(encoding="utf-8")
        found = text.count(self.before)
        if found != 1:
            raise Rotten(f"{self.name}: its text stands in {self.file} {found} times, not once.")
        changed = text.replace(self.before, self.after)
        if self.file.endswith(".py"):
            try:
                ast.parse(changed)
            except SyntaxError as trouble:
                raise Rotten(f"{self.name}: {self.file} would be no Python: {trouble}.") from None
        return changed
