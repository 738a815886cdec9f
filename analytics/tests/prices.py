"""Makes up usages and prices them with genai-prices' own library.

Prints one JSON object a line: provider, model, at, context, used (by unit, as analytics calls them),
nano_usd (rounded half up; null if the library refuses), deep (a rate has more than nine places).
"""

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.data_units import unit_data
from genai_prices.types import ClauseAnd, ClauseContains, ClauseEndsWith, ClauseEquals, ClauseOr
from genai_prices.types import ClauseStartsWith, ModelPrice, StartDateConstraint, TieredPrices

PER_MODEL = 4
KEYS = {unit["price_key"]: key for key, unit in unit_data.items()}
PLACES = Decimal("1e-9")


def dimensions(key):
    return set(unit_data[key]["dimensions"].items())


def prices_of(model):
    """All prices of a model, with their constraints."""
    plain = isinstance(model.prices, ModelPrice)
    pairs = [(None, model.prices)] if plain else [(c.constraint, c.prices) for c in model.prices]
    return pairs + [(v.constraint, v.prices) for v in model.price_variants or []]


def rates_of(price):
    for key, value in price.__dict__.items():
        if value is not None:
            tiered = isinstance(value, TieredPrices)
            yield key, [value.base, *(t.price for t in value.tiers)] if tiered else [value]


def a_name(clause, rng):
    """A name that the clause fits, if it is of a simple kind."""
    tail = rng.choice(["", "-x", "-20260102", "-2026-01-02"])
    match clause:
        case ClauseEquals():
            return clause.equals
        case ClauseStartsWith():
            return clause.starts_with + tail
        case ClauseEndsWith():
            return "x-" + clause.ends_with
        case ClauseContains():
            return rng.choice(["", "x."]) + clause.contains + tail
        case ClauseOr():
            return a_name(rng.choice(clause.or_), rng)
        case ClauseAnd():
            return a_name(clause.and_[0], rng)
    return None


def a_time(model, rng):
    starts = [c.start_date for c, _ in prices_of(model) if isinstance(c, StartDateConstraint)]
    if starts and rng.random() < 0.6:
        midnight = datetime.combine(rng.choice(starts), datetime.min.time(), UTC)
        return midnight + timedelta(seconds=rng.choice([-1, 0, 1, 3_600, 86_400]))
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(3 * 365 * 86_400))


def a_context(model, rng):
    variants = model.price_variants or []
    if variants and rng.random() < 0.6:
        return dict(rng.choice(variants).when)
    return rng.choice([{}, {}, {"service_tier": "priority"}, {"processing": "batch"}])


def a_count(rng):
    return rng.choice([0, 1, 9, rng.randrange(1_000), rng.randrange(100_000), rng.randrange(5_000_000)])


def a_usage(model, rng):
    """Counts that agree with each other: made of cells, each a set of dimensions."""
    priced = {KEYS[key] for _, price in prices_of(model) for key, _ in rates_of(price)} - {"requests"}
    usual = {"input_tokens", "output_tokens"}
    extra = {"cache_read_tokens", "output_reasoning_tokens"}
    extra |= {rng.choice(["cache_write_tokens", "cache_write_1h_tokens", "web_searches", "input_audio_tokens"])}
    cells = sorted(priced | usual) + [key for key in sorted(extra) if rng.random() < 0.3]
    counts = {key: a_count(rng) for key in dict.fromkeys(cells)}
    if not priced & usual:
        # Not billed by the token: an answer of it tells no tokens.
        counts = {key: n for key, n in counts.items() if key in priced}
    wholes = {key for key in unit_data if any(dimensions(key) <= dimensions(cell) for cell in counts)}
    used = {
        key: sum(n for cell, n in counts.items() if dimensions(key) <= dimensions(cell))
        for key in wholes
        if key in counts or any(dimensions(key) < dimensions(cell) for cell in counts)
    }
    if rng.random() < 0.03:
        used["cache_read_tokens"] = used.get("input_tokens", 0) + 1
    return {key: n for key, n in sorted(used.items()) if n > 0 or key in counts}


def main():
    rng = random.Random(sys.argv[1])
    for provider in providers:
        for model in provider.models:
            for _ in range(PER_MODEL):
                name = rng.choice([model.id, a_name(model.match, rng) or model.id])
                name = rng.choice([name, name.upper()])
                at, context, used = a_time(model, rng), a_context(model, rng), a_usage(model, rng)
                try:
                    found = calc_price(
                        Usage(**used),
                        name,
                        provider_id=provider.id,
                        genai_request_timestamp=at,
                        price_context=context,
                    )
                except LookupError:
                    continue  # names that the library does not know
                except ValueError:
                    found = None
                deep = any(
                    -rate.as_tuple().exponent > 9
                    for _, rates in (rates_of(found.model_price) if found else [])
                    for rate in rates
                )
                exact = found and found.total_price / PLACES
                line = {
                    "provider": provider.id,
                    "model": name,
                    "at": at.isoformat().replace("+00:00", "Z"),
                    "context": context,
                    "used": {key.removesuffix("_tokens"): n for key, n in used.items()},
                    "nano_usd": int(exact.quantize(Decimal(1), ROUND_HALF_UP)) if found else None,
                    "deep": deep,
                }
                print(json.dumps(line))


main()
