"""Keys that arrive in one packet, as they do over a slow link."""

from __future__ import annotations

from textual import events

from orchtui.tui.app import OrchtuiApp
from tests.support.memory import MemoryEngine
from tests.support.until import until
from tests.support.worlds import NOW, shop
from tests.tui.cells import text


async def test_what_is_typed_after_the_slash_goes_into_the_filter() -> None:
    app = OrchtuiApp(MemoryEngine(shop()), title_host="prod", clock=lambda: NOW)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(lambda: "shop/api" in text(app))
        await pilot.press("alt+2")
        for key, character in (("slash", "/"), *((letter, letter) for letter in "worker"), ("enter", "\r")):
            app.post_message(events.Key(key, character))  # all at once, not waiting as pilot.press does
        await until(lambda: "/worker" in text(app), what="the filter")
        await until(lambda: "▸ shop/worker" in text(app), what="the cursor back in the filtered table")
        assert "shop/db " not in text(app)


async def test_what_is_typed_after_enter_goes_to_the_table() -> None:
    app = OrchtuiApp(MemoryEngine(shop()), title_host="prod", clock=lambda: NOW)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(lambda: "shop/api" in text(app))
        await pilot.press("alt+2")
        for key, character in (("slash", "/"), ("a", "a"), ("p", "p"), ("i", "i"), ("enter", "\r"), ("d", "d")):
            app.post_message(events.Key(key, character))
        await until(lambda: type(app.screen).__name__ == "DescribeScreen", what="the description of what was found")


async def test_a_key_whose_widget_vanishes_does_not_stop_the_keyboard() -> None:
    app = OrchtuiApp(MemoryEngine(shop()), title_host="prod", clock=lambda: NOW)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(lambda: "shop/api" in text(app))
        await pilot.press("alt+2")
        for key, character in (("question_mark", "?"), ("escape", None), ("question_mark", "?"), ("escape", None)):
            app.post_message(events.Key(key, character))
        await until(lambda: app.screen is app.main)
        app.post_message(events.Key("slash", "/"))
        await until(lambda: "keep rows that match" in text(app))
