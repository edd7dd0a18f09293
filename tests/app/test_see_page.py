"""The page See it: predictions for a chosen image, a stored comparison, and a sentence where something is missing."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from legr.charts.measurements import percent_of
from legr.commands.questions import Answer, LookResult, Picture, Prediction, Question
from legr.ranking.limits import Budget
from legr.requests.measure import ClassesRequest
from legr.structure.cost import cost
from legr.study.along import PredictionsAlong, save_along
from legr.study.comparison import ComparedNetwork, comparison_name, save_comparison, save_original
from legr.study.heights import structures_by_height
from legr.study.store import Study, keep_id
from legr.study.supernets import supernets
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_finetuned, add_sizes, add_supernet
from tests.app.test_explore_page import dial
from tests.app.test_job_panel import alive, write_job
from tests.study.along_by_hand import CHANGED_FIRST, OF_CLASSES, along
from tests.study.comparison_by_hand import COUNTS, comparison


def picture(side: int = 4) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (9, 8, 7)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


class Networks:
    """Stands in for the process that keeps networks; the files it is told of are read at once."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.contents: list[bytes] = []  # of files

    def start(self) -> None:
        pass

    def ask(self, question: Question, show: Callable[[Picture], None]) -> Answer:
        self.asked.append(question)
        is_file, number = question.image is not None, question.test_image
        if question.image:
            self.contents.append(Path(question.image).read_bytes())
            if self.contents[-1] == b"bad":
                return Answer(0, sentence="the file is no PNG, JPEG, WebP or BMP image; save the picture as one")
        seen = Picture(
            label=None if is_file else 3, test_image=number, test_images=None if is_file else 359,
            preparation="4 x 4 pixels", network_input=picture(), file_image=picture() if is_file else None,
        )  # fmt: skip
        show(seen)
        result = LookResult(
            **vars(seen), original=(Prediction(3, "3", 0.75), Prediction(1, "1", 0.25)),
            pruned=(Prediction(5, "5", 0.5), Prediction(3, "3", 0.5)), macs_fraction=0.5, ranking="learned",
            finetuned=True, epochs=3, recalibrated=True, statistics_known=not is_file,
        )  # fmt: skip
        return Answer(0, result=result)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    stand_in = Networks()
    monkeypatch.setattr("app.views.one_image.NETWORKS", stand_in)
    return stand_in


def compared(path: Path, budget: float = 0.5, *, finetuned: bool = True) -> str:
    """Store a made-up comparison for the network of a budget."""
    study = Study.open(path)
    curve = study.curve()
    step = curve.step(macs=budget)
    keep, fraction = curve.keep(step), float(curve.macs[step] / curve.macs[0])
    run = study.best_finetuned(keep) if finetuned else None
    network = ComparedNetwork(study.default_ranking, fraction, keep_id(keep), run is not None, True)
    found = replace(comparison(), network=network)
    save_original(study, found.labels, found.original)
    save_comparison(study, comparison_name(keep, run), found)
    return comparison_name(keep, run)


def texts(at: AppTest) -> str:
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.success, *at.warning, *at.info))


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def who_is_right(at: AppTest) -> Any:
    return next(c for c in at.segmented_control if c.label == "Who is right")


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def test_the_dial_says_what_the_networks_on_screen_reach_and_not_what_they_could(
    open_app: OpenApp, studies: Path
) -> None:
    add_finetuned(Study.open(studies / "demo"), budget=0.3, top1=0.85)
    promised, shown = (dial(open_app(page))["table"] for page in ("finetune", "see"))
    assert shown["after_measured"] == promised["after_measured"]
    assert {row for row, top1 in enumerate(shown["after"]) if top1 is not None} == set(shown["after_measured"])
    assert sum(top1 is not None for top1 in promised["after"]) > len(promised["after_measured"])


def test_nothing_is_asked_before_an_image_is_chosen(open_app: OpenApp, networks: Networks, studies: Path) -> None:
    at = open_app("see")
    assert not at.exception and not at.error and not networks.asked
    assert "Drop a picture, or take a test image" in texts(at)
    curve = Study.open(studies / "demo").curve()
    percent = 100 * curve.macs[curve.step(macs=0.5)] / curve.macs[0]
    assert f"Beside the original: learned ranking, {percent:.1f} % of the MACs, fine-tuned for 3 epochs." in texts(at)
    assert at.number_input[0].label == "A test image, 1 to 1,000"
    at.segmented_control(key="images-demo").set_value("all").run()
    assert "Not compared yet" in texts(at) and "Drop a picture" not in texts(at)
    assert at.query_params["images"] in ("all", ["all"])


