from typing import Annotated

from tunewright.nouns import Channel, Model, Release
from tunewright.project import Project
from tunewright.store import Step
from tunewright.verbs import Named, verb
from tunewright.verbs.release import refuse_forgotten


@verb(repeats=True)
def serve(
    step: Step,
    project: Project,
    release: Annotated[Release, Named("latest")],
    channel: str = "production",
    host: str = "127.0.0.1",
    port: int = 8000,
) -> Channel:
    """Put a release in service: point a channel at it and answer on an OpenAI-compatible API.

    To roll back, serve the release before. On any address but loopback an API key is required, from the
    environment variable TUNEWRIGHT_API_KEY.

    Parameters:
    release: which release answers
    channel: name of the service, also its model name
    host: address to listen on
    port: port to listen on

    Limits: one process, one machine; the checks that screen messages are those the policy names.
    """
    model = step.use(project.ledger.get(Model, release.model))
    refuse_forgotten(project, model)
    before = project.ledger.find(Channel, channel)
    if before is not None and before.release == release.digest:
        return step.save(before, channel)
    return step.save(
        Channel(name=channel, release=release.digest, before=before.release if before else None), channel
    )
