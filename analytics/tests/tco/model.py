"""The model of docs/tco.md once more, in NumPy, from its written definition.

It reads scenario files by itself, draws by NumPy's own generator and distributions, and shares no
code with the Rust implementation. Called with a number of trials and scenario files, it prints one
JSON object for each: per option the mean and its standard error, the deciles asked for, the share of
trials in which it is cheapest and in which it beats the API, and the break-even months' shares.
"""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np

HOURS = 730.5
SECONDS = 2_629_800.0
PLANS = ["api", "build", "fine_tune", "managed", "hybrid"]
Z95 = 1.6448536269514722
CHUNK = 20_000


def read(path):
    """A scenario with what it extends, amounts in USD."""
    own = tomllib.loads(path.read_text())
    base = read(path.parent / f"{own['extends']}.toml") if "extends" in own else {}
    rates = {rate["currency"]: rate["usd"] for rate in own.get("rate", [])}
    merged = dict(base)
    for group, content in own.items():
        if group in ("title", "about", "extends", "rate"):
            continue
        if not isinstance(content, dict) or group == "choice":
            merged[group] = content
            continue
        for name, stated in content.items():
            factor = rates.get(stated["unit"][:3], 1.0) if stated["unit"][3:4] == "/" else 1.0
            numbers = ("value", "low", "mode", "high")
            merged[f"{group}.{name}"] = {
                key: value * factor if key in numbers else value for key, value in stated.items()
            }
    return merged


def draw(stated, rng, n):
    kind = stated["distribution"]
    low, mode, high = (stated.get(key) for key in ("low", "mode", "high"))
    if kind == "fixed":
        return np.full(n, float(stated["value"]))
    if kind == "uniform":
        return rng.uniform(low, high, n)
    if kind == "log_uniform":
        return np.exp(rng.uniform(np.log(low), np.log(high), n))
    if kind == "triangular":
        return rng.triangular(low, mode, high, n)
    if kind == "pert":
        a = 1 + 4 * (mode - low) / (high - low)
        b = 1 + 4 * (high - mode) / (high - low)
        return low + (high - low) * rng.beta(a, b, n)
    if kind == "lognormal":
        mu = (np.log(low) + np.log(high)) / 2
        sigma = (np.log(high) - np.log(low)) / (2 * Z95)
        return rng.lognormal(mu, sigma, n)
    if kind == "event":
        return (rng.random(n) < stated["chance"]).astype(float)
    raise ValueError(kind)