def test_a_test_image_is_asked_once(open_app: OpenApp, networks: Networks, studies: Path) -> None:
    at = open_app("see", budget="50")
    at.number_input[0].set_value(17).run()
    assert not at.exception and not at.error
    usual = {"budget": {"macs": 0.5}, "ranking": "learned"}
    study = Study.open(studies / "demo")
    keep = study.curve("learned").at(Budget(macs=0.5))
    tuned, cut = comparison_name(keep, study.best_finetuned(keep)), comparison_name(keep, None)
    assert networks.asked == [Question(str(study.path), usual, test_image=17, network=tuned)]
    assert at.warning[0].value == "They disagree: the original is right with 3; the pruned network says 5."
    assert "Test image 17 of 359: 3" in str(at.image[0].proto)
    at.run()
    assert len(networks.asked) == 1
    at.segmented_control(key="weights-demo").set_value("pruned").run()
    as_cut = usual | {"finetuned": False}
    assert networks.asked[1:] == [Question(str(study.path), as_cut, test_image=17, network=cut)]
    assert "as pruned, not fine-tuned" in texts(at)
    assert at.query_params["weights"] in ("pruned", ["pruned"])
    press(at, "Another")
    assert 1 <= at.number_input[0].value <= 359  # what the first answer has told


def test_a_picture_of_ones_own(open_app: OpenApp, networks: Networks) -> None:
    at = open_app("see")
    at.number_input[0].set_value(4).run()
    at.file_uploader[0].set_value(("../../evil.png", b"bytes of a picture", "image/png")).run()
    assert not at.exception and not at.error
    asked = networks.asked[1]
    assert networks.contents == [b"bytes of a picture"] and "evil" not in str(asked)
    assert asked.image and Path(asked.image).name == "image" and not Path(asked.image).exists()
    assert "the original says 3 (75.0 %); the pruned network says 5 (50.0 %)" in at.warning[0].value
    assert "4 x 4 pixels" in texts(at) and "one of 10 classes: 0, 1, 2" in texts(at)
    assert "the images to recalibrate them with are not on this machine" in texts(at)


def test_what_was_chosen_last_is_all_that_stands_there(open_app: OpenApp, networks: Networks) -> None:
    at = open_app("see")
    at.number_input[0].set_value(4).run()
    at.file_uploader[0].set_value(("a.png", b"a picture", "image/png")).run()
    assert at.number_input[0].value is None and networks.asked[-1].image
    at.number_input[0].set_value(2).run()
    assert at.file_uploader[0].value is None and networks.asked[-1].test_image == 2
    at.file_uploader[0].set_value(("b.png", b"another", "image/png")).run()
    assert networks.contents == [b"a picture", b"another"] and at.number_input[0].value is None
    press(at, "Another")
    assert at.file_uploader[0].value is None and networks.asked[-1].test_image == at.number_input[0].value
    at.file_uploader[0].set_value(("b.png", b"another", "image/png")).run()
    at.file_uploader[0].clear().run()
    assert "Drop a picture" in texts(at) and not at.warning and len(at.image) == 0


