"""Learning the relatedness of a coupling while the model trains, and judging one that is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.models import Coupling, MultiTaskModel, RelationCoupling
from mtl_dm.models.gradient_gate import GradientGate
from mtl_dm.models.live_moments import Live, LiveMoments
from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.relatedness import (
    Estimator,
    Moments,
    Observations,
    Relatedness,
    confirmed_share,
    drifted,
    explained_values,
    has_learned,
    learn,
    learn_judged,
    learn_moments,
)
from mtl_dm.training import judgement_words as words
from mtl_dm.training.observing import LIMIT, observe, observe_values

ANOTHER = 0.2
"""Share of a table that labels confirm below which what is in use instead is another table."""
MOST = 0.75
"""Share that is enough for a table to be believed before the first estimate."""
EARLY_LOOKS = 4
"""Labels are asked of it whenever so many parts of the epochs until then have passed, rounded down
to whole epochs: four to six times, fewer where there are fewer epochs."""


def schedule(epochs: int) -> tuple[int, int]:
    """Return after how many epochs a relatedness is learned first, and how often from then on.

    About a quarter of the training makes predictions worth learning from; as many estimates as
    fit before the last epoch, three of a training of 4, 8, 12 epochs, follow the model as it gets
    better.

    Raises:
        ValueError: If there is no time between two epochs.
    """
    if epochs < 2:
        raise ValueError(
            f"A relatedness is learned between epochs: it needs at least 2, got epochs {epochs}."
        )
    quarter = max(1, epochs // 4)
    return quarter, quarter


class LearnRelatedness(keras.callbacks.Callback):
    """Replaces the relatedness of couplings by what labels and predictions say of it.

    Until the first estimate the couplings are off (warm-up): the start may know nothing, and a
    network that a table has taught cannot judge it. Where a coupling has gradient gates of its own
    these are held instead, so that its losses are logged and teach nothing: the gates look at the
    table meanwhile, for where classes are few they are soon memorised, and memorised images confirm
    nothing. Of a table of which labels confirm `ANOTHER` at least, and that no gate has seen
    refuted, they start open and close if other images refute it, what they have seen counting by
    that share; of any other they start closed. Gates that several couplings share do so once all
    of their tables that labels judge are confirmed. Then, every few epochs:

    A relatedness that is learned is replaced by `mtl_dm.relatedness.learn`, unless the new one has
    drifted, which keeps the one in use (`mtl_dm.relatedness.drifted`); a start that is the same
    for every class stays off then. Moments are learned by `mtl_dm.relatedness.learn_moments`, from
    labelled values.

    One that labels judge (`Coupling.trust`) is judged once, `mtl_dm.relatedness.confirmed_share`,
    as soon as the network can tell classes, and from then on replaced likewise by `learn_judged`.
    Labels are asked a few times before the first estimate too, where only `MOST` of a table that
    they confirm counts: a network without coupling memorises few classes meanwhile.
    Where there is no judging it, it is believed as given, which is said.

    All that it changes are weights of the model, so that a training that was killed resumes
    exactly.

    Args:
        sources: The training data, unbatched.
        first: Epochs before the first estimate, at least 1.
        every: Epochs between estimates, at least 1.
        epochs: Epochs of the whole training, of which `fit` may do one stage; None: those that
            `fit` does.
        estimator: Settings; None: the defaults.
        limit: Most images a source that are looked at.
        batch_size: Of these, at once.
        verbose: Print a line for every estimate.

    Raises:
        ValueError: If `first` or `every` is below 1.
    """

    def __init__(
        self,
        sources: Sequence[tf.data.Dataset],
        first: int,
        every: int,
        *,
        epochs: int | None = None,
        estimator: Estimator | None = None,
        limit: int = LIMIT,
        batch_size: int = 256,
        verbose: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("first", first), ("every", every)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1 epoch, got {value}.")
        self._sources = sources
        self._first = first
        self._every = every
        self._epochs = epochs
        self._estimator = estimator
        self._looks = {"limit": limit, "batch_size": batch_size}
        self._verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keep couplings off until there is an estimate; one that had one before stays on."""
        del logs
        if epoch == 0 or not int(keras.ops.convert_to_numpy(self.model.optimizer.iterations)):
            for index, live in self._live():
                if live.confirmed is None and not live.replaced:
                    self._begin_warm_up(index)

    def on_train_end(self, logs: Any = None) -> None:
        """Say of which couplings there has been no estimate; a later training has them act."""
        del logs
        whole = self._epochs
        if whole is not None and (self.params or {}).get("epochs", whole) != whole:
            return  # Another stage follows.
        for index, live in self._live():
            if not live.replaced and not self._runs(index):
                self._say_line(words.never(self.model.couplings[index], self._first))
                self._end_warm_up(index)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Learn where the schedule says so; not after the last epoch, which nothing follows."""
        del logs
        done = epoch + 1
        last = self.params.get("epochs") if self._epochs is None else self._epochs
        if done == last:
            return
        if done < self._first and done % max(1, self._first // EARLY_LOOKS) == 0:
            self._judge_early(done)
        if done < self._first or (done - self._first) % self._every:
            return
        final = last is not None and done + self._every >= last
        for index, live in self._live():
            coupling = self.model.couplings[index]
            if coupling.learned:
                said = self._learn(coupling, live)
                if _tells_classes_apart(live.value()):
                    self._end_warm_up(index)
                self._say(done, f"relatedness {said}.")
            elif live.confirmed is None and self._runs(index):
                continue  # There was no judging it, and there is not.
            else:
                self._say(done, self._judge(final, index, coupling, live))

    def _judge_early(self, done: int) -> None:
        """Believe tables of which labels confirm `MOST` already; nothing is decided of others."""
        for index, live in self._live():
            coupling = self.model.couplings[index]
            if coupling.learned or live.confirmed is not None:
                continue
            seen = observe(self.model, self._sources, coupling, **self._looks)
            if words.obstacle(seen, coupling.relatedness) is not None or not has_learned(seen):
                continue
            share = confirmed_share(seen, coupling.relatedness)
            if share >= MOST and not any(gate.refuted for gate in self._gates(index)):
                self._say(done, self._believe(index, coupling, live, seen, share))

    def _live(self) -> list[tuple[int, Any]]:
        return [(int(index), live) for index, live in self.model.live_relatedness.items()]

    def _scales(self, index: int) -> list[Any]:
        return [self.model.term_scales[name] for name in self.model.coupling_names(index)]

    def _gates(self, index: int) -> list[GradientGate]:
        """Return the gates that hold back this coupling and no other one; none if it is learned."""
        coupling, *others = [
            self.model.couplings[index],
            *(each for i, each in enumerate(self.model.couplings) if i != index and each.gated),
        ]
        heads = {coupling.source, coupling.target}
        shared = any(heads & {each.source, each.target} for each in others)
        if coupling.learned or shared:
            return []
        return [gate for name, gate in self.model.gates.items() if name in heads]

    def _runs(self, index: int) -> bool:
        scales = [float(keras.ops.convert_to_numpy(scale)) for scale in self._scales(index)]
        return any(scales) and not any(gate.held for gate in self._gates(index))

    def _begin_warm_up(self, index: int) -> None:
        """Take a coupling's effect away: its gates are held, or its terms are off."""
        gates = self._gates(index)
        for gate in gates:
            gate.hold()
        if not gates:
            for scale in self._scales(index):
                scale.assign(0.0)

    def _end_warm_up(self, index: int, confirmed: float | None = None) -> None:
        """Switch a coupling on; a term that runs keeps what the validation gate has left of it.

        Args:
            index: Of the coupling.
            confirmed: Share of its table that labels confirm; None: nobody has asked them.
        """
        held = [gate for gate in self._gates(index) if gate.held]
        # Few labels may confirm a wrong table by chance; what either head has seen counts for both.
        believed = (confirmed or 0.0) >= ANOTHER and not any(gate.refuted for gate in held)
        for gate in held:
            if confirmed is None:
                gate.release(1.0)
            else:  # Another table has nothing to do with what the old one asked for.
                gate.release(confirmed if confirmed >= ANOTHER else 0.0, believed)
        for scale in self._scales(index):
            if not keras.ops.convert_to_numpy(scale):
                scale.assign(1.0)

    def _believe_shared(self) -> None:
        """Open gates that no coupling has for itself once labels confirm the tables of all theirs.

        That is those of a head that several couplings share, and of the other heads of these. A
        relation that no labels judge does not keep the tables beside it waiting: the gate that
        they share goes on looking at what all of them do.
        """
        for task, gate in self.model.gates.items():
            at = [
                index
                for index, coupling in enumerate(self.model.couplings)
                if coupling.gated and task in (coupling.source, coupling.target)
            ]
            judged = [index for index in at if str(index) in self.model.live_relatedness]
            shared = not any(gate in self._gates(index) for index in at)
            if shared and judged and all(map(self._stands, judged)):
                gate.release(1.0, believed=True)

    def _stands(self, index: int) -> bool:
        """Return whether labels confirm a table, and no gate has seen it refuted."""
        live, coupling = self.model.live_relatedness[str(index)], self.model.couplings[index]
        heads = [self.model.gates[name] for name in (coupling.source, coupling.target)]
        confirmed = (live.confirmed or 0.0) >= ANOTHER
        return confirmed and not any(gate.refuted for gate in heads)

    def _say(self, epoch: int, text: str) -> None:
        self._say_line(f"After epoch {epoch}: {text}")

    def _say_line(self, line: str) -> None:
        if self._verbose:
            print(line, flush=True)

    def _learn(self, coupling: Any, live: Live) -> str:
        if isinstance(live, LiveMoments):
            return self._learn_moments(coupling, live)
        seen = observe(self.model, self._sources, coupling, **self._looks)
        if not len(seen.class_labels):
            return "cannot be learned: there is no training image to look at"
        return self._replace(live, seen, learn(seen, coupling.relatedness, self._estimator))

    def _learn_moments(self, coupling: RelationCoupling, live: LiveMoments) -> str:
        """Put learned moments in use unless they explain the values worse than those in use."""
        seen = observe_values(self.model, self._sources, coupling, **self._looks)
        values = int((~np.isnan(seen[2]).any(axis=1)).sum())
        if values < 2:
            return "cannot be learned: no training image has all of its values"
        new = learn_moments(*seen, coupling.relation)
        if explained_values(*seen, new) < explained_values(*seen, live.value()):
            return "explains the values worse than the one in use, which is kept"
        live.assign(new)
        return f"learned from the values of {values:,} images"

    def _replace(
        self, live: LiveRelatedness, seen: Observations, new: Relatedness, reliability: Any = None
    ) -> str:
        """Put an estimate in use unless it has drifted, and return which of the two happened."""
        if drifted(seen, new, live.value(), self._estimator):
            return "explains the class labels worse than the one in use, which is kept"
        live.assign(new, reliability)
        return f"learned from {len(seen.class_labels):,} images"

    def _judge(self, final: bool, index: int, coupling: Coupling, live: LiveRelatedness) -> str:
        seen = observe(self.model, self._sources, coupling, **self._looks)
        if live.confirmed is not None:
            new = learn_judged(seen, coupling.relatedness, live.confirmed, self._estimator)
            return f"{words.subject(coupling)} {self._replace(live, seen, *new)}."
        obstacle = words.obstacle(seen, coupling.relatedness)
        if obstacle is None and not has_learned(seen):
            if not final:
                return words.not_yet(coupling)
            obstacle = words.NOTHING_LEARNED
        if obstacle is not None:
            self._end_warm_up(index)
            return words.unjudged(coupling, obstacle)
        share = confirmed_share(seen, coupling.relatedness)
        return self._believe(index, coupling, live, seen, share)

    def _believe(
        self,
        index: int,
        coupling: Coupling,
        live: LiveRelatedness,
        seen: Observations,
        share: float,
    ) -> str:
        """Believe a share of a table from now on, and return what to say of it."""
        live.confirm(share)
        # As it was saved, so that a training that goes on is the same. No guard against drift: no
        # coupling has taught the network yet.
        share = live.confirmed or 0.0
        self._end_warm_up(index, share)
        self._believe_shared()
        live.assign(*learn_judged(seen, coupling.relatedness, share, self._estimator))
        return words.judged(coupling, share, seen)


def end_warm_up(model: MultiTaskModel) -> None:
    """Let couplings act whose warm-up an earlier training has not come to the end of."""
    for gate in model.gates.values():
        if gate.held:
            gate.release(1.0)
    for scale in model.term_scales.values():
        if not keras.ops.convert_to_numpy(scale):
            scale.assign(1.0)


def _tells_classes_apart(relation: Any) -> bool:
    table = relation.mean if isinstance(relation, Moments) else relation.conditional
    return bool(np.ptp(table, axis=0).any())


def unjudged_notices(model: MultiTaskModel, epochs: int) -> list[str]:
    """Return a line for each coupling whose relation no training of so many epochs judges."""
    lines = []
    for coupling in model.couplings:
        if coupling.learned:
            continue
        if not isinstance(coupling, Coupling):
            kind = coupling.relation.kind
            lines.append(
                words.unjudged(coupling, f"only tables of a Coupling are, this one holds {kind}")
            )
        elif coupling.trusts and epochs < 2:
            lines.append(words.unjudged(coupling, "that happens between two epochs, there is one"))
    return lines
