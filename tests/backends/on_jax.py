"""A program on JAX that does all that this folder's tests ask of it; to start it takes long.

    python -m tests.backends.on_jax START RESULT

leaves in RESULT what `steps` and `networks` say.
"""

import json
import sys
from pathlib import Path

from tests.backends import networks, steps


def main(start, result):
    steps.main(start, result)
    (Path(result) / "networks.json").write_text(json.dumps(networks.found()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