def test_while_the_networks_are_run_the_new_picture_stands_beside_no_answer(
    open_app: OpenApp, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_app("see")
    at.number_input[0].set_value(4).run()
    assert at.warning and len(at.image) == 1

    def fail_after_the_picture(question: Question, show: Callable[[Picture], None]) -> Answer:
        Networks().ask(question, show)
        return Answer(0, sentence="the process that runs the networks ended unexpectedly")

    monkeypatch.setattr(networks, "ask", fail_after_the_picture)
    at.number_input[0].set_value(5).run()
    assert not at.exception and not at.warning and not at.info
    assert [e.value for e in at.error] == ["The process that runs the networks ended unexpectedly."]
    assert "Test image 5 of 359" in str(at.image[0].proto)
    shown = [json.loads(part.proto.json) for part in at.get("bidi_component")]
    charts = [json.loads(part["figure"]) for part in shown if "figure" in part]
    assert [len(chart["data"][0]["x"]) for chart in charts] == [0, 0]


def test_what_is_no_picture_is_one_sentence(open_app: OpenApp, networks: Networks) -> None:
    at = open_app("see")
    at.file_uploader[0].set_value(("text.png", b"bad", "image/png")).run()
    assert not at.exception
    assert [e.value for e in at.error] == ["The file is no PNG, JPEG, WebP or BMP image; save the picture as one."]
    at.run()
    assert len(networks.asked) == 2  # an error is not remembered


def test_without_test_images_a_picture_still_works(open_app: OpenApp, networks: Networks, studies: Path) -> None:
    compared(studies / "elsewhere")
    at = open_app("see", study="elsewhere")
    assert at.number_input[0].disabled and "get the images first, under All test images" in at.number_input[0].label
    assert not [b for b in at.button if b.label == "Another"]
    at.file_uploader[0].set_value(("a.png", b"content", "image/png")).run()
    assert not at.exception and not at.error and networks.contents == [b"content"]
    at = open_app("see", study="elsewhere", images="all")
    assert any("are not on this machine" in text.value for text in at.markdown)
    assert [m.value for m in at.metric] == [str(n) for n in COUNTS.values()]  # stored comparisons show
    assert not [name for name in labels(at) if name.startswith("See no.")]
    at = open_app("see", study="elsewhere", budget="30", images="all")
    assert next(b for b in at.button if b.label == "Compare on all test images").disabled


def test_a_comparison_is_started_for_the_network_on_screen(
    open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[Path, str, list[str]]] = []
    monkeypatch.setattr(
        "app.views.job_panel.start",
        lambda study, request: started.append((study.path, request.command, request.arguments())),
    )
    press(open_app("see", images="all", budget="30"), "Compare on all test images")
    expected = ["--macs", "0.3", "--ranking", "learned", "--no-finetuned"]
    assert started == [(studies / "demo", "compare", expected)]
    press(open_app("see", images="all", study="shown", budget="30"), "Compare on all test images")
    assert started[1] == (studies / "shown", "compare", expected) and not Study.open(studies / "shown").info.sample


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "own", "others"),
    [
        (("--macs", "0.3", "--ranking", "learned", "--no-finetuned"), {"budget": "30"}, ({"budget": "31"}, {})),
        (
            ("--macs", "0.5", "--device", "auto", "--finetuned"),  # as typed: the ranking is the usual one
            {"budget": "50"},
            ({"budget": "50", "weights": "pruned"}, {"budget": "50", "ranking": "uniform"}),
        ),
        (("--macs", "0.5", "--ranking", "learned", "--no-finetuned"), {"budget": "50", "weights": "pruned"}, ({},)),
        (("--macs", "0.0001"), None, ({"budget": "30"},)),  # no network is as small
    ],
)
def test_how_a_comparison_ended_is_said_where_its_network_is_shown(
    open_app: OpenApp,
    studies: Path,
    arguments: tuple[str, ...],
    own: dict[str, str] | None,
    others: tuple[dict[str, str], ...],
) -> None:
    write_job(
        studies / "demo", "compare", arguments=arguments, state="cancelled", stage="test image", done=64, total=359
    )
    for query in others:
        at = open_app("see", images="all", **query)
        assert not at.exception and not at.warning and "Resume" not in labels(at)
        assert "Compare on all test images" in labels(at)
    if own is not None:
        at = open_app("see", images="all", **own)
        assert "The comparison was cancelled after test image 64 of 359" in at.warning[0].value
        assert "Resume" in labels(at) and "Compare on all test images" not in labels(at)  # one button for one thing


def test_a_budget_in_megabytes_is_known_by_the_network_it_leads_to(open_app: OpenApp, studies: Path) -> None:
    arguments = ("--ranking", "identity", "--weight-mb", "0.1")
    write_job(studies / "demo", "compare", arguments=arguments, state="cancelled")
    curve = Study.open(studies / "demo").curve("identity")
    percent = percent_of(curve.macs[curve.step(weight_mb=0.1)] / curve.macs[0])
    assert "Resume" in labels(open_app("see", images="all", budget=f"{percent:g}", ranking="identity"))
    assert "Resume" not in labels(open_app("see", images="all", budget=f"{percent:g}", ranking="uniform"))


def test_a_comparison_of_another_network_at_work_is_not_taken_for_this_one(open_app: OpenApp, studies: Path) -> None:
    arguments = ("--macs", "0.3", "--ranking", "learned", "--no-finetuned")
    write_job(studies / "demo", "compare", arguments=arguments, state="running", stage="test image", **alive())
    said = "Another network is being compared"
    for budget, other in (("30", False), ("50", True)):
        at = open_app("see", images="all", budget=budget)
        assert (said in texts(at)) == other
        assert "Cancel" in labels(at) and "Compare on all test images" not in labels(at)


