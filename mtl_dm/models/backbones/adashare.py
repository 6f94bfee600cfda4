"""AdaShare (Sun et al. 2020): a learned policy says which blocks of a ResNet each task executes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_dm.draws import following, keys_of, require_seed, seed_of, uniform
from mtl_dm.models.backbones import _policy as policy
from mtl_dm.models.backbones import _task_resnet as resnet
from mtl_dm.models.backbones._contract import (
    example,
    require_image,
    require_tasks,
    require_variant,
)
from mtl_dm.models.backbones._library import SHAPES
from mtl_dm.models.backbones._policy_network import policy_network, restart
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.phases import Phased
from mtl_dm.models.policies import under_policy
from mtl_dm.models.terms import Context, Term, TermProvider

SPARSITY, SHARING = "adashare_sparsity", "adashare_sharing"
PHASES = ("warmup", "weights", "policy", "retrain")
WARMUP, WEIGHTS, POLICY, RETRAIN = map(float, range(4))


@keras.saving.register_keras_serializable("mtl_dm")
class AdaShare(keras.Model, TermProvider, Phased):
    """The network, its policy and its terms; see `adashare`.

    Args:
        input_shape: (height, width, 3).
        variant: "paper" or "demo".
        tasks: Their names.
        sparsity: Weight of the term that pulls towards skipping, >= 0.
        sharing: Weight of the term that pulls the tasks' policies together, >= 0.
        temperature: Of the Gumbel softmax in the first round.
        decay: Its factor a round.
        curriculum: Rounds from one block to the next.
        from_scratch: Whether the retraining starts from new weights.
        seed: Of the policy's draws and the weights of the retraining.
        **options: As for `keras.Model`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        variant: str,
        tasks: Sequence[str],
        sparsity: float,
        sharing: float,
        temperature: float,
        decay: float,
        curriculum: int,
        from_scratch: bool,
        seed: int,
        **options: Any,
    ) -> None:
        super().__init__(**{"name": "adashare", **options})
        self._own: dict[str, Any] = {
            "input_shape": tuple(input_shape),
            "variant": variant,
            "tasks": tuple(tasks),
            "sparsity": sparsity,
            "sharing": sharing,
            "temperature": temperature,
            "decay": decay,
            "curriculum": curriculum,
            "from_scratch": from_scratch,
            "seed": seed,
        }
        self.tasks = tuple(tasks)
        size = resnet.DEMO if require_variant("adashare", variant) else resnet.PAPER
        shape = require_image("adashare", input_shape, 32)
        # Not the policy of whoever loads it: its layers are not stored, this model's policy is.
        with under_policy(self.dtype_policy):
            self.network = policy_network(shape, size, self.tasks)
        choices = (len(self.tasks), len(resnet.blocks_of(size)))
        self.policy = self.add_weight(
            name="policy",
            shape=(*choices, 2),
            initializer=keras.initializers.Constant(0.5),
            dtype="float32",
            autocast=False,
        )
        self.phase = self._state("phase", WARMUP)
        self.rounds = self._state("rounds", 0.0)
        self.draws = self._state("draws", 0.0)
        self.sampled = self._state("sampled", 1.0, choices)
        self.built = True

    def _state(self, name: str, initial: float, shape: tuple[int, ...] = ()) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.Constant(initial),
            trainable=False,
            dtype="float32",
            autocast=False,  # Half precision counts to 2048.
            aggregation="mean",  # Of equal values: every replica comes to the same by itself.
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the features [B, D] of each task, by name."""
        return self.network([inputs, self.executed(training)], training=training)

    def executed(self, training: bool | None = None) -> Any:
        """Return how far each task executes each block, [T, L] in [0, 1]; in training it draws."""
        logits = ops.convert_to_tensor(self.policy)
        rounds, phase = ops.convert_to_tensor(self.rounds), ops.convert_to_tensor(self.phase)
        searched = self._drawn(logits, rounds) if training else policy.likelier(logits)
        # Weights are learned for the policy as it is.
        searched = ops.where(phase == POLICY, searched, ops.stop_gradient(searched))
        searched = ops.where(self._opened(rounds) > 0, searched, 1.0)
        learned = ops.where(phase == RETRAIN, ops.convert_to_tensor(self.sampled), searched)
        return ops.where(phase == WARMUP, 1.0, learned)

    def _drawn(self, logits: Any, rounds: Any) -> Any:
        count = ops.convert_to_tensor(self.draws)
        keys = keys_of(self._own["seed"], np.ndindex(*logits.shape)).reshape(logits.shape)
        noise = policy.gumbel(uniform(keys, count))
        self.draws.assign(following(count))
        now = policy.temperature_at(rounds, self._own["temperature"], self._own["decay"])
        return policy.gumbel_softmax(logits, noise, now)[..., policy.EXECUTE]

    def _opened(self, rounds: Any) -> Any:
        return policy.opened_blocks(rounds, self._own["curriculum"], self.policy.shape[1])

    @property
    def term_names(self) -> Sequence[str]:
        """The terms that are on; nothing is shared by a single task."""
        on = {SPARSITY: self._own["sparsity"], SHARING: self._own["sharing"]}
        if len(self.tasks) == 1:
            del on[SHARING]
        return [name for name, weight in on.items() if weight]

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return the policy's terms, absent but in the phase that learns it."""
        del context
        logits = ops.convert_to_tensor(self.policy)
        here = ops.cast(ops.convert_to_tensor(self.phase) == POLICY, "float32")
        opened = self._opened(ops.convert_to_tensor(self.rounds))
        found = {
            SPARSITY: Term(policy.sparsity_loss(logits, opened), here, self._own["sparsity"]),
            SHARING: Term(policy.sharing_loss(logits), here, self._own["sharing"]),
        }
        return {name: found[name] for name in self.term_names}

    def require_stage(self, name: str) -> None:
        """Check that a stage is a phase: its name without a number at its end is one of PHASES.

        Raises:
            ValueError: If it is none.
        """
        if _phase(name) not in PHASES:
            raise ValueError(
                f"adashare is trained in stages called {', '.join(PHASES)}, with a number where "
                f"one comes again (weights_2), got {name or 'a training without stages'!r}."
            )

    def begin_stage(self, name: str) -> None:
        """Go over to a phase; with weights after policy a round begins.

        Raises:
            ValueError: As `require_stage`.
        """
        self.require_stage(name)
        phase, before = float(PHASES.index(_phase(name))), float(ops.convert_to_numpy(self.phase))
        if phase == WEIGHTS and before == POLICY:
            self.rounds.assign(self.rounds + 1.0)
        if phase == RETRAIN and before != RETRAIN:
            self._sample()
            if self._own["from_scratch"]:
                restart(self.network, self._own["seed"])
        self.phase.assign(phase)

    def _sample(self) -> None:
        """Draw the policy of the retraining; blocks that the curriculum left closed execute."""
        logits, opened = ops.convert_to_tensor(self.policy), self._opened(self.rounds)
        chances = ops.convert_to_numpy(policy.execution_probabilities(logits))
        rng = np.random.default_rng(seed_of(self._own["seed"], "policy"))
        sampled = policy.sampled_policy(chances, rng)
        self.sampled.assign(np.where(ops.convert_to_numpy(opened) > 0, sampled, 1.0))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the weights say the rest."""
        return {**super().get_config(), **self._own}


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo", "tasks": ("expression", "action_units", "affect")},
    source="code",
    sizes={"paper": (224, 224, 3), "demo": (64, 64, 3)},
)
def adashare(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    tasks: tuple[str, ...] = ("expression", "action_units"),
    sparsity: float = 0.001,
    sharing: float = 0.05,
    temperature: float = 5.0,
    decay: float = 0.965,
    curriculum: int = 1,
    from_scratch: bool = True,
    seed: int = 0,
    weights: str = "none",
) -> AdaShare:
    """Return a ResNet-50 of which each task executes the blocks that a policy chooses.

    Source: Sun, Panda, Feris, Saenko 2020, "AdaShare: Learning What To Share For Efficient Deep
    Multi-Task Learning", and its authors' code. Task t goes through block l as

        x <- e_tl relu(s(x) + F_l(x)) + (1 - e_tl) s(x),   s the shortcut,

    with e_tl a draw of the Gumbel softmax of two logits (equations in `_policy`). Features are a
    dictionary by task. It is trained in stages, whose names are its phases:

        warmup      every block executes; the policy rests
        weights     soft draws; weights learn, the policy does not
        policy      soft draws; give it trainable=backbone/policy and the other half of the data;
                    the terms "adashare_sparsity" and "adashare_sharing" act
        weights_2, policy_2, ...   taking turns is a round: the temperature is temperature *
                    decay^round; the policy opens from the last block, one more every `curriculum`
                    rounds, and closed blocks execute
        retrain     a policy is drawn once, and the network learns with it on all data

    In inference a search takes the likelier of both, a retrained network its own policy.

    The source is silent, or we differ:
        - Network: the code has dilated ResNets for dense prediction; here torchvision's ResNet-50.
        - Stages have optimizers of their own, so that Adam's moments begin anew with each turn. In
          a stage policy the network is frozen, as stages freeze: normalisations use their averages.
        - Skipped blocks are computed and multiplied by 0: what the source saves in inference is
          not saved here. A pass moves a normalisation's averages in so far as it executes the
          block, so that a task that skips it leaves no trace in it.
        - In the search the code draws in inference too.
        - New weights of the retraining are drawn anew by He et al. 2015; heads stay as they are.
          With `weights`, or to go on from the search as the code can, from_scratch=False.
        - The code weighs by (l + 1) / L; its rates are 0.01 of the policy, 0.05 and 0.05 or 0.01
          and 0.1 of the terms.
        - Momentum of the statistics 0.9. Demo: a quarter of the channels, one block a stage and
          two in the third, the last stage without its stride: 5 blocks instead of 16.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        tasks: Names of the tasks of the model around it, each of which gets its features.
        sparsity: Weight of the cross-entropy of the policy towards skipping, >= 0.
        sharing: Weight of the difference between the tasks' policies, >= 0.
        temperature: Of the first round, > 0.
        decay: In (0, 1].
        curriculum: Rounds from one block to the next, >= 0; 0: all are open from the start.
        from_scratch: Whether the retraining starts from new weights.
        seed: Of the policy's draws and the weights of the retraining.
        weights: none or the path of a file.

    Raises:
        ValueError: If an option breaks its rule, `input_shape` is no such image, or weights do
            not fit.
        FileNotFoundError: If there is no file of weights.
    """
    names = require_tasks("adashare", tasks)
    rules = {
        f"sparsity must be finite and >= 0, got {sparsity}": 0 <= sparsity < math.inf,
        f"sharing must be finite and >= 0, got {sharing}": 0 <= sharing < math.inf,
        f"temperature must be finite and > 0, got {temperature}": 0 < temperature < math.inf,
        f"decay must be in (0, 1], got {decay}": 0 < decay <= 1,
        f"curriculum must be >= 0, got {curriculum}": curriculum >= 0,
    }
    broken = [rule for rule, kept in rules.items() if not kept]
    if broken:
        raise ValueError(f"adashare: {broken[0]}.")
    require_seed("adashare", seed)
    require_image("adashare", input_shape, 32)
    model = AdaShare(
        input_shape,
        variant,
        names,
        sparsity,
        sharing,
        temperature,
        decay,
        curriculum,
        from_scratch,
        seed,
    )
    return with_weights(model, weights, "adashare")


def _phase(name: str) -> str:
    return re.sub(r"_?\d+$", "", name)
