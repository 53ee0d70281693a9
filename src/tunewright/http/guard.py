"""What goes to the model and what comes from it, looked at on the way.

The checks are those that look at data at rest; the policy in `policy.serve` says what a finding means.
"""

import re
from collections.abc import Callable, Sequence

from tunewright.checks import GIVEN, by_record, checks
from tunewright.errors import BadInput
from tunewright.gate import screen
from tunewright.nouns import Finding, Message, Origin, Policy, Record, Verdict

ABOUT_RECORDS = frozenset({"licence", "retention"})
"""Checks that ask something only a record can answer; so do those that are given more than a record."""

HELD = 40
"""Last characters of a streamed answer that wait: longer than most secrets with blanks, such as an IBAN."""

STEP = 16
"""Characters between two looks at a streamed answer."""

BACK = 400
"""Characters before the unsent part that are looked at again, for what a pattern needs in front."""

UNBROKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-.:~%@$&#!*^")
"""Characters of which keys, tokens and addresses are made."""

FENCE = "-----BEGIN"
CLOSED = re.compile("-----END[^-\n]*-----")


class Guard:
    """The checks that a policy names for messages in flight.

    Errors: `NotFound` or `BadInput` when it names a check or an option that there is not.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.names = list[str]()
        self.skipped = list[str]()
        for name in dict.fromkeys(key.partition(".")[0] for key in policy.serve):
            if name in ABOUT_RECORDS or not by_record(name) or set(GIVEN) & set(checks.options(name)):
                self.skipped.append(name)
            else:
                checks.check(name, dict(policy.options.get(name, {})))
                self.names.append(name)
        if policy.serve and not self.names:
            told = ", ".join(self.skipped)
            raise BadInput(f"policy.serve: {told} cannot look at one message", hint="name secrets, injection")

    def look(self, messages: Sequence[Message], exchange: str, first: int = 0) -> Verdict:
        """What every check notices in these messages, and what the policy says of it.

        `first` is the place of the first of them in the conversation.
        """
        record = Record(
            id=exchange, messages=tuple(messages), origin=Origin(source="service", file=exchange, line=1)
        )
        found = list[Finding]()
        for name in self.names:
            seen = checks[name]([record], **self.policy.options.get(name, {}))
            found += [f for f in seen if isinstance(f, Finding)]
        if first:
            found = [f.model_copy(update={"message": f.message + first}) for f in found]
        return screen(self.policy, found)


class Sieve:
    """Lets an answer through as it is made, once it has been looked at.

    What could still turn out to belong to a secret is kept back: the last 40 characters, the word or key
    that is not finished, and all that follows an opening `-----BEGIN`. No part of what is blocked leaves.

    Limits: a secret with blanks in it, longer than 40 characters, may begin to leave before it is known.
    """

    def __init__(self, look: Callable[[str], Verdict], stops: Sequence[str] = ()) -> None:
        self.look = look
        self.stops = [stop for stop in stops if stop]
        self.longest = max(map(len, self.stops), default=0)
        self.text = ""
        self.sent = 0
        self.over = False
        """Whether the answer is complete: cut, stopped or ended."""
        self.stopped = False
        """Whether a stop word ended it."""
        self.verdict = Verdict(action="allow")

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what may go now."""
        before = len(self.text)
        self.text += piece
        ends = [at for stop in self.stops if (at := self.text.find(stop, max(0, before - len(stop)))) >= 0]
        if ends:
            self.text, self.stopped = self.text[: min(ends)], True
            return self.end()
        safe = self._safe()
        if safe - self.sent < (STEP if self.sent else 1):  # the first words wait no longer than they must
            return ""
        start = max(0, self.sent - BACK)
        while start and self.text[start - 1] in UNBROKEN:
            start -= 1  # half a word may look like a key
        return self._release(safe, self.look(self.text[start:]))

    def end(self) -> str:
        """There is no more; returns what was kept back, when it may go."""
        self.over = True
        self.verdict = self.look(self.text)
        return self._release(len(self.text), self.verdict)

    @property
    def gone(self) -> str:
        """What has left."""
        return self.text[: self.sent]

    def _release(self, safe: int, verdict: Verdict) -> str:
        if verdict.action == "block":
            self.over, self.verdict = True, verdict
            return ""
        ready = self.text[self.sent : safe]
        self.sent = safe
        return ready

    def _safe(self) -> int:
        """Where the part ends that nothing to come can change."""
        at = len(self.text)
        while at > self.sent and self.text[at - 1] in UNBROKEN:
            at -= 1
        at = min(at, len(self.text) - max(HELD, self.longest))
        fence = self.text.find(FENCE, self.sent)
        if fence >= 0 and not CLOSED.search(self.text, fence):
            at = min(at, fence)
        return at
