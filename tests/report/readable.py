"""Whether a report can be read: the contrast of its colours, and the size of its text on a phone."""


def luminance(colour):
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """
const paper = getComputedStyle(document.body).backgroundColor;
const of = (selector, property) => [...document.querySelectorAll(selector)].map(e => getComputedStyle(e)[property]);
return {paper, text: [...of('p, h1, h2, dt, dd, th button, td, figcaption, .key li, a', 'color'),
                      ...of('.chart text.tick, .chart text.name, .chart text.value, .chart text.heading', 'fill')],
        marks: of('path.line', 'stroke')};
"""

# Of every shade, whichever of them the results have.
HEAT = """
const mark = document.querySelector('.heat g.mark'), own = mark.getAttribute('class'), shades = [];
for (const shade of ['h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6']) {
  mark.setAttribute('class', 'mark ' + shade);
  shades.push([getComputedStyle(mark.querySelector('rect')).fill, getComputedStyle(mark.querySelector('text')).fill]);
}
mark.setAttribute('class', own);
return shades;
"""


def check_colours(browser):
    colours = browser.ask(COLOURS)
    for colour in set(colours["text"]):
        assert contrast(colour, colours["paper"]) >= 4.5, (colour, colours["paper"])
    for colour in set(colours["marks"]):
        assert contrast(colour, colours["paper"]) >= 3, (colour, colours["paper"])
    shades = browser.ask(HEAT)
    assert len(set(rect for rect, text in shades)) == 7
    for rect, text in shades:
        assert contrast(rect, text) >= 4.5, (rect, text)
    return colours["paper"]


TEXTS = """
return [...document.querySelectorAll('.chart text')].map(text => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
});
"""


def check_phone(browser):
    assert browser.ask("return document.documentElement.scrollWidth") <= 390
    sizes = browser.ask(TEXTS)
    assert min(sizes) >= 8.5, min(sizes)
    assert browser.ask("return Math.min(...[...document.querySelectorAll('th button')].map(b => b.offsetHeight))") >= 24
