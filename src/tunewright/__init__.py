"""Adapt open language models to your own work, and be able to show how.

    import tunewright as tw

    project = tw.open("examples/support-bot")
    data = tw.vet(project, tw.gather(project))
    model = tw.tune(project, data)
    report = tw.evaluate(project, model)
    release = tw.release(project, report)

Gather, vet, tune, evaluate, release, serve, watch, learn, and forget. Each leaves evidence.
"""

from tunewright.project import Project, open, verify
from tunewright.story import run
from tunewright.verbs.evaluate import evaluate
from tunewright.verbs.forget import forget
from tunewright.verbs.gather import gather
from tunewright.verbs.learn import learn
from tunewright.verbs.release import release
from tunewright.verbs.serve import serve
from tunewright.verbs.tune import tune
from tunewright.verbs.vet import vet
from tunewright.verbs.watch import watch

__all__ = [
    "Project",
    "evaluate",
    "forget",
    "gather",
    "learn",
    "open",
    "release",
    "run",
    "serve",
    "tune",
    "verify",
    "vet",
    "watch",
]
