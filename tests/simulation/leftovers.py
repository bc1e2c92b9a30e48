"""What must not be left when all calls are over: rules 8 and 9, at the end of a run."""

import asyncio

from tests.simulation import wire
from tests.simulation.exchange import PUBLIC_URL
from tests.simulation.fleet import TOKEN, Fleet
from tests.simulation.plan import WORDS
from tests.simulation.server import Server

LINGER_MS = 120_000  # sessions stay for a minute, by their own clocks
LOOK_MS = 5_000
GONE_MS = 6_000  # whoever still had something to write of a call would have by then
OWN = (*WORDS, "+1555010", "CA0000")  # of callers: their words, their numbers, their calls


class Leftovers:
    """Looks for them on every server, in every file, and in the store."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._check = fleet.witness.check
        self._own = (*OWN, *fleet.plan.secrets)

    async def judge(self) -> None:
        """Judge what is held, what is told, what is on disk; then have every call erased."""
        await self._all_let_go()
        self._check_metrics()
        self._check_files()
        await self._check_shown()
        await self._erase_all()

    def _serving(self) -> list[Server]:
        return [one for one in self._fleet.servers if one.is_serving]

    async def _all_let_go(self) -> None:
        """No session, no socket and no request outlives the calls."""
        for _ in range(LINGER_MS // LOOK_MS):
            if not any(self._held(one) for one in self._serving()):
                return
            await asyncio.sleep(LOOK_MS / 1_000)
        for server in self._serving():
            held = self._held(server)
            self._check(9, not held, f"{server.name} still holds {held}")

    def _held(self, server: Server) -> str:
        sessions, open_ones = len(server.parts.switchboard), len(server._tasks) - 1
        return f"{sessions} sessions, {open_ones} sockets" if sessions or open_ones else ""

    def _check_metrics(self) -> None:
        for server in self._serving():
            told = server.parts.meter._registry.collect()
            names: set[str] = {
                name for one in told for sample in one.samples for name in sample.labels.values()
            }
            seen = [word for word in self._own if any(word in name for name in names)]
            self._check(8, not seen, f"{seen} in the metrics")

    def _check_files(self) -> None:
        """What was kept on a machine while the store was away is not there any more."""
        for file in sorted(one for one in self._fleet.folder.rglob("*") if one.is_file()):
            kept = file.read_bytes()
            seen = [word for word in self._own if word.encode() in kept]
            self._check(8, not seen, f"{seen} in {file.name}")

    async def _check_shown(self) -> None:
        """What was private is shown to nobody who may ask."""
        secrets = self._fleet.plan.secrets
        for sid in self._fleet.cabinet.state.rows if secrets else ():
            for what in ("", "/events", "/timeline", "/export"):
                server = self._fleet.balanced()
                assert server is not None, "everything is healed"
                headers = {"Authorization": f"Bearer {TOKEN}"}
                url = f"{PUBLIC_URL}/api/calls/{sid}{what}"
                answered = await wire.ask(server, "GET", url, headers)
                self._check(8, answered.status == 200, f"{what} of {sid} was {answered.status}")
                seen = [one for one in secrets if one.encode() in answered.body]
                self._check(8, not seen, f"{what} of {sid} shows {seen}")

    async def _erase_all(self) -> None:
        """Nothing of an erased call is left in the store, and nobody writes it anew."""
        sids = tuple(self._fleet.cabinet.state.rows)
        for sid in sids:
            server = self._fleet.balanced()
            assert server is not None, "everything is healed"
            headers = {"Authorization": f"Bearer {TOKEN}"}
            url = f"{PUBLIC_URL}/api/calls/{sid}"
            answered = await wire.ask(server, "DELETE", url, headers)
            self._check(8, answered.status == 204, f"erasing {sid} was answered {answered.status}")
        await asyncio.sleep(GONE_MS / 1_000)
        rows, tokens, names = self._fleet.cabinet.state
        known = {*rows, *(one[0] for one in tokens), *(one[0] for one in names.values())}
        self._check(8, not known & set(sids), f"{known & set(sids)} is not gone")
