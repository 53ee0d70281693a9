"""The HTTP faces: `app` for the verbs, `gateway` for the people who ask the model.

uvicorn.run(app(project))                  # POST /api/gather, GET /api/ledger, …
serve_forever(project, "production")       # POST /v1/chat/completions
"""

from importlib.util import find_spec

from tunewright.shelf import missing

for _module in ("fastapi", "uvicorn"):
    if find_spec(_module) is None:
        raise missing(ModuleNotFoundError(name=_module), "serving over HTTP")

from tunewright.http.api import app  # noqa: E402  # after the check above
from tunewright.http.gateway import gateway  # noqa: E402
from tunewright.http.listen import api_key, serve_forever  # noqa: E402

__all__ = ["api_key", "app", "gateway", "serve_forever"]
