"""The model of culture agrees with the questionnaire, gives its reasons, and says what is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from culture_analytics.diagnose.model import STRENGTHS, CultureModel, load_culture_model
from culture_analytics.errors import InstrumentError, MeasureError
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.loader import DATA

FILE = DATA / "culture.toml"
TEXT = FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def model() -> CultureModel:
    return load_culture_model()


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "culture.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        load_culture_model(path)
    return str(caught.value)


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in TEXT, old
    return TEXT.replace(old, new, count)


def test_the_parts_of_the_model(model: CultureModel) -> None:
    assert list(model.elements) == [
        "vision_and_values", "goals_and_performance", "support_and_compassion",
        "learning_and_innovation", "teamwork", "collective_leadership",
    ]  # fmt: skip
    assert {"pride_and_motivation", "burnout", "stress", "leaving"} <= set(model.outcomes)
    assert {"stress", "bullying", "discrimination", "pride_and_joy"} == set(model.concerns)
    assert [c.number for c in model.conditions.values()] == [1, 2, 3, 4, 5]
    assert len(model.bridge.domains) == 7 if model.bridge else pytest.fail("no bridge")
    assert model.leaders is not None and model.leaders.strength == "weak"


def test_every_id_exists(model: CultureModel) -> None:
    # Read from the file itself, whatever the loader makes of it.
    instrument, raw = load_instrument(), tomllib.loads(TEXT)
    items = [i for part in ("elements", "outcomes") for e in raw[part].values()
             for s in e["sets"] for i in s["items"]]  # fmt: skip
    items += [i for c in raw["conditions"].values() for e in c.get("evidence", ())
              for i in e.get("items", ())]  # fmt: skip
    items += list(raw["bridge"]["domains"].values())
    assert len(items) > 130
    assert [i for i in items if i not in instrument.items] == []
    measures = [m for c in raw["concerns"].values() for m in c["measures"]]
    measures += [o["measure"] for o in raw["outcomes"].values()]
    measures += [m for c in raw["conditions"].values() for e in c.get("evidence", ())
                 for m in e.get("measures", ())]  # fmt: skip
    assert len(measures) > 15
    assert [m for m in measures if m not in instrument.measures] == []
    table = set(model.table()["evidence"])
    assert table <= {*items, *measures}
    assert set(items) <= table | set(raw["bridge"]["domains"].values())


def test_every_mapping_is_a_proposal_with_its_reason(model: CultureModel) -> None:
    table = model.table()
    assert (table["status"] == "proposal").all()
    assert (table["reason"].str.len() > 20).all()
    assert "Not an official mapping" in model.note
    assert re.fullmatch(r"\d+\.\d+", model.version)


def test_no_question_number_stands_in_it() -> None:
    assert not re.search(r"\bq?\d{1,2}[a-i]\b", TEXT)


def test_items_count_once_and_have_points(model: CultureModel) -> None:
    instrument = load_instrument()
    counted = [i for e in model.elements.values() for i in e.items]
    assert len(counted) == len(set(counted)) > 55
    for item in counted:
        assert np.nanmax(instrument.items[item].scale.scores) == 10
        assert instrument.asked(item, 2025), item
    # An item noted elsewhere counts somewhere, unless it has no points or says nothing by itself.
    noted = {i for e in model.elements.values() for i in e.also}
    assert noted - set(counted) == {"had_appraisal", "reasonable_adjustments", "seen_errors"}


def test_the_bridge_is_the_stressors_sub_score(model: CultureModel) -> None:
    assert model.bridge is not None
    stressors = load_instrument().scores["stressors"].items
    assert set(model.bridge.domains.values()) == set(stressors)


def test_what_the_survey_cannot_see_has_no_score(model: CultureModel) -> None:
    conditions = model.conditions
    assert {n: c.coverage for n, c in conditions.items()} == {
        "systems": "weak", "leadership": "partial", "improvement": "weak",
        "learning_support": "partial", "regulation": "none",
    }  # fmt: skip
    assert [c.number for c in conditions.values() if c.scored] == [2, 4]
    assert conditions["regulation"].evidence == ()
    for c in conditions.values():
        assert c.other_evidence and c.cannot_show and c.says
        assert all(e.strength in STRENGTHS for e in c.evidence)
    senior = [e for e in conditions["leadership"].evidence if e.strength == "none"]
    instrument = load_instrument()
    assert senior and not any(instrument.asked(i, 2024) for e in senior for i in e.items)


def test_outcomes_are_what_their_measures_hold(model: CultureModel) -> None:
    instrument = load_instrument()
    for outcome in model.outcomes.values():
        measure = instrument.measures[outcome.measure]
        score = instrument.scores.get(measure.score)
        if score is None:
            held = {i for i, _ in measure.parts}
        else:
            held = set(score.items) | {i for p in score.parts for i in instrument.scores[p].items}
        assert held <= set(outcome.items), outcome.id


def test_elements_lose_the_items_of_an_outcome(model: CultureModel) -> None:
    whole = model.element_items("vision_and_values")
    left = model.element_items("vision_and_values", against="engagement")
    assert set(whole) - set(left) == {
        "care_top_priority", "recommend_place_to_work", "recommend_care",
    }  # fmt: skip
    assert model.element_items("vision_and_values", against="burnout") == whole
    shared = {i for e in model.elements for i in model.element_items(e)} & set(
        model.outcomes["engagement"].items
    )
    assert len(shared) == 6
    early = model.element_items("teamwork", year=2019)
    assert early and set(early) < set(model.element_items("teamwork"))
    with pytest.raises(MeasureError, match="No element 'values'"):
        model.element_items("values")
    with pytest.raises(MeasureError, match="No outcome 'pay'"):
        model.element_items("teamwork", against="pay")


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        '\ufeff[model]\nid = "ours"\nversion = "0.1"\nlabel = "Ours"\n'
        '[elements.kind]\nlabel = "Kindness"\n[[elements.kind.sets]]\n'
        'items = ["colleagues_kind", "manager_cares"]\nstatus = "sourced"\n'
        'source = "Our values, 2023"\nreason = "our first value"\n',
        encoding="utf-8",
    )
    model = load_culture_model(path)
    assert (model.id, list(model.elements), model.conditions) == ("ours", ["kind"], {})
    assert model.elements["kind"].items == ("colleagues_kind", "manager_cares")
    assert model.digest != load_culture_model().digest
    (tmp_path / "culture.toml").write_bytes(path.read_bytes())
    assert load_culture_model(tmp_path).id == "ours"
    # A changed file is read again.
    path.write_text(path.read_text(encoding="utf-8").replace('"0.1"', '"0.2"'), encoding="utf-8")
    assert load_culture_model(path).version == "0.2"


def test_unknown_items_are_all_named_with_the_nearest(tmp_path: Path) -> None:
    text = changed('"colleagues_kind", "colleagues_appreciation"', '"coleagues_kind", "made_up"')
    text = text.replace('measure = "burnout"', 'measure = "burn_out"', 1)
    message = refused(tmp_path, text)
    assert "3 problems in culture.toml" in message
    assert (
        "elements.support_and_compassion: unknown item 'coleagues_kind' (nearest: colleagues_kind"
        in message
    )
    assert "unknown item 'made_up'" in message
    assert "outcomes.burnout: unknown measure 'burn_out' (nearest: burnout" in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('status = "proposal"', 'status = "official"', "status 'official'; there are: proposal"),
        ('status = "proposal"', 'status = "sourced"', "'sourced' needs a source"),
        ('reason = "whether they hear how they are doing"', 'reason = " "', "the reason is empty"),
        ('strength = "weak"', 'strength = "slight"', "strength 'slight'; there are: strong"),
        ('coverage = "weak"', 'coverage = "strong"', "stronger than any of its evidence"),
        ('coverage = "none"', 'coverage = "weak"', "stronger than any of its evidence"),
        ("number = 2", "number = 1", "number 1 stands 2 times"),
        ('items = ["seen_errors"]\ncounts = false', 'items = ["had_appraisal"]', "has no points"),
        ('items = ["discrimination_staff"]\ncounts = false', 'items = ["discrimination_staff"]',
         "counts in vision_and_values already"),
        ('groups = ["General Management"]', 'groups = ["Managers"]', "has no group 'Managers'"),
        ('breakdown = "occupation_detailed"', 'breakdown = "occupations"', "unknown breakdown"),
        ("least_answered = 0.667", "least_answered = 3", "least_answered must lie"),
        ("counts = false", 'counts = "no"', "'counts' must be true or false"),
        ("meaning =", "meanings =", "'meanings' is not known here"),
        ('label = "Vision and values"\n', "", "elements.vision_and_values: 'label' is missing"),
        ("[concerns.stress]", "[worries.stress]", "[worries] is not known"),
        ("[model]", "[modell]", "[model] is missing"),
        ('version = "1.0"', "version = 1.0", "'version' must be text"),
        ('version = "1.0"', "version = ", "is no TOML file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in refused(tmp_path, changed(old, new))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match=r"No model of culture at .*Try: copy"):
        load_culture_model(tmp_path / "none.toml")
