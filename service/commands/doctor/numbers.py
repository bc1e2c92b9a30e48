"""The carrier's account and its phone numbers: whether they lead here, and how to make them.

A number is looked at when it is named (`--number`, TENANTS), leads to our host already, or is the only one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from service.clock import Clock
from service.commands.account import Account
from service.commands.called import called
from service.commands.command import plain
from service.commands.doctor.clocks import judged
from service.commands.doctor.finding import Finding, State
from service.commands.pointing import PhoneNumber, is_ours, spelled, taken, wanted
from service.commands.webhooks import Webhooks
from service.config import Config
from service.errors import CarrierError
from service.trust.tenants import read as read_tenants

UNAUTHORIZED = 401
LISTED_MAX = 5  # numbers that are named in one line


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Which numbers are to be looked at, and whether they are to be mended, too."""

    numbers: tuple[str, ...] = ()
    is_fix: bool = False


async def look(
    config: Config, client: httpx2.AsyncClient, clock: Clock, wish: Wish
) -> list[Finding]:
    """Look at the account and its numbers; mend those that may be, when that is the wish."""
    if config.is_development:
        text = "not asked: without TWILIO_AUTH_TOKEN there is none"
        return [Finding("account", State.OPEN, text)]
    account = Account(config, client, clock)
    try:
        findings = [await _standing(account)]
        if account.ahead_ms is not None:
            findings.append(judged("clock", account.ahead_ms, "the carrier"))
        return findings + await _numbers(config, account, wish)
    except CarrierError as trouble:
        advice = "see TWILIO_API_URL, and whether this machine may reach it"
        if trouble.status == UNAUTHORIZED:
            advice = "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN do not belong together"
        return [Finding("account", State.WRONG, plain(str(trouble)), advice)]


async def _standing(account: Account) -> Finding:
    standing = await account.standing()
    if standing.status != "active":
        text = f"the account is {plain(standing.status) or 'in no known state'}"
        return Finding("account", State.WRONG, text, "see the carrier's console")
    if standing.type == "Trial":
        text = (
            "a trial: callers hear the carrier's notice first, and only verified numbers are rung"
        )
        return Finding("account", State.CARE, text, "upgrade it before real callers come")
    if not account.is_newest_taken:
        text = "it takes a later one of TWILIO_AUTH_TOKEN, not the first"
        return Finding("account", State.CARE, text, "promote the new token, or put that one first")
    return Finding("account", State.WELL, "it takes our credentials")


async def _numbers(config: Config, account: Account, wish: Wish) -> list[Finding]:
    webhooks = Webhooks.of(config)
    theirs = await account.numbers()
    named = {spelled(one) for one in (*wish.numbers, *_of_tenants(config))}
    missing = sorted(named - {one.phone_number for one in theirs})
    findings = [
        Finding("number", State.WRONG, f"the account has no {plain(one)}") for one in missing
    ]
    meant = [one for one in theirs if one.phone_number in named or is_ours(one, webhooks)]
    if not meant and len(theirs) == 1 and not named:
        meant = theirs
    findings += [await _number(account, number, webhooks, is_fix=wish.is_fix) for number in meant]
    return findings or [_none(theirs, webhooks)]


def _of_tenants(config: Config) -> Sequence[str]:
    tenants = read_tenants(config.tenants).entries.values()
    return [number for tenant in tenants for number in tenant.numbers]


def _none(theirs: list[PhoneNumber], webhooks: Webhooks) -> Finding:
    if not theirs:
        return Finding("number", State.WRONG, "the account has none", "buy one, then look again")
    names = ", ".join(one.phone_number for one in theirs[:LISTED_MAX])
    more = f" and {len(theirs) - LISTED_MAX} more" if len(theirs) > LISTED_MAX else ""
    text = f"none leads to {webhooks.public_url}; the account has {plain(names)}{more}"
    return Finding("number", State.WRONG, text, f"{called()} number connect NUMBER")


async def _number(
    account: Account, number: PhoneNumber, webhooks: Webhooks, *, is_fix: bool
) -> Finding:
    name = plain(number.phone_number)
    if not number.can_speak:
        return Finding("number", State.WRONG, f"{name} takes no calls", "buy one that does")
    if why := taken(number, webhooks):
        advice = f"{called()} number connect {name} --replace"
        return Finding("number", State.WRONG, f"{name}: {plain(why)}", advice)
    form = wanted(number, webhooks)
    if not form:
        return Finding(
            "number", State.WELL, f"{name} leads here, with fallback and status callback"
        )
    if is_fix:
        await account.change(number, form)
        return Finding("number", State.WELL, f"{name} leads here now: set {', '.join(form)}")
    text = f"{name} does not lead here: {', '.join(form)}"
    return Finding("number", State.WRONG, text, webhooks.update_line(name))
