"""Bugs in the stores, and between servers: takeovers, deploys, outages, calls whose server is gone."""

from typing import Final

from tests.planted.bug import Bug

FLEET: Final = (
    Bug(
        name="commit-without-fsync",
        rule=1,
        file="service/journal/sqlite/storefile.py",
        before="PRAGMA synchronous = FULL",
        after="PRAGMA synchronous = OFF",
        suites=("tests/journal/sqlite/test_storefile.py",),
    ),
    Bug(
        name="repeated-append-written-twice",
        rule=3,
        file="service/journal/redis/append.lua",
        before="if first then",
        after="if false then",
        suites=("tests/journal/test_journal.py",),
    ),
    Bug(
        name="append-without-the-fence-in-redis",
        rule=2,
        file="service/journal/redis/append.lua",
        before="if ARGV[6] ~= '' and tonumber(ARGV[6]) ~= row.epoch then",
        after="if ARGV[6] ~= '' and tonumber(ARGV[6]) > row.epoch then",
        suites=("tests/journal/test_journal.py",),
    ),
    Bug(
        name="release-without-the-fence-in-redis",
        rule=2,
        file="service/journal/redis/release.lua",
        before="if not row or row.epoch ~= tonumber(ARGV[6]) then",
        after="if not row then",
        suites=("tests/journal/test_duties.py",),
    ),
    Bug(
        name="lease-without-the-fence-in-sql",
        rule=2,
        file="service/journal/sqlite/statements.sql",
        before="WHERE call_sid = ? AND epoch = ? AND expires_ms > ?;",
        after="WHERE call_sid = ? AND epoch >= ? AND expires_ms > ?;",
        suites=("tests/journal/sqlite/test_holds.py",),
    ),
    Bug(
        name="token-of-another-stream-in-redis",
        rule=7,
        file="service/journal/redis/spend.lua",
        before="  if stream ~= ARGV[7] then\n",
        after="  if stream == '' then\n",
        suites=("tests/journal/test_tokens.py",),
    ),
    Bug(
        name="adopt-without-compare",
        rule=2,
        file="service/journal/sqlite/holds.py",
        before="    if row.lease() != lapsed or due_ms(row) > now_ms:\n",
        after="    if due_ms(row) > now_ms:\n",
        suites=("tests/journal/test_duties.py",),
    ),
    Bug(
        name="adopt-without-compare-in-redis",
        rule=2,
        file="service/journal/redis/adopt.lua",
        before="  if owner ~= ARGV[6] or tonumber(epoch) ~= tonumber(ARGV[7])\n    or tonumber(renewed)",
        after="  if tonumber(epoch) ~= tonumber(ARGV[7])\n    or tonumber(renewed)",
        suites=("tests/journal/test_duties.py",),
    ),
    Bug(
        name="fenced-branch-merged",
        rule=2,
        file="service/journal/behind/flusher.py",
        before="        branch.lose()\n        return False\n",
        after="        branch.fence = epoch\n        return True\n",
        suites=("tests/journal/behind/test_flusher.py",),
    ),
    Bug(
        name="flush-out-of-order",
        rule=6,
        file="service/journal/behind/branch.py",
        before="        for writing in reversed(writings):\n",
        after="        for writing in writings:\n",
        suites=("tests/journal/behind/test_branch.py", "tests/journal/behind/test_flusher.py"),
    ),
    Bug(
        name="overtaken-answer-taken-for-a-rewind",
        rule=6,
        file="service/journal/behind/held.py",
        before="        if head >= min(asked_at, self.head):\n",
        after="        if head >= self.head:\n",
        suites=("tests/journal/behind/test_bridge.py",),
    ),
    Bug(
        name="second-loss-under-the-first-ones-name",
        rule=1,
        file="service/journal/behind/flusher.py",
        before='key=f"orphan:{branch.name}:{listed[-1].position}",',
        after='key=f"orphan:{branch.name}",',
        suites=("tests/journal/behind/test_flusher.py",),
    ),
    Bug(
        name="return-to-a-call-that-only-rings",
        rule=3,
        file="service/journal/behind/claims.py",
        before="        if bid.expected is None and not branch.epoch:\n",
        after="        if bid.expected is None and branch.is_missing:\n",
        suites=("tests/journal/behind/test_claims.py",),
    ),
    Bug(
        name="two-owners-branches-told-as-one",
        rule=2,
        file="service/journal/behind/roll.py",
        before="            branch = left.get(one.branch)\n",
        after="            branch = next((had for had in left.values() if had.call_sid == one.call_sid), None)\n",
        suites=("tests/journal/behind/test_roll.py", "tests/journal/behind/test_passage.py"),
    ),
    Bug(
        name="left-call-stays-released",
        rule=3,
        file="service/journal/behind/flusher.py",
        before="        if branch.fence:\n            await self._engine.lease(",
        after="        if branch.is_missing:\n            await self._engine.lease(",
        suites=("tests/journal/behind/test_flusher.py",),
    ),
    Bug(
        name="lost-call-released-for-its-owner",
        rule=3,
        file="service/journal/behind/flusher.py",
        before="release(branch.call_sid, epoch=branch.fence)",
        after="release(branch.call_sid, epoch=entry.epoch)",
        suites=("tests/journal/behind/test_flusher.py",),
    ),
    Bug(
        name="talk-waits-for-a-slow-store",
        rule=6,
        file="service/journal/behind/bridge.py",
        before='        outcome = await self._attempt(put, self._deadlines.write_s, "append")\n        if isinst',
        after='        outcome = await self._attempt(put, self._deadlines.claim_s, "append")\n        if isinst',
        suites=("tests/journal/behind/test_bridge.py",),
    ),
    Bug(
        name="drain-that-ends-calls",
        rule=10,
        file="service/session/acting.py",
        before="            asked = carrier.redirect(self._call_sid, documents.moved_url)\n",
        after="            asked = carrier.hang_up(self._call_sid)\n",
        suites=("tests/session/test_moving.py", "tests/session/test_acting.py"),
    ),
    Bug(
        name="reconciler-ends-on-suspicion",
        rule=10,
        file="service/switchboard/reconciler.py",
        before="        except CallAway as away:\n",
        after="""\
        except CarrierError as away:
            if not isinstance(away, CallAway):
                await self._close(headline, call)
                return
""",
        suites=("tests/switchboard/test_reconciler.py",),
    ),
    Bug(
        name="ring-back-tells-before-the-yes",
        rule=8,
        file="service/agent/intake/welcome.py",
        before='        first = f"{BACK} {_SHALL_WE}"\n',
        after="""\
        fields = call.earlier.fields.values() if call.earlier else ()
        first = f"{BACK} I have {', '.join(one.value for one in fields)}. {_SHALL_WE}"
""",
        suites=("tests/agent/intake/test_welcome.py",),
    ),
    Bug(
        name="earlier-answers-taken-before-the-yes",
        rule=8,
        file="service/call/folds/carrying.py",
        before="    call.continues = fact.call_sid\n",
        after="""\
    call.earlier = replace(call.earlier, standing="taken")
    call.continues = fact.call_sid
""",
        suites=("tests/call/folds/test_carrying.py",),
    ),
    Bug(
        name="erase-leaves-the-snapshot",
        rule=8,
        file="service/journal/sqlite/ledger.py",
        before='    for statement in ("erase_records", "erase_snapshot", "erase_call"):\n',
        after='    for statement in ("erase_records", "erase_call"):\n',
        suites=("tests/journal/test_journal.py", "tests/journal/sqlite/test_journal.py"),
    ),
    Bug(
        name="erased-for-room-though-claimed-again",
        rule=1,
        file="service/quota.py",
        before="await self._journal.prune(call_sid)",
        after="await self._journal.erase(call_sid)",
        suites=("tests/test_quota.py",),
    ),
)
