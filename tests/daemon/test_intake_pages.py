"""The citizen's other pages: subjects that are searched for, and what becomes of personal data."""
import os
import re
import shutil

import pytest

from intake_world import ticket_id
from stack import CONFIG, Stack
from test_intake_report import SAID, number_on


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"]) as made:
        made.start()
        yield made


def found(stack, query, lang="tr"):
    answer = stack.http("intake", "GET", f"/report?lang={lang}&q={query}")
    assert answer.status == 200
    return re.findall(r'href="/report\?subject=([a-z0-9-]+)&amp;lang=' + lang, answer.text), answer.text


@pytest.mark.parametrize("query", ["%C3%A7%C3%B6p+topla", "COP%20TOPLA", "%C3%87%C3%96P%20Toplanmad%C4%B1",
                                   "rubbish+not", "%20%20topla++%C3%A7%C3%B6p", "c%CC%A7o%CC%88p+topla"])
def test_a_subject_is_found_however_it_is_typed(stack, query):
    codes, text = found(stack, query)
    assert "cop-alinmadi" in codes and len(codes) < 20
    assert f"Bulunan konu: {len(codes)}." in text
    every = found(stack, "")[0]
    assert len(every) > 50 and set(codes) < set(every)


def test_words_begin_and_all_are_needed(stack):
    assert "bulunamadı" in found(stack, "oplanmadi")[1], "not in the middle of a word"
    some = found(stack, "%C3%A7%C3%B6p")[0]
    assert set(found(stack, "%C3%A7%C3%B6p+konteyner")[0]) < set(some)


def test_nothing_found_shows_all_and_nothing_is_markup(stack):
    codes, text = found(stack, "%3Cscript%3Exyzzy%22", "en")
    assert "No such subject was found" in text and len(codes) > 50
    assert "<script>xyzzy" not in text and "&lt;script&gt;xyzzy&quot;" in text
    assert len(found(stack, "a" * 5000)[0]) > 50, "however long"


def test_pages_stay_small(stack):
    for path in ("/report", "/report?subject=cop-alinmadi", "/track", "/aydinlatma-metni"):
        page = stack.http("intake", "GET", path)
        parts = [page] + [stack.http("intake", "GET", found) for found in
                          set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text))]
        weight = sum(len(part.body) for part in parts)
        assert weight < 150 * 1024, (path, weight)


def test_the_information_text_is_the_municipality_s(stack):
    turkish = stack.http("intake", "GET", "/aydinlatma-metni")
    assert turkish.status == 200 and "<h1 class=\"small\">Kişisel verilerin korunması" in turkish.text
    assert "<h2>Veri sorumlusu</h2>" in turkish.text and "Sürüm: 2026-01" in turkish.text
    assert turkish.text.count("<ul>") == turkish.text.count("</ul>") == 1
    english = stack.http("intake", "GET", "/aydinlatma-metni?lang=en&version=2026-01").text
    assert "<h2>Data controller</h2>" in english and '<html lang="en">' in english
    for version in ("1999-01", "..%2fx", ""):
        assert stack.http("intake", "GET", f"/aydinlatma-metni?version={version}").status == 404


def test_a_contact_keeps_the_version_that_was_shown(stack, tmp_path):
    page = stack.http("intake", "GET", "/report?subject=cop-alinmadi").text
    assert 'href="/aydinlatma-metni?lang=tr"' in page
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    shown = re.search(r'name="information_version" value="([^"]+)"', page).group(1)
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    text = (folder / "information" / "2026-01.tr.txt").read_text(encoding="utf-8")
    (folder / "information" / "2026-02.tr.txt").write_text(text.replace("aydınlatma", "yeni aydınlatma"), "utf-8")
    settings = (folder / "municipality.csv").read_text(encoding="utf-8")
    (folder / "municipality.csv").write_text(settings.replace("version,2026-01", "version,2026-02"), "utf-8")
    stack.masa("config", "apply", str(folder))
    stack.wait(lambda: "yeni aydınlatma" in stack.http("intake", "GET", "/aydinlatma-metni").text, 20, "it is in force")
    assert "yeni" not in stack.http("intake", "GET", "/aydinlatma-metni?version=2026-01").text
    for said, kept in ((shown, "2026-01"), ("2031-01", "2026-02"), ("", "2026-02")):
        form = {**SAID, "token": token, "information_version": said}
        answer = stack.http("intake", "POST", "/report", form=form)
        assert stack.one("select information_version from turunc.contact where ticket_id = %s",
                         ticket_id(number_on(answer))) == kept
        token = re.search(r'name="token" value="([^"]+)"',
                          stack.http("intake", "GET", "/report?subject=cop-alinmadi").text).group(1)


@pytest.mark.parametrize("name, text, reason", [
    ("2026-01.tr.txt", None, "the file is missing"),
    ("2026-01.tr.txt", "Başlık", "there is nothing below the title"),
    ("2026-01.tr.txt", "\n\nmetin", "the first line is the title"),
    ("2026-01.de.txt", "Titel\n\nText", "the name is not information/VERSION.tr.txt"),
    ("2026-01.tr.txt", "Başlık\n\nx\x01", "control character"),
])
def test_masa_says_what_is_wrong_with_a_text(stack, tmp_path, name, text, reason):
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    path = folder / "information" / name
    if text is None:
        os.unlink(path)
    else:
        path.write_text(text, encoding="utf-8")
    checked = stack.masa("config", "check", str(folder), check=False)
    assert checked.returncode != 0 and reason in checked.stdout + checked.stderr


def test_the_map_is_there_or_not_and_the_position_is_typed_either_way(stack):
    page = stack.http("intake", "GET", "/report?subject=cop-alinmadi").text
    leaflet = stack.http("intake", "GET", "/assets/leaflet.js")
    assert ('class="map"' in page) == (leaflet.status == 200) == ("/assets/map.js" in page)
    assert leaflet.status == 200 and len(leaflet.body) > 100000 or leaflet.status == 404
    assert 'name="lat"' in page and 'name="long"' in page
    layer = stack.http("intake", "GET", "/report/neighbourhoods.json")
    assert layer.status == 200 and "not the official boundaries" in layer.json()["note"]
    assert {area["properties"]["code"] for area in layer.json()["features"]} == set(
        re.findall(r'<option value="([a-z0-9-]+)"', page[page.index('name="address_id"'):page.index('name="lat"')]))
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    form = {**SAID, "token": token, "lat": "36.8841", "long": "30.7056"}
    half = stack.http("intake", "POST", "/report?lang=tr", form={**form, "long": ""})
    assert half.status == 400 and "Konum: Enlem ve boylam birlikte yazılır." in half.text
    number = number_on(stack.http("intake", "POST", "/report?lang=tr", form=form))
    assert stack.sql("select latitude, longitude from turunc.contact where ticket_id = %s",
                     ticket_id(number)) == [(36.8841, 30.7056)]
