"""Towns of Valkey servers: a primary with replicas and Sentinels, or a Cluster, in small.

    with SentinelTown(folder) as town:
        journal = connect(town.url, ttl_ms=1_800_000)

With `is_cuttable` the servers know each other only through proxies, which can cut one off (`cut`).
"""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError
from typing_extensions import override

from tests.standins.proxies import Proxies
from tests.standins.valkey import Valkey, free_port

NAME = "stayline"
DOWN_AFTER_MS = 1_000
READY_S = 15  # a machine that has other work
LOOK_S = 0.02
RANGES = ((0, 5_460), (5_461, 10_922), (10_923, 16_383))  # of slots
COMMON = {
    "protected_mode": "no",
    "repl_diskless_sync_delay": "0",
    "repl_ping_replica_period": "1",
    "repl_backlog_size": "16mb",
}


class _Town:
    """Servers that start together, and by which ports others reach them."""

    def __init__(self, folder: Path, *, is_cuttable: bool) -> None:
        self.folder = folder
        self.proxies = Proxies() if is_cuttable else None
        self.servers: list[Valkey] = []
        self.fronts: dict[int, Valkey] = {}
        self.buses: dict[int, int] = {}

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        """Start all servers and make them a town."""
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.wake()
            server.kill()
        if self.proxies is not None:
            self.proxies.close()

    def cut(self, server: Valkey, *, with_clients: bool = True) -> None:
        assert self.proxies is not None
        self.proxies.cut(server.folder.name, with_clients=with_clients)

    def heal(self) -> None:
        assert self.proxies is not None
        self.proxies.heal()

    def at(self, port: int) -> Valkey:
        """Return the server that others reach by `port`."""
        return self.fronts.get(port) or next(s for s in self.servers if s.port == port)

    def front_of(self, server: Valkey) -> int:
        """Return the port by which others reach a server."""
        found = [port for port, each in self.fronts.items() if each is server]
        return found[0] if found else server.port

    def _add(self, name: str, announced: str, *lines: str, **config: str) -> Valkey:
        if self.proxies is None:
            server = Valkey(self.folder / name, *lines, **COMMON, **config)
            self.servers.append(server)
            server.start()
        else:
            front = free_port()
            words = {
                f"{announced}_ip": "127.0.0.1",
                f"{announced}_port": f"{front}",
                "bind_source_addr": self.proxies.source(name),
            }
            bus = free_port()
            if announced == "cluster_announce":
                words["cluster_announce_bus_port"] = f"{bus}"
            server = Valkey(self.folder / name, *lines, **COMMON, **config, **words)
            self.servers.append(server)
            server.start()
            self.proxies.front(front, of=server.port, name=name)
            if announced == "cluster_announce":
                self.proxies.front(bus, of=server.bus_port, name=name)
                self.buses[front] = bus
            self.fronts[front] = server
        return server


class SentinelTown(_Town):
    """One primary, two replicas, three Sentinels."""

    def __init__(self, folder: Path, *, is_cuttable: bool = False) -> None:
        super().__init__(folder, is_cuttable=is_cuttable)
        self.sentinels: list[Valkey] = []

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(each.address for each in self.sentinels)}/{NAME}"

    @override
    def _build(self) -> None:
        primary = self._add("primary", "replica_announce")
        front = self.front_of(primary)
        for number in range(2):
            self._add(f"replica{number}", "replica_announce", f"replicaof 127.0.0.1 {front}")
        wait_until(lambda: len(self.replicas_of(primary)) == 2)
        for number in range(3):
            lines = (
                f"sentinel monitor {NAME} 127.0.0.1 {front} 2",
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {NAME} 1500",
                "sentinel announce-ip 127.0.0.1",
            )
            folder = self.folder / f"sentinel{number}"
            source = (
                {}
                if self.proxies is None
                else {"bind_source_addr": self.proxies.source(folder.name)}
            )
            sentinel = Valkey(folder, *lines, protected_mode="no", **source)
            self.sentinels.append(sentinel)
            sentinel.start()
        wait_until(self.is_whole)

    @override
    def __exit__(self, *words: object) -> None:
        for sentinel in self.sentinels:
            sentinel.kill()
        super().__exit__(*words)

    def is_whole(self) -> bool:
        """Say whether all Sentinels agree on a primary, and both replicas follow it."""
        views = [self._view(sentinel) for sentinel in self.sentinels]
        ports = {view["port"] for view in views}
        if len(ports) != 1 or any("down" in view["flags"] for view in views):
            return False
        seen = all(
            view["num-slaves"] == "2" and view["num-other-sentinels"] == "2" for view in views
        )
        primary = self.at(int(ports.pop()))
        others = [server for server in self.servers if server is not primary]
        return seen and len(self.replicas_of(primary)) == 2 and all(map(follows_well, others))

    def primaries(self) -> list[Valkey]:
        return [self.primary()]

    def is_over(self, victim: Valkey) -> bool:
        """Say whether another is the primary in the victim's place."""
        return self.primary() is not victim

    def primary(self) -> Valkey:
        """Return the primary as the first Sentinel has it."""
        return self.at(int(self._view(self.sentinels[0])["port"]))

    def replicas_of(self, server: Valkey) -> list[str]:
        """Return the replicas that follow a server."""
        lines = facts_of(server, "INFO", "replication").items()
        return [line for name, line in lines if name.startswith("slave") and "online" in line]

    def _view(self, sentinel: Valkey) -> dict[str, str]:
        words = ask(sentinel, "SENTINEL", "MASTER", NAME)
        return dict(zip(words[::2], words[1::2], strict=True))