def test_what_was_compared_is_shown(open_app: OpenApp, networks: Networks, studies: Path) -> None:
    compared(studies / "demo")
    at = open_app("see", images="all", budget="50")
    assert not at.exception and not at.error
    assert {m.label: m.value for m in at.metric} == {
        "Both right": "3", "Only the original right": "2", "Only the pruned right": "1", "Both wrong": "2",
    }  # fmt: skip
    assert "the original is right on 62.50 %" in texts(at) and "on 50.00 % (−12.50 points)" in texts(at)
    assert "Images that they classify differently: 4" in texts(at) and "Pictures of the first 3 of them" in texts(at)
    assert [name for name in labels(at) if name.startswith("See no.")] == ["See no. 2", "See no. 3", "See no. 5"]
    press(at, "See no. 5")
    assert networks.asked[-1].test_image == 5 and "Test image 5 of 359" in str(at.image[0].proto)
    press(at, "One they classify differently")
    assert networks.asked[-1].test_image in (2, 3, 7)
    at.segmented_control(key="images-demo").set_value("all").run()
    who_is_right(at).set_value("only_original").run()
    assert [name for name in labels(at) if name.startswith("See no.")] == ["See no. 2"]
    who_is_right(at).set_value("All of them").run()
    next(c for c in at.selectbox if c.label == "True class").set_value("1").run()
    assert [name for name in labels(at) if name.startswith("See no.")] == ["See no. 5"]


def test_pictures_are_paged(open_app: OpenApp, studies: Path) -> None:
    from app.views.comparison import IMAGES_PER_PAGE

    study = Study.open(studies / "demo")
    keep = study.curve().at(macs=0.3)
    found = comparison(keep_id(keep), 0.3)
    n_images = 2 * IMAGES_PER_PAGE + 1
    wrong = type(found.original)(np.full((n_images, 1), 1, np.int32), np.ones((n_images, 1), np.float32))
    right = type(found.original)(np.full((n_images, 1), 0, np.int32), np.ones((n_images, 1), np.float32))
    many = type(found)(
        found.network, np.zeros(n_images, np.int32), right, wrong,
        np.arange(n_images, dtype=np.int32), np.zeros((n_images, 1, 4, 4), np.uint8),
    )  # fmt: skip
    save_original(study, many.labels, many.original)
    save_comparison(study, comparison_name(keep, None), many)
    at = open_app("see", images="all", budget="30")
    assert not at.exception
    assert len([name for name in labels(at) if name.startswith("See no.")]) == IMAGES_PER_PAGE
    at.pagination[0].select(3).run()
    assert [name for name in labels(at) if name.startswith("See no.")] == [f"See no. {n_images}"]


def test_another_ranking_shows_no_stale_comparison(open_app: OpenApp, studies: Path) -> None:
    compared(studies / "demo", 0.3)
    at = open_app("see", images="all", budget="30")
    assert "On 8 test images" in texts(at)
    at.query_params["ranking"] = "uniform"
    at.run()
    assert "On 8 test images" not in texts(at) and "Not compared yet" in texts(at)


