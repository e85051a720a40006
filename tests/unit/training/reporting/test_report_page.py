"""The page: what a reader finds on it, that it is well-formed and loads nothing, and that hostile text stays text."""

import re
from html.parser import HTMLParser

import pytest

from fedround_api.kinds.federated_round import Participant, ParticipantState
from fedround_api.report import Report
from fedround_training.reporting.page import render
from support.report_inputs import make_report

VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """Reads a page; fails on a tag that is not closed, or closed in the wrong place."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> in the wrong place"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


ROLLED_BACK, RELEASED = make_report(), make_report([(0.3, 0.9)] * 6, [(0.3, 0.1)] * 8, released=None)
PASSED = make_report([(0.9, 0.9)] * 10, [(0.3, 0.1)] * 8)
REPORTS = {"rolled back": ROLLED_BACK, "released": RELEASED, "passed": PASSED}


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]


def test_a_roll_back_is_told_first_with_its_reason_and_what_happens_now() -> None:
    text = Page(render(ROLLED_BACK)).text

    begin = "Round w48 of model skin Report of a round of federated training, begun 24 November 2026, 12:00 UTC"
    assert begin in text
    assert text[text.index(begin) + len(begin) + 1 :].startswith(
        "Rolled back Why: The candidate catches 7 of 10 high-risk cases, losing 2 that the incumbent catches and "
        "gaining 1 that the incumbent misses. What happens now: The candidate is set aside: it does not take the place "
        "of version 3."
    )


def test_a_promotion_is_told_as_what_is_to_come_and_not_as_done(report: Report) -> None:
    """The page is stored before the model's pointer moves, and the model may have moved on by then."""
    text = Page(render(report)).text

    before, _, told = text.partition("This page was written when the gate had judged, before the promotion itself.")
    assert bool(told) == ("To be promoted" in before)
    assert re.search(r"\b(becomes|[Ii]s promoted|was promoted|Promoted)\b", text) is None


def test_a_reader_who_does_not_know_the_words_is_led_to_their_meaning() -> None:
    text = Page(render(ROLLED_BACK)).text

    led, meaning = "under “How to read this”", "How to read this High-risk case A lesion of one of the classes mel."
    assert text.index(led) < text.index("Sensitivity 0.800") < text.index(meaning)


def test_lost_and_gained_cases_are_told_in_a_sentence() -> None:
    text = Page(render(ROLLED_BACK)).text

    assert (
        "The incumbent catches 8 of the 10 high-risk cases, the candidate 7: of those that the incumbent catches, the "
        "candidate loses 2 ; of those that the incumbent misses, it gains 1 . A candidate that loses more than it "
        "gains is rolled back."
    ) in text
    assert "caught by both: 6" in text
    assert "missed by both: 1" in text


def test_guards_say_in_words_whether_they_hold() -> None:
    text = Page(render(ROLLED_BACK)).text

    assert (
        "High-risk cases lost against gained no more lost than gained (1) 2 lost fails: prevents the promotion" in text
    )
    assert "Sensitivity: the floor at least 0.600 0.700 holds" in text
    assert "Specificity: fall against the incumbent at most 0.050 no fall holds" in text


def test_before_a_release_the_page_says_which_guards_do_not_apply_yet() -> None:
    text = Page(render(RELEASED)).text

    assert "To be promoted and released for use" in text
    assert "Lost cases and falls against the incumbent are guarded from the first release on." in text
    assert "Ranks cases no worse than before AUROC at least 0.500, as the incumbent has 1.000 holds" in text


def test_an_incumbent_that_has_learnt_nothing_is_told_of() -> None:
    sentence = "The incumbent gives every case the same score, as a model does that has learnt nothing yet"

    assert sentence in Page(render(RELEASED)).text
    assert sentence not in Page(render(ROLLED_BACK)).text


def test_clinics_are_listed_with_weights_and_why_one_is_missing() -> None:
    text = Page(render(ROLLED_BACK)).text

    assert "north took part 1,200 (11 %) 240" in text
    assert "south took part 10,000 (89 %) not told" in text
    assert "east failed: The clinic has no case in the window of the round." in text
    assert "west not done in time none not told" in text


