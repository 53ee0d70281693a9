"""The evaluation cases, asked at every size of a learning curve."""

from collections.abc import Sequence
from pathlib import Path

from tunewright.errands._needed import needed
from tunewright.errands._training import Study
from tunewright.errors import BadInput
from tunewright.nouns import Arm, Case, Measure, Needed, Plan, Policy, Progress, Score
from tunewright.project import Project
from tunewright.runtimes import runtimes
from tunewright.speaker import Speaker
from tunewright.store import Step
from tunewright.suites import suites
from tunewright.verbs._prompting import Prompt, best_prompt
from tunewright.verbs.evaluate import weigh


class Asking:
    """Base and tuned models answer the cases that the gate's rules are about.

    What was answered is kept in the folder `place`: after a stop nothing is asked again. Errors: `BadInput`
    when no rule of the release policy is about the cases.
    """

    def __init__(self, step: Step, project: Project, of: Study, place: Path) -> None:
        self.project, self.of, self.place = project, of, place
        self.plan: Plan = step.use(project.plan())
        self.cases: list[Case] = project.each_case()
        self.policy: Policy = self._rules(step.use(project.policy()))
        named = {rule.measure.partition(".")[0] for rule in self.policy.release}
        self.suites = [name for name in self.plan.suites if name in named]
        for name in self.suites:
            suites.check(name, {})
        runtimes.check(self.plan.runtime, dict(self.plan.options))
        self.plain = Prompt(system=of.recipe.system)
        self.before = self._before()

    def ask(self, weights: Path, size: int) -> None:
        """Let the model that was tuned with so many records answer."""
        self._answers(
            self._speaker(weights), "tuned", self.plain, self._place(size), f"{size:,} records: cases"
        )

    def asked(self, size: int) -> bool:
        """Whether that model has answered."""
        return self._place(size).exists()

    def measures(self, size: int) -> tuple[Measure, ...]:
        """What the rules name, of that model."""
        found, _ = weigh([*self.before, *_kept(self._place(size))], self.cases)
        named = {rule.measure for rule in self.policy.release}
        return tuple(measure for measure in found if measure.name in named)

    def needed(self, sizes: Sequence[int], found: Sequence[Sequence[Measure]]) -> tuple[Needed, ...]:
        """The answer for each rule, when the models of all sizes have answered."""
        return needed(self.policy, sizes, found, self.before, [_kept(self._place(size)) for size in sizes])

    def _rules(self, policy: Policy) -> Policy:
        """What `vet` measures does not depend on a training, and speed not on data."""
        asked = [name for name in self.plan.suites if name != "speed"]
        rules = tuple(rule for rule in policy.release if rule.measure.partition(".")[0] in asked)
        if not rules:
            raise BadInput(
                "no rule of policy.release is about what the evaluation cases measure",
                hint="leave out --cases, or write such a rule, such as golden.contains.tuned-base",
            )
        return policy.model_copy(update={"release": rules})

    def _before(self) -> list[Score]:
        """The base model's answers, and the prompted one's where a rule compares with it: once for all."""
        arms: list[Arm] = ["base"]
        if any(rule.measure.endswith("-prompted") for rule in self.policy.release):
            arms.append("prompted")
        places = {arm: self.place / f"{arm}.jsonl" for arm in arms}
        if not all(place.exists() for place in places.values()):
            speaker = self._speaker(None)
            for arm, place in places.items():
                if not place.exists():
                    how = self.plain if arm == "base" else self._best(speaker)
                    self._answers(speaker, arm, how, place, f"{arm}: cases")
        return [score for place in places.values() for score in _kept(place)]

    def _best(self, speaker: Speaker) -> Prompt:
        return best_prompt(speaker, self.of.learn, self.plan, self.plain, self.project.tell)

    def _speaker(self, weights: Path | None) -> Speaker:
        return runtimes[self.plan.runtime](self.of.found.folder, weights, **self.plan.options)

    def _place(self, size: int) -> Path:
        return self.place / f"tuned-{size}.jsonl"

    def _answers(self, speaker: Speaker, arm: Arm, prompt: Prompt, place: Path, label: str) -> None:
        asked = [case.model_copy(update={"messages": prompt.before(case.messages)}) for case in self.cases]
        fresh = list[Score]()
        for name in self.suites:
            given = {"abstain": self.of.recipe.abstain} if "abstain" in suites.options(name) else {}
            for score in suites[name](speaker, asked, arm=arm, max_tokens=self.plan.max_tokens, **given):
                fresh.append(score)
                total = len(self.cases) * len(self.suites)
                self.project.tell(Progress(label=label, done=len(fresh), total=total))
        written = place.with_suffix(".new")
        written.write_text("".join(score.model_dump_json() + "\n" for score in fresh), encoding="utf-8")
        written.replace(place)


def _kept(place: Path) -> list[Score]:
    with place.open(encoding="utf-8", newline="\n") as lines:
        return [Score.model_validate_json(line) for line in lines]
