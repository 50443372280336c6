"""The benchmarks measure what they claim: messages come back unchanged, and reports add up.

These tests don't check speed, which depends on the machine.
"""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from support.checkout import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import autobahn_fbs
import guard
import memory
import plan
import report
import simulation
import targets
import telemetry
import turns
from autobahn_fbs._bench import contenders, jobs, messages, races, short
from autobahn_fbs._bench.contenders import (
    FLOOR,
    FLOOR_ARRAY,
    MSGPACK,
    OURS,
    UPSTREAM,
    Contender,
)
from autobahn_fbs._demo.cost import Cost
from results import Results, load
from support.marks import cpython_only

SCENARIOS = [*messages.scenarios("normal"), *messages.scenarios("transparent")]
CONTROL = messages.control_scenarios()


def name_of(scenario: messages.Scenario) -> str:
    return f"{scenario.type}-{scenario.mode}-{scenario.size}"


# Messages and contenders


@pytest.mark.parametrize("size, least, most", [("small", 40, 50), ("medium", 300, 400)])
def test_payloads_have_the_size_that_their_name_says(size: str, least: int, most: int) -> None:
    assert least <= len(messages.payload_bytes(size)) <= most


def test_the_large_payload_is_near_three_kilobytes_and_the_empty_one_is_nothing() -> None:
    assert 2700 <= len(messages.payload_bytes("large")) <= 3100
    assert messages.payload_bytes("empty") == b""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_every_contender_gives_every_message_back(scenario: messages.Scenario) -> None:
    found = {each.name: each for each in contenders.prepare(scenario)}
    floors = {FLOOR, FLOOR_ARRAY} if contenders.has_floor() else set()
    assert {OURS, MSGPACK, "Autobahn cbor", "Autobahn json"} | floors <= set(found)
    names = scenario.attributes
    sent = scenario.make()
    for name, contender in found.items():
        if name != UPSTREAM:
            assert contenders.differences(names, sent, contender.received(contender.data)) == []


@pytest.mark.parametrize("scenario", CONTROL, ids=name_of)
def test_every_serializer_gives_every_control_message_back(scenario: messages.Scenario) -> None:
    found = contenders.prepare(scenario)
    assert found[0].name == OURS
    assert all(each.lost == [] for each in found if each.name != UPSTREAM)


def test_the_control_messages_and_the_types_cover_all_of_wamp() -> None:
    from autobahn.wamp.serializer import Serializer

    named = {*messages.TYPES, *(each.type for each in CONTROL)}
    assert named == {cls.__name__ for cls in Serializer.MESSAGE_TYPE_MAP.values()}


def test_a_contender_that_changes_a_message_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful:
        def __init__(self) -> None:
            from autobahn.wamp.serializer import MsgPackSerializer

            self._inner = MsgPackSerializer()

        def serialize(self, msg: Any) -> Any:
            return self._inner.serialize(msg)

        def unserialize(self, data: bytes, binary: bool) -> Any:
            (msg,) = self._inner.unserialize(data, binary)
            msg.kwargs = {"something": "else"}
            return [msg]

    monkeypatch.setattr(contenders, "serializers", lambda: {MSGPACK: Forgetful})
    with pytest.raises(contenders.Wrong, match="kwargs came back different"):
        contenders.prepare(messages.scenario("Event", "small"))


def test_the_floor_has_the_fields_of_the_message_in_their_order() -> None:
    pytest.importorskip("msgspec")
    from autobahn.wamp.message import Event

    struct = contenders.floor_struct(Event)
    assert struct.__struct_fields__ == messages.attribute_names(Event)


# Jobs and races


@pytest.mark.parametrize("job", list(jobs.JOBS))
def test_every_job_runs_for_every_contender(job: str) -> None:
    scenario = messages.scenario("Call", "small")
    for contender in contenders.prepare(scenario):
        run = jobs.JOBS[job](contender, scenario)
        if run is None:
            assert contender.forget is None
        else:
            assert run.seconds(1) >= 0


def _counting(forget: Any = None) -> tuple[Contender, list[str]]:
    log: list[str] = []
    contender = Contender(
        "counter",
        new=object,
        forget=forget or (lambda item: log.append("forget")),
        encode=lambda item: log.append("encode"),
        decode=lambda data: log.append("decode"),
        expression="decode(data)",
        data=b"x" * 100_000,
    )
    return contender, log