def simulate(scenario, rng, n):
    """Monthly cost of each option, trials x months, and the discount factors."""
    x = {key: draw(stated, rng, n)[:, None] for key, stated in scenario.items() if "." in key}
    choice = scenario["choice"]
    horizon = scenario["horizon_months"]
    m = np.arange(1, horizon + 1)[None, :]
    years = (m - 1) / 12

    v = (1 + x["demand.growth"]) ** years
    requests = x["demand.requests"] * v
    falling = x["api.price_yearly_factor"] ** years
    h = x["demand.cached_share"]

    def c(added):
        tokens_in = x["demand.input_tokens"] * (1 + added)
        price_in = (1 - h) * x["api.price_input"] + h * x["api.price_cached"]
        out = x["demand.output_tokens"] * x["api.price_output"]
        return x["api.price_factor"] * (tokens_in * price_in + out) / 1e6

    api = requests * c(0.0) * falling
    dearer = c(x["tax.token_inflation"]) * x["tax.residency_uplift"] - c(0.0)
    surcharge = requests * dearer * falling
    rise = (1 + x["finance.inflation"]) ** years
    yearly = {
        "team_capacity": x["tax.team_budget"] * x["tax.capacity_share"] + x["tax.audits"],
        "budget_share": x["tax.team_budget"] * x["tax.budget_share"],
        "yearly_amount": x["tax.yearly_amount"],
    }[choice["tax"]]
    tax = yearly / 12 * rise + requests * x["tax.gate_cost"] / 1e6
    gpu_index = x["gpu.price_yearly_factor"] ** years
    discount = (1 + x["finance.discount_rate"]) ** (-m / 12)
    t = x["finance.tax_rate"]

    classes = ["short", "prompt_heavy", "balanced", "long"]
    weight = sum(x[f"demand.mix_{name}"] for name in classes)
    per_token = sum(
        x[f"demand.mix_{name}"] / weight / x[f"capacity.throughput_{name}"] for name in classes
    )
    tokens = x["demand.input_tokens"] + x["demand.output_tokens"]
    gpu_seconds = tokens * per_token * x["capacity.model_factor"]
    group = np.floor(x["capacity.gpus_per_replica"] + 0.5)

    def needed(share):
        busy = share * requests / SECONDS * gpu_seconds * x["demand.peak"]
        return (np.ceil(busy / x["capacity.utilisation"] / group) + 1) * group

    def rented(share):
        return needed(share) * x["gpu.rent"] * HOURS * gpu_index

    def fee(yearly):
        grows = x["managed.fee_volume_share"]
        return yearly / 12 * rise * (1 - grows + grows * v)

    def bought(share, answers):
        """After corporate tax, by batches: for each trial and month of purchase what is paid, and
        for each batch all that follows from it."""
        need = np.where(answers, needed(share), 0.0)
        life = np.maximum(np.floor(12 * x["gpu.life"] + 0.5), 1.0)[:, 0]
        resale = x["gpu.resale_yearly_factor"][:, 0]
        rate = t[:, 0]
        batch = np.zeros((n, horizon))
        total = np.zeros((n, horizon))
        kwh = x["gpu.power"] * x["gpu.pue"] * HOURS * x["gpu.electricity"]
        for month in range(horizon):
            age = month - np.arange(horizon)[None, :]
            alive = (age >= 0) & (age < life[:, None])
            owned = (batch * alive).sum(axis=1)
            lacking = np.maximum(need[:, month] - owned, 0.0) * answers[:, month]
            batch[:, month] = lacking
        paid = batch * x["gpu.price"] * gpu_index
        for month in range(horizon):
            age = month - np.arange(horizon)[None, :]
            alive = (age >= 0) & (age < life[:, None])
            book = (paid * alive).sum(axis=1)
            owned = (batch * alive).sum(axis=1)
            power = owned * (kwh * rise)[:, month]
            upkeep = book * x["gpu.maintenance_share"][:, 0] / 12
            shield = rate * book / life
            ends = age == life[:, None]
            sold = (paid * ends).sum(axis=1) * resale ** (life / 12) * (1 - rate)
            total[:, month] = paid[:, month] + (power + upkeep) * (1 - rate) - shield - sold
        age = horizon - np.arange(horizon)[None, :]
        left = age <= life[:, None]
        worth = resale[:, None] ** (age / 12)
        taxed = rate[:, None] * (worth - (1 - age / life[:, None]))
        total[:, -1] -= (paid * left * (worth - taxed)).sum(axis=1)
        return total

    migration = (
        x["project.migration"]
        * x["project.migration_factor"]
        * (1 + x["project.overrun"] * x["project.overrun_size"])
    )
    one, none = np.ones((n, 1)), np.zeros((n, 1))
    terms = {
        plan: dict(
            share=one,
            kept=none,
            time=x[f"{plan}.time"],
            people=x[f"{plan}.talent"],
            platform=x.get(f"{plan}.platform", none),
            training=x.get(f"{plan}.training", none),
            retraining=x.get(f"{plan}.retraining_share", none),
            compliance=x[f"{plan}.compliance"],
            migration=migration,
            table=x.get(f"{plan}.hosting", x["managed.fee"]),
        )
        for plan in ("build", "fine_tune", "managed")
    }
    terms["hybrid"] = dict(
        share=x["hybrid.local_share"],
        kept=x["hybrid.tax_kept"],
        time=x["hybrid.time"],
        people=x["staff.ops_fte"] * x["staff.fte_cost"],
        platform=x["hybrid.platform"],
        training=none,
        retraining=none,
        compliance=x["hybrid.compliance"],
        migration=migration * x["hybrid.migration_share"],
        table=x["fine_tune.hosting"] * x["hybrid.local_share"],
    )
    costs = [(1 - t) * (api + surcharge + tax)]
    for plan in PLANS[1:]:
        of = terms[plan]
        delay = np.ceil(of["time"] * x["project.schedule_factor"])
        project = np.maximum(delay, 1.0)
        answers = m > delay
        building = (m <= project) / project
        own = of["share"] * answers
        kept = np.where(answers, of["kept"], 1.0)
        cost = api * (1 - own) + surcharge * (1 - own) + tax * kept
        cost = cost + of["people"] * (1 + x["staff.premium"]) / 12 * rise
        cost = cost + of["platform"] / 12 * rise
        cost = cost + of["training"] * (building + answers * of["retraining"] / 12 * rise)
        cost = cost + of["migration"] * building
        cost = cost + answers * of["compliance"] / 12 * rise
        if choice["hosting"] == "table":
            cost = (cost + answers * fee(of["table"])) * (1 - t)
        elif plan == "managed":
            cost = (cost + answers * np.maximum(fee(of["table"]), rented(of["share"]))) * (1 - t)
        elif choice["gpu"] == "rent":
            cost = (cost + answers * rented(of["share"])) * (1 - t)
        else:
            cost = cost * (1 - t) + bought(of["share"], answers)
        costs.append(cost)
    return costs, discount


def main():
    trials = int(sys.argv[1])
    for number, name in enumerate(sys.argv[2:]):
        rng = np.random.default_rng(20261124 + number)
        scenario = read(Path(name))
        npv, months = [], []
        for _ in range(0, trials, CHUNK):
            costs, discount = simulate(scenario, rng, min(trials, CHUNK))
            present = [cost * discount for cost in costs]
            npv.append(np.stack([cost.sum(axis=1) for cost in present], axis=1))
            ahead = [np.cumsum(present[0] - cost, axis=1) > 0 for cost in present[1:]]
            # From which month on it is ahead to the end; 0: never.
            lasting = [np.cumprod(a[:, ::-1], axis=1).sum(axis=1) for a in ahead]
            horizon = discount.shape[1]
            months.append(
                np.stack([np.where(k > 0, horizon - k + 1, 0) for k in lasting], axis=1)
            )
        npv, months = np.concatenate(npv), np.concatenate(months)
        plans = []
        cheapest = npv.argmin(axis=1)
        for at, plan in enumerate(PLANS):
            of = npv[:, at]
            even = months[:, at - 1] if at else np.zeros(len(of))
            plans.append(
                {
                    "plan": plan,
                    "mean": of.mean(),
                    "standard_error": of.std(ddof=1) / np.sqrt(len(of)),
                    "quantiles": np.quantile(of, np.linspace(0, 1, 2001)).tolist(),
                    "cheapest": float((cheapest == at).mean()),
                    "beats": float((of < npv[:, 0]).mean()),
                    "claimed": float(((even >= 18) & (even <= 24)).mean()),
                    "by_month": [
                        float(((even > 0) & (even <= month)).mean())
                        for month in range(1, scenario["horizon_months"] + 1)
                    ],
                }
            )
        print(json.dumps({"trials": len(npv), "plans": plans}))


if __name__ == "__main__":
    main()
