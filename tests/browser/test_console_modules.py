"""The console's modules that draw nothing, asked one by one in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page

from service.testing.house import House

Json = Any


@pytest.fixture
def ask(page: Page, house: House) -> Any:
    """`ask("scale.js", "m => m.ticks(…)")`: what a module's function says."""
    page.goto(house.url + "/console")

    def asked(module: str, question: str) -> Json:
        body = f"async () => ({question})(await import('/static/console/{module}'))"
        return page.evaluate(body)

    return asked


@pytest.mark.parametrize(
    "pieces",
    [
        ["id: i:1\nevent: record\ndata: {}\n\n"],
        ["id: i:1\r\nevent: record\r", "\ndata: {}\r\n\r\n"],
        [*"id: i:1\nevent: record\ndata: {}\n\n"],
        [": ping\n\n", "retry: 1000\nid:i:1\nevent:record\ndata:{}\n\n"],
    ],
    ids=["whole", "cut in a line's end", "letter by letter", "after a ping"],
)
def test_a_stream_is_read_however_it_is_cut(ask: Any, pieces: list[str]) -> None:
    told = ask(
        "sse.js",
        f"""m => {{ const told = []; const parser = new m.Parser(one => told.push(one));
        for (const piece of {pieces!r}) parser.feed(piece); return told; }}""",
    )
    assert told == [{"id": "i:1", "name": "record", "text": "{}"}]


def test_an_event_without_text_is_none_and_lines_are_joined(ask: Any) -> None:
    told = ask(
        "sse.js",
        r"""m => { const told = []; const parser = new m.Parser(one => told.push(one.text));
        parser.feed("event: quiet\n\ndata: a\ndata: b\n\n"); return told; }""",
    )
    assert told == ["a\nb"]


def test_a_ledger_tells_new_records_from_known_ones_and_counts_what_is_missing(ask: Any) -> None:
    told = ask(
        "ledger.js",
        """m => { const it = new m.Ledger(); it.begin("i", 5);
        const news = [5, 6, 7, 9, 7].map(one => it.accept(one)); it.reset("k");
        return [news, it.gaps, it.duplicates, it.resets, it.offset, it.accept(1)]; }""",
    )
    assert told == [[False, True, True, True, False], 1, 2, 1, "k:0", True]


def test_ticks_stand_at_round_moments_of_the_call(ask: Any) -> None:
    told = ask(
        "scale.js",
        "m => m.ticks(m.scaled({from: 1000, to: 61_000}, 0, 600), 1000).map(at => at - 1000)",
    )
    assert told == [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]


def test_a_window_never_leaves_the_call_and_never_gets_too_small(ask: Any) -> None:
    told = ask(
        "scale.js",
        """m => { const all = {from: 0, to: 100_000};
        return [m.zoomed(all, 4, 0, all), m.zoomed({from: 0, to: 3_000}, 0.1, 0, all),
                m.within({from: 90_000, to: 110_000}, all),
                m.revealing({from: 0, to: 10_000}, {from: 50_000, to: 50_000}, all)]; }""",
    )
    assert told == [
        {"from": 0, "to": 100_000},
        {"from": 0, "to": 2_000},
        {"from": 80_000, "to": 100_000},
        {"from": 45_000, "to": 55_000},
    ]


def test_the_address_says_which_call_and_which_moment(ask: Any) -> None:
    told = ask(
        "route.js",
        """m => ["/console", "/console/calls/CA12ab", "/console/calls/CA12ab/"].map(
        pathname => m.parse({pathname, hash: "#p=57"}))""",
    )
    assert [one["view"] for one in told] == ["list", "call", "call"]
    assert {one["callSid"] for one in told[1:]} == {"CA12ab"}
    assert [one["at"] for one in told] == [0, 57, 57]


