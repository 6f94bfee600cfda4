"""TFDS builders, one folder a database; importing this package registers them."""

from mtl_dm.datasets._features import task_features, task_metadata, tasks_of

__all__ = ["task_features", "task_metadata", "tasks_of"]
