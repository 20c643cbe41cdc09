"""What was typed comes back into the form in which it stood, whatever its fields are, and into no other."""

from __future__ import annotations

from html import unescape

from appliance.ui.forms.filling import fill

PAGE = """<h1>Edit</h1>
<form method="get" action="/people/1/edit"><input name="name" value="of a search"></form>
<form method="post" action="/people/1/edit"><button>Only a button</button></form>
<details class="more"><summary>More</summary>
<form class="card" method="post" action="edit"><input type="hidden" name="key" value="new"><input type="hidden" name="shown" value="{}">
<input id="name" name="name" type="text" value="Rahima" required>
<input name="phone" type="tel" value="">
<input type="password" name="password">
<input type="checkbox" name="vip" value="1" checked><input type="checkbox" name="day" value="1"><input type="checkbox" name="day" value="2">
<input type="radio" name="how" value="a" checked><input type="radio" name="how" value="b">
<select name="group"><option value="1" selected>One</option><option value="2">Two &amp; a half</option></select>
<select name="other"><option value="1" selected>One</option></select>
<textarea name="note" rows="2">before</textarea>
</form></details>
<form method="post" action="/people/1/edit"><input name="name" value="another form"></form>
"""
TYPED = (
    ("key", "old"), ("shown", '{"a": "b"}'), ("name", '"><script>x</script>'), ("phone", "0171"), ("password", "secret"),
    ("day", "2"), ("how", "b"), ("group", "2"), ("note", "two\nlines & <b>"),
)  # fmt: skip


def test_every_kind_of_field_is_as_it_was_left() -> None:
    filled = fill(PAGE, "/people/1/edit", "/people/1/edit", TYPED, "<p>NOTE</p>")

    assert filled is not None
    assert (
        '<input id="name" name="name" type="text" value="&quot;&gt;&lt;script&gt;x&lt;/script&gt;" required="">'
        in filled
    )
    assert '<input name="phone" type="tel" value="0171">' in filled
    assert '<input type="password" name="password">' in filled
    assert 'name="key" value="new"' in filled
    assert unescape(filled).count('name="shown" value="{"a": "b"}"') == 1
    assert '<input type="checkbox" name="vip" value="1">' in filled
    assert (
        '<input type="checkbox" name="day" value="1"><input type="checkbox" name="day" value="2" checked="">' in filled
    )
    assert '<input type="radio" name="how" value="a"><input type="radio" name="how" value="b" checked="">' in filled
    assert '<option value="1">One</option><option value="2" selected="">Two &amp; a half</option>' in filled
    assert '<select name="other"><option value="1" selected>One</option></select>' in filled
    assert '<textarea name="note" rows="2">\ntwo\nlines &amp; &lt;b&gt;</textarea>' in filled
    assert '<details class="more" open>' in filled
    assert filled.count("<p>NOTE</p>") == 1
    assert '<form class="card" method="post" action="edit"><p>NOTE</p><input type="hidden"' in filled
    assert 'value="of a search"' in filled
    assert 'value="another form"' in filled


def test_a_page_without_that_form_stays_as_it_is() -> None:
    assert fill(PAGE, "/people/1/edit", "/people/1/leave", TYPED, "NOTE") is None
    assert fill("", "/", "/", TYPED, "NOTE") is None
