"""`python -m mtl_dm NAME ...` is `mtl-dm NAME ...`."""

import sys

from mtl_dm.commands import main

sys.exit(main())
