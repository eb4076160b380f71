"""A proxy that records every reply of `POST /v1/responses`, so that validate.py can check it.

    python recorder.py FOLDER URL …

It listens on a free port for each URL and prints "ready" with its own URLs in the same order. It ends when its input
closes. A recording is a JSON file in FOLDER. Disconnects pass through in both directions.
"""

import asyncio
import itertools
import json
import pathlib
import sys

import aiohttp
from aiohttp import web

# What belongs to one connection and not to the request or the reply.
CONNECTION = {"connection", "host", "keep-alive", "transfer-encoding"}

# The limit of a request, above Tidegate's own.
LIMIT = 64 << 20


def without_connection(headers):
    """Returns the headers that are passed on."""
    return [(name, value) for name, value in headers.items() if name.lower() not in CONNECTION]


class Recorder:
    """A proxy in front of one server."""

    def __init__(self, folder, url, session, numbers):
        self.folder = folder
        self.url = url
        self.session = session
        self.numbers = numbers

    async def start(self):
        """Listens on a free port and returns the URL."""
        application = web.Application(client_max_size=LIMIT)
        application.router.add_route("*", "/{path:.*}", self.forward)
        # Without the cancellation, a disconnect would not reach Tidegate.
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0]
        return f"http://127.0.0.1:{port}"

    async def forward(self, request):
        """Forwards a request and its reply."""
        asked = await request.read()
        upstream = self.session.request(
            request.method, self.url + request.path_qs, headers=without_connection(request.headers), data=asked
        )
        async with upstream as answer:
            reply = web.StreamResponse(status=answer.status, headers=without_connection(answer.headers))
            body = bytearray()
            ended = False
            try:
                await reply.prepare(request)
                async for piece in answer.content.iter_any():
                    body += piece
                    await reply.write(piece)
                await reply.write_eof()
                ended = True
            finally:
                if (request.method, request.path) == ("POST", "/v1/responses"):
                    self.record(request, asked, answer, body, ended)
            return reply

    def record(self, request, asked, answer, body, ended):
        """Saves a reply. A client that disconnected did not see its end."""
        recording = {
            "client": request.headers.get("user-agent"),
            "request": asked.decode(errors="replace"),
            "status": answer.status,
            "type": answer.content_type,
            "body": body.decode(errors="replace"),
            "ended": ended,
        }
        path = self.folder / f"{next(self.numbers):04}.json"
        path.write_text(json.dumps(recording))


async def main(folder, urls):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count()
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    timeout = aiohttp.ClientTimeout()
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        recorders = [Recorder(folder, url, session, numbers) for url in urls]
        print("ready", *[await recorder.start() for recorder in recorders], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
