"""axe-core in a page: what it finds against WCAG 2.2 A and AA, and its best practices."""

from pathlib import Path

SOURCE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
#: What another theme can break of a page that is right in one: themes change nothing but colours.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# At once, and without the transitions by which colours change: they would be measured half way. One that ends may
# start another in what inherits from it.
SHOW = """theme => {
    document.documentElement.dataset.theme = theme;
    for (let round = 0; round < 10; round++) {
        const changing = document.getAnimations().filter(each => each instanceof CSSTransition);
        if (!changing.length) return;
        for (const each of changing) each.finish();
        getComputedStyle(document.body).color;
    }
}"""


def check(page, within=None, rules=None):
    """Violations on `page` (a Playwright page): "rule: what (element)" for each; an empty list is what we want.

    `within` is a CSS selector to look only there, `rules` are those to look for instead of all. Evaluated over the
    debugging protocol, so that the page's content policy stays as it is.
    """
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(SOURCE.read_text())
    found = page.evaluate(
        """async ([within, only]) => (await window.axe.run(within ?? document, {
            runOnly: only, resultTypes: ["violations"]})).violations""",
        [within, {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}],
    )
    return [
        f"{rule['id']}: {rule['help']} ({node['html'][:160]}) {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
