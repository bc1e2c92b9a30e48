"""The account of the bench's calls."""

from service.simulator.account import Account

ACCOUNT = Account("AC" + "2" * 32, "an auth token for benchmarks")
