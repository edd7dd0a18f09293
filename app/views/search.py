"""The settings of a search for a ranking, on the Learn page."""

from dataclasses import replace

import streamlit as st

from app.profiles import profiled_devices
from app.views.learned import NAMES
from app.widgets.images import NO_IMAGES
from app.words import plain
from legr.errors import LegrError
from legr.escape import on_one_line
from legr.progress import duration
from legr.requests.learn import LearnRequest
from legr.requests.ranges import IMAGES, PASSES, SEED
from legr.search.methods import is_offered
from legr.study.device_choice import profile_id
from legr.study.device_profile import DeviceProfile
from legr.study.pass_times import seconds_per_pass
from legr.study.records import EFFORTS, Learned, SearchSettings
from legr.study.store import Study

WHOLE, ONE, OTHER = "Whole slider", "One budget", "Other"
_MACS = ""  # the name of no device
_METHODS = ("gradient", "evolution")  # rl, which needs one budget and an extra, is left to the command line
_USUAL_BUDGET = 0.3  # fraction of the MACs that is offered first


def search_form(study: Study, available: bool) -> LearnRequest | None:
    """The settings of a search and the button that starts it.

    Args:
        available: whether the images are on this machine.

    Returns:
        The request once the button is pressed, else None.
    """
    learned = study.learned
    last = learned.settings if learned else SearchSettings()
    if not is_offered(last) or last.method not in _METHODS:
        last = SearchSettings()
    with st.container(border=True):
        usual, foot = st.container(), st.container(horizontal=True, vertical_alignment="center")
        button = foot.empty()  # of what the settings around it say
        with foot.popover("More settings", type="tertiary"):
            settings = _choose_images_and_seed(_choose_method(last))
            settings = _choose_blocks(study, settings)
        goal, effort_place = usual.columns([2, 3], gap="large")
        with goal:
            settings = _choose_budgets(_choose_cost(study, settings))
        with effort_place:
            found = study.map_of(settings.ranking)
            continued = found if found and found.settings == settings else None
            passes_spent = continued.passes_spent[-1] if continued else 0.0
            effort = _choose_effort(study, settings.method, passes_spent)
        reason = _why_done(continued, effort) if available else NO_IMAGES
        label = f"Continue to {effort} passes" if passes_spent else "Start learning"
        help_text = plain(reason) if reason else None
        if not button.button(plain(label), type="primary", disabled=reason is not None, help=help_text):
            return None
    return LearnRequest.for_settings(settings, effort, measure=True)


def _why_done(learned: Learned | None, effort: int) -> str | None:
    """Why a search need not go on to some effort; None where it can.

    Args:
        learned: the result of the search so far; None where it has not begun.
    """
    if learned and learned.settled:
        return "This search has settled: the kept channels no longer change. Choose another seed to start a new one."
    if learned and effort <= learned.passes_spent[-1]:
        return f"{learned.passes_spent[-1]:.0f} passes are done: choose more of them to continue."
    return None


def _choose_method(last: SearchSettings) -> SearchSettings:
    method = st.segmented_control(
        "Method",
        _METHODS,
        default=last.method,
        required=True,
        key="method",
        format_func=NAMES.__getitem__,
        help="Gradient: follows the gradient of the loss with respect to the filters' masks, and needs a fraction of "
        "the time. Evolution: the paper's method, which mutates the best candidates.",
    )
    return last if method == last.method else SearchSettings(method=method)


def _choose_cost(study: Study, settings: SearchSettings) -> SearchSettings:
    """At what candidates are compared: MACs, or the latency of a device that has a profile."""
    profiles = {device.profile.name: device.profile for device in profiled_devices(study).values()}
    if not profiles:
        return replace(settings, cost="macs", device_profile="", profile_id="")
    costs = [_MACS, *profiles]
    last = settings.device_profile if settings.cost == "latency" else _MACS
    chosen = st.selectbox(
        "Compare networks at equal",
        costs,
        index=costs.index(last) if last in costs else 0,
        key=f"cost-{study.path.name}",
        format_func=lambda name: "MACs" if name == _MACS else on_one_line(_latency_on(profiles[name])),
        help="At equal latency the ranking learns what makes networks fast on this device; its channels are rounded to "
        "what the device likes.",
    )
    if chosen == _MACS:
        return replace(settings, cost="macs", device_profile="", profile_id="")
    return replace(settings, cost="latency", device_profile=chosen, profile_id=profile_id(profiles[chosen]))


