#!/usr/bin/env python3
"""Looks at a report in headless Chromium: browser.py THAW RESULTS MEASUREMENTS

Whether it renders without a word on the console and without a request, whether its numbers are those of the results and
every mark lies where its chart's ticks say, whether tables sort by click and by keyboard, and whether it can be read on a
phone and in the dark. Speaks WebDriver to Debian's chromium-driver; is skipped (77) where there is none."""
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from readable import check_colours, check_phone, luminance
from sorting import TABLE, as_number, check_keyboard, check_sorting
from webdriver import Browser

SKIPPED = 77


def near(left, right, tolerance=0.06):
    return abs(left - right) <= tolerance


# ---- what the page holds, as the browser has it

CHARTS = """
return [...document.querySelectorAll('figure.chart')].map(figure => {
  const number = (element, name) => element.hasAttribute(name) ? Number(element.getAttribute(name)) : null;
  const svg = figure.querySelector('svg'), frame = svg.getBoundingClientRect();
  const ticks = kind => [...svg.querySelectorAll('text.tick.' + kind)].map(tick =>
      ({at: number(tick, kind), value: number(tick, 'data-v'), text: tick.textContent}));
  const marks = [...svg.querySelectorAll('.mark')].map(mark => {
    const box = mark.getBoundingClientRect(), circle = mark.matches('circle') ? mark : mark.querySelector('circle');
    const place = (mark.getAttribute('transform') || '').match(/translate\\(([-\\d.]+) ([-\\d.]+)\\)/);
    return {...mark.dataset, class: mark.getAttribute('class'), title: mark.querySelector('title')?.textContent,
            x: place ? Number(place[1]) : circle ? number(circle, 'cx') : number(mark, 'x'),
            y: place ? Number(place[2]) : circle ? number(circle, 'cy') : number(mark, 'y'),
            width: number(mark, 'width'), text: mark.querySelector('text')?.textContent,
            bar: mark.querySelector('rect') ? number(mark.querySelector('rect'), 'width') : null,
            beyond: mark.querySelector('.beyond') !== null,
            seen: box.width > 0 && box.height > 0 && box.left >= frame.left - 8 && box.right <= frame.right + 8 &&
                  box.top >= frame.top - 8 && box.bottom <= frame.bottom + 8};
  });
  return {kind: figure.className, caption: figure.querySelector('figcaption')?.textContent ?? '',
          heading: svg.querySelector('.heading')?.textContent ?? '', label: svg.getAttribute('aria-label'),
          x: ticks('x'), y: ticks('y'), marks};
});
"""

# Whether all columns of the ranking are on the screen, and whether it is said that there are more.
FITS = "const box = document.querySelector('#ranked').parentNode; return box.scrollWidth <= box.clientWidth;"
HINT = "return document.querySelector('#ranking .more').getBoundingClientRect().height > 0;"

def scale(ticks, logarithmic=False, offset=0.0):
    """The place of a value, by what is written beside the axis: the first and the last of its ticks."""
    along = math.log if logarithmic else float
    first, last = min(ticks, key=lambda tick: tick["value"]), max(ticks, key=lambda tick: tick["value"])
    per = (last["at"] - first["at"]) / (along(last["value"]) - along(first["value"]))
    return lambda value: first["at"] - offset + (along(value) - along(first["value"])) * per


class Results:
    """What the page must show."""

    def __init__(self, path):
        self.json = json.loads(path.read_text())
        self.strategies = [strategy["name"] for strategy in self.json["strategies"]]
        self.optimizers = [optimizer["description"] for optimizer in self.json["optimizers"]]
        self.short_names = [pathlib.Path(name.split(":")[0]).stem for name in self.optimizers]
        self.all = self.json["configurations"]
        self.chosen = {(self.strategies.index(one["strategy"]), self.optimizers.index(one["optimizer"])): one
                       for one in self.all if one["chosen"]}

    def of(self, mark):
        return self.chosen[int(mark["s"]), int(mark["o"])]


# ---- checks


def check_quiet(browser):
    assert browser.console() == [], browser.console()
    assert browser.ask("return performance.getEntriesByType('resource').length") == 0
    assert browser.ask("return document.querySelectorAll('nav a').length") >= 8


