"""Files that consumers and agents send each other: behind a link nobody can guess, fetched when asked for."""

from flask import Blueprint, Response

from ivr import log
from ivr.clients.failure import SendError
from ivr.web.guards import runtime

blueprint = Blueprint("files", __name__)


@blueprint.get("/files/<message_id>/<int:place>/<mark>")
def file(message_id: str, place: int, mark: str) -> Response:
    """404 for a link that is not ours, or whose text is gone; 502 when the other side has it no more."""
    here = runtime()
    if not here.files.links.is_right(message_id, place, mark):
        return Response("not found", 404, mimetype="text/plain")
    try:
        found = here.files.fetch(message_id, place)
    except SendError as error:
        log.warning("file_not_fetched", message=message_id, reason=error.reason)
        return Response("this file cannot be fetched now", 502, mimetype="text/plain")
    if found is None:
        return Response("not found", 404, mimetype="text/plain")
    answer = Response(found.content, mimetype=found.kind)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer
