"""A small deployment to be harmed: the simulator's talker, with a journal that the API shows.

It can be made forgetful, so that there is something to find.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typing_extensions import override

from tests.simulator.talker import Talker


class Deployment(Talker):
    def __init__(self) -> None:
        super().__init__()
        self.journals: dict[str, list[dict[str, Any]]] = {}
        self.is_forgetful = False
        self.is_away = False

    @override
    def app(self) -> Starlette:
        app = super().app()
        one = "/api/calls/{sid}"
        app.router.routes.insert(0, Route(f"{one}/notes", self.take, methods=["POST"]))
        app.router.routes.insert(0, Route(f"{one}/events", self.events))
        return app

    @override
    async def answer(self, request: Request) -> Response:
        answer = await super().answer(request)
        sid = self.asked[-1].fields["CallSid"]
        self.keep_of(sid, "greeted" if sid not in self.journals else "came_back")
        return answer

    def keep_of(self, sid: str, kind: str, **body: object) -> None:
        journal = self.journals.setdefault(sid, [])
        journal.append({"position": len(journal) + 1, "epoch": 1, "kind": kind, **body})

    @override
    async def events(self, request: Request) -> Response:
        journal = self.journals.get(request.path_params["sid"], [])
        if self.is_away or not journal:
            return JSONResponse({"title": "not now"}, 503)
        if self.is_forgetful and len(journal) > 2:
            del journal[1]
            for position, record in enumerate(journal, 1):
                record["position"] = position
        after = int(request.query_params.get("after", "0"))
        told = {"incarnation": "one", "position": len(journal), "events": journal[after:]}
        return JSONResponse(told)

    async def take(self, request: Request) -> Response:
        if self.is_away:
            return JSONResponse({"title": "not now"}, 503)
        text = (await request.json())["text"]
        self.keep_of(request.path_params["sid"], "note_added", text=text)
        return JSONResponse({}, 202)
