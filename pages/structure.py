"""Structure: what of the network can be pruned, how far, what cannot be pruned and why."""

from app.budget_dial.view import chosen_ranking
from app.curves import budget_curve
from app.views.lane_map import show_lane_map
from app.views.side_by_side import show_side_by_side
from app.views.structure import show_exceptions, show_facts, show_groups, show_stays, show_together
from app.widgets.page import require_study, run_page
from app.widgets.study import constraints_note, heading


def page() -> None:
    study = require_study()
    heading(study)
    constraints_note(study)
    curve = budget_curve(study, study.default_ranking)
    show_facts(curve, study)
    show_lane_map(study, chosen_ranking(study))
    show_stays(curve.structure)
    show_together(curve.structure)
    show_exceptions(curve.structure)
    show_groups(curve.structure, study.path.name)
    show_side_by_side(study, chosen_ranking(study))


run_page(page, "pages/structure.py")
