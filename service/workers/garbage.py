"""When the garbage collector goes through all there is: when calls have ended, and not because many live.

Python goes through all objects once those that are new are a quarter of those that stayed. A storm of calls
that come back makes many that stay, and so one search after another, of 200 ms each with 500 calls, in which
nobody gets a frame. What a live call holds is no garbage: only calls that ended leave any (cycles of tasks
and their errors), and that is bounded by how many ended since the last search.

What is new is gone through more often than Python would, for what counts is not the work, which is the same, but
for how long nobody gets a frame. Python counts what came less what went, and of calls old things go as new ones
come: with 400 calls a count of 700 stood for 7,000 objects, or 7 ms, and the search that goes further took 15.
"""

import asyncio
import gc
from collections.abc import Callable

ENDED_MAX = 200  # calls, before all is gone through: some 50 MB at most
LOOK_S = 1.0
LOOKS_MAX = 1_800  # half an hour: people who watch leave a little, too

_NEW = 100  # objects more than before; half a millisecond, and a hundredth of the processor
_MIDDLE = 10  # times that, as Python has it: a millisecond or two
_NEVER = 1_000_000_000


async def tend(ended: Callable[[], int], live: Callable[[], int]) -> None:
    """Take over when all is gone through, for as long as this runs: after ENDED_MAX calls, when nobody talks, or after LOOKS_MAX.

    Begins by taking what stays for good out of sight: modules and models are 90,000 objects, or 80 ms.
    """
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(_NEW, _MIDDLE, _NEVER)
    searched, looks = ended(), 0
    try:
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            gone = ended() - searched
            if gone >= ENDED_MAX or looks >= LOOKS_MAX or (gone and not live()):
                gc.collect()
                searched, looks = ended(), 0
    finally:
        gc.set_threshold(*before)