def check_tables(browser, results):
    rows = browser.ask(TABLE.replace("NAME", "ranked"))
    assert len(rows) == len(results.chosen)
    rows_of_all = browser.ask("document.querySelector('#ranking details').open = true;" + TABLE.replace("NAME", "configurations"))
    assert len(rows_of_all) == len(results.all)
    for row in rows + rows_of_all:
        one = next(one for one in results.all if one["strategy"] == row["strategy"]
                   and one["optimizer"] == row["optimizer"] and one["learning_rate"] == float(row["learning_rate"]))
        for key in ("rank", "seconds_per_epoch", "samples_per_second", "seconds_to_target", "parameters_trained",
                    "flops_per_step", "joules_per_epoch"):
            assert as_number(row.get(key, "")) == one[key], (key, row, one[key])
        assert as_number(row["accuracy"]) == one["accuracy"]["mean"]
        assert as_number(row["loss"]) == one["loss"]["mean"]
        assert as_number(row.get("against_full", "")) == (one["against_full"] or {"mean": None})["mean"]
        assert as_number(row["bytes"]) == sum(one["bytes"].values())


def check_learning(charts, results):
    panels = [chart for chart in charts if chart["kind"] == "chart panel"]
    assert [panel["heading"] for panel in panels] == results.strategies
    marks = [mark for panel in panels for mark in panel["marks"]]
    assert len(marks) == sum(len(one["epoch_accuracy"]) for one in results.chosen.values())
    for panel in panels:
        place = scale(panel["y"], offset=4)
        assert all(tick["text"] == f"{100 * tick['value']:.6g}" for tick in panel["y"])
        for mark in panel["marks"]:
            mean = results.of(mark)["epoch_accuracy"][int(mark["e"]) - 1]["mean"]
            lowest = min(float(tick["value"]) for tick in panel["y"])
            assert float(mark["v"]) == mean and near(mark["y"], place(max(mean, lowest))), (mark, mean)
            assert mark["beyond"] == (mean < lowest)
        xs = {int(tick["value"]): tick["at"] for tick in panel["x"]}
        assert all(near(mark["x"], xs[int(mark["e"])]) for mark in panel["marks"] if int(mark["e"]) in xs)


def check_fronts(charts, results):
    for kind, cost in (("pareto-time", lambda one: one["seconds_per_epoch"]),
                       ("pareto-memory", lambda one: sum(one["bytes"].values()))):
        chart = next(chart for chart in charts if kind in chart["kind"])
        assert len(chart["marks"]) == len(results.chosen)
        across, up = scale(chart["x"], logarithmic=True), scale(chart["y"], offset=4)
        for mark in chart["marks"]:
            one = results.of(mark)
            assert near(mark["x"], across(cost(one)), 0.5), (mark, across(cost(one)))
            assert near(mark["y"], up(one["accuracy"]["mean"])), mark
            assert ("front" in mark["class"].split()) == one[kind.replace("-", "_")]


def check_stacks(charts, results):
    for kind, group in (("chart time", "times"), ("chart memory", "bytes")):
        stacks = [chart for chart in charts if chart["kind"] == kind]
        assert [chart["caption"] for chart in stacks] == \
            [name for index, name in enumerate(results.short_names) if any(o == index for _, o in results.chosen)]
        for chart in stacks:
            place, ends = scale(chart["x"]), {}
            for mark in chart["marks"]:
                value = results.of(mark)[group][mark["k"]]
                assert float(mark["v"]) == value
                begin = ends.get(mark["s"], 0)
                ends[mark["s"]] = begin + value
                assert near(mark["x"], place(begin)) and near(mark["width"], place(begin + value) - place(begin)), mark
            for row, end in ends.items():
                whole = sum(results.of({**chart["marks"][0], "s": row})[group].values())
                assert math.isclose(end, whole, rel_tol=1e-9)


