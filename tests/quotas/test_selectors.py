"""Whatever is asked about quotas is answered for just this persona and just this cluster."""

from __future__ import annotations

import itertools
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusters.models import Cluster
from permissions.models import Persona
from permissions.services import make_team, persona_of
from quotas.amounts import UNLIMITED, Amounts, Limits
from quotas.models import Claim
from quotas.selectors import (
    claimed_by,
    claims_by_cluster,
    claims_by_persona,
    default_of,
    has_limits,
    limits_by_cluster,
    limits_of,
    list_own_quotas,
    own_limits,
    own_limits_by_persona,
    room_of,
    standing_of,
)
from quotas.services import set_default, set_quota
from tests.factories import make_cluster, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F113", "F114")]
# Few values, so that two claims are often the same, and are two all the same.
LIMITS = st.builds(Limits, *[st.none() | st.integers(0, 3)] * 4)
AMOUNTS = st.builds(Amounts, *[st.integers(0, 2)] * 4)
PLACES = [(who, where) for who in range(3) for where in range(2)]
OWN = st.dictionaries(st.sampled_from(PLACES), LIMITS)
DEFAULTS = st.dictionaries(st.integers(0, 1), LIMITS)
CLAIMS = st.lists(st.tuples(st.sampled_from(PLACES), AMOUNTS), max_size=8)


@pytest.mark.long
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OWN, DEFAULTS, CLAIMS)
def test_each_answer_is_about_this_persona_on_this_cluster(
    own: dict[tuple[int, int], Limits],
    defaults: dict[int, Limits],
    claims: list[tuple[tuple[int, int], Amounts]],
) -> None:
    with transaction.atomic():
        clusters: list[Cluster] = [make_cluster(), make_cluster()]
        personas: list[Persona] = [persona_of(make_user()), persona_of(make_user()), persona_of(make_team("web"))]
        for (who, where), limits in own.items():
            set_quota(personas[who], clusters[where], limits)
        for where, limits in defaults.items():
            set_default(clusters[where], limits)
        for (who, where), amounts in claims:
            values = dict(zip(("memory_mib", "disk_mib", "vcpus", "machines"), amounts.values(), strict=True))
            Claim.objects.create(entry=uuid4(), persona=personas[who], cluster=clusters[where], **values)

        claimed = {place: sum((each for at, each in claims if at == place), Amounts()) for place in PLACES}
        keys = [each.pk for each in clusters]
        by_default = {keys[where]: limits for where, limits in defaults.items()}
        for who, where in PLACES:
            persona, cluster = personas[who], clusters[where]
            counts = own.get((who, where), defaults.get(where, UNLIMITED))
            assert limits_of(persona, cluster) == counts
            assert standing_of(persona, cluster) == (counts, claimed[who, where])
            assert claimed_by(persona, cluster) == claimed[who, where]
            assert own_limits(persona, cluster) == own.get((who, where))
            assert room_of(persona, cluster, Amounts(vcpus=1)) == counts.room(claimed[who, where] + Amounts(vcpus=1))
        for who, persona in enumerate(personas):
            theirs = {keys[where]: limits for (whose, where), limits in own.items() if whose == who}
            assert limits_by_cluster(persona) == (theirs, by_default)
            assert {each.cluster_id: each.limits for each in list_own_quotas(persona)} == theirs
            at = {keys[where]: claimed[who, where] for where in range(2) if any(p == (who, where) for p, _ in claims)}
            assert claims_by_cluster(persona) == at
        for where, cluster in enumerate(clusters):
            assert default_of(cluster) == defaults.get(where, UNLIMITED)
            here = {personas[who].pk: limits for (who, place), limits in own.items() if place == where}
            assert own_limits_by_persona(cluster) == here
            of = {
                personas[who].pk: claimed[who, where] for who in range(3) if any(p == (who, where) for p, _ in claims)
            }
            assert claims_by_persona(cluster) == of
        for some in itertools.chain.from_iterable(itertools.combinations(range(2), size) for size in range(3)):
            asked = Cluster.objects.filter(pk__in=[keys[where] for where in some])
            told = [limits for (_who, where), limits in own.items() if where in some]
            told += [limits for where, limits in defaults.items() if where in some]
            assert has_limits(asked) == any(limits != UNLIMITED for limits in told)
        transaction.set_rollback(True)