def _latency_on(profile: DeviceProfile) -> str:
    return f"latency on {profile.name}, {profile.conditions.runtime}"


def _choose_budgets(settings: SearchSettings) -> SearchSettings:
    goals = [WHOLE, ONE] + ([OTHER] if len(settings.budgets) > 1 else [])
    current_goal = {0: WHOLE, 1: ONE}.get(len(settings.budgets), OTHER)
    goal = st.segmented_control(
        "Learn for",
        goals,
        default=current_goal,
        required=True,
        key="goal",
        help="A ranking learned for one budget is better at this budget and worse at others.",
    )
    if goal == OTHER:
        st.caption(", ".join(f"{100 * budget:g} %" for budget in settings.budgets))
        return settings
    if goal == WHOLE:
        return replace(settings, budgets=())
    fraction = settings.budgets[0] if len(settings.budgets) == 1 else _USUAL_BUDGET
    percent = st.number_input(
        f"Budget, % of the {'MACs' if settings.cost == 'macs' else 'latency'}",
        min(1.0, 100 * fraction),
        100.0,
        100 * fraction,
        1.0,
        "%.1f",
        width=220,
    )
    return replace(settings, budgets=(float(f"{percent / 100:.6g}"),))  # without the rounding error of the division


def _choose_images_and_seed(settings: SearchSettings) -> SearchSettings:
    images = st.number_input(
        "Held-out images",
        IMAGES.low,
        IMAGES.high,
        settings.images,
        500,
        help="The study may have fewer of them; then it takes all.",
    )
    seed = st.number_input("Seed", SEED.low, SEED.high, settings.seed, help="The same seed gives the same ranking.")
    return replace(settings, images=int(images), seed=int(seed))


def _choose_blocks(study: Study, settings: SearchSettings) -> SearchSettings:
    try:
        blocks_can_leave = bool(study.structure.branches)
    except LegrError:  # a damaged structure is said where it is needed
        blocks_can_leave = False
    if not blocks_can_leave:
        return replace(settings, blocks=False)
    blocks = st.checkbox(
        "Let whole blocks leave",
        settings.blocks or study.constraints.blocks,
        key=f"search-blocks-{study.path.name}",
        help="The networks that are compared may lose whole blocks, so the ranking learns which. Choose it where the "
        "study's networks may: Whole blocks may leave, in the table of layers on Explore.",
    )
    return replace(settings, blocks=blocks)


def _choose_effort(study: Study, method: str, passes_spent: float) -> int:
    efforts = EFFORTS[method]
    seconds = seconds_per_pass(study, method)

    def label(name: str) -> str:
        if name not in efforts:
            return name
        passes_left = efforts[name] - passes_spent
        if passes_left <= 0:
            return f"{name} (done)"
        return f"{name} ({duration(passes_left * seconds) if seconds else f'{efforts[name]} passes'})"

    usual = next((name for name, passes in efforts.items() if passes > passes_spent and name != "Quick"), OTHER)
    effort = st.segmented_control(
        "Effort",
        [*efforts, OTHER],
        default=usual,
        required=True,
        key=f"effort-{method}-{passes_spent:g}",
        wrap=True,
        format_func=label,
        help="Counted in passes: one network over the held-out images once. Times are those of this machine, "
        "or else of the machine that learned the ranking.",
    )
    if effort in efforts:
        return efforts[effort]
    return int(st.number_input("Passes", PASSES.low, PASSES.high, max(2 * int(passes_spent), 100), 50, width=220))
