"""Words by which a text speaks of people and places. Our own lists: short, and in no way complete.

Only words that seldom mean something else are taken: no "us", "senior", "Jordan" or "Georgia". German,
French and Spanish have the plainest words only.
"""

import re
from collections.abc import Iterator

_SMALL = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CAPITAL = re.compile(r"\b[A-ZÄÖÜÉ][^\W\d_A-Z]+\b|\bUSA\b|\bUK\b|\bEU\b|\bUAE\b")


def _table(rows: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in rows.items() for word in words.split()}


GENDER = _table(
    {
        "women": "she her hers herself woman women woman's women's girl girls mother mothers mom mum "
        "daughter daughters "
        "sister sisters aunt niece wife wives girlfriend lady ladies queen mrs ms female females grandmother "
        "grandma "
        "actress waitress businesswoman frau frauen mutter tochter femme femmes fille mère mujer mujeres "
        "madre hija ella",
        "men": "he him his himself man men man's men's boy boys father fathers dad son sons brother brothers "
        "uncle nephew "
        "husband husbands boyfriend gentleman gentlemen king mr male males grandfather grandpa waiter "
        "businessman "
        "herr männer vater sohn homme hommes garçon père hombre hombres padre hijo",
        "other genders": "nonbinary non-binary genderqueer genderfluid transgender agender mx intersex",
    }
)
AGE = _table(
    {
        "children": "child children child's children's kid kids baby babies toddler toddlers infant infants "
        "preschooler "
        "schoolchildren boy boys girl girls kind kinder enfant enfants niño niña niños",
        "teenagers": "teen teens teenager teenagers teenage adolescent adolescents jugendliche",
        "adults": "adult adults grown-up grown-ups middle-aged thirties forties fifties erwachsene adulte "
        "adultes adultos",
        "older people": "elderly pensioner pensioners retiree retirees retired retirement grandmother "
        "grandfather grandma "
        "grandpa grandparents octogenarian rentner ältere ancianos retraités",
    }
)
REGION = _table(
    {
        "North America": "USA American Americans Canada Canadian Canadians California Texas Florida Chicago "
        "Boston Toronto "
        "Washington Seattle Ontario Quebec",
        "Latin America": "Mexico Mexican Brazil Brazilian Argentina Argentine Argentinian Chile Chilean "
        "Colombia Colombian "
        "Peru Peruvian Venezuela Ecuador Bolivia Uruguay Paraguay Cuba Cuban Guatemala Honduras Jamaica "
        "Haiti "
        "Panama Latino Latina Hispanic Caribbean",
        "Western Europe": "UK Britain British England English Scotland Scottish Wales Welsh Ireland Irish "
        "London France "
        "French Paris Germany German Germans Berlin Munich Deutschland Austria Austrian Vienna Switzerland "
        "Swiss "
        "Netherlands Dutch Amsterdam Belgium Belgian Luxembourg Spain Spanish Madrid Barcelona Portugal "
        "Portuguese "
        "Lisbon Italy Italian Italians Rome Greece Greek Athens Denmark Danish Sweden Swedish Norway "
        "Norwegian "
        "Finland Finnish Iceland European Europeans Europe EU",
        "Eastern Europe": "Poland Polish Warsaw Czech Prague Slovakia Slovak Hungary Hungarian Budapest "
        "Romania Romanian "
        "Bulgaria Bulgarian Ukraine Ukrainian Kyiv Russia Russian Russians Moscow Belarus Serbia Serbian "
        "Croatia "
        "Croatian Slovenia Bosnia Albania Macedonia Lithuania Latvia Estonia Moldova",
        "Middle East and North Africa": "Turkey Turkish Istanbul Israel Israeli Palestine Palestinian Iran "
        "Iranian Iraq "
        "Iraqi Syria Syrian Lebanon Lebanese Egypt Egyptian Cairo Morocco Moroccan Algeria Algerian Tunisia "
        "Libya "
        "Yemen Qatar Kuwait Bahrain Oman UAE Dubai Emirates Arab Arabic Saudi",
        "Sub-Saharan Africa": "Africa African Africans Nigeria Nigerian Lagos Kenya Kenyan Nairobi Ghana "
        "Ghanaian Ethiopia "
        "Ethiopian Uganda Tanzania Rwanda Senegal Cameroon Congo Angola Mozambique Zambia Zimbabwe Somalia "
        "Sudan "
        "Botswana Namibia Madagascar Mali",
        "South Asia": "India Indian Indians Mumbai Delhi Bangalore Pakistan Pakistani Bangladesh Bangladeshi "
        "Nepal Nepali "
        "Lanka Lankan Afghanistan Afghan Bhutan Maldives",
        "East Asia": "China Chinese Beijing Shanghai Japan Japanese Tokyo Korea Korean Koreans Seoul Taiwan "
        "Taiwanese "
        "Mongolia Mongolian",
        "South-East Asia": "Indonesia Indonesian Malaysia Malaysian Singapore Thailand Thai Vietnam "
        "Vietnamese Philippines "
        "Filipino Cambodia Myanmar Laos",
        "Central Asia": "Kazakhstan Kazakh Uzbekistan Uzbek Kyrgyzstan Tajikistan Turkmenistan",
        "Oceania": "Australia Australian Australians Sydney Melbourne Zealand Zealander Fiji Samoa Papua "
        "Polynesian Maori",
    }
)
DIALECT = _table(
    {
        "US spelling": "color colors colored favorite favorites favor honor labor neighbor neighbors "
        "behavior center centers "
        "theater meter liter gray organize organized organization realize realized recognize analyze "
        "apologize "
        "catalog traveling traveled canceled canceling fulfill enrollment jewelry tire defense offense "
        "license "
        "aluminum mom math apartment sidewalk",
        "British spelling": "colour colours coloured favourite favourites favour honour labour neighbour "
        "neighbours behaviour "
        "centre centres theatre metre litre grey organise organised organisation realise realised recognise "
        "analyse "
        "apologise catalogue travelling travelled cancelled cancelling fulfil enrolment jewellery tyre "
        "defence "
        "offence licence aluminium mum maths whilst",
        "Indian English": "lakh lakhs crore crores prepone preponed needful rupees",
        "African American English": "finna tryna gon imma ion deadass",
        "Southern US": "y'all y’all fixin",
    }
)

_KINDS = {"gender": GENDER, "age": AGE, "dialect": DIALECT}
KINDS = ("gender", "age", "region", "dialect")


def mentions(text: str) -> Iterator[tuple[str, str]]:
    """Every kind and class that the text mentions, each once."""
    small = {*_SMALL.findall(text.lower())}
    for kind, table in _KINDS.items():
        yield from ((kind, name) for name in {table[word] for word in small & table.keys()})
    large = {*_CAPITAL.findall(text)}
    yield from (("region", name) for name in {REGION[word] for word in large & REGION.keys()})
