"""Which web pages may call: a browser says of a call which page made it, programs say nothing.

Only the page that this meter sent may change anything, so that no page elsewhere turns the bench
while both are open. Pages of other meters on this machine may look: one shows several meters.
"""

from microdot import Request, Response

_HTTP = "http://"
_LOOPBACK = ("127.0.0.1", "localhost")
_REFUSAL = {"error": "only the meter's own page and programs may change anything"}


def guard(request: Request) -> "tuple[dict[str, str], int] | None":
    """Refuse what another page wants to change; None lets a request pass."""
    origin: str = request.headers.get("Origin", "")
    if request.method == "GET" or origin in ("", _HTTP + request.headers.get("Host", "")):
        return None
    return _REFUSAL, 403


def lend(request: "Request | None", response: Response) -> Response:
    """Let pages from this machine read what is asked for by GET, errors as well.

    What was no request at all (None) has no page that could read the answer.
    """
    if request is None:
        return response
    origin: str = request.headers.get("Origin", "")
    host, _, port = origin.replace(_HTTP, "", 1).partition(":")
    is_near = origin.startswith(_HTTP) and host in _LOOPBACK and (not port or port.isdigit())
    if is_near and request.method == "GET":
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
    return response
