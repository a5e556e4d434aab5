"""Public holidays by country and region, as the `holidays` library knows them."""

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from holidays import country_holidays, list_supported_countries

MOST_LISTED = 12


@cache
def _codes() -> Mapping[str, str]:
    """Every country (`US`) and region (`US-CA`) by its code in capitals."""
    countries = {country: its for country, its in list_supported_countries().items() if len(country) == 2}
    codes = [*countries, *(f"{country}-{region}" for country, its in countries.items() for region in its)]
    return {code.upper(): code for code in codes}


def code(text: str) -> str | None:
    """A country's or region's code as the library writes it, or None when its holidays are not known."""
    return _codes().get(text.upper())


def allowed(text: str) -> str:
    """What may be written where `text` cannot."""
    country = text.upper().partition("-")[0]
    of_it = [known for capitals, known in _codes().items() if capitals.partition("-")[0] == country]
    if not of_it:
        return "write a country's two letters, like US, or a region's code, like US-CA"
    return f"allowed: {', '.join(of_it[:MOST_LISTED])}" + (" …" if len(of_it) > MOST_LISTED else "")


@lru_cache(maxsize=1024)
def in_year(code: str, year: int) -> frozenset[date]:
    country, _, region = code.partition("-")
    return frozenset(country_holidays(country, subdiv=region or None, years=year))
