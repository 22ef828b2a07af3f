"""What was typed about a cluster that is not added yet: kept sealed, and not for long."""

import time

import time_machine

from clusters.operations.drafts import LIFETIME_S, open_draft, seal_draft
from clusters.operations.wanted import ClusterSettings

WANTED = ClusterSettings(slug="lab", host="ganeti.example.org", username="gwm", password="unheard of")


def test_it_is_good_for_a_quarter_of_an_hour() -> None:
    token = seal_draft(WANTED)
    assert LIFETIME_S == 15 * 60
    with time_machine.travel(time.time() + LIFETIME_S - 5, tick=False):
        assert open_draft(token) == WANTED
    with time_machine.travel(time.time() + LIFETIME_S + 5, tick=False):
        assert open_draft(token) is None


def test_it_shows_nothing_and_is_not_to_be_made_by_anybody_else() -> None:
    token = seal_draft(WANTED)
    assert "unheard of" not in token and "ganeti" not in token
    for other in (None, "", 7, token[:-4], token.replace("sealed1:", ""), "sealed1:abc"):
        assert open_draft(other) is None