def test_serialize_forgets_what_was_cached_before_each_time() -> None:
    contender, log = _counting()
    run = jobs.serialize(contender, messages.scenario("Call", "small"))
    assert run.count == jobs.batch_size(100_000)
    run.seconds(2)
    once = ["forget"] * run.count + ["encode"] * run.count
    assert log == once * 2


def test_fan_out_serializes_once_before_the_clock_and_never_forgets() -> None:
    contender, log = _counting()
    run = jobs.fan_out(contender, messages.scenario("Call", "small"))
    assert run is not None
    before = len(log)
    run.seconds(1)
    assert log == ["encode"] * (before + run.count)


def test_a_race_gives_every_lane_as_many_values_as_there_are_rounds() -> None:
    order: list[str] = []

    def lane(name: str, seconds: float) -> jobs.Run:
        def run(batches: int) -> float:
            order.append(name)
            return seconds * batches * 10

        return jobs.Run(10, run)

    race = races.Race("race", {"a": lane("a", 1.0), "b": lane("b", 2.0)})
    races.hold(race, rounds=3, seconds=40.0)
    assert race.values == {"a": [1.0] * 3, "b": [2.0] * 3}
    assert order[-6:] == ["a", "b"] * 3


def test_a_ratio_is_that_of_the_best_rounds() -> None:
    assert races.ratio([9.0, 4.0, 600.0], [2.0, 2.5, 3.0]) == 2.0
    assert races.ratios({"a": [1.0], "b": [3.0]}, "a") == {"b": 3.0}


def test_a_geometric_mean_multiplies() -> None:
    assert races.geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="a mean of no values"):
        races.geometric_mean([])


@pytest.mark.parametrize("part", plan.PARTS)
def test_the_plan_of_each_part_can_be_carried_out(part: str) -> None:
    first = next(plan.plan((part,)))
    race, facts = first.make()
    assert race.lanes
    assert all(run.seconds(1) >= 0 for run in race.lanes.values())
    assert all(known["bytes"] > 0 for known in facts.values())


# Reports, on results that are made up


def _results() -> Results:
    """Ours takes 1 µs, msgpack 10, flatbuffers 200, the floor 2, in both types."""
    results = Results(machine={"cpu_model_name": "abacus", "version_autobahn": "1"})
    times = {OURS: 1e-6, MSGPACK: 1e-5, UPSTREAM: 2e-4, FLOOR: 2e-6}
    for job in ("serialize", "unserialize", "unserialize + payload", "unserialize + everything"):
        for size in targets.SIZES:
            for kind in ("Event", "Call"):
                for lane, seconds in times.items():
                    name = f"{job} / normal / {size} / {kind} / {lane}"
                    results.add(name, [seconds] * 3, {"bytes": 100})
    return results


def _target(results: Results, title: str) -> targets.Target:
    (found,) = [target for target in targets.check(results) if target.title == title]
    return found


def test_a_target_is_met_by_its_limit_or_more() -> None:
    target = _target(_results(), "serialize, faster than Autobahn msgpack: small")
    assert (target.limit, target.at_least, target.verdict) == (7, True, "met")
    assert target.measured == pytest.approx(10)


def test_a_target_is_missed_by_less() -> None:
    target = _target(_results(), "unserialize, faster than Autobahn msgpack: large")
    assert (target.limit, target.verdict) == (150, "MISSED")


def test_the_floor_is_measured_the_other_way_round() -> None:
    target = _target(_results(), "serialize, time against the floor: small")
    assert (target.limit, target.at_least, target.verdict) == (1.4, False, "met")
    assert target.measured == pytest.approx(0.5)


def test_unmeasured_targets_are_neither_met_nor_missed() -> None:
    target = _target(_results(), "pass-on, 1 MB against 1 kB, normal")
    assert (target.measured, target.met, target.verdict) == (None, None, "not measured")


def test_all_cells_of_the_table_are_targets() -> None:
    titles = [target.title for target in targets.check(Results())]
    typed = [title for title in titles if title.startswith("typed")]
    assert len(typed) == 12
    assert sum("faster than" in title for title in titles if title not in typed) == 20
    assert sum("against the floor" in title for title in titles) == 8


