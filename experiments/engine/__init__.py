"""The study engine: problems, methods, columns and cells; a table is one declarative file on it.

A file of a study names its columns (a problem each: data, tasks, splits, what its networks are) and
its rows (a `Method` each: what it changes in the configuration), and hands both to
`running.run_study`. Everything else, one path for all of them, is here: building, training,
thresholds, measuring, the order of the cells, worker processes, records and the report.
"""

import mtl_dm as mtl_dm  # Before anything else: it starts TensorFlow without chatter.
