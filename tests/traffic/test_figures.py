"""Intervals and Erlang C against published values; products and field figures by hand."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.traffic import erlang, field, intervals
from ivr.traffic.intervals import Range


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_newcombe_tabulates_it(hits: int, of: int, low: float, high: float) -> None:
    rate = intervals.wilson(hits, of)
    assert rate
    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)
    assert (rate.middle, rate.method, rate.sample) == (hits / of, "Wilson", of)


def binomial(of: int, rate: float) -> list[float]:
    return [math.comb(of, hits) * rate**hits * (1 - rate) ** (of - hits) for hits in range(of + 1)]


def held(interval: Range | None, truth: float) -> bool:
    return interval is not None and interval.low <= truth <= interval.high


@pytest.mark.parametrize("of", [30, 100, 500])
def test_rates_are_covered_at_the_stated_rate(of: int) -> None:
    """Exactly, over all that may be counted: 95 % in the mean over the rates that branches have."""
    covered = []
    for rate in [step / 100 for step in range(3, 50)]:
        chances = binomial(of, rate)
        covered.append(sum(chance for hits, chance in enumerate(chances) if held(intervals.wilson(hits, of), rate)))
    assert 0.945 < sum(covered) / len(covered) < 0.965
    assert min(covered) > 0.91


@pytest.mark.parametrize("mean", [3.0, 10.0, 40.0])
def test_counts_are_covered_at_the_stated_rate_at_least(mean: float) -> None:
    chances = [math.exp(hits * math.log(mean) - mean - math.lgamma(hits + 1)) for hits in range(150)]
    assert sum(chance for hits, chance in enumerate(chances) if held(intervals.poisson(hits), mean)) > 0.945


def test_weeks_and_middles_are_covered_in_simulated_worlds() -> None:
    chance, worlds, weekly, middles = random.Random(4), 2000, 0, 0
    for _ in range(worlds):
        weekly += held(intervals.student([chance.gauss(500, 60) for _ in range(13)], "weeks"), 500)
        middles += held(intervals.median(sorted(chance.lognormvariate(math.log(200), 0.6) for _ in range(60))), 200)
    assert 0.935 < weekly / worlds < 0.965
    assert 0.935 < middles / worlds < 0.985  # ranks are whole, so that it is a little more


def test_a_rate_of_nothing_is_none() -> None:
    assert intervals.wilson(0, 0) is None


@pytest.mark.parametrize(
    ("hits", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.391), (100, 81.364, 121.627)]
)
def test_poisson_is_near_the_exact_limits(hits: int, low: float, high: float) -> None:
    count = intervals.poisson(hits)
    assert count.low == pytest.approx(low, rel=0.01, abs=0.03)
    assert count.high == pytest.approx(high, rel=0.01, abs=0.12)
    assert intervals.poisson(hits, per=4).high == pytest.approx(count.high / 4)


@pytest.mark.parametrize(("degrees", "t"), [(3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (12, 2.179), (30, 2.042)])
def test_student_s_t_as_tables_have_it(degrees: int, t: float) -> None:
    assert intervals.t_quantile(degrees) == pytest.approx(t, abs=0.004)


def test_a_mean_of_weeks_by_hand() -> None:
    mean = intervals.student([90, 100, 110, 100], "weeks")  # s = 8.165, s / 2 = 4.082, times 3.182
    assert (mean.middle, mean.method) == (100, "t over 4 weeks")
    assert mean.high - 100 == pytest.approx(12.99, abs=0.02)


def test_the_middle_and_its_ranks() -> None:
    middle = intervals.median([float(value) for value in range(1, 101)])
    assert middle
    assert middle.middle == 50.5
    assert (middle.low, middle.high) == (40, 61)  # ranks 40 and 61 of a hundred, as in the tables of order statistics
    assert intervals.median([]) is None
    assert intervals.percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5


def test_a_product_by_hand() -> None:
    product = intervals.product([Range(50, 100, 200, ""), Range(0.1, 0.2, 0.4, "")])
    assert product.middle == pytest.approx(20)
    factor = math.exp(math.hypot(math.log(2), math.log(2)))
    assert [product.low, product.high] == pytest.approx([20 / factor, 20 * factor])
    assert intervals.product([Range(0, 0, 3, ""), Range(1, 2, 4, "")]).low == 0
    assert intervals.product([Range(0, 1, 3, "")]).low == 0
    halved = intervals.product([Range(100, 100, 100, "")], [Range(1, 2, 4, "")])
    assert [halved.low, halved.middle, halved.high] == pytest.approx([25, 50, 100])


def test_a_product_covers_what_its_factors_cover() -> None:
    chance, parts = random.Random(5), [Range(50, 100, 200, ""), Range(0.05, 0.1, 0.2, ""), Range(2, 3, 4.5, "")]
    interval, hits = intervals.product(parts[:2], parts[2:]), 0
    for _ in range(4000):
        drawn = [part.middle * math.exp(chance.gauss(0, math.log(part.high / part.middle) / 1.96)) for part in parts]
        hits += held(interval, drawn[0] * drawn[1] / drawn[2])
    assert 0.94 < hits / 4000 < 0.96


@pytest.mark.parametrize(
    ("places", "load", "length", "within", "waits", "in_time"),
    [
        (14, 10.0, 180.0, 20.0, 0.174, 0.888),  # 200 calls an hour of three minutes, the textbook's first example
        (55, 48.0, 240.0, 15.0, 0.239, 0.846),  # 360 calls in half an hour of four minutes
        (1, 0.5, 60.0, 60.0, 0.5, 1 - 0.5 * math.exp(-0.5)),  # one place: the load itself waits
        (2, 1.0, 60.0, 0.0, 1 / 3, 2 / 3),  # by hand
    ],
)
def test_erlang_c_as_published(
    places: int, load: float, length: float, within: float, waits: float, in_time: float
) -> None:
    assert erlang.waiting(places, load) == pytest.approx(waits, abs=0.0006)
    assert erlang.answered(places, load, within, length) == pytest.approx(in_time, abs=0.002)


@settings(deadline=None)
@given(
    load=st.floats(0.01, 200), service=st.floats(0.1, 0.99), within=st.floats(0, 900), length=st.floats(10, 3600)
)  # fmt: skip
def test_the_fewest_places_are_the_fewest(load: float, service: float, within: float, length: float) -> None:
    needed = erlang.places(load, service, within, length)
    assert erlang.answered(needed, load, within, length) >= service - 1e-9
    assert needed == 1 or erlang.answered(needed - 1, load, within, length) < service


def test_no_load_needs_nobody_and_a_large_one_is_no_trouble() -> None:
    assert erlang.places(0, 0.9, 60, 60) == 0
    assert 5000 < erlang.places(5000, 0.9, 60, 300) < 5100
    assert erlang.waiting(3, 3) == 1.0


@pytest.mark.parametrize(
    ("option", "text", "low", "high"),
    [
        ("accept", "15%", 0.15, 0.15),
        ("accept", "10-25%", 0.10, 0.25),
        ("accept", "10%-25%", 0.10, 0.25),
        ("accept", "0.1-0.25", 0.10, 0.25),
        ("concurrency", "3", 3, 3),
        ("stretch", "1.5 - 2", 1.5, 2),
    ],
)
def test_a_field_figure_that_is_said(option: str, text: str, low: float, high: float) -> None:
    figure = field.figures({option: text})[option]
    assert (figure.low, figure.high, figure.origin) == (low, high, "set by you")
    assert figure.range.middle == pytest.approx(math.sqrt(low * high))


@pytest.mark.parametrize(
    ("option", "text"),
    [("accept", "15"), ("accept", "0"), ("accept", "150%"), ("accept", "30-20%"), ("accept", "many"),
     ("concurrency", "0.5"), ("concurrency", "3%"), ("mobile", "-5%"), ("reply", "nan"), ("reply", "")],
)  # fmt: skip
def test_a_field_figure_that_is_none(option: str, text: str) -> None:
    if text == "":
        assert field.figures({option: text})[option].origin != "set by you"
        return
    with pytest.raises(field.BadFigure) as raised:
        field.figures({option: text})
    assert str(raised.value).startswith(f"--{option} {text}: ")


def test_every_field_figure_says_where_it_is_from() -> None:
    for figure in field.FIGURES:
        assert figure.origin
        assert figure.what
        assert 0 < figure.low < figure.high


def test_a_share() -> None:
    assert field.share("service", "80%") == 0.8
    for text in ("100%", "0%", "70-80%", "8"):
        with pytest.raises(field.BadFigure):
            field.share("service", text)