def check_differences(charts, results):
    marks = [(mark, chart) for chart in charts if "differences" in chart["kind"] for mark in chart["marks"]]
    assert len(marks) == sum(one["against_full"] is not None for one in results.chosen.values())
    for mark, chart in marks:
        difference = results.of(mark)["against_full"]
        assert float(mark["v"]) == difference["mean"]
        assert mark["beyond"] or near(mark["x"], scale(chart["x"])(difference["mean"])), mark
        word = "better" if difference["low"] > 0 else "worse" if difference["high"] < 0 else "open"
        assert word in mark["class"].split()


def check_heat_map(charts, results):
    chart = next(chart for chart in charts if chart["kind"] == "chart heat")
    assert len(chart["marks"]) == len(results.chosen)
    shades = []
    for mark in chart["marks"]:
        mean = results.of(mark)["accuracy"]["mean"]
        assert float(mark["v"]) == mean and mark["text"].split()[0] == f"{100 * mean:.2f}"
        assert ("first" in mark["class"].split()) == (results.of(mark)["rank"] == 1)
        shades.append((results.of(mark)["rank"], int(mark["class"].split()[1][1:])))
    assert [shade for _, shade in sorted(shades)] == sorted((shade for _, shade in shades), reverse=True)
    assert len(set(shades)) == len({rank for rank, _ in shades}), "what is tied has one colour"


def check_target(charts, results):
    for kind, key in (("reach-time", "seconds"), ("reach-steps", "steps")):
        chart = next(chart for chart in charts if kind in chart["kind"].split())
        assert len(chart["marks"]) == sum("to_target" in one for one in results.chosen.values())
        place = scale(chart["x"])
        for mark in chart["marks"]:
            target = results.of(mark)["to_target"]
            figures, all_reached = target[key], target["reached"] == target["runs"]
            classes = mark["class"].split()
            assert ("open" in classes) == (not all_reached), mark
            assert ("leads" in classes) == (target["rank_by_" + key] == 1), mark
            assert mark["title"] == f"{target['reached']} of {target['runs']} runs reached the target"
            if target["reached"]:
                value = figures["mean"] if all_reached else figures["low"]
                assert math.isclose(float(mark["v"]), value)
                assert near(mark["bar"], place(value) - place(0)), (mark, place(value))
    heat = next(chart for chart in charts if "target-heat" in chart["kind"])
    for mark in heat["marks"]:
        target = results.of(mark)["to_target"]
        assert ("first" in mark["class"].split()) == (target["rank_by_seconds"] == 1)
        assert mark["text"].startswith(">" if 0 < target["reached"] < target["runs"] else "") and \
            ("never" in mark["text"]) == (target["reached"] == 0)
    for kind, key in (("profiles-time", "by_seconds"), ("profiles-steps", "by_steps")):
        for chart, group in zip((chart for chart in charts if kind in chart["kind"]), ("optimizers", "strategies")):
            profiles = results.json["profiles"][group][key]
            assert sorted(float(mark["v"]) for mark in chart["marks"]) == sorted(one["score"] for one in profiles)


def check_race(browser, charts, results):
    rungs = results.json["race"]["rungs"]
    chart = next(chart for chart in charts if "rungs" in chart["kind"])
    assert [float(mark["v"]) for mark in chart["marks"]] == [rung["stopped"] for rung in rungs]
    place = scale(chart["x"])
    for mark, rung in zip(chart["marks"], rungs):
        assert near(mark["bar"], place(rung["configurations"] - rung["stopped"]) - place(0)), mark
    rows = browser.ask(TABLE.replace("NAME", "stopped"))
    stopped = [one for one in results.all if "stopped" in one]
    assert len(rows) == len(stopped)
    for row, one in zip(rows, stopped):
        assert (row["strategy"], row["optimizer"]) == (one["strategy"], one["optimizer"])
        assert as_number(row["difference"]) == one["stopped"]["difference"]["mean"]


