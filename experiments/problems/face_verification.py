"""Faces with two tasks, who it is and which expression; unseen people are then verified.

The network learns to tell the training people apart. Of unseen people its identity features say
how far two images are from each other: the accuracy at the best threshold, and what else
`verification_scores` measures, stands under `verification` in the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from experiments.engine.problem import Problem
from experiments.problems.people import People, classes_of, digest_of
from mtl_dm import data
from mtl_dm.data.pairs import Pairs
from mtl_dm.measuring.evaluation import BATCH
from mtl_dm.metrics import identity_intervals, pair_distances, verification_scores
from mtl_dm.models import MultiTaskModel
from mtl_dm.spec import Spec, parse
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig
from mtl_dm.verifying.embedding import network_of

IDENTITY, EXPRESSION, VERIFICATION = "identity", "expression", "verification"
LOW, HIGH = "low", "high"
"""Ends of the 95% interval of a network's accuracy over other people."""
DRAWS = 500
BRANCHED = "inception_resnet_small"
"""The backbone that has a branch for each task."""
SOURCE, PRETRAINING = "people", "people (pretraining)"


class Faces(NamedTuple):
    """Who trains, who is tested and which of their images are compared.

    Attributes:
        pretraining: Images to tell people apart before; numbers of people are its own.
        train: Images with expressions; people are numbered as in `test`, none is in both.
        test: Images of unseen people.
        files: Names of the test images, as `pairs` calls them.
        pairs: Images to verify.
        expressions: Names of the classes.
    """

    pretraining: People
    train: People
    test: People
    files: tuple[str, ...]
    pairs: Pairs
    expressions: tuple[str, ...]


class FaceVerification(Problem):
    """Identity and expression of the same images.

    Args:
        faces: The images.
        options: Fields of the configuration.
        pretrained: Fields that a pretraining has differently.

    Raises:
        ValueError: As for `require_unseen`, or if nobody has two images.
    """

    def __init__(
        self, faces: Faces, options: Mapping[str, Any], pretrained: Mapping[str, Any]
    ) -> None:
        require_unseen(faces)
        self._faces = faces
        self._trained, self._pretrained = faces.train, pretrained
        expression = Task.multiclass(EXPRESSION, faces.expressions)
        self.tasks = (identity_task(faces.train.person), expression)
        self.config = TrainConfig(
            datasets=(SOURCE,),
            tasks=(IDENTITY, EXPRESSION),
            image_size=faces.train.images.shape[1],
            **options,
        )
        parts = {"pretraining": faces.pretraining, "train": faces.train, "test": faces.test}
        self.record = {
            "pretrained": {name: pretrained[name] for name in sorted(pretrained)},
            "images": {name: len(part.images) for name, part in parts.items()},
            "people": {name: len(part.people) for name, part in parts.items()},
            "pairs": len(faces.pairs.same),
            "expressions": {
                name: int((faces.train.expression == place).sum())
                for place, name in enumerate(faces.expressions)
            },
            "data": digest_of(parts),
        }

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the training images."""
        own = self._trained
        every = {IDENTITY: classes_of(own.person), EXPRESSION: own.expression}
        return [source(own, {task.name: every[task.name] for task in tasks}, tasks)]

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the images of unseen people; who they are is no label."""
        test = self._faces.test
        labels = {task.name: test.expression for task in tasks if task.name == EXPRESSION}
        return source(test, labels, tasks)

    def beyond(self, models: Sequence[MultiTaskModel]) -> Mapping[str, Mapping[str, float]]:
        """Return how well pairs of unseen people are verified by the network with identities."""
        model = next(each for each in models if IDENTITY in [task.name for task in each.tasks])
        pairs, test = self._faces.pairs, self._faces.test
        place = {name: row for row, name in enumerate(self._faces.files)}
        rows = np.array([place[name] for name in pairs.images])
        found = embeddings(model, source(test.take(rows), {}, model.tasks))
        distances = pair_distances(found[pairs.first], found[pairs.second])
        given = (distances, pairs.same, pairs.fold)
        low, high = identity_intervals(*given, pairs.people(), draws=DRAWS)["accuracy"]
        ends = {f"accuracy/{LOW}": low, f"accuracy/{HIGH}": high}
        return {VERIFICATION: {**verification_scores(*given), **ends}}

    def pretraining(self) -> FaceVerification:
        """Return the same with identities alone, learned from the images for it."""
        found = FaceVerification.__new__(FaceVerification)
        found.__dict__.update(self.__dict__)
        found._trained = self._faces.pretraining
        found.tasks = (identity_task(found._trained.person),)
        changes = {
            "datasets": (PRETRAINING,),
            "tasks": (IDENTITY,),
            "backbone": self.backbone_of(self.config, (IDENTITY,)),
            **self._pretrained,
        }
        found.config = self.config.replace(**changes)
        return found

    def backbone_of(self, config: TrainConfig, names: Sequence[str]) -> str:
        """Return the backbone with the branches of these tasks alone, where it has branches."""
        spec = parse(config.backbone)
        if spec.name != BRANCHED:
            return config.backbone
        return str(Spec(spec.name, {**spec.options, "tasks": tuple(names)}))

    def start(self, model: MultiTaskModel, other: MultiTaskModel) -> None:
        """Take over the shared layers, and the identity branch for whichever branch is first.

        The stage "transfer" copies that one into the others.
        """
        mine, theirs = model.backbone, other.backbone
        if not hasattr(mine, "branches"):
            super().start(model, other)
            return
        mine.shared.set_weights(theirs.shared.get_weights())
        first = next(iter(mine.branches.values()))
        first.set_weights(theirs.branches[IDENTITY].get_weights())


