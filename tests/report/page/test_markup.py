"""What the page is put together from, and that only its own scripts may run in it."""

import base64
import gzip
import hashlib
import re

from plotly.offline import get_plotlyjs

from sscd.report.contents import make_contents
from sscd.report.page import markup
from sscd.report.page.markup import SCRIPTS, STYLES, packed_plotly, render
from tests.report.page.systems import judged


def page() -> str:
    contents = make_contents([judged()], samples=0)
    return render(contents, data="{}", pictures="[]", plotly=packed_plotly()).decode()


def digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_every_file_is_used_once() -> None:
    static = markup._HERE / "static"
    assert sorted(path.name for path in static.iterdir()) == sorted((*STYLES, *SCRIPTS))
    for name in SCRIPTS:
        text = (static / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)


def test_plotly_is_its_own_script_packed() -> None:
    packed = packed_plotly()
    script = gzip.decompress(base64.b64decode(packed.packed)).decode()
    assert script == get_plotlyjs()
    assert packed.digest == digest(script)
    assert len(packed.packed) < 2_500_000


def test_the_policy_allows_the_two_scripts_of_the_page_and_no_more() -> None:
    text = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert f"script-src '{digest(script)}'" in policy[1]
    assert packed_plotly().digest in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1].partition("script-src")[2]


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert markup._score(-0.00001) == "0.0000"
    assert markup._signed(-0.00001) == "+0.0000"
    assert markup._score(-0.5) == "−0.5000"


def test_names_are_escaped() -> None:
    contents = make_contents([judged("<b>&'\"")], samples=0)
    text = render(contents, data="{}", pictures="[]", plotly=packed_plotly()).decode()
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;&#39;&#34;" in text