def test_the_ratio_of_a_race_is_the_median_of_the_processes_that_held_it() -> None:
    results = Results()
    for theirs, ours in ([6.0, 2.0], [1.0]), ([3.0], [1.0, 1.5]), ([900.0], [1.0]):
        results.add(f"serialize / normal / small / Event / {MSGPACK}", theirs)
        results.add(f"serialize / normal / small / Event / {OURS}", ours)
    assert results.times("serialize", "normal", "small", MSGPACK, OURS) == pytest.approx(3.0)
    assert results.each("serialize", "normal", "small", UPSTREAM, OURS) == {}


def test_a_message_that_is_larger_than_upstreams_is_named() -> None:
    results = _results()
    results.cells["serialize", "normal", "small", "Event"].facts[OURS]["bytes"] = 101
    assert targets.larger_than_upstream(results) == ["Event normal small"]
    assert _target(results, "messages larger than Autobahn's flatbuffers").verdict == "MISSED"


def test_a_control_message_that_upstream_cannot_carry_may_be_larger() -> None:
    results = Results()
    results.add(f"serialize / control /  / Hello / {OURS}", [1.0], {"bytes": 200})
    results.add(
        f"serialize / control /  / Hello / {UPSTREAM}", [1.0], {"bytes": 1, "lost": "roles"}
    )
    assert targets.larger_than_upstream(results) == []


def test_the_targets_as_text_count_what_is_missed() -> None:
    text = targets.text(targets.check(_results()))
    assert "MISSED" in text
    missed = sum(target.met is False for target in targets.check(_results()))
    assert f", {missed} missed," in text


def test_the_table_for_the_readme_has_our_time_and_the_others_ratios() -> None:
    line = report.times_table(_results()).splitlines()[3]
    words = ["serialize", "empty", "1.0", "µs", "2.0", "10.0", r"\-", "200", r"\-", r"\-"]
    assert line.split() == words


def test_no_table_cell_is_misread_as_markup() -> None:
    """An empty first cell continues the row above, or drops the head; a dash begins a list."""
    table = report.rst_table(["", "a"], [["one", "-"], ["", "2"]]).splitlines()
    assert [line.split() for line in table[1:2] + table[3:5]] == [
        ["\\", "a"],
        ["one", "\\-"],
        ["\\", "2"],
    ]


def test_the_documentations_part_has_an_empty_line_around_each_table() -> None:
    pages = report.rst({"CPython": _results(), "PyPy": _results()})
    assert "\n\nCPython compared with PyPy: " in pages
    for part in pages.split("\n\n"):
        rules = [line for line in part.splitlines() if set(line) == {"=", " "}]
        assert len(rules) in (0, 3), part
        assert not rules or (part.startswith("=") and part.rstrip().endswith("="))


def test_the_plots_are_svg_and_the_same_for_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first = report.plots(_results(), tmp_path / "one")
    second = report.plots(_results(), tmp_path / "two")
    assert [file.name for file in first] == [file.name for file in second]
    assert all("<svg" in file.read_text() for file in first)
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_the_guard_tells_slower_and_faster_from_as_expected(tmp_path: Path) -> None:
    stored = tmp_path / "expected.json"
    guard.store(_results(), stored)
    expected = json.loads(stored.read_text())
    measured = guard.ratios(_results())
    assert set(measured) == set(expected["ratios"])
    slower, faster, gone, *_ = measured
    measured[slower] *= 0.69
    measured[faster] *= 1.5
    del measured[gone]
    lines = {line.name: line.verdict for line in guard.compare(expected, measured)}
    assert (lines[slower], lines[faster], lines[gone]) == ("SLOWER", "faster", "not measured")
    assert set(lines.values()) == {"SLOWER", "faster", "not measured", "as expected"}


def test_the_guards_report_names_what_changed_and_counts_the_rest() -> None:
    lines = [guard.Line("a", 2.0, 1.0, 0.3), guard.Line("b", 2.0, 2.1, 0.3)]
    text = guard.text(lines)
    assert "SLOWER" in text
    assert "1 of 2 ratios are as expected, within 30%" in text
    assert guard.text(lines[1:]) == "1 of 1 ratios are as expected, within 30%"


