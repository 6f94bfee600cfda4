"""What the page says beside the numbers."""

from __future__ import annotations

from typing import NamedTuple

from experiments.transferring.setting import Setting
from mtl_dm.distilling.student import Training

TITLE = "Multi-source transfer, after Vielzeuf et al. 2019"
INTRO = (
    "Frozen encoders (**sources**) embed unlabelled faces; an operator G makes one embedding of "
    "all (PCA, autoencoders AE, VAE, DAE); a **student** learns to give AE's from the image alone. "
    "**E_MT** learns to restore the sources at once. **CNN**: the student's network from random "
    "weights; **P-CNN**: the best single source that can be trained on; both, and the rows called "
    "fine-tuned, train whole on the target, others an MLP on frozen features. **BT**, **BCT**: the "
    "best source, the best combination of three; **Concat**: all sources in an MLP of G's layers. "
    "Identity is measured on the embeddings themselves; networks that train whole learn to tell "
    "training people apart."
)
NOTES = (
    "Printed numbers are of other sources, targets, sizes and data (4.12 million faces at 300 px): "
    "no level compares, differences between rows may.",
    "Identity-LFW as printed: CNN, P-CNN and the fine-tuned networks first learned 100,000 faces "
    "of VGGFace2; here they learn LFW's own training people.",
    "The embedding is G's code less its mean over the unlabelled faces; the paper takes the code "
    "as it is. Three variants of what the student is to give were compared on held-out unlabelled "
    "faces.",
    "The student's distillation is 1 - cosine; eq. 4 as printed minimises the cosine.",
    "Widths follow the paper's factor of 4/7 a layer; its 1,024 are not the average width of its "
    "sources.",
    "± is a 95% interval over seeds: of other trainings on the same images, not of other images. A "
    "single training has none. Where halves of one pool train and are tested (CMU: ten of twenty "
    "people; CAD: half of the photos, drawn for every seed) it is the corrected resampled one of "
    "Nadeau and Bengio 2003, for halves share images. It is then of other halves of these twenty "
    "people, who are few.",
    "Facial movements are measured by MediaPipe, they are no coder's labels. CAD shows whole "
    "people at 48 px, and encoders of faces are no encoders of clothes.",
)
CLAIM = (
    "Student less AE, positive where the student is better. It holds where the interval lies above "
    "minus the margin ({margin}), stated before anything was run. The paper compares the "
    "fine-tuned student with an MLP on AE; but the fine-tuned student learns from all training "
    "rows, shifted, mirrored and relit, the MLP from four fifths of them as they are, for a fifth "
    "says when it stops. So part of that difference is rows and augmentation. The student under "
    "the same MLP with the same rows stands below it. "
    "Where halves of one pool train and are tested, these rows are trained on both halves. "
    "Not of the claim: a task that a source was trained for, on whatever faces. That is drawn "
    "valence-arousal, too, which is nearly a function of the drawn expressions and action units, "
    "and identity, where AE has neither MLP nor labels and the fine-tuned student learns from "
    "labelled people. Of the others the source `drawn_attributes`, where it is one, knows "
    "something near: glasses of drawn faces are not sunglasses of photos."
)
FIGURE2, FIGURE3 = "figure2_sizes.svg", "figure3_seconds.svg"
CAPTIONS = {
    FIGURE2: "Figure 2. The size of the common embedding against reconstruction and targets, first"
    " seed. The paper finds no size that is best for all.",
    FIGURE3: "Figure 3. CPU-seconds over all targets, with what each method needs: choosing a "
    "source or a combination, fusing, distilling. Embedding the faces by all sources is apart, "
    "measuring is left out. In the paper the student's way takes a quarter of BCT's time.",
}
MEANINGLESS = " Trained for a few steps: **no number here means anything**."
STEPS = (
    "Networks that train whole take about {steps:,} steps on a target. CNN has had no others; the "
    "student's and E_MT's network has had about {before:,} before, on unlabelled faces, and a "
    "source those of its own training. So what lies between CNN and them is training, too."
)
FROZEN_GRAPHS = (
    " Public encoders are frozen graphs: P-CNN is `small_faces` on every target, the best source "
    "or not."
)
LABELLED = (
    "On identity Concat learns from labels who the training people are; PCA, AE, VAE and DAE have "
    "no labels, and BT and BCT only choose by them. Autoencoders have had up to {steps:,} steps on "
    "unlabelled faces beside what Concat, BT and BCT have."
)
SEEN = (
    "FER2013 expression is learned from a tenth of Training that no source was trained on. Not "
    "trained on is not unseen: `small_faces` was watched on these images while it was trained, and "
    "has its temperatures of them, which change no number here. LFW facial movements are learned "
    "from photos that it learned them from; their test people it never saw."
)
SEEN_BY_PUBLIC = (
    "What the public encoders were trained on is not said: they may know images and people of any "
    "target, test images included. FER2013 expression is learned from a tenth of Training that "
    "`small_faces` was not trained on, but has its learning curve and temperatures of. LFW facial "
    "movements are learned from photos that it learned them from."
)


class Words(NamedTuple):
    """What is said of one run.

    Attributes:
        table3: Beside Table 3.
        table6: Beside Table 6.
        seen: Of the images that sources know; Markdown.
    """

    table3: str
    table6: str
    seen: str


def words(setting: Setting) -> Words:
    """Return what is said of a run of some size and sources."""
    size, is_public = setting.size, setting.preset == "public"
    before = size.student_epochs * (len(setting.parts()[0]) // Training().batch_size)
    return Words(
        STEPS.format(steps=size.steps, before=before) + (FROZEN_GRAPHS if is_public else ""),
        LABELLED.format(steps=size.operator_steps),
        SEEN_BY_PUBLIC if is_public else SEEN,
    )