def test_a_way_leads_to_what_was_compared(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    curve = study.curve("identity")
    step = curve.step(macs=0.4)
    keep, fraction = curve.keep(step), float(curve.macs[step] / curve.macs[0])
    found = comparison(keep_id(keep), fraction)
    save_original(study, found.labels, found.original)
    save_comparison(study, comparison_name(keep, None), found)
    at = open_app("see", images="all", budget="80")
    press(at, f"{100 * fraction:.1f} %, identity")
    assert not at.exception and "On 8 test images" in texts(at)
    assert at.query_params["ranking"] in ("identity", ["identity"])


@pytest.mark.slow
def test_the_weights_are_part_of_the_link(open_app: OpenApp, studies: Path) -> None:
    assert "as pruned, not fine-tuned" in texts(open_app("see", images="all", budget="50", weights="pruned"))
    assert "fine-tuned for 3 epochs" in texts(open_app("see", images="all", budget="50", weights="nonsense"))
    compared(studies / "demo")
    at = open_app("see", images="all", budget="50", weights="pruned")
    assert "Not compared yet" in texts(at)
    next(b for b in at.button if b.label.endswith("%, learned, fine-tuned")).click().run()
    assert "On 8 test images" in texts(at) and at.query_params["weights"] in ("finetuned", ["finetuned"])


@pytest.mark.parametrize("name", ["", "original"])
def test_a_damaged_comparison_is_one_sentence(open_app: OpenApp, studies: Path, name: str) -> None:
    name = compared(studies / "demo") if not name else (compared(studies / "demo"), name)[1]
    (studies / "demo" / "compared" / f"{name}.safetensors").write_bytes(b"torn")
    at = open_app("see", images="all", budget="50")
    assert not at.exception and len(at.error) == 1
    assert f"Demo/compared/{name}.safetensors cannot be read" in at.error[0].value.replace("demo/", "Demo/")
    assert "Compare again" in labels(at)


def test_a_network_of_a_supernet_is_asked_with_its_weights_or_as_pruned(
    open_app: OpenApp, networks: Networks, studies: Path
) -> None:
    study = Study.open(studies / "demo")
    run, curve = add_supernet(study), study.curve()
    keep = curve.at(macs=0.4)
    at = open_app("see", budget="40")
    weights = at.segmented_control(key="weights-demo")
    assert weights.options == ["Trained together", "As pruned"] and weights.value == "together"
    assert "% of the MACs, trained together with all budgets for 3 epochs." in texts(at)
    press(at, "Another")
    asked = networks.asked[0]
    assert (asked.request["run"], asked.network) == (run.key, comparison_name(keep, run))
    at.segmented_control(key="weights-demo").set_value("pruned").run()
    assert networks.asked[1].network == comparison_name(keep, None)
    assert networks.asked[1].request["finetuned"] is False and "run" not in networks.asked[1].request


def test_a_network_with_a_run_of_its_own_has_all_three_weights(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    add_supernet(study)
    at = open_app("see", budget="50")
    weights = at.segmented_control(key="weights-demo")
    assert weights.options == ["Fine-tuned", "Trained together", "As pruned"] and weights.value == "finetuned"
    weights.set_value("together").run()
    assert "trained together with all budgets" in texts(at)
    at = open_app("see", budget="15", weights="together")  # smaller than any that it has trained
    assert "as pruned, not fine-tuned" in texts(at) and not at.exception


def test_networks_that_were_compared_lead_back_to_the_weights_of_the_supernet(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    run, curve = add_supernet(study), study.curve()
    step = curve.step(macs=0.4)
    keep, fraction = curve.keep(step), float(curve.macs[step] / curve.macs[0])
    for key in (run.key, "former"):
        network = ComparedNetwork(study.default_ranking, fraction, keep_id(keep), False, True, supernet=key)
        found = replace(comparison(), network=network)
        save_original(study, found.labels, found.original)
        save_comparison(study, comparison_name(keep, replace(run, key=key)), found)
    at = open_app("see", budget="30", images="all")
    (label,) = [label for label in labels(at) if "learned" in label]  # the other's weights are gone
    assert label == f"{100 * fraction:.1f} %, learned, trained together"
    press(at, label)
    assert "On 8 test images" in texts(at) and at.query_params["weights"] in ("together", ["together"])


# -- along the slider --------------------------------------------------------------------------------------


def predicted_along(study: Study) -> PredictionsAlong:
    """Store made-up predictions of the networks of the default ranking."""
    name = study.default_ranking
    found = along(name, study.ranking_id(name), calibration=study.calibration.key)
    save_along(study, found)
    return found


def sent(at: AppTest) -> dict[str, Any]:
    """What the browser is sent of the predictions."""
    (component,) = (c for c in at.get("bidi_component") if c.proto.component_name.endswith("along"))
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def test_the_networks_along_the_slider_are_asked_at_the_press_of_a_button(
    open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr("app.views.along.data_notice", lambda study: True)
    monkeypatch.setattr("app.views.job_panel.start", lambda study, request: started.append(request))
    at = open_app("see", images="along", ranking="identity")
    assert not at.exception and not at.error and "classify every test image" in texts(at)
    press(at, "Classify all test images along the slider")
    assert started == [ClassesRequest("identity")]


def test_predictions_along_the_slider_are_shown(open_app: OpenApp, studies: Path) -> None:
    expected = predicted_along(Study.open(studies / "demo"))
    at = open_app("see", images="along", budget="30")
    assert not at.exception and not at.error
    assert "3 networks of the ranking Learned, as they are cut, without any training, and the original" in texts(at)
    data = sent(at)
    assert data["percent"] == [100, 80, 40, 20] and data["top1"] == [62.5, 75, 37.5, 37.5]
    assert [image["number"] for image in data["images"]] == list(OF_CLASSES)
    assert [image["number"] for image in data["changing"]] == list(CHANGED_FIRST)
    first = data["changing"][0]
    assert first["classes"] == expected.classes[:, first["number"] - 1].tolist()
    place = expected.numbers.tolist().index(first["number"] - 1)
    assert first["percent"] == np.rint(100 * expected.probabilities[:, place]).tolist()
    with Image.open(io.BytesIO(base64.b64decode(first["picture"].partition(",")[2]))) as image:
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), expected.pictures[place])
    table = next(d.value for d in at.dataframe if "20 %" in d.value.columns)
    assert table["20 %"].tolist()[0] == 37.5


def test_damaged_predictions_are_one_sentence_and_can_be_made_again(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    predicted_along(study)
    next((study.path / "along").iterdir()).write_bytes(b"torn")
    at = open_app("see", images="along")
    assert not at.exception and "cannot be read" in at.error[0].value and "classify every test image" in texts(at)


def test_a_job_that_asks_them_is_watched(open_app: OpenApp, studies: Path) -> None:
    arguments = ("--ranking", "identity")
    write_job(
        studies / "demo", "classes", arguments=arguments, state="running", stage="network", done=3, total=13, **alive()
    )
    other = "The networks of another ranking are being asked"
    for ranking, is_own in (("identity", True), ("learned", False)):
        at = open_app("see", images="along", ranking=ranking)
        assert "Cancel" in labels(at) and "Classify all test images along the slider" not in labels(at)
        assert (other in texts(at)) != is_own
    predicted_along(Study.open(studies / "demo"))
    at = open_app("see", images="along", ranking="learned")
    assert other in texts(at) and sent(at)["trained"] is False  # what is stored is shown all the same


def test_a_job_that_was_stopped_is_resumed_where_its_ranking_is_shown(
    open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.views.along.data_notice", lambda study: True)
    arguments = ("--ranking", "identity")
    write_job(studies / "demo", "classes", arguments=arguments, state="cancelled", stage="network", done=3, total=13)
    own, other = (labels(open_app("see", images="along", ranking=name)) for name in ("identity", "uniform"))
    assert "Resume" in own and "Resume" not in other
    assert "Classify all test images along the slider" in other


def test_networks_of_other_images_are_asked_and_compared_at_their_size(
    open_app: OpenApp, networks: Networks, studies: Path
) -> None:
    study = Study.open(studies / "demo")
    add_sizes(study, (24,))
    at = open_app("see", size="24", budget="40")
    assert not at.exception and not at.error
    assert (dial(at)["sizes"], dial(at)["size"]) == ([32, 24], 24)
    keep = study.curve().at(Budget(macs=0.4))
    share = 100 * cost(structures_by_height(study)[24], keep).macs / study.curve().original.macs
    assert f"ranking, {share:.1f} % of the MACs, trained together with all budgets for" in texts(at)
    assert ", images of 24 px." in texts(at)
    at.number_input[0].set_value(17).run()
    (run,) = supernets(study)
    assert networks.asked[-1].request["size"] == 24
    assert networks.asked[-1].network == comparison_name(keep, run, 24) == f"{comparison_name(keep, run)}-24"
    at.segmented_control(key="images-demo").set_value("along").run()  # is known of the study's own images alone
    assert (dial(at)["sizes"], dial(at)["size"]) == ([], 32)
    assert (dial(open_app("see", size="13"))["size"], dial(open_app("finetune", size="24"))["size"]) == (32, 32)


def test_a_comparison_with_other_images_opens_with_them(open_app: OpenApp, networks: Networks, studies: Path) -> None:
    study = Study.open(studies / "demo")
    add_sizes(study, (24,))
    curve = study.curve()
    step, (run,) = curve.step(macs=0.4), supernets(study)
    keep, fraction = curve.keep(step), float(curve.macs[step] / curve.macs[0])
    of_size = ComparedNetwork(study.default_ranking, fraction, keep_id(keep), False, True, supernet=run.key, height=24)
    for known in (of_size, replace(of_size, height=20)):  # of 20 pixels nothing is offered
        found = replace(comparison(), network=known)
        save_original(study, found.labels, found.original)
        save_comparison(study, comparison_name(keep, run, known.height), found)
    at = open_app("see", images="all", budget="70")
    share = cost(structures_by_height(study)[24], keep).macs / curve.original.macs
    label = f"{100 * share:.1f} %, learned, trained together, 24 px"
    assert [name for name in labels(at) if "px" in name] == [label]
    press(at, label)
    assert dial(at)["size"] == 24 and "Images that they classify differently" in texts(at)
