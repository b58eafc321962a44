"""The page's files: sent in pieces, and again only when they have changed.

A file's tag is its size and the time of its last change; a browser that names the tag it has is
answered that it holds. Only names found in the folder at start are served, so no path leads out.
"""

import os

from microdot import Request, Response, send_file

_INDEX = "index.html"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_SIZE, _CHANGED = 6, 8  # of what os.stat returns


def paths(folder: str) -> "list[str]":
    """Return the paths under which the folder's files are asked for."""
    names = [name for name in os.listdir(folder) if name.split(".")[-1] in _TYPES]
    return ["/"] + ["/" + name for name in names]


def send(folder: str, request: Request) -> Response:
    """Answer one of the folder's files."""
    name = request.path[1:] or _INDEX
    about = os.stat(folder + "/" + name)
    tag = f'"{about[_SIZE]:x}-{about[_CHANGED]:x}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return Response(b"", 304, headers)
    kind = _TYPES[name.split(".")[-1]] + "; charset=UTF-8"
    response = send_file(folder + "/" + name, content_type=kind)
    response.headers.update(headers)
    return response
