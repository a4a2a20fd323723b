"""The terms of a follower, from settings."""

from django.conf import settings

from discovery.analysis.follower import FollowTerms


def follow_terms() -> FollowTerms:
    """Return stake and costs as they are set."""
    return FollowTerms(
        stake_lamports=settings.FOLLOW.stake_lamports,
        cost_lamports=settings.FOLLOW.cost_lamports,
    )