def test_the_board_folds_what_changed_and_puts_calls_that_go_on_first(ask: Any) -> None:
    told = ask(
        "board.js",
        """m => { const one = (sid, phase, opened_at) => ({call_sid: sid, phase, opened_at});
        let calls = m.folded(new Map(), "board", {calls: [one("a", "live", "2026-01-01T00:00:00Z"),
          one("b", "live", "2026-01-01T00:01:00Z"), one("c", "ended", "2026-01-01T00:02:00Z")]});
        calls = m.folded(calls, "call", one("d", "live", "2026-01-01T00:00:30Z"));
        calls = m.folded(calls, "gone", {call_sid: "a"});
        return [...calls.values()].sort(m.byUrgency).map(each => each.call_sid); }""",
    )
    assert told == ["b", "d", "c"]


def test_figures_that_are_brought_go_on_where_the_ones_read_end(ask: Any) -> None:
    told = ask(
        "figures.js",
        """m => { const told = (server, ...at) => ({server, alerts: at, points: at.map(at_ms => ({at_ms}))});
        const known = told("a", 1, 2);
        const many = {...known, points: Array.from({length: 360}, (_, at) => ({at_ms: at}))};
        return [m.joined(known, told("a", 2)), m.joined(known, told("a", 3)), m.joined(known, told("b", 3)),
          m.joined(many, told("a", 400))].map(one => [one.alerts, one.points.length, one.points.at(-1).at_ms]); }""",
    )
    assert told == [[[2], 2, 2], [[3], 3, 3], [[3], 1, 3], [[400], 360, 400]]


def test_what_was_not_heard_is_the_rest_of_the_line(ask: Any) -> None:
    told = ask(
        "items.js",
        """m => [m.unheard({text: "One two three.", heard: "One two"}), m.unheard({text: "One.", heard: "One."}),
        m.unheard({text: "Other words.", heard: "One two"})]""",
    )
    assert told == [" three.", "", ""]


def test_a_gap_is_told_in_words(ask: Any) -> None:
    told = ask(
        "items.js",
        """m => m.items({from_ms: 0, to_ms: 9_000, streams: [], speech: [], keys: [], tools: [], acts: [],
        gaps: [{after_epoch: 1, before_epoch: 2, from_ms: 2_000, to_ms: 4_100, gap_ms: 2_100, heard_ms: 0,
          cause: "drop", reason: "closed", playing: {rest: "on the way."}, caller_was_speaking: false,
          restored: ["went on with the clause that was cut"], missed_by_caller: ""}]}, 9_000)[0]""",
    )
    assert told["title"] == "Gap of 2.1 s, dropped"
    assert told["words"] == (
        "The connection closed. It cut us off before “on the way.”."
        " Then: went on with the clause that was cut."
    )


def test_levels_become_an_outline_with_at_most_one_point_a_pixel(ask: Any) -> None:
    told = ask(
        "levels.js",
        """async m => { const s = await import("/static/console/scale.js");
        const piece = {at_ms: 0, step_ms: 100, caller: btoa("\\u00ff".repeat(200)), ours: ""};
        const scale = s.scaled({from: 0, to: 20_000}, 0, 20);
        return [m.strip([piece], "caller", scale, 10, 10).split("L").length, m.strip([piece], "ours", scale, 10, 10)]; }""",
    )
    assert told[0] <= 42
    assert told[1] == ""


def test_speech_is_drawn_where_it_could_be_heard(ask: Any) -> None:
    """A bar is broken where the line was: nobody hears across a gap."""
    told = ask(
        "scale.js",
        """m => [[0, 10], [0, 4], [3, 5], [6, 20], [4, 6]].map(([from, to]) =>
        m.outside({from, to}, [{from: 4, to: 6}, {from: 12, to: 15}]).map((one) => [one.from, one.to]))""",
    )
    assert told == [
        [[0, 4], [6, 10]],
        [[0, 4]],
        [[3, 4]],
        [[6, 12], [15, 20]],
        [[4, 6]],
    ]


def test_keys_that_are_pressed_at_one_go_are_one_thing(ask: Any) -> None:
    told = ask(
        "items.js",
        """m => m.keyed([[1, 0, "4"], [2, 900, "2"], [3, 2_500, "#"], [4, 9_000, "*"]].map(
        ([position, at_ms, digit]) => ({position, at_ms, digit})))""",
    )
    assert [(one["position"], one["at_ms"], one["digit"]) for one in told] == [
        (3, 0, "42#"),
        (4, 9_000, "*"),
    ]
