"""The page in a real browser, opened from the file system, at the width of a phone and of a desktop."""

import importlib.util

import pytest

PHONE, DESKTOP = {"width": 375, "height": 667}, {"width": 1280, "height": 800}


def open_page(browser, path, **options):
    page = browser.new_context(offline=True, **options).new_page()
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    page.on("requestfailed", lambda request: page.failures.append(request.url))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_network_or_error_and_fits_the_width(browser, written, size, scheme):
    for path in written.values():
        page = open_page(browser, path, viewport=size, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.failures == []
        ink, paper = (
            page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor")
        )
        assert (
            _lightness(ink) < _lightness(paper) if scheme == "light" else _lightness(ink) > _lightness(paper)
        )
        page.context.close()


def test_how_long_it_takes_to_open_is_measured(browser, written, record_property):
    page = open_page(browser, written["en"], viewport=DESKTOP)  # a limit would measure the machine's load
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    record_property("milliseconds to open", timing["domContentLoadedEventEnd"])
    page.context.close()


def test_it_can_be_read_without_a_script(browser, written):
    page = open_page(browser, written["en"], java_script_enabled=False)
    rows = page.locator("#runs tbody tr")
    assert rows.count() == 100
    assert rows.first.is_visible()
    assert page.locator(".filters").count() == 0
    view = page.locator("#run-exp0-000018")
    assert view.is_visible()
    assert view.locator("svg").first.is_visible()
    page.context.close()


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(browser, written):
    page = open_page(browser, written["en"])
    heading = page.locator("#runs thead th", has_text="BLEU")
    for order in ("ascending", "descending"):
        heading.get_by_role("button").click()
        shown = [
            float(text.split()[0])
            for text in page.locator("#runs tbody td:nth-child(5)").all_inner_texts()
            if text != "–"
        ]
        assert shown == sorted(shown, reverse=order == "descending")
        assert heading.get_attribute("aria-sort") == order
    page.context.close()


def test_words_and_a_verdict_filter_the_runs(browser, written):
    page = open_page(browser, written["en"])
    rows = page.locator("#runs tbody tr:visible")
    page.get_by_role("searchbox").fill("exp3- rehearsal")
    assert rows.count() > 0
    assert all("exp3-" in text and "rehearsal" in text for text in rows.all_inner_texts())
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("fail")
    assert 0 < rows.count() < 100
    assert all("TXT001" in text for text in rows.all_inner_texts())
    page.context.close()


def test_the_address_opens_a_run_and_keeps_the_filters(browser, written):
    page = open_page(browser, written["en"], viewport=DESKTOP)
    assert page.locator("section.view:visible").count() == 0
    page.get_by_role("searchbox").fill("exp0- real")
    page.get_by_role("combobox").select_option("fail")
    shown = page.locator("#runs tbody tr:visible").count()
    filtered = page.url
    assert filtered.endswith("#runs?q=exp0-+real&verdict=fail")
    page.goto(written["en"].as_uri() + "#run-exp0-000018")
    assert page.locator("section.view:visible").get_attribute("id") == "run-exp0-000018"
    assert not page.locator("#overview").is_visible()
    page.goto(filtered)
    page.reload()
    assert page.locator("#runs tbody tr:visible").count() == shown
    assert page.get_by_role("searchbox").input_value() == "exp0- real"
    assert page.failures == []
    page.context.close()


def test_everything_is_reached_by_the_keyboard(browser, written):
    page = open_page(browser, written["en"], viewport=DESKTOP)
    first = page.locator("#attention a").first
    first.focus()
    page.keyboard.press("Enter")
    view = page.locator("section.view:visible")
    assert view.get_attribute("id") == first.get_attribute("href")[1:]
    page.goto(written["en"].as_uri() + "#run-exp0-000018")
    plots = page.locator("section.view:visible .plots")
    plots.focus()
    for key in ("ArrowRight", "ArrowRight", "+", "0"):
        page.keyboard.press(key)
    assert "20" in plots.inner_text()  # the second checkpoint, under the cursor
    assert page.failures == []
    page.context.close()


@pytest.mark.skipif(
    importlib.util.find_spec("axe_playwright_python") is None,
    reason="axe is not installed: pip install axe-playwright-python",
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, written, scheme):
    from axe_playwright_python.sync_playwright import Axe

    for place in ("", "#run-exp0-000018"):
        page = open_page(browser, written["en"], viewport=DESKTOP, color_scheme=scheme)
        page.goto(written["en"].as_uri() + place)
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        page.context.close()


def _lightness(colour: str) -> float:
    """The mean of red, green and blue of `rgb(r, g, b)`."""
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]) / 3
