"""A pytest plugin that keeps the journals of the tests it sees: calls that a real session held."""

from contextlib import suppress
from typing import Any

import pytest

from service.call import events as e
from service.errors import StoreError
from service.journal.sqlite.journal import SqliteJournal
from service.journal.values import Missing
from tests.call.corpus.journals import Entry, entry
from tests.call.story import Story

RECORDS_MIN = 5
BYTES_MAX = 16_384  # a longer journal tells nothing that shorter ones don't
OF_ONE_TEST_MAX = 12


class Harvest:
    """Every journal that a test left behind, by the test's file."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[bytes, Entry]] = {}
        self._file = ""
        self._test = ""
        self._taken = 0
        self._stories: list[Story] = []

    @pytest.hookimpl
    def pytest_configure(self) -> None:
        """Look over the shoulder of everything that closes a journal or tells a story."""
        close, begin = SqliteJournal.close, Story.__init__

        async def closing(journal: SqliteJournal) -> None:
            with suppress(StoreError):
                await self._gather(journal)
            await close(journal)

        def beginning(story: Story, *words: Any) -> None:
            begin(story, *words)
            self._stories.append(story)

        patch = pytest.MonkeyPatch()
        patch.setattr(SqliteJournal, "close", closing)
        patch.setattr(Story, "__init__", beginning)

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._file, self._test = item.path.stem.removeprefix("test_"), item.name
        self._taken = 0

    @pytest.hookimpl
    def pytest_runtest_teardown(self) -> None:
        for story in self._stories:
            self._keep((place.epoch, place.at_ms, e.encode(fact)) for fact, place in story.journal)
        self._stories.clear()

    async def _gather(self, journal: SqliteJournal) -> None:
        for headline in await journal.open_calls():
            reading = await journal.read(headline.call_sid)
            if not isinstance(reading, Missing):
                self._keep((one.epoch, one.at_ms, one.body) for one in reading.records)

    def _keep(self, records: Any) -> None:
        kept = tuple(records)
        text = b"".join(body for _, _, body in kept)
        found = self.entries.setdefault(self._file, {})
        is_fit = len(kept) >= RECORDS_MIN and len(text) <= BYTES_MAX and text not in found
        if is_fit and self._taken < OF_ONE_TEST_MAX:
            self._taken += 1
            found[text] = entry(f"{self._test} {self._taken}", kept)
