"""Structure: what of the network can be pruned, how far, what cannot be pruned and why."""

import streamlit as st

from app.curves import budget_curve
from app.views.structure import show_exceptions, show_groups, show_stays, show_together
from app.widgets.page import require_study, run_page
from app.widgets.study import constraints_note, heading
from app.words import plain
from legr.charts.structure import facts_lines


def page() -> None:
    study = require_study()
    heading(study)
    constraints_note(study)
    ranking = study.default_ranking
    curve = budget_curve(study, ranking)
    st.write("  \n".join(map(plain, facts_lines(curve, ranking, study.info.self_check))))
    st.caption("A unit is the smallest set of channels that can be removed: always together, never in part.")
    show_stays(curve.structure)
    show_together(curve.structure)
    show_exceptions(curve.structure)
    show_groups(curve.structure, study.path.name)


run_page(page, "pages/structure.py")
