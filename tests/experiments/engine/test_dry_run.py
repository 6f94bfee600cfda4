import shlex

import pytest

from experiments.engine import costs, dry_run, running
from experiments.engine.dry_run import describe
from experiments.engine.method import Method
from mtl_dm.models import BACKBONES
from mtl_dm.models.counting import macs_of
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig
from tests.experiments.engine import tiny

SHAPE = (16, 16, 3)
TASKS = (Task.multiclass("kind", ("a", "b", "c")), Task.multilabel("marks", ("m", "n")))
ROWS = {
    "ST": Method(single_task=True),
    "S-T": Method(teachers="ST"),
    "coupled": Method({"relatedness": "known"}),
}


TASKS_OF_ANIMALS = (tiny.KIND, tiny.MARKS)


@pytest.fixture(scope="module")
def network():
    return costs.network_of(TrainConfig(("a",)), SHAPE, TASKS)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dry")
    said = describe(tiny.study(ROWS, TASKS_OF_ANIMALS), tiny.options(folder / "runs"))
    assert not list(folder.iterdir())
    return said


class TestCosts:
    def test_a_network_is_its_backbone_and_a_head_a_task(self, network):
        backbone = BACKBONES.create("compact_cnn", SHAPE)
        features = backbone.output_shape[-1]
        assert network.parameters == backbone.count_params() + (features + 1) * (3 + 2)
        assert network.multiply_adds == macs_of(backbone, SHAPE).known + features * (3 + 2)
        # Four batch normalisations of 24, 48, 64 and 96 channels keep two averages a channel.
        assert network.parameters - network.trained == 2 * (24 + 48 + 64 + 96)

    def test_all_that_a_layer_computes_is_an_activation(self, network):
        # By hand: outputs of the convolutions at 8, 4, 4 and, behind the pooling, 2 pixels.
        convolutions = 24 * 64 + 48 * 16 + 64 * 16 + 96 * 4
        assert 3 * convolutions <= network.activations <= 12 * convolutions

    def test_a_backbone_is_counted_once(self, network, monkeypatch):
        monkeypatch.setattr(costs, "shared_network", None)
        alone = costs.network_of(TrainConfig(("a",)), SHAPE, TASKS[:1])
        assert alone.activations == network.activations
        assert alone.parameters < network.parameters

    def test_hours(self):
        network = costs.Network(0, 0, 10**9, 0)
        # 3 passes x 2 x 1e9 operations x 1e6 images at 30% of 15.7e12 a second.
        assert costs.hours(network, 10**6, "float32") == pytest.approx(6e15 / 4.71e12 / 3600)
        assert costs.hours(network, 10**6, "float16") < costs.hours(network, 10**6, "float32")

    def test_memory(self):
        network = costs.Network(2**20, 2**20, 0, 2**20)
        plain = TrainConfig(("a",), batch_size=10)
        # 4 numbers a weight and 10 images' activations, of 4 bytes.
        assert costs.gibibytes(network, plain) == (4 + 10) * 4 / 1024
        assert costs.gibibytes(network, plain.replace(mix="mix_augment")) == (4 + 15) * 4 / 1024
        half = plain.replace(mixed_precision="float16")
        assert costs.gibibytes(network, half) == (4 * 4 + 10 * 2) / 1024


def test_layers_that_are_not_counted_are_named():
    network = costs.Network(10, 20, 10**9, 1000, ("odd", "layer"))
    said = dry_run._numbers(dry_run.Plan(TASKS, TrainConfig(("a",)), 1.0, network))
    assert "million multiply-adds an image (without those of odd, layer); on a V100" in said
    plain = dry_run.Plan(TASKS, TrainConfig(("a",)), 1.0, network._replace(unknown=()))
    assert "without" not in dry_run._numbers(plain)


class TestDescribe:
    def test_a_cell_a_paragraph(self, said):
        titles = [part.splitlines()[0] for part in said.split("\n\n")[1:-1]]
        assert [title.partition(" (")[0] for title in titles] == list(ROWS)

    def test_commands_give_the_images_of_the_rows(self, said):
        commands = [shlex.split(line) for line in said.splitlines() if " -m mtl_dm.train" in line]
        assert len(commands) == 2 + 1 + 1
        single, _, student, coupled = commands
        assert "--tasks=kind" in single
        assert "--datasets=kind alone,marks alone" in student
        assert "--relatedness=counted on the test's own animals" in coupled
        assert len({command[-1] for command in commands}) == len(commands)  # A folder each.

    def test_says_what_a_command_leaves_out(self, said):
        assert said.count("which the command cannot name") == len(ROWS)
        assert "uses the networks of ST of the same column and seed" in said


def test_a_dry_run_ends_before_anything_is_written(tmp_path, capsys):
    chosen = tiny.options(tmp_path / "runs", dry_run=True)
    with pytest.raises(SystemExit) as ended:
        running.run_study(tiny.study({"NC MT": Method()}, TASKS_OF_ANIMALS), chosen)
    assert ended.value.code == 0
    assert "1 cells; nothing is trained" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