def test_the_stored_ratios_are_those_that_the_guard_watches() -> None:
    expected = json.loads(guard.EXPECTED.read_text())
    lines = guard.compare(expected, expected["ratios"])
    assert lines
    assert {line.verdict for line in lines} == {"as expected"}


def test_measurements_of_workers_become_a_file_that_pyperf_and_the_report_read(
    tmp_path: Path,
) -> None:
    pytest.importorskip("pyperf")
    import suite

    name = f"serialize / normal / small / Event / {OURS}"
    worker = {
        "machine": {"cpu_model_name": "abacus"},
        "benchmarks": [{"name": name, "values": [1.0, 2.0], "facts": {"bytes": 7}}],
    }
    other = {**worker, "memory": {"messages": {}}}
    file = tmp_path / "results.json"
    suite.merge([worker, other]).dump(str(file))
    results = load(file)
    cell = results.cells["serialize", "normal", "small", "Event"]
    assert cell.runs == {OURS: [[1.0, 2.0], [1.0, 2.0]]}
    assert results.lengths("normal", "small", OURS) == {"Event": 7}
    assert results.memory == {"messages": {}}
    assert results.machine["cpu_model_name"] == "abacus"


# The rest


@cpython_only
def test_memory_counts_only_memory_that_is_kept() -> None:
    assert memory.held(lambda: bytes(bytearray(1000))) == pytest.approx(1033, abs=16)
    assert memory.peak(lambda: len(bytes(100_000))) >= 100_000


def costs() -> list[Cost]:
    return [
        Cost("a scene", "stock", {"router": 100.0, "client": 50.0}, 1000.0),
        Cost("a scene", "accelerated", {"router": 40.0, "client": 25.0}, 2500.0),
    ]


def test_the_cost_of_a_router_is_shown_relative_to_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    turns.print_costs(costs())
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["stock", "100.0", "1.00", "50.0", "1.00", "1,000"] in rows
    assert ["accelerated", "40.0", "0.40", "25.0", "0.50", "2,500"] in rows


def test_the_cost_of_a_router_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    turns.plot(costs(), tmp_path / "costs.svg")
    assert "a scene" in (tmp_path / "costs.svg").read_text()


def test_words_that_no_scene_has_are_an_error_that_names_the_scenes() -> None:
    scenes = [turns.scene(name, "events", "websocket", "small") for name in ("a b", "a c")]
    assert [each.name for each in turns.chosen(["c", "a"], scenes)] == ["a c"]
    assert turns.chosen(None, scenes) == scenes
    with pytest.raises(SystemExit, match=r"these words: d a\nscenes:\n  a b\n  a c"):
        turns.chosen(["d", "a"], scenes)


def test_help_lists_the_scenes() -> None:
    scenes = [turns.scene(name, "events", "websocket", "small") for name in ("a b", "a c")]
    assert "\nscenes:\n  a b\n  a c\n" in turns.make_parser("Doc.", [], scenes).format_help()


# The simulation


def test_a_tree_has_a_root_and_no_more_links_than_it_may() -> None:
    assert simulation.grow(1_000_000, 1_000, 32).levels == (1, 32, 1_000)
    assert simulation.grow(500, 1_000, 32).levels == (1,)
    assert simulation.grow(2_000, 1_000, 32).levels == (1, 2)


def test_an_event_takes_as_long_as_all_routers_on_its_way() -> None:
    # Seconds: 1 to receive it, 2 for a hop, 10 for a link, 100 for a delivery, 1,000 at a client.
    costs = simulation.Costs(1, 2, 10, 100, 1_000, memory=7)
    tree = simulation.Tree((1, 2), 6)
    outcome = simulation.simulate(tree, costs, simulation.Sizes(50, 60), 0.5, 1e9)
    # On its way to the root, to the second leaf, and from there to its last subscriber: 0.5 s each.
    assert outcome.when(1) == pytest.approx(0.5 + 1 + 2 * 10 + 0.5 + 2 + 3 * 100 + 0.5)
    assert outcome.when(0.5) < outcome.when(1)
    assert outcome.processor == {
        "root receives": 1,
        "links": 2 * (10 + 2),
        "deliveries": 600,
        "subscribers": 6_000,
    }
    assert outcome.bytes == {"links": 120, "subscribers": 300}
    assert (outcome.busiest, outcome.memory) == (2 + 300, 8 * 7)


