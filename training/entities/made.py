"""Fills templates: [choices|of words] and {slots}, with where the names stand in the result."""

import re

from pools import MORE, Pools

Span = tuple[int, int, str]
MONTHS = {language: MORE[f"months {language}"] for language in ("en", "de", "fr", "es")}
SILENT = {
    "num",
    "smallnum",
    "email",
    "phone",
    "job",
    "product",
    "language",
    "month",
    "weekday",
    "zip",
    "handle",
    "term",
}
CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\"|[a-z|]+)\}")


class Maker:
    def __init__(self, pools: Pools, language: str) -> None:
        self.pools, self.draw, self.language = pools, pools.draw, language
        self.words = language if language in MONTHS else "en"

    def fill(self, template: str) -> tuple[str, list[Span]]:
        while (match := CHOICE.search(template)) is not None:
            chosen = (
                self.draw.choice(match.group(1).split("|"))
                if "{" not in match.group(1)
                else self._choose(match)
            )
            template = template[: match.start()] + chosen + template[match.end() :]
        text, spans, at = "", list[Span](), 0
        template = template.replace("\\n", "\n")
        for match in SLOT.finditer(template):
            text += template[at : match.start()]
            at = match.end()
            if match.group(1) == '"':
                text += self.draw.choice(('"', '"', "\u201c", "'"))
                continue
            slot = self.draw.choice(match.group(1).split("|"))
            value, marks = self.value(slot)
            spans += [(len(text) + low, len(text) + high, kind) for low, high, kind in marks]
            text += value
        return text + template[at:], spans

    def _choose(self, match: re.Match[str]) -> str:
        parts, depth = [""], 0
        for sign in match.group(1):
            depth += {"{": 1, "}": -1}.get(sign, 0)
            if sign == "|" and depth == 0:
                parts.append("")
            else:
                parts[-1] += sign
        return self.draw.choice(parts)

    def value(self, slot: str) -> tuple[str, list[Span]]:
        """What stands for a slot, and what of it is named."""
        made = getattr(self, f"_{slot}")
        if slot in SILENT:
            return str(made()), []
        if slot == "titled":
            return self._nlast()
        if slot in ("titlelast", "possname", "nname", "nlast", "call"):
            return made()  # type: ignore[no-any-return]
        kind = KIND[slot]
        text = str(made())
        low = len("the ") if text.startswith("the ") else 0
        return text, [(low, len(text), kind)]

    # people
    def _first(self) -> str:
        return self.pools.first_name(self.language)

    def _last(self) -> str:
        name = self.pools.last_name(self.language)
        chance = self.draw.random()
        if chance < 0.04:
            return f"{name}-{self.pools.last_name(self.language)}"
        if chance < 0.06:
            return self.draw.choice(("van ", "de ", "von ", "O'", "Mc", "Al-", "El ", "Di ", "Le ")) + name
        if self.language == "es" and chance < 0.4:
            return f"{name} {self.pools.last_name('es')}"
        return name

    def _full(self) -> str:
        first, last, letter = self._first(), self._last(), self.draw.choice("ABCDEFGHJKLMNPRSTVW")
        return self.draw.choices(
            (
                f"{first} {last}",
                f"{first} {letter}. {last}",
                f"{first} {letter} {last}",
                f"{first} {self._first()} {last}",
                f"{first[0]}. {last}",
                f"{first[0]}.{letter}. {last}",
                f"{last}, {first}",
                f"{first.upper()} {last.upper()}",
                f"{first} {last} {self.draw.choice(('Jr.', 'Sr.', 'III', 'II'))}",
                f"{first}-{self._first()} {last}",
                f"{last.upper()} {first}",
                f"{first} {letter}.",
            ),
            (60, 6, 4, 6, 4, 2, 4, 3, 1.5, 2, 1.5, 1),
        )[0]

    def _name(self) -> str:
        return self._first() if self.draw.random() < 0.22 else self._full()

    def _title(self) -> str:
        return self.draw.choice(
            ("Mr", "Mrs", "Ms", "Mr.", "Mrs.", "Ms.", "Dr", "Dr.", "Prof.", "Sir", "Miss")
        )

    def _call(self) -> tuple[str, list[Span]]:
        """How somebody is spoken to: by first name, title and surname, or in full."""
        if self.draw.random() < 0.25:
            return self._titled(self._title(), self._last())
        name = self._first() if self.draw.random() < 0.8 else self._full()
        return name, [(0, len(name), "name")]

    def _titled(self, title: str, name: str) -> tuple[str, list[Span]]:
        return f"{title} {name}", [(len(title) + 1, len(title) + 1 + len(name), "name")]

    def _nname(self) -> tuple[str, list[Span]]:
        name = self._full() if self.draw.random() < 0.5 else f"{self._first()[0]}. {self._last()}"
        if self.draw.random() < 0.5:
            return self._titled(self._title(), name)
        return name, [(0, len(name), "name")]

    def _nlast(self) -> tuple[str, list[Span]]:
        return self._titled(self._title(), self._last())

    def _titlelast(self) -> tuple[str, list[Span]]:
        title = self.draw.choice(("", "", "Dr. ", "Prof. "))
        name = self._last()
        return title + name, [(len(title), len(title) + len(name), "name")]

    def _possname(self) -> tuple[str, list[Span]]:
        name = self._name()
        end = "" if self.language == "de" else "'s"
        if self.language == "de":
            name += "" if name[-1] in "sxz" else "s"
        return name + end, [(0, len(name), "name")]

    # places
    def _city(self) -> str:
        chance = self.draw.random()
        if chance < 0.35:
            return self.pools.world[int(len(self.pools.world) * self.draw.random() ** 3)]
        return self.pools.pick(self.pools.city, self.language)

    def _country(self) -> str:
        name = self._land()
        if self.words == "en" and self.draw.random() < 0.05:
            return self.draw.choice(("Republic of ", "Kingdom of ", "State of ")) + name.removeprefix("the ")
        return name

    def _land(self) -> str:
        local = self.pools.local_country.get(self.language)
        return self.draw.choice(local if local and self.draw.random() < 0.8 else self.pools.country)

    def _region(self) -> str:
        local = self.pools.region_local.get(self.language)
        return self.draw.choice(local if local and self.draw.random() < 0.7 else self.pools.region)

    def _place(self) -> str:
        return self.draw.choice((self._city, self._city, self._city, self._country, self._region))()

    def _address(self) -> str:
        text = self.pools.pick(self.pools.address, self.language)
        chance = self.draw.random()
        if self.draw.random() < 0.12 and "\n" in text:
            first, _, rest = text.partition("\n")
            text = f"{first}\n{rest.upper()}"
        if self.draw.random() < 0.08:
            text = text.replace("\n", "\n" + " " * self.draw.randrange(1, 5))
        lines = text.split("\n")
        if chance < 0.3:
            text = ", ".join(lines)
        elif chance < 0.5:
            text = lines[0]
        elif chance < 0.6:
            text = " ".join(lines)
        elif chance < 0.7:
            text = f"{lines[0]}\n{self._city()}\n{self._country()} {self._zip()}"
        elif chance < 0.8:
            unit = self.draw.choice(("Apt.", "Suite", "Flat", "Unit", "#", "Floor"))
            gap = self.draw.choice(("\n", ", ", " "))
            text = f"{lines[0]} {unit} {self.draw.randrange(1, 999)}{gap}{self._city()}{gap}{self._country()}"
        elif chance < 0.87 and len(lines) > 1:
            text = f"{text}\n{self._country()}"
        return text

    def _zip(self) -> str:
        return str(self.draw.randrange(1000, 99999)).zfill(self.draw.choice((4, 5, 5)))

    # organisations and nationalities
    def _org(self) -> str:
        pools, chance = self.pools, self.draw.random()
        parts = pools.parts
        if self.language in ("de", "fr", "es") and chance < 0.45:
            key = {"de": "german", "fr": "french", "es": "spanish"}[self.language]
            return self._built(self.draw.choice(parts[key]))
        if self.language == "court" and chance < 0.5:
            return self._court() if chance < 0.25 else self.draw.choice(parts["plain"])
        if chance < 0.2:
            return pools.pick(pools.company, self.language)
        if chance < 0.45:
            return self.draw.choice(pools.companies)
        if chance < 0.65:
            return self._built(self.draw.choice(parts["of_place"]))
        if chance < 0.69:
            return self.draw.choice(parts["plain"])
        if chance < 0.73:
            return "".join(self.draw.choices("ABCDEFGHIKLMNOPRSTUVW", k=self.draw.choice((3, 3, 4, 5))))
        if chance < 0.82:
            return self._office()
        stem = pools.brand() if self.draw.random() < 0.6 else self._last()
        ends = ("", "", f" {self.draw.choice(parts['legal'])}", f" {self.draw.choice(parts['group'])}")
        both = f" {self.draw.choice(parts['group'])} {self.draw.choice(parts['legal'])}"
        return stem + (self.draw.choice((*ends, both)) if chance < 0.94 else f" & {self._last()}")

    def _office(self) -> str:
        """A public body or association: what it is, and for what or where."""
        draw, parts = self.draw, self.pools.parts
        body, topic = draw.choice(parts["body"]), draw.choice(parts["topic"])
        forms = [
            f"{body} of {topic}",
            f"{body} for {topic}",
            f"{topic} {body}",
            f"{self._nation()} {topic} {body}",
        ]
        forms += [f"{body} of {topic} and {draw.choice(parts['topic'])}", f"{self._city()} {topic} {body}"]
        forms += [
            f"{body} of {self._city()}",
            f"{self._city()} {body}",
            f"{topic} {body} of {self._country()}",
        ]
        return draw.choice(forms).replace("of the ", "of ")

    def _court(self) -> str:
        return self._built(self.draw.choice(self.pools.parts["court"]))

    def _built(self, pattern: str) -> str:
        return SLOT.sub(lambda match: str(getattr(self, f"_{match.group(1)}")()), pattern)

    def _nation(self) -> str:
        local = self.pools.other_nations.get(self.language)
        return self.draw.choice(local or self.pools.nations)

    def _nations(self) -> str:
        word = self._nation()
        return word if word.endswith(("ish", "ese", "ch", "ss", "i")) else word + "s"

    def _faith(self) -> str:
        return self.draw.choice(MORE["faiths"])

    # dates
    def _date(self) -> str:
        day, months = self.pools.day(), MONTHS[self.words]
        month = months[day.month - 1]
        if self.words == "de":
            forms = [f"{day.day}. {month} {day.year}", f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day:%y}"]
        elif self.words == "fr":
            forms = [f"{day.day} {month} {day.year}", f"{day:%d/%m/%Y}", f"{day.day} {month}"]
        elif self.words == "es":
            forms = [f"{day.day} de {month} de {day.year}", f"{day:%d/%m/%Y}", f"{day.day} de {month}"]
        else:
            forms = [f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}", f"{month} {day.day}"]
            forms += [f"{day:%m/%d/%Y}", f"{day:%Y-%m-%d}", f"{day.day}{_nth(day.day)} {month} {day.year}"]
            forms += [
                f"{month} {day.year}",
                f"{day.year}",
                f"{day:%d-%b-%Y}",
                f"{month[:3]} {day.day}, {day.year}",
            ]
            forms += [f"{month} {day.day}{_nth(day.day)}", f"{day:%d.%m.%Y}", f"{day:%d/%m/%y}"]
        if self.language == "court":
            forms = [f"{day.day} {month} {day.year}"] * 4 + forms[:2]
        return self.draw.choice(forms)

    def _year(self) -> str:
        return str(self.draw.randrange(1900, 2027))

    def _monthyear(self) -> str:
        return f"{self.draw.choice(MONTHS[self.words])} {self._year()}"

    # what has no kind
    def _num(self) -> str:
        return str(self.draw.randrange(1000, 10 ** self.draw.randrange(5, 12)))

    def _smallnum(self) -> int:
        return self.draw.randrange(1, 90)

    def _email(self) -> str:
        return f"{self._first().lower()}.{self._last().lower()}@{self.pools.brand().lower()}.com".replace(
            " ", ""
        )

    def _phone(self) -> str:
        return "".join(
            str(self.draw.randrange(10)) if sign == "0" else sign for sign in self.draw.choice(PHONES)
        )

    def _handle(self) -> str:
        return self._first().lower().replace(" ", "") + self.draw.choice(("", "_x", str(self._smallnum())))

    def _job(self) -> str:
        return self.draw.choice(self.pools.job)

    def _product(self) -> str:
        return self.draw.choice(self.pools.products)

    def _term(self) -> str:
        """One to three common words with capitals, sometimes run together: a heading, a term, a class."""
        words = [
            word.title() for word in self.draw.choices(self.pools.common, k=self.draw.choice((1, 1, 2, 2, 3)))
        ]
        return "".join(words) if self.draw.random() < 0.12 else " ".join(words)

    def _language(self) -> str:
        return self.draw.choice(MORE["languages"])

    def _month(self) -> str:
        return self.draw.choice(MONTHS[self.words])

    def _weekday(self) -> str:
        return self.draw.choice(MORE["weekdays"])


PHONES = (
    "+1 000-000-0000",
    "(000) 000-0000",
    "+44 0000 000000",
    "0000 000 000",
    "+49 00 00000000",
    "000.000.0000",
)
KIND = {
    **dict.fromkeys(("first", "last", "full", "name"), "name"),
    **dict.fromkeys(("city", "country", "region", "place", "address"), "place"),
    **dict.fromkeys(("org", "court"), "organisation"),
    **dict.fromkeys(("nation", "nations", "faith"), "nationality"),
    **dict.fromkeys(("date", "year", "monthyear"), "date"),
}


def _nth(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