def identity_task(person: np.ndarray) -> Task:
    """Return the task of telling apart whoever has two images.

    Args:
        person: int64 [N], -1 where not known.

    Raises:
        ValueError: If nobody has.
    """
    count = int(classes_of(person).max(initial=-1)) + 1
    if count < 2:
        raise ValueError(f"Two people with two images each are needed to learn from, got {count}.")
    return Task.multiclass(IDENTITY, [f"person_{number}" for number in range(count)])


def require_unseen(faces: Faces) -> None:
    """Check that no test person trains, and that every pair names test images.

    People are compared by number in `train`, whose numbers are those of `test`, and by the pixels
    of their images there and in the pretraining, whose people have numbers of their own.

    Raises:
        ValueError: If one does, or a pair names another image.
    """
    both = sorted(faces.train.people & faces.test.people)
    if both:
        raise ValueError(f"{len(both)} people of train are test people too, first {both[0]}.")
    tested = {image.tobytes() for image in faces.test.images}
    for name, part in (("pretraining", faces.pretraining), ("train", faces.train)):
        shared = [row for row, image in enumerate(part.images) if image.tobytes() in tested]
        if shared:
            raise ValueError(
                f"{len(shared)} images of {name} are test images too, first in row {shared[0]}."
            )
    unknown = sorted(set(faces.pairs.images) - set(faces.files))
    if unknown:
        raise ValueError(f"Pairs name {len(unknown)} unknown images, first {unknown[0]!r}.")


def source(
    people: People, labels: Mapping[str, np.ndarray], tasks: Sequence[Task]
) -> tf.data.Dataset:
    """Return images as networks see them, with labels.

    Args:
        people: The images.
        labels: Class ids by task name, -1 missing.
        tasks: That `labels` may name.
    """
    found = data.from_arrays(people.images[..., None], labels, tasks)
    return found.map(_colours, num_parallel_calls=tf.data.AUTOTUNE)


def _colours(image: tf.Tensor, labels: Any, masks: Any) -> tuple[tf.Tensor, Any, Any]:
    return data.network_input(tf.tile(image, (1, 1, 3)), image.shape[0]), labels, masks


def embeddings(model: MultiTaskModel, images: tf.data.Dataset) -> np.ndarray:
    """Return the identity features of images, [N, D].

    Args:
        model: With the task of identities.
        images: Unbatched.
    """
    network = network_of(model, task=IDENTITY)
    batches = images.map(lambda inputs, labels, masks: inputs).batch(BATCH)
    return np.concatenate([network(each) for each in batches.as_numpy_iterator()])