class ClusterTown(_Town):
    """Three primaries with a replica each; with two where another is to take over.

    A replica that takes over has none itself, and where one must confirm each write nothing is
    acknowledged before the old primary is back: so a Cluster that shall go on has two.
    """

    def __init__(self, folder: Path, *, is_cuttable: bool = False) -> None:
        super().__init__(folder, is_cuttable=is_cuttable)
        self._count = len(RANGES) * (3 if is_cuttable else 2)

    @property
    def url(self) -> str:
        fronts = (f"127.0.0.1:{self.front_of(server)}" for server in self.servers[:3])
        return f"redis+cluster://{','.join(fronts)}"

    @override
    def _build(self) -> None:
        for number in range(self._count):
            self._add(
                f"node{number}",
                "cluster_announce",
                cluster_enabled="yes",
                cluster_node_timeout=f"{DOWN_AFTER_MS}",
                cluster_require_full_coverage="no",
                cluster_replica_validity_factor="0",
            )
        ids = [str(ask(server, "CLUSTER", "MYID")) for server in self.servers]
        for server, (first, last) in zip(self.servers, RANGES, strict=False):
            ask(server, "CLUSTER", "ADDSLOTSRANGE", first, last)
            ask(server, "CLUSTER", "SET-CONFIG-EPOCH", last)
        for server in self.servers[1:]:
            front = self.front_of(server)
            bus = self.buses.get(front, server.bus_port)
            ask(self.servers[0], "CLUSTER", "MEET", "127.0.0.1", front, bus)
        wait_until(lambda: all(self._knows_all(server) for server in self.servers))
        for server, primary in zip(self.servers[3:], itertools.cycle(ids[:3]), strict=False):
            ask(server, "CLUSTER", "REPLICATE", primary)
        wait_until(self.is_whole)

    def is_whole(self) -> bool:
        """Say whether all nodes agree, and each primary has a replica that follows it."""
        return all(self._is_well(server) for server in self.servers)

    def primaries(self) -> list[Valkey]:
        """Return the nodes that hold slots."""
        return [server for server in self.servers if ask(server, "ROLE")[0] == "master"]

    def is_over(self, victim: Valkey) -> bool:
        """Say whether another holds what the victim held."""
        asked = next(server for server in self.servers if server is not victim)
        front = str(self.front_of(victim))
        lines = str(ask(asked, "CLUSTER", "NODES")).splitlines()
        return not any(f":{front}@" in line and "-" in line.split()[-1] for line in lines)

    def holder_of(self, slot: int) -> Valkey:
        """Return the node that holds a slot, as the first node has it that answers."""
        for server in self.servers:
            with suppress(RedisError):
                for first, last, holder, *_ in ask(server, "CLUSTER", "SLOTS"):
                    if first <= slot <= last:
                        return self.at(holder[1])
        raise AssertionError(slot)

    def _knows_all(self, server: Valkey) -> bool:
        return facts_of(server, "CLUSTER", "INFO")["cluster_known_nodes"] == f"{len(self.servers)}"

    def _is_well(self, server: Valkey) -> bool:
        lines = str(ask(server, "CLUSTER", "NODES")).splitlines()
        holders = [line for line in lines if "master" in line and "-" in line.split()[-1]]
        if facts_of(server, "CLUSTER", "INFO")["cluster_state"] != "ok" or len(holders) != 3:
            return False
        facts = facts_of(server, "INFO", "replication")
        if facts["role"] == "master":
            return "fail" not in "".join(lines) and "online" in facts.get("slave0", "")
        return follows_well(server)


def ask(server: Valkey, *words: str | int) -> Any:
    """Return what a server answers."""
    with Redis(port=server.port, protocol=2, socket_timeout=1, decode_responses=True) as client:
        client.response_callbacks.clear()  # answers are taken as they come
        return client.execute_command(*words)


def facts_of(server: Valkey, *words: str) -> dict[str, str]:
    """Return what a server tells line by line."""
    lines = str(ask(server, *words)).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def follows_well(server: Valkey) -> bool:
    """Say whether a replica has all and hears more: its primary counts it in some time before."""
    return facts_of(server, "INFO", "replication").get("master_link_status") == "up"


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again."""
    for _ in range(int(READY_S / LOOK_S)):
        try:
            if is_so():
                return
        except (RedisError, KeyError):
            pass
        time.sleep(LOOK_S)
    raise AssertionError("The servers never came to it.")