def test_a_slow_network_sets_the_pace() -> None:
    costs = simulation.Costs(1, 2, 10, 100, 1_000, memory=7)
    tree = simulation.Tree((1,), 3)
    slow = simulation.simulate(tree, costs, simulation.Sizes(50, 60), 0, 0.1)
    assert slow.when(1) == pytest.approx(1 + 3 * 500)


def test_the_stored_costs_are_those_of_all_that_is_simulated() -> None:
    costs = simulation.read_costs(ROOT / "benchmarks" / "federation.json")
    assert costs.keys() == {(c, p) for c in simulation.CONTENDERS for p in simulation.PAYLOADS}
    for each in costs.values():
        assert min(each.receive, each.hop, each.link, each.deliver, each.client) > 0


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_flatbuffers_are_not_shown_as_smaller_than_they_are(levels: int) -> None:
    for payload in simulation.PAYLOADS:
        cbor = simulation.read_sizes("cbor", payload, levels)
        flatbuffers = simulation.read_sizes("flatbuffers", payload, levels)
        assert flatbuffers.deliver > cbor.deliver
        assert flatbuffers.link > cbor.link


def test_telemetry_events_are_the_same_every_time_and_grow_with_their_size() -> None:
    events = telemetry.generate("normal", "small", 2, 3)
    assert events == telemetry.generate("normal", "small", 2, 3)
    assert len(events) == 6
    sizes = [len(telemetry.generate("transparent", size, 1, 1)[0][1]) for size in telemetry.SIZES]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0


def test_telemetry_events_can_come_from_a_checkout_of_autobahn(tmp_path: Path) -> None:
    folder = tmp_path / "examples" / "benchmarks" / "serialization"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "one.csv").write_text("a\nb\n")
    (folder / "loader.py").write_text(
        "class VehicleEvent:\n"
        "    from_row = None\n"
        "def load_dataset(files, payload_mode, payload_size):\n"
        "    from pathlib import Path\n"
        "    lines = [Path(file).read_text().split() for file in files]\n"
        "    return None, {1: [('topic', [payload_mode, payload_size, *lines])] * 3}\n"
    )
    path = list(sys.path)
    try:
        events = telemetry.from_autobahn(tmp_path, "normal", "small", 2)
    finally:
        sys.modules.pop("loader", None)
    assert events == [("topic", ["normal", "small", ["a", "b"]])] * 2
    assert sys.path == path


@pytest.mark.parametrize("mode", telemetry.MODES)
@pytest.mark.parametrize("size", telemetry.SIZES)
def test_the_telemetry_loop_serializes_every_event(mode: str, size: str) -> None:
    events = telemetry.generate(mode, size, 1, 2)
    for name, make in contenders.serializers().items():
        telemetry.check(name, make(), events, mode)
        serializer = make()
        total = telemetry.make_loop(events, mode, [True, False])(serializer.serialize)
        counted = serializer.stats(details=True)["serialized"]
        assert (counted["messages"], counted["bytes"]) == (2, total)


def test_the_telemetry_loop_shows_acceleration_beside_the_rest() -> None:
    found = telemetry.measure(telemetry.generate("normal", "small", 1, 2), "normal", 0, True)
    assert list(found)[-2:] == [telemetry.ACCELERATED, f"{contenders.MSGPACK}, accelerated"]
    assert all(each["rate"] > 0 for each in found.values())
    assert autobahn_fbs._accelerate.accelerated() == ()


def test_the_short_version_ends_with_a_table_of_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short, "_ROUNDS", 1)
    monkeypatch.setattr(short, "_SECONDS", 1e-6)
    monkeypatch.setattr(races, "WARM_UP", 0.0)
    out = StringIO()
    assert short.main(out) == 0
    text = out.getvalue()
    assert "0%  PUBLISH, empty payload" in text
    rows = [line for line in text.splitlines() if line.startswith("large, ")]
    assert len(rows) == 4
