"""The tables of a report: what they hold, and whether they sort by click and by keyboard."""
from webdriver import ENTER, SPACE, TAB

TABLE = """
return [...document.querySelectorAll('#NAME tbody tr')].map(row =>
    Object.fromEntries([...row.cells].map(cell => [cell.dataset.c, cell.dataset.v])));
"""


def as_number(text):
    return None if text == "" else float(text)


def column(browser, key):
    return [as_number(row[key]) for row in browser.ask(TABLE.replace("NAME", "ranked"))]


def check_order(values, falling):
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=falling), values
    assert values[:len(known)] == known, "what is unknown comes last"


def state_of(browser, key):
    return browser.ask(f"return document.querySelector('#ranked th[data-c={key}]').getAttribute('aria-sort')")


def check_sorting(browser):
    before = column(browser, "seconds_per_epoch")
    button = "#ranked th[data-c=seconds_per_epoch] button"
    browser.click(button)
    check_order(column(browser, "seconds_per_epoch"), False)
    assert state_of(browser, "seconds_per_epoch") == "ascending" and state_of(browser, "rank") is None
    browser.click(button)
    check_order(column(browser, "seconds_per_epoch"), True)
    assert state_of(browser, "seconds_per_epoch") == "descending"
    assert sorted(column(browser, "seconds_per_epoch")) == sorted(before)
    browser.click("#ranked th[data-c=against_full] button")
    check_order(column(browser, "against_full"), False)
    names = [row["strategy"] for row in browser.ask(TABLE.replace("NAME", "ranked"))]
    browser.click("#ranked th[data-c=strategy] button")
    assert [row["strategy"] for row in browser.ask(TABLE.replace("NAME", "ranked"))] == sorted(names)


def check_keyboard(browser):
    """From the table on with the tabulator: it is reached, scrolls, and its heads sort."""
    browser.ask("document.querySelector('#ranked').parentNode.focus()")
    for _ in range(4):
        browser.press(TAB)
    assert browser.ask("return document.activeElement.parentNode.dataset.c") == "accuracy"
    assert browser.ask("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    browser.press(ENTER)
    check_order(column(browser, "accuracy"), False)
    browser.press(SPACE)
    check_order(column(browser, "accuracy"), True)
