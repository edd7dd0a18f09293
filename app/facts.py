"""A study in words: network, images and ranking; no Streamlit."""

from legr.ranking.limits import Budget
from legr.study.records import RankingName, StudyInfo
from legr.study.store import Study
from legr.study.title import study_title


def title_of(study: Study) -> str:
    """What a person would call a study."""
    return study_title(study.path.name, study.info.model, study.info.data_name)


def facts_of(study: Study) -> list[str]:
    """Name, network, images and ranking of a study, one line each."""
    learned = study.learned
    words = loss_in_words(learned.identity_loss, learned.best_loss) if learned else ""
    ranking = f"ranking learned: {words}" if learned else "nothing learned yet"
    kind = ["sample, read-only"] if study.info.sample else []
    return [study.path.name, network_description(study.info), ranking, *kind]


def loss_in_words(identity: float, best: float) -> str:
    """How much a search has gained.

    Args:
        identity: loss of the identity, which ranks by plain norms.
        best: the best loss found.
    """
    if not 0 <= best < identity:
        return "no less loss than with plain norms"
    return f"{100 * (1 - best / identity):.1f} % less loss than with plain norms"


def network_name(study: Study, budget: Budget, ranking: RankingName | None) -> str:
    """A budget's network in a few words, such as "25 %"; a ranking is named where it is not the study's default.

    Args:
        ranking: None: the study's default one.
    """
    macs = budget.macs if budget.stated.keys() == {"macs"} else None
    name = budget.words if macs is None else f"{100 * macs:g} %"
    return name if ranking in (None, study.default_ranking) else f"{name} ({ranking})"


def network_description(info: StudyInfo) -> str:
    """Network and images of a study."""
    size = "x".join(str(n) for n in info.input_shape[1:])
    earlier = f", pruned before to {100 * info.pruned_to:.1f} % of its MACs" if info.pruned_to is not None else ""
    return f"{info.model}{earlier} · {info.data_name}, {_classes(info)}, {size}"


def _classes(info: StudyInfo) -> str:
    """How many classes the network distinguishes, and of how many."""
    of_all = f" of {len(info.all_classes)}" if info.all_classes else ""
    return f"{info.num_classes}{of_all} classes"
