"""The tokens of the past of world `small`."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class PastToken:
    """A short life: a rise, a time at the top, twenty minutes of fall, then hours with
    few trades.
    """

    symbol: str
    launch_days: float  # before the world's end
    rise_minutes: int  # from the launch to the top
    top_sol: (
        float  # in the curve at the top; a token that migrates continues in its pool
    )
    hold_minutes: int  # at the top
    rest_sol: float  # that stay after the fall
    total_hours: float  # from the launch to the last trade
    is_token_2022: bool = False
    has_usdc_quote: bool = False
    migrates: bool = False


PAST_TOKENS = (
    PastToken(
        symbol="DUSTY",
        launch_days=38.6,
        rise_minutes=18,
        top_sol=34,
        hold_minutes=60,
        rest_sol=3,
        total_hours=26,
    ),
    PastToken(
        symbol="OLDHAT",
        launch_days=36.9,
        rise_minutes=22,
        top_sol=52,
        hold_minutes=90,
        rest_sol=4,
        total_hours=30,
        is_token_2022=True,
    ),
    PastToken(
        symbol="BYGONE",
        launch_days=35.1,
        rise_minutes=16,
        top_sol=27,
        hold_minutes=45,
        rest_sol=2.5,
        total_hours=22,
    ),
    PastToken(
        symbol="YORE",
        launch_days=33.4,
        rise_minutes=24,
        top_sol=60,
        hold_minutes=120,
        rest_sol=5,
        total_hours=40,
    ),
    PastToken(
        symbol="FOSSIL",
        launch_days=31.5,
        rise_minutes=20,
        top_sol=86,
        hold_minutes=100,
        rest_sol=21,
        total_hours=44,
        migrates=True,
    ),
    PastToken(
        symbol="RELIC",
        launch_days=29.8,
        rise_minutes=18,
        top_sol=30,
        hold_minutes=50,
        rest_sol=3,
        total_hours=24,
        is_token_2022=True,
    ),
    PastToken(
        symbol="ERSTWHILE",
        launch_days=28.2,
        rise_minutes=21,
        top_sol=44,
        hold_minutes=80,
        rest_sol=3.5,
        total_hours=28,
    ),
    PastToken(
        symbol="LASTYEAR",
        launch_days=26.3,
        rise_minutes=17,
        top_sol=38,
        hold_minutes=70,
        rest_sol=3,
        total_hours=26,
        has_usdc_quote=True,
    ),
    PastToken(
        symbol="MAMMOTH",
        launch_days=24.7,
        rise_minutes=25,
        top_sol=64,
        hold_minutes=140,
        rest_sol=5,
        total_hours=46,
        is_token_2022=True,
    ),
    PastToken(
        symbol="DODO",
        launch_days=22.9,
        rise_minutes=16,
        top_sol=25,
        hold_minutes=40,
        rest_sol=2.5,
        total_hours=20,
    ),
    PastToken(
        symbol="PASSE",
        launch_days=21.2,
        rise_minutes=20,
        top_sol=48,
        hold_minutes=90,
        rest_sol=4,
        total_hours=36,
    ),
    PastToken(
        symbol="QUAGGA",
        launch_days=19.4,
        rise_minutes=22,
        top_sol=86,
        hold_minutes=110,
        rest_sol=22,
        total_hours=40,
        is_token_2022=True,
        migrates=True,
    ),
    PastToken(
        symbol="RETRO",
        launch_days=17.7,
        rise_minutes=19,
        top_sol=36,
        hold_minutes=60,
        rest_sol=3,
        total_hours=24,
    ),
    PastToken(
        symbol="STALE",
        launch_days=15.9,
        rise_minutes=18,
        top_sol=29,
        hold_minutes=55,
        rest_sol=3,
        total_hours=22,
    ),
    PastToken(
        symbol="AUROCHS",
        launch_days=14.3,
        rise_minutes=23,
        top_sol=56,
        hold_minutes=110,
        rest_sol=4.5,
        total_hours=38,
        is_token_2022=True,
    ),
    PastToken(
        symbol="FADED",
        launch_days=12.6,
        rise_minutes=17,
        top_sol=33,
        hold_minutes=65,
        rest_sol=3,
        total_hours=24,
    ),
    PastToken(
        symbol="THYLACINE",
        launch_days=10.9,
        rise_minutes=21,
        top_sol=46,
        hold_minutes=85,
        rest_sol=4,
        total_hours=28,
    ),
    PastToken(
        symbol="LASTWEEK",
        launch_days=9.4,
        rise_minutes=19,
        top_sol=40,
        hold_minutes=70,
        rest_sol=3.5,
        total_hours=20,
        is_token_2022=True,
    ),
)