def test_what_was_not_protected_and_the_durations_are_told() -> None:
    text = Page(render(ROLLED_BACK)).text

    assert "Updates were not noised (no differential privacy). What a clinic submits depends on its patients" in text
    assert "Updates were not masked (no secure aggregation). The hub" in text
    assert "training in the clinics 20 min 0 s aggregation, and starting the evaluation 5.0 s" in text


def test_figures_of_a_clinic_with_few_cases_are_not_told() -> None:
    text = Page(render(ROLLED_BACK)).text

    assert "north 7 of 7 6 of 7 1 / 0" in text
    assert "south too few high-risk cases to tell (fewer than 5)" in text


def test_digests_and_settings_stand_at_the_end() -> None:
    text = Page(render(ROLLED_BACK)).text

    settings = text[text.index("Settings and digests") :]
    for words in ("ca4d" * 16, "ba5e" * 16, "7e57" * 16, "anchor 0.03", "learningRate 0.05", "HighRiskCasesLost"):
        assert words in settings


def test_it_is_one_well_formed_page_in_english_with_a_title(report: Report) -> None:
    source = render(report)
    page = Page(source)

    assert source.lstrip().startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("html", "head", "body", "main", "h1")] == [1] * 5
    assert re.search("<title>Round w48: .+</title>", source)


def test_it_runs_no_script_and_loads_nothing(report: Report) -> None:
    source = render(report)
    page = Page(source)

    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "image", "use", "base", "form", "a"})
    assert not any(name.startswith("on") or name in ("src", "href") for _, given in page.tags for name in given)
    assert "://" not in source
    assert "@import" not in source
    assert set(re.findall(r"url\((.*?)\)", source)) <= {"#lost", "#hatch-1", "#hatch-2"}


def test_it_weighs_little(report: Report) -> None:
    assert len(render(report).encode()) < 100_000


def test_a_hundred_clinics_and_a_long_curve_still_weigh_little() -> None:
    many = [
        Participant(name=f"clinic-of-a-long-name-{number:03d}", state=ParticipantState.SUBMITTED, case_volume=100)
        for number in range(100)
    ]
    cases = [((number % 97) / 97, (number % 89) / 89) for number in range(600)]

    assert len(render(make_report(cases[:300], cases[300:], participants=many)).encode()) < 100_000


def test_every_plot_has_a_name_of_its_own_for_those_who_cannot_see_it(report: Report) -> None:
    source = render(report)
    page = Page(source)

    plots = [given for given in page.all("svg") if given.get("role") == "img"]
    titles = {given["id"] for given in page.all("title") if "id" in given}
    assert len(plots) == 4
    assert {given["aria-labelledby"] for given in plots} == titles
    assert all(given.get("role") == "img" or given.get("aria-hidden") == "true" for given in page.all("svg"))
    identifiers = [given["id"] for _, given in page.tags if "id" in given]
    assert len(identifiers) == len(set(identifiers))


def test_every_pair_of_axes_has_its_labels(report: Report) -> None:
    text = Page(render(report)).text

    assert text.count("share of other cases flagged (1 − specificity)") == 1
    assert text.count("share of high-risk cases caught (sensitivity)") == 1
    assert text.count("score: probability of a high-risk class") == 2
    assert text.count("% of cases of a kind") == 2


def test_hostile_text_stays_text() -> None:
    """Names of rounds and participants are checked by the API server; the page does not rely on that."""
    report = ROLLED_BACK
    spoiled = report.model_copy(
        update={
            "round": report.round.model_copy(update={"name": HOSTILE}),
            "model": report.model.model_copy(update={"name": HOSTILE, "high_risk_classes": [HOSTILE]}),
            "verdict": report.verdict.model_copy(update={"sentence": HOSTILE, "outcome": HOSTILE}),
            "participants": [
                one.model_copy(update={"name": HOSTILE, "reason": HOSTILE}) for one in report.participants
            ],
            "test_set_clinics": [one.model_copy(update={"clinic": HOSTILE}) for one in report.test_set_clinics],
            "classes": [one.model_copy(update={"name": HOSTILE}) for one in report.classes],
        }
    )

    source = render(spoiled)

    page = Page(source)
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in Page(render(report)).tags}
    assert "<script" not in source
    assert "onerror=alert(1)&gt;" in source
    assert page.text.count("alert(1)") > 15
