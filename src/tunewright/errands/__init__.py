"""Errands are what one does beside the nine verbs.   (step, project, noun, ...) -> Noun

An errand is a verb like the nine, made with the same `@verb`: one file, one function, one entry in the
ledger, a command and an HTTP route from its signature. The nine tell the story of a model; an errand answers
a question on the way (what will it cost, is there enough data, which settings) or carries a result out.
"""

from tunewright.nouns import Noun
from tunewright.shelf import Shelf
from tunewright.verbs import Verb

errands: Shelf[Verb[..., Noun]] = Shelf(__name__)
