"""Seeds that broke a rule once. What was wrong is told beside each; most have a test of their own, too."""

import pytest

from tests.simulation.world import run

ONCE_BROKEN = {
    25: "A note of what the store had was written after the emptying that followed it, and stayed on disk.",
    49: "A gap was measured between the clocks of two servers.",
    426: "A second error of a stream that was dialled again fell under the key of the first.",
    851: "Two waited until the store had all of a call; the second ended what had begun anew.",
    2128: "A write-behind that had lost its call took it again by a later claim, without what lay between.",
    2196: "A tool worked in an outage, its server crashed, and whoever took the call had it work again.",
    2537: "A fence that did not hold bore the number of the one that did: two owners under one epoch.",
    2737: "A stream dialled again by its carrier was greeted as new by a server that could ask no store.",
    3452: "A tool's end came a minute late: another server's clock had set its deadline. The rule was too strict.",
    4697: "Two holds of one server under one epoch, the first of which did not hold, wrote under the same key.",
    18065: "A webhook that came twice in an outage had a call ring anew, and it was greeted again on its way back.",
    18264: "A call that was gone when it was to be moved: what the log may show was no text for the journal.",
    18634: "Two short clauses were said again after a stall in which no echo came. The rule was too strict.",
    20048: "A copy of a live stream's token took its call, because the store was away that knew it was spent.",
    20742: "A phone rang after all were told to hang up, because somebody was to be rung back. The run ended too early.",
    100727: "Who came back after its branch was refused went on from facts that nobody has.",
    101110: "A stream dialled again within two seconds was greeted as new, for the store was away.",
    300914: "Two writes' answers overtook each other: the store was thought to have gone back, and an answer was said twice.",
    306779: "A request was answered after its server had closed its shelf: servers did not wait for theirs, as uvicorn does.",
    314507: "What was heard could not be written in an outage, and its server crashed. The rule was too strict.",
    317980: "What a branch lost after its first loss was listed under the same key, and so nowhere.",
    322098: "What two servers on one disk left of a call was told as one: an old owner's writes under the new one's fence.",
    322431: "A call that was over was let go of; then came what its dead server had asked of a tool, and had no end.",
    333588: "Who came back, while a server was away from the store, to where the call only rang, was greeted anew.",
    353442: "Somebody was to be rung of whom no number was known, and nobody's number was dialled.",
    359895: "Who had lost a call let go of it in the name of its new owner, who was dead, and nobody ended it.",
    360007: "A server four seconds behind, cut off from the store, took an old token for a new call's. The rule was too strict.",
    10053048: "Nobody was there yet to whom a caller was put through. The rule was too strict.",
    10000550: "A caller pressed yes, and said what is never said after a yes. The caller was wrong.",
    10007486: "Words of before a number was asked for were told as cut off by a crash. The rule was too strict.",
    10016991: "The same as 322431, after a person had taken the call over and hung up.",
    10036024: "A caller heard in an outage that their number was taken, and keyed it again. The caller was wrong.",
    507083: "A person's request was lost that nobody had been told of as kept. The rule was too strict.",
    514104: "A doubled webhook gave a cut-off server a new token for a call that was greeted. The rule was too strict.",
    516439: "A write that was late, though the store had it, was decided anew because of another one, and stood twice.",
    10216014: "Two processes died one after the other in an outage, and what the first had left was told last.",
    10208921: "The store hung again before records that had moved were read; what was heard could not be written. The rule was too strict.",
    10209259: "A server that was cut off went on with what another one had cut. The rule was too strict.",
    414133: "A stream that was dialled again bears one name, and its first greeting was taken for its second. The rule was wrong.",
    10115953: "A number was passed on by a server that was cut off, too, under the same key. The rule was too strict.",
    10104624: "Who greeted was cut off, and could not know of an earlier greeting that was lost. The rule was too strict.",
    10043893: "A fleet of one crashed under a call's last question, too. The rule was too strict.",
    5000184: "A flush was called off as it began, and who waited for it went round and round.",
    5002469: "The agent apologised for lost context while a person had its place.",
    5002988: "A turn that was counted apart from the store had its number given to another one.",
    5061598: "The same as 5002469, while the next person asked for the place.",
    5028308: "A server stood still after it wrote of a cut, and the carrier said what it had. The rule was too strict.",
    5029411: "A tool that an owner had asked for whose writes were lost had the name of another one, and its end.",
    15000085: "A branch was lost in the very instant in which the next stream came. The rule was too strict.",
    15000417: "A number was given up amid its digits, and the other digits stood in the journal.",
    10059931: "A token told its second alone, and to a server four seconds behind it was one of the same second.",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_broke_once_stays_whole(seed: int) -> None:
    result = run(seed)
    assert not result.broken, f"{ONCE_BROKEN[seed]}\nseed {seed}: {result.broken}\n{result.story}"