def check_tuning(browser, charts, results):
    panels = [chart for chart in charts if "tuning" in chart["kind"]]
    good = [one for one in results.json["trials"] if not one["diverged"]]
    accuracies = sorted(one["epochs"][-1]["validation_accuracy"] for one in good)
    marks = [(chart, mark) for chart in panels for mark in chart["marks"]]
    assert sorted(float(mark["v"]) for _, mark in marks) == accuracies
    for chart, mark in marks:
        assert near(mark["y"], scale(chart["y"], offset=4)(float(mark["v"]))), mark
    chosen = [one for one in results.all if one.get("tuning")]
    assert sum("chosen" in mark["class"] for _, mark in marks) == len(chosen)
    rows = browser.ask(TABLE.replace("NAME", "chosen"))
    assert [(row["strategy"], row["optimizer"]) for row in rows] == [(one["strategy"], one["optimizer"]) for one in chosen]
    for row, one in zip(rows, chosen):
        assert as_number(row["validation"]) == one["tuning"]["validation_accuracy"]
    costs = browser.ask(TABLE.replace("NAME", "costs-of-tuning"))
    assert [as_number(row["seconds"]) for row in costs] == [one["seconds"] for one in results.json["tuning"]["optimizers"]]


def check_layer_states(charts, results):
    states = [chart for chart in charts if "states" in chart["kind"]]
    assert [chart["heading"] for chart in states] == results.strategies
    for chart in states:
        run = next(run for run in results.json["runs"]
                    if run["strategy"] == chart["heading"] and not run["diverged"])
        shown = {(int(mark["l"]), int(mark["e"])): mark["class"].split()[1][2:] for mark in chart["marks"]}
        wanted = {(layer, epoch["epoch"]): state for epoch in run["epochs"]
                  for layer, state in enumerate(epoch["layer_states"])}
        assert shown == wanted


def check_measurements(charts, path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    curves = next(chart for chart in charts if "scaling" in chart["kind"])
    place, optimizers = scale(curves["y"], offset=4), [one for one in lines if one["benchmark"] == "optimizers"]
    assert len(curves["marks"]) == len(optimizers)
    for one in optimizers:
        share = one["limit_seconds"] / one["seconds"]
        assert any(math.isclose(float(mark["v"]), share) and near(mark["y"], place(share)) for mark in curves["marks"])
    bars = next(chart for chart in charts if "bars" in chart["kind"])
    place, peers = scale(bars["x"]), [one for one in lines if one["benchmark"] == "peers"]
    assert [float(mark["v"]) for mark in bars["marks"]] == [one["seconds"] for one in peers]
    for mark in bars["marks"]:
        assert near(mark["width"], place(float(mark["v"])) - place(0))


def check_seen(charts):
    for chart in charts:
        assert chart["label"], chart["kind"]
        assert chart["marks"] and all(mark["seen"] for mark in chart["marks"]), \
            [chart["kind"], [mark for mark in chart["marks"] if not mark["seen"]]]


def check(browser, page, results, measurements):
    browser.show(page)
    check_quiet(browser)
    charts = browser.ask(CHARTS)
    check_seen(charts)
    check_learning(charts, results)
    check_fronts(charts, results)
    check_stacks(charts, results)
    check_differences(charts, results)
    check_heat_map(charts, results)
    check_target(charts, results)
    check_race(browser, charts, results)
    check_tuning(browser, charts, results)
    check_layer_states(charts, results)
    check_measurements(charts, measurements)
    check_tables(browser, results)
    check_sorting(browser)
    check_keyboard(browser)
    light = check_colours(browser)
    browser.show(page, dark=True)
    assert luminance(check_colours(browser)) < 0.05 < luminance(light)
    browser.show(page, width=1400)
    assert browser.ask(FITS) and not browser.ask(HINT)
    browser.show(page, width=390)
    assert not browser.ask(FITS) and browser.ask(HINT)
    assert browser.ask("return document.querySelector('td.accuracy b').getBoundingClientRect().right") < 390
    check_seen(browser.ask(CHARTS))
    check_phone(browser)
    assert browser.console() == []


def main():
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        print("no chromium or no chromium-driver: skipped")
        return SKIPPED
    thaw, results, measurements = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        subprocess.run([thaw, "report", "--input", results, "--input", measurements, "--report", f"{folder}/report"],
                       check=True)
        browser = Browser()
        try:
            check(browser, pathlib.Path(folder) / "report" / "index.html", Results(results), measurements)
        finally:
            browser.close()
    return 0


sys.exit(main())
