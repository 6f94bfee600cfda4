"""What the page says beside the numbers."""

from __future__ import annotations

TITLE = "Multi-source transfer, after Vielzeuf et al. 2019"
INTRO = (
    "Frozen encoders (**sources**) embed unlabelled faces; an operator G makes one embedding of "
    "all (PCA, autoencoders AE, VAE, DAE); a **student** learns to give AE's from the image alone. "
    "**E_MT** learns to restore the sources at once. **CNN**: the student's network from random "
    "weights; **P-CNN**: the best single source; both, and the rows called fine-tuned, train whole "
    "on the target, others an MLP on frozen features. **BT**, **BCT**: the best source, the best "
    "combination of three; **Concat**: all sources in an MLP of G's layers. Identity is measured "
    "on the embeddings themselves; networks that train whole learn to tell training people apart."
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
    "± is Student's 95% interval over seeds; a single seed has none.",
)
CLAIM = (
    "Student fine-tuned less AE under an MLP, positive where the student is better. It holds "
    "where the interval lies above minus the margin ({margin}), stated before anything was run."
)
FIGURE2, FIGURE3 = "figure2_sizes.svg", "figure3_seconds.svg"
CAPTIONS = {
    FIGURE2: "Figure 2. The size of the common embedding against reconstruction and targets, first"
    " seed. The paper finds no size that is best for all.",
    FIGURE3: "Figure 3. CPU-seconds over all targets, with what each method needs: choosing a "
    "source or a combination, fusing, distilling. Embedding the faces by all sources is apart. In "
    "the paper the student's way takes a quarter of BCT's time.",
}
MEANINGLESS = " Trained for a few steps: **no number here means anything**."
