"""All bugs that are planted, each against one of the rules that never break."""

from typing import Final

from tests.planted.conversation import CONVERSATION
from tests.planted.doors import DOORS
from tests.planted.fleet import FLEET

BUGS: Final = (*CONVERSATION, *FLEET, *DOORS)
